# SPDX-License-Identifier: MIT OR Apache-2.0
"""The reactor on every backend: pipes, timers, user events, changes, errors."""

from __future__ import annotations

import errno
import os
import select
import signal
import socket
import subprocess
import tempfile
import time
import unittest
from unittest import mock

import evl
from evl import Event, Filter, Flag, IoNote, ProcessNote, TimerNote, UserNote, VnodeNote
from support import PATIENCE, backends, pipe


class BackendTest(unittest.TestCase):
    """Each test runs on every backend; ``self.reactor`` is the one to use."""

    def run(self, result: unittest.TestResult | None = None) -> unittest.TestResult | None:
        for name in backends():
            with evl.Reactor(name) as self.reactor:
                result = super().run(result)
        return result


class EventsTest(BackendTest):
    def test_read(self) -> None:
        with pipe() as (reader, writer):
            self.reactor.add(reader, Filter.READ, fflags=IoNote.DATA, udata="session")
            self.assertEqual(self.reactor.wait(0), [])
            os.write(writer, b"hello")
            (event,) = self.reactor.wait(PATIENCE)
            self.assertEqual(
                (event.ident, event.filter, event.data, event.udata),
                (reader, Filter.READ, 5, "session"),
            )
            self.assertEqual(len(self.reactor.wait(0)), 1, "level-triggered")
            os.read(reader, 5)
            self.assertEqual(self.reactor.wait(0), [])

    def test_end_of_file(self) -> None:
        with pipe() as (reader, writer):
            self.reactor.add(reader, Filter.READ)
            os.close(writer)
            (event,) = self.reactor.wait(PATIENCE)
            self.assertIn(Flag.EOF, event.flags)

    def test_write_to_an_object_with_a_descriptor(self) -> None:
        with pipe() as (_, writer), os.fdopen(writer, "wb", closefd=False) as file:
            self.reactor.add(file, Filter.WRITE)
            (event,) = self.reactor.wait(PATIENCE)
            self.assertEqual((event.ident, event.filter), (writer, Filter.WRITE))
            self.reactor.delete(file, Filter.WRITE)
            self.assertEqual(self.reactor.wait(0), [])

    def test_periodic_timer(self) -> None:
        self.reactor.add(7, Filter.TIMER, fflags=TimerNote.USECONDS, data=500)
        expirations = 0
        while expirations < 3:
            (event,) = self.reactor.wait(PATIENCE)
            self.assertEqual((event.ident, event.filter), (7, Filter.TIMER))
            expirations += event.data

    def test_timer_that_fires_once(self) -> None:
        before = time.monotonic()
        self.reactor.add(1, Filter.TIMER, Flag.ONESHOT, data=20, udata=["any object"])
        (event,) = self.reactor.wait(PATIENCE)
        self.assertGreaterEqual(time.monotonic() - before, 0.02)
        self.assertEqual((event.data, event.udata), (1, ["any object"]))
        with self.assertRaises(FileNotFoundError):
            self.reactor.delete(1, Filter.TIMER)

    def test_user_event(self) -> None:
        self.reactor.add(3, Filter.USER, Flag.CLEAR, UserNote.FFCOPY | 0x2A)
        self.reactor.trigger(3)
        self.reactor.trigger(3)
        (event,) = self.reactor.wait(PATIENCE)
        self.assertEqual((event.ident, event.fflags), (3, 0x2A))
        self.assertEqual(self.reactor.wait(0), [])

    def test_wait_ends_with_its_time(self) -> None:
        before = time.monotonic()
        self.assertEqual(self.reactor.wait(0.03), [])
        self.assertGreaterEqual(time.monotonic() - before, 0.03)

    def test_capacity_bounds_the_events(self) -> None:
        for number in range(5):
            self.reactor.add(number, Filter.USER, Flag.CLEAR)
            self.reactor.trigger(number)
        first = self.reactor.wait(PATIENCE, capacity=3)
        second = self.reactor.wait(PATIENCE, capacity=3)
        self.assertEqual((len(first), len(second)), (3, 2))
        self.assertEqual({event.ident for event in first + second}, set(range(5)))

    def test_iteration_ends_with_close(self) -> None:
        self.reactor.add(1, Filter.TIMER, data=1)
        seen = 0
        for event in self.reactor:
            self.assertEqual(event.ident, 1)
            seen += 1
            if seen == 3:
                self.reactor.close()
        self.assertEqual(seen, 3)

    def test_changes_are_answered_one_by_one(self) -> None:
        with pipe() as (reader, _):
            answers = self.reactor.change(
                [
                    Event(reader, Filter.READ, Flag.DELETE),
                    Event(1, Filter.USER, Flag.ADD),
                    Event(2, Filter.USER, Flag.ADD | Flag.RECEIPT),
                ]
            )
        told = [(event.ident, Flag.ERROR in event.flags, event.data) for event in answers]
        self.assertEqual(told, [(reader, True, errno.ENOENT), (2, True, 0)])
        self.reactor.trigger(1)
        self.reactor.trigger(2)
        self.assertEqual({event.ident for event in self.reactor.wait(PATIENCE)}, {1, 2})

    def test_a_knote_named_by_its_udata(self) -> None:
        first, second = object(), object()
        specific = Flag.UDATA_SPECIFIC
        with pipe() as (reader, writer):
            self.reactor.add(reader, Filter.READ, specific, udata=first)
            self.reactor.add(reader, Filter.READ, specific, udata=second)
            os.write(writer, b"x")
            self.assertEqual({e.udata for e in self.reactor.wait(PATIENCE)}, {first, second})
            gone = Event(reader, Filter.READ, Flag.DELETE | specific, udata=first)
            self.assertEqual(self.reactor.change([gone]), [])
            self.assertEqual([e.udata for e in self.reactor.wait(PATIENCE)], [second])

    def test_the_descriptor_can_be_watched(self) -> None:
        try:
            self.reactor.fileno()
        except OSError as error:
            self.assertEqual(error.errno, errno.ENOTSUP)
            self.skipTest(str(error))
        with evl.Reactor() as outer:
            outer.add(self.reactor, Filter.READ)
            self.assertEqual(outer.wait(0), [])
            self.reactor.add(1, Filter.USER)
            self.reactor.trigger(1)
            self.assertEqual(len(outer.wait(PATIENCE)), 1)
            self.assertEqual(select.select([self.reactor], [], [], 0)[0], [self.reactor])


