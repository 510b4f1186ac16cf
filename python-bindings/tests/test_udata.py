# SPDX-License-Identifier: MIT OR Apache-2.0
"""The objects that knotes carry are held as long as their knote, and no longer."""

from __future__ import annotations

import gc
import os
import unittest
import weakref

import evl
from evl import Event, Filter, Flag, TimerNote, UserNote
from evl._structs import EventStruct
from evl._udata import Slots
from support import PATIENCE, pipe


class Session:
    """Something that can be seen to go."""


class UdataTest(unittest.TestCase):
    def setUp(self) -> None:
        self.reactor = evl.Reactor()
        self.addCleanup(self.reactor.close)

    def add(self, ident: int, filter: Filter, flags: Flag = Flag.ADD, **more: int) -> weakref.ref:
        session = Session()
        self.reactor.add(ident, filter, flags, udata=session, **more)
        return weakref.ref(session)

    def assertHeld(self, session: weakref.ref) -> None:
        gc.collect()
        self.assertIsNotNone(session())

    def assertReleased(self, session: weakref.ref) -> None:
        gc.collect()
        self.assertIsNone(session())

    def test_held_until_delete(self) -> None:
        with pipe() as (reader, writer):
            session = self.add(reader, Filter.READ)
            os.write(writer, b"x")
            self.assertIs(self.reactor.wait(PATIENCE)[0].udata, session())
            self.assertHeld(session)
            self.reactor.delete(reader, Filter.READ)
            self.assertReleased(session)

    def test_released_when_a_knote_fired_once(self) -> None:
        session = self.add(1, Filter.TIMER, Flag.ONESHOT, data=1)
        self.assertIsInstance(self.reactor.wait(PATIENCE)[0].udata, Session)
        self.assertReleased(session)

    def test_released_when_a_point_in_time_has_passed(self) -> None:
        session = self.add(1, Filter.TIMER, fflags=TimerNote.ABSOLUTE, data=1)
        self.assertIsInstance(self.reactor.wait(PATIENCE)[0].udata, Session)
        self.assertReleased(session)

    def test_add_again_replaces_it(self) -> None:
        first = self.add(1, Filter.USER)
        second = self.add(1, Filter.USER)
        self.assertReleased(first)
        self.reactor.trigger(1)
        self.assertIs(self.reactor.wait(PATIENCE)[0].udata, second())

    def test_other_changes_leave_it(self) -> None:
        session = self.add(1, Filter.USER)
        self.reactor.change([Event(1, Filter.USER, Flag.DISABLE)])
        self.reactor.change([Event(1, Filter.USER, Flag.ENABLE, udata="not this")])
        self.reactor.add(1, Filter.USER, Flag.KEEPUDATA, udata="nor this")
        self.reactor.trigger(1)
        self.assertIs(self.reactor.wait(PATIENCE)[0].udata, session())

    def test_a_refused_change_holds_nothing(self) -> None:
        session = Session()
        reference = weakref.ref(session)
        with self.assertRaises(OSError):
            self.reactor.add(1, Filter.TIMER, data=-1, udata=session)
        del session
        self.assertReleased(reference)

    def test_a_refused_change_of_a_knote_keeps_what_it_has(self) -> None:
        session = self.add(1, Filter.TIMER, data=1)
        with self.assertRaises(OSError):
            self.reactor.add(1, Filter.TIMER, data=-1, udata=Session())
        self.assertIs(self.reactor.wait(PATIENCE)[0].udata, session())

    def test_named_by_udata(self) -> None:
        session = self.add(1, Filter.USER, Flag.UDATA_SPECIFIC)
        delete = Flag.DELETE | Flag.UDATA_SPECIFIC
        other = Event(1, Filter.USER, delete, udata=Session())
        self.assertEqual(len(self.reactor.change([other])), 1, "there is no such knote")
        self.assertHeld(session)
        self.assertEqual(self.reactor.change([Event(1, Filter.USER, delete, udata=session())]), [])
        self.assertReleased(session)

    def test_named_by_udata_and_added_again(self) -> None:
        session = self.add(1, Filter.USER, Flag.UDATA_SPECIFIC)
        trigger = Event(1, Filter.USER, Flag.ADD | Flag.UDATA_SPECIFIC, UserNote.TRIGGER)
        self.reactor.change([trigger._replace(udata=session())])
        self.assertEqual([event.udata for event in self.reactor.wait(PATIENCE)], [session()])

    def test_a_reused_descriptor_has_its_own(self) -> None:
        with pipe() as (reader, _):
            first = self.add(reader, Filter.READ)
            os.close(reader)
            again, writer = os.pipe()
            self.addCleanup(os.close, writer)
            self.assertEqual(again, reader)
            second = self.add(again, Filter.READ)
            self.assertReleased(first)
            self.assertHeld(second)

    def test_a_change_that_finds_no_knote_releases_it(self) -> None:
        with pipe() as (reader, _):
            session = self.add(reader, Filter.READ)
            os.close(reader)
            with self.assertRaises(OSError):
                self.reactor.delete(reader, Filter.READ)
        self.assertReleased(session)

    def test_released_by_close(self) -> None:
        session = self.add(1, Filter.USER)
        self.reactor.close()
        self.assertReleased(session)

    def test_released_with_the_reactor(self) -> None:
        reactor = evl.Reactor()
        session = Session()
        reactor.add(1, Filter.USER, udata=(reactor, session))
        reference = weakref.ref(session)
        del reactor, session
        self.assertReleased(reference)


class RaceTest(unittest.TestCase):
    """An event is on its way to one thread while another one changes the knote."""

    NAME = (1, int(Filter.USER), 0)

    def setUp(self) -> None:
        self.slots = Slots()

    def add(self, udata: object) -> int:
        slot = self.slots.before(self.NAME, Flag.ADD, udata)
        self.slots.after(self.NAME, Flag.ADD, slot, 0)
        assert slot is not None
        return slot.number

    def delivered(self, number: int, flags: int = 0) -> object:
        ident, filter, _ = self.NAME
        slot = self.slots.delivered(EventStruct(ident, filter, flags, 0, 0, number))
        return slot and slot.udata

    def test_a_knote_that_was_added_again_tells_its_new_object(self) -> None:
        old, new = self.add("old"), self.add("new")
        self.assertEqual(self.delivered(old, Flag.ONESHOT), "new")
        self.assertEqual(self.delivered(new, Flag.ONESHOT), "new", "the second was not released")
        self.assertEqual(len(self.slots), 0)

    def test_the_event_of_a_deleted_knote_is_dropped(self) -> None:
        number = self.add("old")
        slot = self.slots.before(self.NAME, Flag.DELETE, None)
        self.slots.after(self.NAME, Flag.DELETE, slot, 0)
        self.assertIsNone(self.delivered(number))


if __name__ == "__main__":
    unittest.main()
