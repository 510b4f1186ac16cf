# SPDX-License-Identifier: MIT OR Apache-2.0
"""Listening, accepting and connecting in one call each, on IPv4, IPv6 and unix paths."""

from __future__ import annotations

import ctypes
import errno
import math
import socket
from typing import TYPE_CHECKING, TypedDict, cast

from ._errors import check, text
from ._library import short
from ._reactor import HasFileno
from ._structs import SocketOptionsStruct

if TYPE_CHECKING:
    from typing_extensions import Unpack

# Where the struct has the unit in the name, or a flag beside the value.
_FIELDS = {
    "keepalive_idle": "keepalive_idle_s",
    "keepalive_interval": "keepalive_interval_s",
    "linger": "linger_s",
}


class SocketOptions(TypedDict, total=False):
    """What :func:`listen`, :func:`connect` and :func:`set_socket_options` take by name; what is not
    given is the system's choice. Connections inherit buffers, nodelay, keepalive and linger from the
    listener that accepts them. What is TCP's is passed over on a unix socket."""

    backlog: int
    """Listening: most connections that wait to be accepted."""
    reuse_port: bool
    """Listening: sockets of this user that all ask for it may listen on one address. Linux and
    FreeBSD spread connections over them."""
    v6only: bool
    """Listening on IPv6: not on IPv4 as well. Otherwise ``[::]`` takes both."""
    mode: int
    """Listening on a unix path: permission bits, such as ``0o660``."""
    receive_buffer: int
    """Bytes. The system rounds it and has a limit."""
    send_buffer: int
    """Bytes. The system rounds it and has a limit."""
    nodelay: bool
    """TCP: small segments are sent at once."""
    keepalive: bool
    """TCP: silent peers are probed. The next three imply it."""
    keepalive_idle: int
    """TCP: seconds of silence before the first probe."""
    keepalive_interval: int
    """TCP: seconds between probes."""
    keepalive_count: int
    """TCP: probes without an answer after which the connection is dead."""
    linger: float
    """Closing takes up to so many seconds, rounded up, to deliver what was written; with 0, what was
    not sent is dropped and the peer gets a reset."""


def listen(address: str, **options: Unpack[SocketOptions]) -> socket.socket:
    """A non-blocking socket that listens, with SO_REUSEADDR, on ``127.0.0.1:8080``, ``[::]:80``,
    ``*:80``, ``localhost:80``, ``8080`` or ``unix:/run/app.sock``. Port 0 is any free port, which
    ``getsockname()`` tells. The file of a unix socket whose process has ended is replaced, and is
    yours to remove.

    OSError: EADDRINUSE, also for a unix path where somebody listens or there is another file;
    EACCES, EADDRNOTAVAIL, EMFILE; EINVAL for what is no address (names are not looked up), and
    ENAMETOOLONG for a path; EINVAL and ENOTSUP for options. TypeError: an unknown option.
    """
    number = check(short.evl_listen(text(address), _struct(options)))
    return _not_blocking(socket.socket(fileno=number))


def accept(listener: socket.socket) -> socket.socket | None:
    """The next connection that waits, non-blocking; None if none does. Connections that ended before
    they were accepted are passed over::

        while (connection := evl.accept(listener)) is not None:
            ...

    OSError: EMFILE, ENFILE, ENOBUFS, ENOMEM: the connection still waits and the listener stays
    readable, so disable its knote until there is room.
    """
    number: int = short.evl_accept(listener.fileno())
    if number == -errno.EAGAIN:
        return None
    kind = listener.family, listener.type, listener.proto
    return _not_blocking(socket.socket(*kind, check(number)))


def connect(address: str, **options: Unpack[SocketOptions]) -> socket.socket:
    """A non-blocking socket whose connection is under way or made. WRITE tells when that is over, and
    ``getsockopt(SOL_SOCKET, SO_ERROR)`` how.

    OSError: what the system knows at once; of a unix path that is everything, EAGAIN for a full
    backlog among it; and as of :func:`listen` for address and options.
    """
    number = check(short.evl_connect(text(address), _struct(options)))
    return _not_blocking(socket.socket(fileno=number))


def set_socket_options(connection: HasFileno, **options: Unpack[SocketOptions]) -> None:
    """Sets a connection's buffers, nodelay, keepalive and linger. What is not given stays, and what is
    for listening is passed over. OSError: EBADF, ENOTSOCK; EINVAL and ENOTSUP for options."""
    check(short.evl_socket_set(connection.fileno(), _struct(options)))


def _struct(options: SocketOptions) -> SocketOptionsStruct:
    struct = SocketOptionsStruct(size=ctypes.sizeof(SocketOptionsStruct))
    for name, value in cast("dict[str, float]", options).items():
        if name not in SocketOptions.__annotations__:
            raise TypeError(f"there is no socket option {name!r}")
        number = math.ceil(value)
        if not 0 <= number < 1 << 32:
            raise OverflowError(f"{name} has to fit into 32 bits: {value}")
        if name == "linger":
            struct.linger = 1
        setattr(struct, _FIELDS.get(name, name), number)
    return struct


def _not_blocking(made: socket.socket) -> socket.socket:
    """The descriptor is so already; this tells Python."""
    made.setblocking(False)
    return made
