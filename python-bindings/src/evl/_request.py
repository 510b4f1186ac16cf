# SPDX-License-Identifier: MIT OR Apache-2.0
"""What a client asks. Everything is read from the library when it is asked for, so that a handler
pays for what it uses."""

from __future__ import annotations

import ctypes
from collections.abc import Iterator, Mapping

from ._errors import text
from ._library import short
from ._structs import Slice


class Request:
    """A request, as a handler gets it.

    It can be used until the handler returns, on the handler's thread: take out of it what is needed
    later. Bytes that are not UTF-8 are "surrogate escapes" in its strings, as in paths.
    """

    __slots__ = ("_pointer",)

    def __init__(self, pointer: int) -> None:
        self._pointer: int | None = pointer

    @property
    def method(self) -> str:
        """The method: ``GET``."""
        return _text(short.evl_request_method(self._alive()))

    @property
    def target(self) -> str:
        """The target as it was sent: ``/a%20file?x=1``."""
        return _text(short.evl_request_target(self._alive()))

    @property
    def path(self) -> str:
        """The path, percent-decoded, without dot segments and doubled slashes: ``/a file``."""
        return _text(short.evl_request_path(self._alive()))

    @property
    def query(self) -> str:
        """The query as it was sent, without its ``?``; empty if there is none. The standard
        library's ``urllib.parse.parse_qs`` takes it apart."""
        return _text(short.evl_request_query(self._alive()))

    @property
    def headers(self) -> Headers:
        """The header fields, by their names in any case."""
        return Headers(self)

    @property
    def body(self) -> bytes:
        """The whole body, without its transfer coding."""
        return _bytes(short.evl_request_body(self._alive())) or b""

    @property
    def peer(self) -> str:
        """The client's address and port: ``127.0.0.1:50123``, ``[::1]:50123``, ``unix:``."""
        return _text(short.evl_request_peer(self._alive()))

    def param(self, name: str) -> str:
        """What stands in the path for ``{name}`` of the route's pattern. KeyError without one."""
        value = _bytes(short.evl_request_param(self._alive(), text(name)))
        if value is None:
            raise KeyError(name)
        return value.decode(errors="surrogateescape")

    def _alive(self) -> int:
        if self._pointer is None:
            raise RuntimeError("the request ended when its handler returned")
        return self._pointer

    def _end(self) -> None:
        self._pointer = None


class Headers(Mapping[str, str]):
    """The header fields of a request. Each byte of a value is one character (ISO 8859-1).

    Of several fields with one name, this has the first; :meth:`get_all` has all.
    """

    __slots__ = ("_request",)

    def __init__(self, request: Request) -> None:
        self._request = request

    def __getitem__(self, name: str) -> str:
        value = self._first(name)
        if value is None:
            raise KeyError(name)
        return value.decode("latin-1")

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and self._first(name) is not None

    def __iter__(self) -> Iterator[str]:
        """Each name once, in lower case."""
        return iter(dict.fromkeys(name for name, _ in self.fields()))

    def __len__(self) -> int:
        return sum(1 for _ in self)

    def __repr__(self) -> str:
        return f"Headers({dict(self)!r})"

    def get_all(self, name: str) -> list[str]:
        """The values of all fields of that name."""
        return [value for key, value in self.fields() if key == name.lower()]

    def fields(self) -> Iterator[tuple[str, str]]:
        """Name (in lower case) and value of each field in the order in which they came."""
        index = 0
        while True:
            field = short.evl_request_header_at(self._request._alive(), index)
            name = _bytes(field.name)
            if name is None:
                return
            yield name.decode("latin-1").lower(), (_bytes(field.value) or b"").decode("latin-1")
            index += 1

    def _first(self, name: str) -> bytes | None:
        encoded = name.encode("latin-1", "replace")
        if b"\0" in encoded:
            return None
        return _bytes(short.evl_request_header(self._request._alive(), encoded))


def _bytes(piece: Slice) -> bytes | None:
    return None if piece.ptr is None else ctypes.string_at(piece.ptr, piece.len)


def _text(piece: Slice) -> str:
    return (_bytes(piece) or b"").decode(errors="surrogateescape")
