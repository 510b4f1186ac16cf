# SPDX-License-Identifier: MIT OR Apache-2.0
"""The reactor: kqueue's model. Changes to knotes go in, events come out."""

from __future__ import annotations

import ctypes
import errno
import functools
import math
import os
import threading
import time
from collections.abc import Iterable, Iterator
from types import TracebackType
from typing import NamedTuple, Protocol, Union

from ._enums import Filter, Flag
from ._errors import check, error, made, text
from ._library import library
from ._structs import EventStruct, ReactorOptions
from ._udata import Name, Slots

NO_FLAGS = Flag(0)
# Making an enum's member of a number takes longer than all else that is done with an event.
_filter = functools.lru_cache(maxsize=None)(Filter)
_flags = functools.lru_cache(maxsize=None)(Flag)
_LONGEST_NS = (1 << 63) - 1


class HasFileno(Protocol):
    """A socket, a file, another reactor."""

    def fileno(self) -> int: ...


Ident = Union[int, HasFileno]


class Event(NamedTuple):
    """A change to make, or an event that happened."""

    ident: int
    """Descriptor, or number of a timer or user event."""
    filter: Filter
    flags: Flag = NO_FLAGS
    fflags: int = 0
    """The filter's own, as in ``TimerNote``; of READ and WRITE with EOF an errno value."""
    data: int = 0
    """The filter's number: bytes, a period, expirations, an errno value."""
    udata: object = None
    """Any object; it comes back with each event. ADD sets it, other changes leave it."""


