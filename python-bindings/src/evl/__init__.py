# SPDX-License-Identifier: MIT OR Apache-2.0
"""evl: kqueue's event model on every OS, and an HTTP server.

:class:`Reactor` watches descriptors, timers and user events; :func:`listen`, :func:`accept` and
:func:`connect` make sockets for it; :class:`EvlSelector` puts asyncio on one; :class:`Server` serves
files and Python functions. A failure is an OSError of the right kind,
or an :class:`EvlError`. The logger is ``evl``."""

from __future__ import annotations

from ._enums import (
    AcceptPolicy,
    ErrorCode,
    Filter,
    Flag,
    IoNote,
    ProcessNote,
    TimerNote,
    UserNote,
    VnodeNote,
)
from ._errors import EvlError
from ._library import short as _short
from ._reactor import Event, Reactor
from ._request import Headers, Request
from ._response import DECLINED, Response
from ._selector import EvlSelector
from ._server import Counters, Server
from ._socket import SocketOptions, accept, connect, listen, set_socket_options

__all__ = [
    "DECLINED",
    "AcceptPolicy",
    "Counters",
    "ErrorCode",
    "Event",
    "EvlError",
    "EvlSelector",
    "Filter",
    "Flag",
    "Headers",
    "IoNote",
    "ProcessNote",
    "Reactor",
    "Request",
    "Response",
    "Server",
    "SocketOptions",
    "TimerNote",
    "UserNote",
    "VnodeNote",
    "accept",
    "connect",
    "library_version",
    "listen",
    "set_socket_options",
]


def library_version() -> str:
    """The version of the library that runs."""
    version: bytes = _short.evl_version()
    return version.decode()