class FiltersTest(BackendTest):
    """The filters that the tests above do not use, and the flags for several threads."""

    def one(self) -> Event:
        (event,) = self.reactor.wait(PATIENCE)
        return event

    def test_signal(self) -> None:
        before = signal.signal(signal.SIGUSR1, lambda number, frame: heard.append(number))
        self.addCleanup(signal.signal, signal.SIGUSR1, before)
        heard: list[int] = []
        self.reactor.add(signal.SIGUSR1, Filter.SIGNAL, udata="signal")
        signal.raise_signal(signal.SIGUSR1)
        event = self.one()
        self.assertEqual((event.ident, event.data, event.udata), (signal.SIGUSR1, 1, "signal"))
        self.assertEqual(heard, [signal.SIGUSR1], "the handler runs as well")

    def test_process(self) -> None:
        with subprocess.Popen(["sh", "-c", "read x; exit 7"], stdin=subprocess.PIPE) as child:
            self.reactor.add(child.pid, Filter.PROC, fflags=ProcessNote.EXIT, udata=child)
            self.assertEqual(self.reactor.wait(0), [])
            assert child.stdin
            child.stdin.close()
            event = self.one()
            self.assertIs(event.udata, child)
            self.assertEqual(os.waitstatus_to_exitcode(event.data), 7)
            self.assertEqual(child.wait(), 7, "reaping is left to the program")

    def test_file_that_changes(self) -> None:
        with tempfile.NamedTemporaryFile() as file:
            seen = VnodeNote.WRITE | VnodeNote.ATTRIB
            self.reactor.add(file, Filter.VNODE, Flag.CLEAR, seen, udata=file.name)
            self.assertEqual(self.reactor.wait(0), [])
            os.chmod(file.name, 0o640)
            event = self.one()
            self.assertEqual((event.fflags, event.udata), (VnodeNote.ATTRIB, file.name))

    def test_file_to_read(self) -> None:
        with tempfile.TemporaryFile() as file:
            self.reactor.add(file, Filter.READ, fflags=IoNote.DATA)
            self.assertEqual(self.reactor.wait(0), [])
            os.write(file.fileno(), b"abc")
            os.lseek(file.fileno(), 1, os.SEEK_SET)
            self.assertEqual(self.one().data, 2)

    def test_urgent_data(self) -> None:
        with evl.listen("127.0.0.1:0") as listener, socket.socket() as client:
            client.connect(listener.getsockname())
            connection = evl.accept(listener)
            assert connection is not None
            with connection:
                self.reactor.add(connection, Filter.EXCEPT)
                client.send(b"x")
                self.assertEqual(self.reactor.wait(0), [])
                client.send(b"!", socket.MSG_OOB)
                event = self.one()
                self.assertEqual((event.filter, event.fflags), (Filter.EXCEPT, IoNote.OOB))

    def test_empty(self) -> None:
        near, far = socket.socketpair()
        with near, far:
            self.reactor.add(near, Filter.EMPTY, udata="drained")
            self.assertEqual(self.one().udata, "drained")

    def test_low_water_mark(self) -> None:
        with pipe() as (reader, writer):
            self.reactor.add(reader, Filter.READ, fflags=IoNote.LOWAT | IoNote.DATA, data=3)
            os.write(writer, b"ab")
            self.assertEqual(self.reactor.wait(0.02), [])
            os.write(writer, b"c")
            self.assertEqual(self.one().data, 3)

    def test_dispatch_until_enabled(self) -> None:
        with pipe() as (reader, writer):
            os.write(writer, b"x")
            self.reactor.add(reader, Filter.READ, Flag.DISPATCH, udata="session")
            self.assertEqual(self.one().udata, "session")
            self.assertEqual(self.reactor.wait(0), [])
            self.assertEqual(self.reactor.change([Event(reader, Filter.READ, Flag.ENABLE)]), [])
            self.assertEqual(self.one().udata, "session", "only ADD sets it")

    def test_delete_waits_for_the_thread_that_has_the_event(self) -> None:
        if self.reactor.backend == "kqueue":
            self.skipTest("DELETE is never deferred there")
        session, mine = object(), Flag.DISPATCH | Flag.UDATA_SPECIFIC
        with pipe() as (reader, writer):
            os.write(writer, b"x")
            self.reactor.add(reader, Filter.READ, mine, udata=session)
            self.assertIs(self.one().udata, session)
            change = Event(reader, Filter.READ, Flag.DELETE | Flag.UDATA_SPECIFIC, udata=session)
            (answer,) = self.reactor.change([change])
            self.assertEqual(answer.data, errno.EINPROGRESS)
            self.assertEqual(self.reactor.wait(0), [])
            change = change._replace(flags=Flag.ENABLE | Flag.UDATA_SPECIFIC)
            self.assertEqual(self.reactor.change([change]), [])
            event = self.one()
            self.assertIs(event.udata, session)
            self.assertIn(Flag.DELETE, event.flags)
            self.assertEqual(len(self.reactor._slots), 0)


