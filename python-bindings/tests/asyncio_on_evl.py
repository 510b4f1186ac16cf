# SPDX-License-Identifier: MIT OR Apache-2.0
"""Runs CPython's own tests of asyncio on EvlSelector, which takes the place of the selectors that
they take by default and of epoll's: `asyncio_on_evl.py test.test_asyncio.test_streams …`"""

from __future__ import annotations

import asyncio
import selectors
import unittest

import evl


def main() -> None:
    for name in ("DefaultSelector", "EpollSelector"):
        setattr(selectors, name, evl.EvlSelector)
    loop = asyncio.new_event_loop()
    assert isinstance(loop._selector, evl.EvlSelector)  # type: ignore[attr-defined]
    loop.close()
    unittest.main(module=None)


if __name__ == "__main__":
    main()
