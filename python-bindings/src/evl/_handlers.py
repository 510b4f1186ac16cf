# SPDX-License-Identifier: MIT OR Apache-2.0
"""The library calls Python through the two functions here, whatever the route: its ``udata`` is the
index of the handler. A handler stays in the table until the library says that it is done with it,
which it does once."""

from __future__ import annotations

import contextlib
import errno
import logging
from collections.abc import Callable
from itertools import count

from ._request import Request
from ._response import Result, send
from ._structs import FreeFunction, HandlerFunction

log = logging.getLogger("evl")

Handler = Callable[[Request], Result]

_handlers: dict[int, Handler] = {}
_indexes = count(1)


def hold(handler: Handler) -> int:
    """Puts a handler into the table, for a route that is about to be made."""
    index = next(_indexes)
    _handlers[index] = handler
    return index


def release(index: int) -> None:
    del _handlers[index]


def _call(request_pointer: int, response_pointer: int, index: int) -> int:
    request = Request(request_pointer)
    try:
        return send(response_pointer, _handlers[index](request))
    except BaseException:
        # What leaves a callback is lost, and the client would get an empty page for it.
        with contextlib.suppress(Exception):
            log.exception("%s %s: the handler failed", request.method, request.target)
        return -errno.EIO
    finally:
        request._end()


call_handler = HandlerFunction(_call)
release_handler = FreeFunction(release)
