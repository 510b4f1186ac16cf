# SPDX-License-Identifier: MIT OR Apache-2.0
"""What a client gets: from what a handler returns to calls of the library."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any, Union

from ._enums import Outcome
from ._errors import check
from ._library import short

DECLINED = Outcome.DECLINED
"""What a handler returns that leaves the request to the next one that matches."""

Body = Union[str, bytes, "dict[str, Any]"]

_TYPES = {
    str: b"text/plain; charset=utf-8",
    bytes: b"application/octet-stream",
    dict: b"application/json",
}


class Response:
    """An answer with everything that can be said of it.

    ``content_type`` is by default that of the body: text/plain for a str (sent as UTF-8),
    application/octet-stream for bytes, application/json for a dict; none for an empty body. The
    library adds Date, Server, the length and what the connection needs.
    """

    __slots__ = ("body", "status", "headers", "content_type")

    def __init__(
        self,
        body: Body = b"",
        status: int = 200,
        headers: Mapping[str, str] | Iterable[tuple[str, str]] = (),
        content_type: str | None = None,
    ) -> None:
        self.body = body
        self.status = status
        self.headers = list(headers.items() if isinstance(headers, Mapping) else headers)
        self.content_type = content_type


Result = Union[Body, "tuple[int, Body]", Response, Outcome]


def send(pointer: int, result: Result) -> Outcome:
    """Answers with what a handler returned."""
    body: object
    status, kind = 200, None
    if isinstance(result, Response):
        for name, value in result.headers:
            check(short.evl_response_header(pointer, _field(name), _field(value)))
        kind = None if result.content_type is None else _field(result.content_type)
        status, body = result.status, result.body
    elif isinstance(result, tuple):
        status, body = result
    elif result is DECLINED:
        return DECLINED
    else:
        body = result
    content = _content(body)
    if kind is None and content:
        kind = next(kind for known, kind in _TYPES.items() if isinstance(body, known))
    check(short.evl_respond(pointer, status, kind, content, len(content)))
    return Outcome.ANSWERED


def _content(body: object) -> bytes:
    if isinstance(body, bytes):
        return body
    if isinstance(body, str):
        return body.encode()
    if isinstance(body, dict):
        return json.dumps(body, separators=(",", ":")).encode()
    hint = "" if body is not None else " (evl.DECLINED leaves the request to the next handler)"
    raise TypeError(
        f"a handler returns str, bytes, dict, (status, body), evl.Response or evl.DECLINED,"
        f" not {type(body).__name__}{hint}"
    )


def _field(value: str) -> bytes:
    encoded = value.encode("latin-1")
    if b"\0" in encoded:
        raise ValueError(f"embedded null character: {value!r}")
    return encoded
