# SPDX-License-Identifier: MIT OR Apache-2.0
"""The numbers of evl.h. A test compares each of them with the header."""

from __future__ import annotations

from enum import IntEnum, IntFlag


class Filter(IntEnum):
    """What a knote watches."""

    READ = 1
    WRITE = 2
    EXCEPT = 3
    TIMER = 4
    SIGNAL = 5
    PROC = 6
    VNODE = 7
    USER = 8
    EMPTY = 9
    AIO = 10
    MACHPORT = 11
    FS = 12
    PROCDESC = 13


class Flag(IntFlag):
    """What to do with a knote, or what happened to it."""

    ADD = 1 << 0
    DELETE = 1 << 1
    ENABLE = 1 << 2
    DISABLE = 1 << 3
    ONESHOT = 1 << 4
    CLEAR = 1 << 5
    DISPATCH = 1 << 6
    RECEIPT = 1 << 7
    UDATA_SPECIFIC = 1 << 8
    KEEPUDATA = 1 << 9
    VANISHED = 1 << 10
    OOBAND = 1 << 11
    EOF = 1 << 12
    ERROR = 1 << 13


class IoNote(IntFlag):
    """``fflags`` of READ, WRITE and EXCEPT."""

    LOWAT = 1 << 0
    DATA = 1 << 1
    OOB = 1 << 2


class TimerNote(IntFlag):
    """``fflags`` of TIMER. Without a unit, ``data`` is in milliseconds."""

    SECONDS = 1 << 0
    MSECONDS = 1 << 1
    USECONDS = 1 << 2
    NSECONDS = 1 << 3
    ABSOLUTE = 1 << 4
    CRITICAL = 1 << 5
    BACKGROUND = 1 << 6
    LEEWAY = 1 << 7
    MACHTIME = 1 << 8


class ProcessNote(IntFlag):
    """``fflags`` of PROC. Without a kqueue of the system's own, only the first two are there."""

    EXIT = 1 << 0
    EXITSTATUS = 1 << 1
    FORK = 1 << 2
    EXEC = 1 << 3
    SIGNAL = 1 << 4
    REAP = 1 << 5


class VnodeNote(IntFlag):
    """``fflags`` of VNODE: what to tell of, and what happened."""

    DELETE = 1 << 0
    WRITE = 1 << 1
    EXTEND = 1 << 2
    ATTRIB = 1 << 3
    LINK = 1 << 4
    RENAME = 1 << 5
    REVOKE = 1 << 6
    FUNLOCK = 1 << 7
    OPEN = 1 << 8
    CLOSE = 1 << 9
    CLOSE_WRITE = 1 << 10
    READ = 1 << 11


class UserNote(IntFlag):
    """``fflags`` of USER. The low 24 bits are the program's own."""

    FFNOP = 0
    FFAND = 1 << 28
    FFOR = 2 << 28
    FFCOPY = 3 << 28
    FFLAGSMASK = (1 << 24) - 1
    TRIGGER = 1 << 24


class AcceptPolicy(IntEnum):
    """How new connections come to the workers of a :class:`Server`."""

    REUSEPORT = 0
    SHARED = 1
    ROUND_ROBIN = 2


class ErrorCode(IntEnum):
    """The codes that are evl's own: the ``code`` of an :class:`EvlError`."""

    ECONFIG = -10001
    ESTATE = -10002
    EGONE = -10003
    EPANIC = -10004


class Outcome(IntEnum):
    """What a handler tells the library."""

    ANSWERED = 0
    DECLINED = 1