class ErrorsTest(unittest.TestCase):
    def test_codes_become_the_right_exceptions(self) -> None:
        with evl.Reactor() as reactor, pipe() as (reader, _):
            with self.assertRaises(FileNotFoundError) as missing:
                reactor.delete(reader, Filter.READ)
            self.assertEqual(missing.exception.errno, errno.ENOENT)
            self.assertTrue(missing.exception.strerror)
            with self.assertRaises(OSError) as closed:
                reactor.add(-1, Filter.READ)
            self.assertEqual(closed.exception.errno, errno.EBADF)
            with self.assertRaises(FileNotFoundError) as missing:
                reactor.trigger(1)
            self.assertEqual(missing.exception.strerror, os.strerror(errno.ENOENT))
            with self.assertRaises(OSError) as wrong:
                reactor.add(1, Filter.TIMER, data=-5)
            self.assertEqual(wrong.exception.errno, errno.EINVAL)
            self.assertIn("negative", str(wrong.exception))

    def test_an_unknown_backend_is_refused(self) -> None:
        with self.assertRaises(OSError) as refused:
            evl.Reactor("nonsense")
        self.assertEqual(refused.exception.errno, errno.EINVAL)

    def test_the_environment_names_the_backend(self) -> None:
        with mock.patch.dict(os.environ, EVL_BACKEND="poll"), evl.Reactor() as reactor:
            self.assertEqual(reactor.backend, "poll")

    def test_arguments_that_would_not_fit_are_refused(self) -> None:
        with evl.Reactor() as reactor:
            for timeout in (-1, -1e-9, float("nan")):
                with self.subTest(timeout), self.assertRaises(ValueError):
                    reactor.wait(timeout)
            with self.assertRaises(ValueError):
                reactor.wait(0, capacity=0)
            with self.assertRaises(OverflowError):
                reactor.add(1, Filter.TIMER, data=1 << 63)
            for ident in (1 << 64, -2):
                with self.subTest(ident), self.assertRaises(OverflowError):
                    reactor.add(ident, Filter.TIMER, data=1)
                with self.subTest(ident), self.assertRaises(OverflowError):
                    reactor.trigger(ident)
        with self.assertRaises(ValueError):
            evl.Reactor("po\0ll")

    def test_an_endless_timeout_is_no_overflow(self) -> None:
        with evl.Reactor() as reactor:
            reactor.add(1, Filter.USER)
            reactor.trigger(1)
            for timeout in (float("inf"), 1e300, None):
                with self.subTest(timeout):
                    self.assertEqual(len(reactor.wait(timeout)), 1)

    def test_a_closed_reactor_says_so(self) -> None:
        reactor = evl.Reactor()
        reactor.close()
        reactor.close()
        self.assertTrue(reactor.closed)
        for call in (reactor.wait, reactor.fileno, lambda: reactor.trigger(1)):
            with self.subTest(call), self.assertRaisesRegex(ValueError, "closed"):
                call()
        self.assertEqual(list(reactor), [])


if __name__ == "__main__":
    unittest.main()
