# SPDX-License-Identifier: MIT OR Apache-2.0
"""SIGINT and SIGTERM as bytes in a socket: none can slip in between looking and waiting."""

from __future__ import annotations

import contextlib
import signal
import socket
from types import FrameType, TracebackType

ENDED = 0
"""What :meth:`Inbox.take` answers after a :meth:`Inbox.post`; no signal has this number."""


class Inbox:
    """While entered, SIGINT and SIGTERM do nothing but stand here. Main thread only."""

    def __enter__(self) -> Inbox:
        self._reader, self._writer = socket.socketpair()
        self._writer.setblocking(False)
        self._wakeup = signal.set_wakeup_fd(self._writer.fileno(), warn_on_full_buffer=False)
        numbers = (signal.SIGINT, signal.SIGTERM)
        self._before = {number: signal.signal(number, _nothing) for number in numbers}
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        value: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        for number, handler in self._before.items():
            signal.signal(number, signal.SIG_DFL if handler is None else handler)
        signal.set_wakeup_fd(self._wakeup)
        self._reader.close()
        self._writer.close()

    def take(self) -> int:
        """Waits for the number of a signal, or for ENDED."""
        return self._reader.recv(1)[0]

    def post(self) -> None:
        """Leaves ENDED. Any thread; does nothing if nobody is here any more."""
        with contextlib.suppress(OSError):
            self._writer.send(bytes([ENDED]))


def _nothing(number: int, frame: FrameType | None) -> None:
    """A signal has to have a handler, or it would not wake the socket."""