class Reactor:
    """Watches conditions and hands out events.

    ``backend`` is "kqueue", "epoll", "poll" or "select"; None takes what the environment variable
    ``EVL_BACKEND`` names, else the best of this system.

    Thread: any thread may call any method at any time; one that waits sees the changes of the
    others at once. An event of a knote with CLEAR, ONESHOT or DISPATCH goes to one of the threads
    that wait. A knote with UDATA_SPECIFIC and ONESHOT is to be added again by the thread that got
    its event.

    The objects given as ``udata`` are held until their knote is deleted (by DELETE, or by delivery
    with ONESHOT) or the reactor is closed. Delete the knotes of a descriptor before you close it:
    the library forgets them by itself, but the objects are held until the number is added again.
    """

    def __init__(self, backend: str | None = None) -> None:
        self._handle: int | None = None
        options = ReactorOptions(size=ctypes.sizeof(ReactorOptions))
        if backend is not None:
            options.backend = text(backend)
        self._handle = made(library.evl_create(ctypes.byref(options)))
        # A signal handler or a finalizer may come in while its own thread holds it.
        self._lock = threading.RLock()
        self._slots = Slots()
        self._waiting = 0
        self._closing = False

    def add(
        self,
        ident: Ident,
        filter: Filter,
        flags: Flag = NO_FLAGS,
        fflags: int = 0,
        data: int = 0,
        udata: object = None,
    ) -> None:
        """Creates a knote, or changes the one of that name; ``ident`` is a descriptor, an object
        that has one, or the number of a timer or user event."""
        number = ident if isinstance(ident, int) else ident.fileno()
        self._apply(Event(number, filter, flags | Flag.ADD, fflags, data, udata), must=True)

    def delete(self, ident: Ident, filter: Filter) -> None:
        """Forgets a knote and its pending event. For one that is named by its udata, make a change
        with DELETE and UDATA_SPECIFIC."""
        number = ident if isinstance(ident, int) else ident.fileno()
        self._apply(Event(number, filter, Flag.DELETE), must=True)

    def change(self, changes: Iterable[Event]) -> list[Event]:
        """Makes changes in their order. Each one that failed, or has RECEIPT, is answered by an
        event with ERROR whose ``data`` is the errno value, or 0; the others are made all the
        same."""
        answers = []
        for change in changes:
            code = self._apply(change, must=False)
            if code < 0 or change.flags & Flag.RECEIPT:
                answers.append(change._replace(flags=change.flags | Flag.ERROR, data=-code))
        return answers

    def wait(self, timeout: float | None = None, capacity: int = 64) -> list[Event]:
        """Up to ``capacity`` events, at the latest after ``timeout`` seconds: 0 only looks, None
        waits for ever. The list is empty if nothing happened.

        Signal handlers run meanwhile, and an exception that one of them raises, such as
        KeyboardInterrupt, ends the wait; else it goes on for the rest of the time (PEP 475).
        """
        if timeout is not None and not timeout >= 0:
            raise ValueError(f"timeout must not be negative: {timeout}")
        if capacity < 1:
            raise ValueError(f"capacity must be positive: {capacity}")
        deadline = None if timeout is None else time.monotonic() + timeout
        found = (EventStruct * capacity)()
        handle = self._enter()
        try:
            while True:
                count = library.evl_wait(handle, found, capacity, _nanoseconds(deadline))
                if count < 0 and count != -errno.EINTR:
                    raise error(count)
                events = self._told(found, count)
                if events or count == 0:
                    return events
        finally:
            self._leave()

    def trigger(self, ident: int) -> None:
        """Fires the USER knote of that number."""
        number = _unsigned(ident)
        with self._lock:
            code: int = library.evl_trigger(self._open(), number)
        if code < 0:
            # The call, which is for signal handlers too, leaves no sentence.
            raise OSError(-code, os.strerror(-code))

    def fileno(self) -> int:
        """A descriptor that is readable while events are pending: another reactor, or a selector,
        can watch this one. It is not to be read or closed."""
        with self._lock:
            return check(library.evl_fd(self._open()))

    @property
    def backend(self) -> str:
        """What the reactor runs on: "kqueue", "epoll", "poll" or "select"."""
        with self._lock:
            name: bytes = library.evl_backend(self._open())
            return name.decode()

    @property
    def closed(self) -> bool:
        return self._closing or self._handle is None

    def close(self) -> None:
        """Frees the reactor, its knotes and their udata; what they watched stays open. A second
        call does nothing. If another thread waits, that is done when its wait returns."""
        if self._handle is None:
            return
        with self._lock:
            self._closing = True
            self._free_if_unused()

    def __enter__(self) -> Reactor:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        value: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def __iter__(self) -> Iterator[Event]:
        """The events as they come, until the reactor is closed."""
        while not self.closed:
            yield from self.wait()

    def __del__(self) -> None:
        self.close()

    def _apply(self, change: Event, must: bool) -> int:
        if not -(1 << 63) <= change.data < 1 << 63:
            raise OverflowError(f"data has to fit into 64 bits: {change.data}")
        ident = _unsigned(change.ident)
        flags = change.flags & ~Flag.RECEIPT
        by_udata = id(change.udata) if flags & Flag.UDATA_SPECIFIC else 0
        name: Name = (ident, change.filter, by_udata)
        with self._lock:
            handle = self._open()
            slot = self._slots.before(name, flags, change.udata)
            index = slot.number if slot else None
            record = EventStruct(ident, change.filter, flags, change.fflags, change.data, index)
            code: int = library.evl_change(handle, ctypes.byref(record), 1, None, 0)
            failure = error(code) if code < 0 else None
            self._slots.after(name, flags, slot, code)
        if failure is not None and (must or not isinstance(failure, OSError)):
            raise failure
        return code

    def _told(self, found: ctypes.Array[EventStruct], count: int) -> list[Event]:
        events = []
        with self._lock:
            for record in found[: max(count, 0)]:
                slot = self._slots.delivered(record)
                if slot is not None:
                    events.append(
                        Event(
                            record.ident,
                            _filter(record.filter),
                            _flags(record.flags),
                            record.fflags,
                            record.data,
                            slot.udata,
                        )
                    )
        return events

    def _open(self) -> int:
        if self._closing or self._handle is None:
            raise ValueError("the reactor is closed")
        return self._handle

    def _enter(self) -> int:
        with self._lock:
            handle = self._open()
            self._waiting += 1
            return handle

    def _leave(self) -> None:
        with self._lock:
            self._waiting -= 1
            if self._closing:
                self._free_if_unused()

    def _free_if_unused(self) -> None:
        if self._waiting == 0 and self._handle is not None:
            library.evl_close(self._handle)
            self._handle = None
            self._slots = Slots()


def _unsigned(ident: int) -> int:
    """The number as the library has it; -1, the descriptor of what is closed, becomes one that nothing
    has."""
    number = ctypes.c_size_t(ident).value
    if number != ident != -1:
        raise OverflowError(f"ident has to fit a size_t: {ident}")
    return number


def _nanoseconds(deadline: float | None) -> int:
    if deadline is None:
        return -1
    return math.ceil(min(max(deadline - time.monotonic(), 0) * 1e9, _LONGEST_NS))
