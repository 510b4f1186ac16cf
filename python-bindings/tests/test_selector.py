# SPDX-License-Identifier: MIT OR Apache-2.0
"""EvlSelector is what a standard selector is, on each backend. CPython's own tests of that are run
by test_cpython; here is what they leave out."""

from __future__ import annotations

import contextlib
import errno
import functools
import os
import selectors
import signal
import socket
import tempfile
import time
import unittest
from collections.abc import Callable, Iterator
from selectors import EVENT_READ, EVENT_WRITE
from typing import Any

import evl
from support import PATIENCE, backends, pipe

BOTH = EVENT_READ | EVENT_WRITE


@contextlib.contextmanager
def refused() -> Iterator[socket.socket]:
    """A socket whose connect is under way to where nobody listens."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        address = listener.getsockname()
    with socket.socket() as client:
        client.setblocking(False)
        client.connect_ex(address)
        yield client


def on_each_backend(test: Callable[[Any, evl.EvlSelector], None]) -> Callable[[Any], None]:
    @functools.wraps(test)
    def run(self: unittest.TestCase) -> None:
        for backend in backends():
            with self.subTest(backend=backend), evl.EvlSelector(backend) as selector:
                test(self, selector)

    return run


class SelectorTest(unittest.TestCase):
    def ready(
        self, selector: selectors.BaseSelector, timeout: float | None = 0
    ) -> dict[object, int]:
        """What is ready, by data. No key is told twice."""
        told = [(key.data, events) for key, events in selector.select(timeout)]
        self.assertEqual(len(told), len(dict(told)))
        return dict(told)


class KeysTest(SelectorTest):
    @on_each_backend
    def test_reading_and_writing_come_in_one_key(self, selector: evl.EvlSelector) -> None:
        near, far = socket.socketpair()
        with near, far:
            selector.register(near, BOTH, "near")
            self.assertEqual(self.ready(selector), {"near": EVENT_WRITE})
            far.send(b"x")
            self.assertEqual(self.ready(selector), {"near": BOTH})
            key = selector.modify(near, EVENT_READ, "other")
            self.assertEqual(key, selector.get_key(near.fileno()))
            self.assertEqual(self.ready(selector), {"other": EVENT_READ})

    @on_each_backend
    def test_all_that_is_ready_is_told_at_once(self, selector: evl.EvlSelector) -> None:
        number = 300
        with contextlib.ExitStack() as stack:
            for index in range(number):
                near, far = map(stack.enter_context, socket.socketpair())
                far.send(b"x")
                selector.register(near, BOTH, index)
            self.assertEqual(self.ready(selector), dict.fromkeys(range(number), BOTH))

    @on_each_backend
    def test_a_refused_key_is_not_kept(self, selector: evl.EvlSelector) -> None:
        with tempfile.TemporaryFile() as file, self.assertRaises(OSError):
            selector.register(file, EVENT_WRITE)
        for wrong in ("x", None, object(), -1):
            with self.assertRaises(ValueError):
                selector.register(wrong, EVENT_READ)  # type: ignore[arg-type]
        for events in (0, 4, BOTH | 4, -1):
            with self.assertRaises(ValueError):
                selector.register(0, events)
        self.assertEqual(dict(selector.get_map()), {})

    @on_each_backend
    def test_modify_that_fails_leaves_nothing(self, selector: evl.EvlSelector) -> None:
        with pipe() as (reader, writer):
            selector.register(reader, EVENT_READ)
            os.close(reader)
            with self.assertRaises(OSError) as caught:
                selector.modify(reader, BOTH)
            self.assertEqual(caught.exception.errno, errno.EBADF)
            self.assertEqual(dict(selector.get_map()), {})
        with self.assertRaises(KeyError):
            selector.modify(reader, EVENT_READ)

    @on_each_backend
    def test_a_reused_number_is_watched_whole_after_modify(self, selector: evl.EvlSelector) -> None:
        old, gone = socket.socketpair()
        near, far = socket.socketpair()
        with old, gone, near, far:
            selector.register(old.fileno(), EVENT_READ, "number")
            os.dup2(near.fileno(), old.fileno())
            selector.modify(old.fileno(), BOTH, "number")
            far.send(b"x")
            self.assertEqual(self.ready(selector), {"number": BOTH})

    @on_each_backend
    def test_a_closed_descriptor_is_silent_and_can_be_unregistered(
        self, selector: evl.EvlSelector
    ) -> None:
        near, far = socket.socketpair()
        with near, far:
            selector.register(near, BOTH, "near")
            near.close()
            self.assertEqual(self.ready(selector), {})
            self.assertEqual(selector.unregister(near).data, "near")
            with self.assertRaises(ValueError):
                selector.unregister(near)

    @on_each_backend
    def test_a_closed_selector(self, selector: evl.EvlSelector) -> None:
        keys = selector.get_map()
        with pipe() as (reader, _):
            selector.register(reader, EVENT_READ)
            selector.close()
            selector.close()
            self.assertIsNone(selector.get_map())
            self.assertEqual(len(keys), 0)
            for call in (selector.unregister, keys.__getitem__):
                self.assertRaises(KeyError, call, reader)
            self.assertRaises(RuntimeError, selector.get_key, reader)
            self.assertRaises(ValueError, selector.register, reader, EVENT_READ)
            self.assertRaises(ValueError, selector.select, 0)

    def test_fileno_is_watchable(self) -> None:
        with evl.EvlSelector("poll") as selector, self.assertRaises(OSError):
            selector.fileno()
        if "epoll" not in backends():
            self.skipTest("only epoll has a descriptor")
        with evl.EvlSelector("epoll") as inner, evl.EvlSelector() as outer, pipe() as ends:
            outer.register(inner, EVENT_READ, "inner")
            inner.register(ends[0], EVENT_READ)
            self.assertEqual(self.ready(outer), {})
            os.write(ends[1], b"x")
            self.assertEqual(self.ready(outer, PATIENCE), {"inner": EVENT_READ})


class EndsTest(SelectorTest):
    """An end or an error makes ready what it makes with the standard selector of that kind."""

    def check(self, watched: int | socket.socket) -> None:
        # select(2) does not tell whoever waits to write of a hang-up.
        for backend in set(backends()) - {"select"}:
            standard = getattr(selectors, f"{backend.capitalize()}Selector")
            for events in (EVENT_READ, EVENT_WRITE, BOTH):
                with standard() as one, evl.EvlSelector(backend) as other:
                    one.register(watched, events, "it")
                    other.register(watched, events, "it")
                    with self.subTest(backend=backend, events=events):
                        self.assertEqual(self.ready(other), self.ready(one))

    def test_the_other_end_of_a_socket_has_gone(self) -> None:
        near, far = socket.socketpair()
        with near, far:
            far.close()
            self.check(near)

    def test_the_other_end_sends_no_more(self) -> None:
        near, far = socket.socketpair()
        with near, far:
            far.shutdown(socket.SHUT_WR)
            self.check(near)

    def test_a_pipe_has_lost_its_other_end(self) -> None:
        with pipe() as (reader, writer):
            os.close(writer)
            self.check(reader)
        with pipe() as (reader, writer):
            os.close(reader)
            self.check(writer)

    @on_each_backend
    def test_a_refused_connection_keeps_its_error(self, selector: evl.EvlSelector) -> None:
        with refused() as client:
            selector.register(client, EVENT_WRITE, "client")
            self.assertEqual(self.ready(selector, PATIENCE), {"client": EVENT_WRITE})
            error = client.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
            self.assertEqual(error, errno.ECONNREFUSED)


class TimeTest(SelectorTest):
    @on_each_backend
    def test_it_never_returns_early(self, selector: evl.EvlSelector) -> None:
        for timeout in (1e-12, 1e-9, 1.5e-6, 0.0004, 0.0101):
            end = time.monotonic() + timeout
            self.assertEqual(selector.select(timeout), [])
            self.assertGreaterEqual(time.monotonic(), end)

    @on_each_backend
    def test_zero_and_less_only_look(self, selector: evl.EvlSelector) -> None:
        for timeout in (0, -0.0, -1, float("-inf")):
            self.assertEqual(selector.select(timeout), [])

    @on_each_backend
    def test_a_signal_neither_ends_nor_lengthens_it(self, selector: evl.EvlSelector) -> None:
        seen: list[int] = []
        before = signal.signal(signal.SIGALRM, lambda number, frame: seen.append(number))
        self.addCleanup(signal.signal, signal.SIGALRM, before)
        seen.clear()
        end = time.monotonic() + 0.2
        signal.setitimer(signal.ITIMER_REAL, 0.05)
        self.assertEqual(selector.select(0.2), [])
        self.assertGreaterEqual(time.monotonic(), end)
        self.assertEqual(seen, [signal.SIGALRM])


class ForkTest(SelectorTest):
    @on_each_backend
    def test_a_child_cannot_disturb_its_parent(self, selector: evl.EvlSelector) -> None:
        with pipe() as (reader, writer):
            selector.register(reader, EVENT_READ, "reader")
            child = os.fork()
            if child == 0:
                with contextlib.suppress(OSError):
                    selector.select(0)
                    os._exit(1)
                selector.unregister(reader)
                selector.close()
                os._exit(0)
            self.assertEqual(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), 0)
            os.write(writer, b"x")
            self.assertEqual(self.ready(selector), {"reader": EVENT_READ})


if __name__ == "__main__":
    unittest.main()
