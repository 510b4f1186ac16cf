# SPDX-License-Identifier: MIT OR Apache-2.0
"""Signals while a reactor waits: handlers run, ^C ends it, anything else does not."""

from __future__ import annotations

import contextlib
import signal
import time
import unittest

import evl
from support import PATIENCE, child, said, until_asleep


class SignalsTest(unittest.TestCase):
    def test_the_wait_goes_on_after_a_handler(self) -> None:
        ran = []
        before = signal.signal(signal.SIGALRM, lambda *_: ran.append(time.monotonic()))
        self.addCleanup(signal.signal, signal.SIGALRM, before)
        self.addCleanup(signal.setitimer, signal.ITIMER_REAL, 0)
        with evl.Reactor() as reactor:
            start = time.monotonic()
            signal.setitimer(signal.ITIMER_REAL, 0.02, 0.02)
            self.assertEqual(reactor.wait(0.1), [])
            end = time.monotonic()
        self.assertGreaterEqual(end - start, 0.1)
        self.assertLess(ran[0], end, "handlers run during the wait, not after it")

    def test_what_a_handler_raises_ends_the_wait(self) -> None:
        def fail(*_: object) -> None:
            raise LookupError

        before = signal.signal(signal.SIGALRM, fail)
        self.addCleanup(signal.signal, signal.SIGALRM, before)
        with evl.Reactor() as reactor:
            signal.setitimer(signal.ITIMER_REAL, 0.02)
            with self.assertRaises(LookupError):
                reactor.wait()
            self.assertEqual(reactor.wait(0), [], "it can be used as before")

    def test_a_handler_may_use_the_reactor(self) -> None:
        with evl.Reactor() as reactor, contextlib.ExitStack() as stack:

            def trigger(*_: object) -> None:
                reactor.add(1, evl.Filter.USER, evl.Flag.ONESHOT)
                reactor.trigger(1)

            before = signal.signal(signal.SIGALRM, trigger)
            stack.callback(signal.signal, signal.SIGALRM, before)
            signal.setitimer(signal.ITIMER_REAL, 0.02)
            self.assertEqual([event.ident for event in reactor.wait(PATIENCE)], [1])

    def test_interrupt_from_the_keyboard(self) -> None:
        program = """if True:
            import evl
            with evl.Reactor() as reactor:
                try:
                    print("waiting", flush=True)
                    reactor.wait()
                except KeyboardInterrupt:
                    print("interrupted", flush=True)
        """
        with child(program) as process:
            self.assertEqual(said(process), "waiting")
            until_asleep(process.pid)
            start = time.monotonic()
            process.send_signal(signal.SIGINT)
            self.assertEqual(said(process), "interrupted")
            self.assertEqual(process.wait(PATIENCE), 0)
            self.assertLess(time.monotonic() - start, 1)


if __name__ == "__main__":
    unittest.main()
