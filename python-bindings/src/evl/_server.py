# SPDX-License-Identifier: MIT OR Apache-2.0
"""The HTTP server. Its workers run on threads that Python makes, because a callback on a thread of
the library's own would cost fifty times as much."""

from __future__ import annotations

import atexit
import contextlib
import ctypes
import errno
import math
import os
import signal
import sys
import threading
import weakref
from collections.abc import Callable
from types import TracebackType
from typing import NamedTuple, TypeVar

from ._enums import AcceptPolicy
from ._errors import check, error, made, text
from ._handlers import Handler, call_handler, hold, log, release, release_handler
from ._library import library
from ._signals import Inbox
from ._structs import CountersStruct, ServerOptions

H = TypeVar("H", bound=Handler)

_LONGEST_ADDRESS = 256


class Counters(NamedTuple):
    """What a worker has done since the start, up to the latest turn that it has ended."""

    accepted: int
    """Connections that it has taken on."""
    open: int
    """Of these, those that are open."""
    requests: int
    """Requests whose head has come."""
    shed: int
    """Idle connections that it has closed to make room for others."""
    turns: int
    """How often it woke up for events, orders or time-outs."""


class Server:
    """An HTTP server: set it up, then :meth:`run` it, or :meth:`start` and :meth:`stop` it. A
    stopped server stays stopped.

    ``workers`` is how many threads serve. One is quickest for handlers that compute, as they take
    turns under the GIL; more are good for files, and for handlers that wait. What a configuration
    file says goes before this and the other options, which are by default the library's:
    ``max_body_bytes``: the longest body of a request (1 MiB). ``header_timeout``: seconds within
    which the head of a request has to be there (60). ``body_timeout`` and ``send_timeout``: the
    longest pause in seconds between two reads of a body and two writes of an answer (60).
    ``keepalive_timeout``: seconds for which an idle connection is kept (75).
    ``keepalive_requests``: answers on one connection (1000). ``worker_connections``: connections
    that one worker has open (as many as there can be); at the limit idle ones are closed for new
    ones, and if none is idle, new ones wait. ``accept_policy``: how connections come to the workers;
    by default each listens for itself, with ``AcceptPolicy.SHARED`` they take from one queue whoever
    has time, with ``AcceptPolicy.ROUND_ROBIN`` they take turns. ``backend``: as a
    :class:`evl.Reactor`'s. ``io``: "readiness" or, where Linux has it to give, "uring".

    Thread: set it up on one thread. :meth:`stop` may be called on any; on a worker's, by a handler,
    it does not wait. Handlers run on the workers, several at a time."""

    def __init__(
        self,
        workers: int = 1,
        *,
        max_body_bytes: int | None = None,
        header_timeout: float | None = None,
        body_timeout: float | None = None,
        send_timeout: float | None = None,
        keepalive_timeout: float | None = None,
        keepalive_requests: int | None = None,
        worker_connections: int | None = None,
        accept_policy: AcceptPolicy = AcceptPolicy.REUSEPORT,
        backend: str | None = None,
        io: str | None = None,
    ) -> None:
        options = ServerOptions(
            size=ctypes.sizeof(ServerOptions),
            backend=None if backend is None else text(backend),
            workers=_number("workers", workers, 32),
            caller_threads=1,
            max_body_bytes=_number("max_body_bytes", max_body_bytes, 64),
            header_timeout_ms=_milliseconds("header_timeout", header_timeout),
            body_timeout_ms=_milliseconds("body_timeout", body_timeout),
            send_timeout_ms=_milliseconds("send_timeout", send_timeout),
            keepalive_timeout_ms=_milliseconds("keepalive_timeout", keepalive_timeout),
            keepalive_requests=_number("keepalive_requests", keepalive_requests, 64),
            worker_connections=_number("worker_connections", worker_connections, 32),
            accept_policy=AcceptPolicy(accept_policy),
            io=None if io is None else text(io),
        )
        self._handle = made(library.evl_server_create(ctypes.byref(options)))
        self._threads: list[threading.Thread] = []
        self._free = weakref.finalize(self, _free, self._handle, self._threads)
        self._lock = threading.Lock()
        self._listening = 0
        self._started = False
        self._working = 0
        self._inbox: Inbox | None = None

    def load(self, path: str | os.PathLike[str]) -> None:
        """Reads a configuration file. If it is wrong, nothing of it is taken, and the EvlError
        shows file, line and column."""
        check(library.evl_server_load(self._open(), text(path)))

    def listen(self, address: str) -> str:
        """Listens on an address: "127.0.0.1:8080", "[::]:80", "8080", "unix:/run/app.sock". Returns
        the real one: port 0 takes a free port."""
        check(library.evl_server_listen(self._open(), text(address)))
        self._listening += 1
        return self.addresses[self._listening - 1]

    @property
    def addresses(self) -> list[str]:
        """What the server listens on; of a configuration file, once the server has started."""
        found: list[str] = []
        buffer = ctypes.create_string_buffer(_LONGEST_ADDRESS)
        while True:
            code = library.evl_server_address(self._open(), len(found), buffer, len(buffer))
            if code == -errno.ENOENT:
                return found
            check(code)
            found.append(os.fsdecode(buffer.value))

    def static(self, prefix: str, directory: str | os.PathLike[str]) -> None:
        """Serves the files of a directory to paths that begin with ``prefix``. Routes go before."""
        check(library.evl_server_static(self._open(), text(prefix), text(directory)))

    def route(self, method: str, pattern: str) -> Callable[[H], H]:
        """Has the decorated function answer requests of that method ("*": any; GET answers HEAD,
        too) whose path matches the pattern: ``/users/{id}``, ``/files/{path...}``.

        The function takes a :class:`Request` and returns the body (str, bytes, or a dict for JSON),
        a tuple of status and body, a :class:`Response`, or ``evl.DECLINED``. If it raises, the
        client gets 500 and the logger ``evl`` the traceback."""

        def register(handler: H) -> H:
            index = hold(handler)
            code = library.evl_server_route(
                self._open(), text(method), text(pattern), call_handler, index, release_handler
            )
            if code < 0:
                failure = error(code)
                release(index)
                raise failure
            return handler

        return register

    def start(self) -> None:
        """Starts the workers and returns: clients can connect."""
        check(library.evl_server_start(self._open()))
        self._started = True
        # The last to be registered is the first to run: before what frees servers.
        atexit.unregister(_set_signal)
        atexit.register(_set_signal, signal.SIGINT, signal.SIG_DFL)
        for index in range(check(library.evl_server_workers(self._handle))):
            name = f"evl-worker-{index}"
            thread = threading.Thread(target=self._work, args=(index,), name=name, daemon=True)
            with self._lock:
                self._working += 1
            try:
                thread.start()
            except BaseException:
                with self._lock:
                    self._working -= 1
                self.stop(0)
                raise
            self._threads.append(thread)

    def counters(self) -> list[Counters]:
        """What each worker has done, also after the stop. Any thread, once the server is started."""
        found: list[Counters] = []
        struct = CountersStruct(size=ctypes.sizeof(CountersStruct))
        for index in range(check(library.evl_server_workers(self._open()))):
            check(library.evl_server_counters(self._open(), index, ctypes.byref(struct)))
            found.append(Counters(*(getattr(struct, name) for name in Counters._fields)))
        return found

    def stop(self, grace: float = 10.0) -> None:
        """Stops accepting, gives running requests ``grace`` seconds to end, closes what is left and
        returns when the workers have ended; called by a handler, at once. Does nothing if the
        server is not started."""
        self._order_stop(grace)
        if threading.current_thread() not in self._threads:
            for thread in self._threads:
                thread.join()

    def run(self, grace: float = 10.0) -> None:
        """Starts unless started, and returns when the server has stopped. Main thread only.

        ^C (SIGINT) stops it at once; a handler that runs is waited for. A second ^C does not wait,
        but raises KeyboardInterrupt, and the program dies of SIGINT as it ends. SIGTERM gives
        running requests ``grace`` seconds to end.
        """
        with Inbox() as inbox:
            self._inbox = inbox
            if not self._started:
                self.start()
            at_once = False
            while self._is_working():
                number = inbox.take()
                if number == signal.SIGINT and at_once:
                    # The hanging handler's worker still uses the library's server.
                    self._free.detach()
                    atexit.register(_die_of_interrupt)
                    raise KeyboardInterrupt
                if number in (signal.SIGINT, signal.SIGTERM):
                    at_once = number == signal.SIGINT
                    self._order_stop(0 if at_once else grace)
            self.stop(0)

    def close(self) -> None:
        """Stops the server at once and frees it. A second call does nothing. Not for handlers."""
        if threading.current_thread() in self._threads:
            raise RuntimeError("a handler cannot close its own server: stop() it")
        if self._free.alive:
            self.stop(0)
            self._free()

    def __enter__(self) -> Server:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        value: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def _open(self) -> int:
        if not self._free.alive:
            raise ValueError("the server is closed")
        return self._handle

    def _work(self, index: int) -> None:
        code = library.evl_server_work(self._handle, index)
        if code < 0:
            log.error("worker %d gave up: %s", index, error(code))
        with self._lock:
            self._working -= 1
        if self._inbox is not None:
            self._inbox.post()

    def _is_working(self) -> bool:
        with self._lock:
            return self._working > 0

    def _order_stop(self, grace: float) -> None:
        """Has a thread wait for the end, as ^C could not end a wait inside the library."""
        if not grace >= 0:
            raise ValueError(f"grace must not be negative: {grace}")
        if self._started and self._free.alive:
            arguments = (self._handle, math.ceil(min(grace * 1e3, 1e15)))
            thread = threading.Thread(target=library.evl_server_stop, args=arguments, daemon=True)
            thread.start()
            self._threads.append(thread)


