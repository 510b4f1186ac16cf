# SPDX-License-Identifier: MIT OR Apache-2.0
"""Which Python object each knote carries.

The library's ``udata`` is the number of a slot here, which holds the object. Each ADD takes
a new one, and none is used twice, so an event that another thread is about to tell cannot be
taken for one of a later knote. Knotes that are named by their udata keep their number: it is their
name.

The library does not tell when a descriptor is closed; its slots go when the same name is added
again, when a change finds no such knote, or with the reactor.

Not thread-safe by itself: the reactor's lock is held around each call.
"""

from __future__ import annotations

import errno
from itertools import count
from typing import NamedTuple

from ._enums import Filter, Flag, TimerNote
from ._structs import EventStruct

# With any of these the library deleted the knote as it delivered the event. A plain number: each
# event is compared with it, and enums are slow.
_LAST = int(Flag.ONESHOT | Flag.DELETE | Flag.VANISHED)

# ident, filter, and the identity of the object if it is part of the name, else 0.
Name = tuple[int, int, int]


class Slot(NamedTuple):
    number: int
    name: Name
    udata: object


class Slots:
    def __init__(self) -> None:
        self._by_number: dict[int, Slot] = {}
        self._by_name: dict[Name, Slot] = {}
        self._numbers = count(1)

    def __len__(self) -> int:
        return len(self._by_number)

    def before(self, name: Name, flags: int, udata: object) -> Slot | None:
        """The slot whose number the change is to carry; None if there is no such knote."""
        old = self._by_name.get(name)
        kept = old is not None and (flags & Flag.KEEPUDATA or name[2])
        if not flags & Flag.ADD or flags & Flag.DELETE or kept:
            return old
        slot = Slot(next(self._numbers), name, udata)
        self._by_number[slot.number] = slot
        return slot

    def after(self, name: Name, flags: int, slot: Slot | None, code: int) -> None:
        """Takes note of how the change ended that carried ``slot``."""
        old = self._by_name.get(name)
        if code in (-errno.ENOENT, -errno.EBADF) or (code >= 0 and flags & Flag.DELETE):
            self._forget(old)
            self._forget(slot)
        elif code >= 0 and slot is not None and slot is not old:
            self._forget(old)
            self._by_name[name] = slot
        elif slot is not old:
            self._forget(slot)

    def delivered(self, event: EventStruct) -> Slot | None:
        """The slot of an event, released if the knote has gone with it. None: the knote was deleted
        by another thread, and its event with it."""
        slot = self._by_number.get(event.udata or 0)
        if slot is None:
            return self._by_name.get((event.ident, event.filter, 0))
        if _is_last(event):
            self._forget(slot)
        return slot

    def _forget(self, slot: Slot | None) -> None:
        if slot is not None:
            self._by_number.pop(slot.number, None)
            if self._by_name.get(slot.name) is slot:
                del self._by_name[slot.name]


def _is_last(event: EventStruct) -> bool:
    """Whether the library deleted the knote as it delivered the event."""
    if event.flags & _LAST:
        return True
    return bool(event.filter == Filter.TIMER and event.fflags & TimerNote.ABSOLUTE)
