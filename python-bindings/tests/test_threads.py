# SPDX-License-Identifier: MIT OR Apache-2.0
"""Reactors that several threads use."""

from __future__ import annotations

import os
import threading
import unittest
from concurrent.futures import ThreadPoolExecutor
from queue import SimpleQueue

import evl
from evl import Event, Filter, Flag
from support import PATIENCE, pipe


class ThreadsTest(unittest.TestCase):
    def setUp(self) -> None:
        self.reactor = evl.Reactor()
        self.addCleanup(self.reactor.close)
        self.pool = ThreadPoolExecutor(8)
        self.addCleanup(self.pool.shutdown)

    def test_triggers_of_many_threads_arrive(self) -> None:
        numbers = range(50)
        for number in numbers:
            self.reactor.add(number, Filter.USER, Flag.ONESHOT, udata=-number)
        self.pool.map(self.reactor.trigger, numbers)
        seen = set()
        while len(seen) < len(numbers):
            events = self.reactor.wait(PATIENCE)
            self.assertTrue(events)
            seen |= {(event.ident, event.udata) for event in events}
        self.assertEqual(seen, {(number, -number) for number in numbers})

    def test_a_waiting_thread_sees_a_change(self) -> None:
        with pipe() as (reader, writer):
            os.write(writer, b"x")
            waiting = self.pool.submit(self.reactor.wait, PATIENCE)
            self.reactor.add(reader, Filter.READ, udata="new")
            self.assertEqual([event.udata for event in waiting.result()], ["new"])

    def test_one_event_goes_to_one_thread(self) -> None:
        rounds = 200
        got: SimpleQueue[Event] = SimpleQueue()

        def serve() -> None:
            for event in self.reactor:
                got.put(event)
                if event.ident == 1:
                    return self.reactor.trigger(1)

        self.reactor.add(1, Filter.USER)
        workers = [self.pool.submit(serve) for _ in range(4)]
        for round in range(rounds):
            self.reactor.add(2, Filter.USER, Flag.ONESHOT, udata=round)
            self.reactor.trigger(2)
            self.assertEqual(got.get(timeout=PATIENCE).udata, round)
        self.reactor.trigger(1)
        for worker in workers:
            worker.result(PATIENCE)
        self.assertTrue(all(got.get_nowait().ident == 1 for _ in range(got.qsize())))

    def test_knotes_come_and_go_while_threads_wait(self) -> None:
        stop = threading.Event()

        def change(number: int) -> None:
            while not stop.is_set():
                self.reactor.add(number, Filter.TIMER, Flag.ONESHOT, data=0, udata=number)
                self.reactor.change([Event(number, Filter.TIMER, Flag.DELETE)])

        changing = [self.pool.submit(change, number) for number in range(3)]
        for _ in range(300):
            for event in self.reactor.wait(0.001):
                self.assertEqual(event.ident, event.udata)
        stop.set()
        for worker in changing:
            worker.result(PATIENCE)
        while self.reactor.wait(0):
            pass
        self.assertEqual(len(self.reactor._slots), 0)

    def test_close_leaves_a_waiting_thread_alone(self) -> None:
        self.reactor.add(1, Filter.USER)
        with pipe() as (reader, writer):
            self.reactor.add(reader, Filter.READ)
            inside = threading.Event()

            def wait() -> list[Event]:
                inside.set()
                return self.reactor.wait(PATIENCE)

            waiting = self.pool.submit(wait)
            inside.wait(PATIENCE)
            while not self.reactor._waiting:
                pass
            self.reactor.close()
            self.assertTrue(self.reactor.closed)
            os.write(writer, b"x")
            self.assertEqual([event.ident for event in waiting.result()], [reader])
            self.assertIsNone(self.reactor._handle)


if __name__ == "__main__":
    unittest.main()