def _free(handle: int, threads: list[threading.Thread]) -> None:
    """Runs once: by close(), with the object, or as the program ends."""
    if any(thread.is_alive() for thread in threads):
        # Only as the program ends: workers that run keep their server.
        library.evl_server_stop(handle, 0)
    for thread in threads:
        # A worker that has come back may itself be the last who knew the server.
        if thread is not threading.current_thread():
            thread.join()
    library.evl_server_free(handle)


# As the program ends, ^C kills it: raised as KeyboardInterrupt it would skip what frees the servers.
# Unlike signal.signal() this does not begin with raising what is pending.
_set_signal = ctypes.PYFUNCTYPE(ctypes.c_void_p, ctypes.c_int, ctypes.c_void_p)(
    ("PyOS_setsig", ctypes.pythonapi)
)


def _die_of_interrupt() -> None:
    """Ends the program before Python ends the thread of a handler that hangs: it would unwind the
    library's frames, which aborts."""
    with contextlib.suppress(OSError, ValueError):
        sys.stdout.flush()
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    os.kill(os.getpid(), signal.SIGINT)


def _number(name: str, value: int | None, bits: int) -> int:
    if value is None:
        return 0
    if not 0 < value < 1 << bits:
        raise ValueError(f"{name} must be positive and fit into {bits} bits: {value}")
    return value


def _milliseconds(name: str, seconds: float | None) -> int:
    return _number(name, None if seconds is None else math.ceil(seconds * 1e3), 32)
