# SPDX-License-Identifier: MIT OR Apache-2.0
"""A selector of the standard library's kind over a reactor, for asyncio and whoever takes one."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from selectors import EVENT_READ, EVENT_WRITE, BaseSelector, SelectorKey
from typing import Any, cast

from ._enums import Filter
from ._reactor import Ident, Reactor

_FILTERS = {EVENT_READ: Filter.READ, EVENT_WRITE: Filter.WRITE}
_EVENTS = {filter: events for events, filter in _FILTERS.items()}
_BATCH = 256


class EvlSelector(BaseSelector):
    """What ``selectors.DefaultSelector`` is, on a reactor of its own::

        loop = asyncio.SelectorEventLoop(evl.EvlSelector())

    ``backend`` as for :class:`evl.Reactor`. A hang-up and an error make a descriptor ready for
    whatever it is watched for. ``select`` goes on after a signal for the rest of its time (PEP
    475), which it keeps to the nanosecond where the system can.

    Thread: for one at a time, as every selector.
    """

    def __init__(self, backend: str | None = None) -> None:
        self._reactor = Reactor(backend)
        self._keys = _Keys()

    def register(self, fileobj: Ident, events: int, data: Any = None) -> SelectorKey:
        """Watches a descriptor, or an object that has one, until it is unregistered.

        KeyError: it is watched already. ValueError: there is no such event, or the object has no
        descriptor. OSError: it is closed, or a file on disk of which EVENT_WRITE was asked.
        """
        _check(events)
        key = SelectorKey(fileobj, self._keys.descriptor(fileobj), events, data)
        if key.fd in self._keys.by_descriptor:
            raise KeyError(f"{fileobj!r} (descriptor {key.fd}) is already registered")
        self._watch(key.fd, events)
        self._keys.by_descriptor[key.fd] = key
        return key

    def unregister(self, fileobj: Ident) -> SelectorKey:
        """Watches it no more; it may have been closed. KeyError: it is not registered."""
        key = self._keys[fileobj]
        del self._keys.by_descriptor[key.fd]
        self._ignore(key.fd, key.events)
        return key

    def modify(self, fileobj: Ident, events: int, data: Any = None) -> SelectorKey:
        """Changes what is watched for, and the data. An OSError leaves it unregistered."""
        _check(events)
        old = self._keys[fileobj]
        if events != old.events:
            # The key is away while it may not be true any more.
            del self._keys.by_descriptor[old.fd]
            self._watch(old.fd, events)
            self._ignore(old.fd, old.events & ~events)
        key = old._replace(events=events, data=data)
        self._keys.by_descriptor[key.fd] = key
        return key

    def select(self, timeout: float | None = None) -> list[tuple[SelectorKey, int]]:
        """Each key that is ready, once, with what for; at the latest after ``timeout`` seconds:
        None waits for ever, 0 and less only look."""
        if timeout is not None:
            timeout = max(timeout, 0)
        ready: dict[int, int] = {}
        more = True
        while more:
            batch = self._reactor.wait(timeout, _BATCH)
            more = len(batch) == _BATCH and not all(
                ready.get(event.ident, 0) & _EVENTS[event.filter] for event in batch
            )
            for event in batch:
                ready[event.ident] = ready.get(event.ident, 0) | _EVENTS[event.filter]
            timeout = 0
        keys = self._keys.by_descriptor
        told = ((keys[number], events) for number, events in ready.items() if number in keys)
        return [(key, events & key.events) for key, events in told if events & key.events]

    def close(self) -> None:
        """Frees the reactor; what it watched stays open. A second call does nothing."""
        self._reactor.close()
        self._keys.by_descriptor.clear()

    def get_map(self) -> Mapping[Ident, SelectorKey]:
        """The keys by descriptor and by object, as they are at any time; None when closed."""
        return cast("Mapping[Ident, SelectorKey]", None if self._reactor.closed else self._keys)

    def fileno(self) -> int:
        """A descriptor that is readable while something is ready. OSError: the backend has none."""
        return self._reactor.fileno()

    def _watch(self, number: int, events: int) -> None:
        """Watches for these events, or, if one of them is refused, for none at all."""
        try:
            for event, filter in _FILTERS.items():
                if events & event:
                    self._reactor.add(number, filter)
        except BaseException:
            self._ignore(number, EVENT_READ | EVENT_WRITE)
            raise

    def _ignore(self, number: int, events: int) -> None:
        for event, filter in _FILTERS.items():
            if events & event:
                # A descriptor that was closed took its knotes along.
                with contextlib.suppress(OSError):
                    self._reactor.delete(number, filter)


class _Keys(Mapping[Ident, SelectorKey]):
    """The keys, to be looked up by descriptor or file object, which may have been closed."""

    def __init__(self) -> None:
        self.by_descriptor: dict[int, SelectorKey] = {}

    def descriptor(self, fileobj: Ident) -> int:
        """The object's descriptor, or the one under which it is registered."""
        try:
            return _descriptor(fileobj)
        except ValueError:
            for key in self.by_descriptor.values():
                if key.fileobj is fileobj:
                    return key.fd
            raise

    def __getitem__(self, fileobj: Ident) -> SelectorKey:
        key = self.by_descriptor.get(self.descriptor(fileobj))
        if key is None:
            raise KeyError(f"{fileobj!r} is not registered")
        return key

    def __iter__(self) -> Iterator[Ident]:
        return iter(self.by_descriptor)

    def __len__(self) -> int:
        return len(self.by_descriptor)


def _check(events: int) -> None:
    if not events or events & ~(EVENT_READ | EVENT_WRITE):
        raise ValueError(f"invalid events: {events!r}")


def _descriptor(fileobj: Ident) -> int:
    try:
        number = fileobj if isinstance(fileobj, int) else int(fileobj.fileno())
    except (AttributeError, TypeError, ValueError):
        raise ValueError(f"not a descriptor, and nothing that has one: {fileobj!r}") from None
    if number < 0:
        raise ValueError(f"a descriptor must not be negative: {number}")
    return number
