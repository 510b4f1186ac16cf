# SPDX-License-Identifier: MIT OR Apache-2.0
"""CPython's own tests of selectors and asyncio pass on EvlSelector. They are in its package `test`,
which some distributions leave out."""

from __future__ import annotations

import subprocess
import sys
import unittest
from pathlib import Path

import evl
from support import backends

try:
    from test import test_asyncio  # noqa: F401
    from test import test_selectors as standard
except ImportError as missing:
    print(f"CPython's own tests are skipped: {missing}", file=sys.stderr)
    raise unittest.SkipTest(str(missing)) from None

MINUTES = 5


class BackendTest(standard.BaseSelectorTestCase):
    """The tests for every selector, and those for one of them that hold for this as well."""

    backend: str
    test_register_bad_fd = vars(standard.KqueueSelectorTestCase)["test_register_bad_fd"]
    test_empty_select_timeout = vars(standard.KqueueSelectorTestCase)["test_empty_select_timeout"]

    def setUp(self) -> None:
        if self.backend not in backends():
            self.skipTest(f"there is no {self.backend} here")

    @property
    def SELECTOR(self) -> type[evl.EvlSelector]:
        class OfBackend(evl.EvlSelector):
            def __init__(made) -> None:
                super().__init__(self.backend)

        return OfBackend


class EpollTest(BackendTest, standard.ScalableSelectorMixIn, unittest.TestCase):
    backend = "epoll"


class PollTest(BackendTest, standard.ScalableSelectorMixIn, unittest.TestCase):
    backend = "poll"

    test_fileno = unittest.skip("poll has no descriptor")(BackendTest.test_fileno)


class SelectTest(BackendTest, unittest.TestCase):
    backend = "select"

    test_fileno = unittest.skip("select has no descriptor")(BackendTest.test_fileno)


class AsyncioTest(unittest.TestCase):
    def check(self, module: str) -> None:
        runner = Path(__file__).with_name("asyncio_on_evl.py")
        command = [sys.executable, str(runner), f"test.test_asyncio.{module}"]
        ran = subprocess.run(command, capture_output=True, text=True, timeout=60 * MINUTES)
        self.assertEqual(ran.returncode, 0, ran.stderr)
        self.assertRegex(ran.stderr, r"Ran [1-9][0-9]* tests")

    def test_buffered_proto(self) -> None:
        self.check("test_buffered_proto")

    def test_events(self) -> None:
        self.check("test_events")

    def test_selector_events(self) -> None:
        self.check("test_selector_events")

    def test_sendfile(self) -> None:
        self.check("test_sendfile")

    def test_server(self) -> None:
        self.check("test_server")

    def test_sock_lowlevel(self) -> None:
        self.check("test_sock_lowlevel")

    def test_streams(self) -> None:
        self.check("test_streams")

    def test_subprocess(self) -> None:
        self.check("test_subprocess")

    def test_unix_events(self) -> None:
        self.check("test_unix_events")


if __name__ == "__main__":
    unittest.main()
