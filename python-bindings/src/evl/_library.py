# SPDX-License-Identifier: MIT OR Apache-2.0
"""Finds the library and gives its functions their types.

``PROTOTYPES`` is the one list of functions; a test compares it with evl.h. The library is looked
for inside the package (a wheel carries it), then at the path in the environment variable
``EVL_LIBRARY``, then by its soname where the system keeps its libraries."""

from __future__ import annotations

import ctypes
import os
import sys
from ctypes import POINTER, c_char_p, c_int, c_int64, c_size_t, c_void_p
from pathlib import Path
from typing import Any, TypeVar

from ._structs import (
    BsdEventStruct,
    CountersStruct,
    EventStruct,
    FreeFunction,
    HandlerFunction,
    Header,
    ReactorOptions,
    ServerOptions,
    Slice,
    SocketOptionsStruct,
)

L = TypeVar("L", bound=ctypes.CDLL)

SONAME = "libevl.0.dylib" if sys.platform == "darwin" else "libevl.so.0"

# Name: (what it returns, what it takes). Opaque handles are c_void_p.
PROTOTYPES: dict[str, tuple[Any, list[Any]]] = {
    "evl_create": (c_void_p, [POINTER(ReactorOptions)]),
    "evl_add": (c_int, [c_void_p, POINTER(EventStruct)]),
    "evl_delete": (c_int, [c_void_p, c_size_t, c_int]),
    "evl_change": (
        c_int,
        [c_void_p, POINTER(EventStruct), c_size_t, POINTER(EventStruct), c_size_t],
    ),
    "evl_wait": (c_int, [c_void_p, POINTER(EventStruct), c_size_t, c_int64]),
    "evl_trigger": (c_int, [c_void_p, c_size_t]),
    "evl_fd": (c_int, [c_void_p]),
    "evl_backend": (c_char_p, [c_void_p]),
    "evl_close": (None, [c_void_p]),
    "evl_kqueue": (c_int, [c_int]),
    "evl_kevent": (
        c_int,
        [c_int, POINTER(BsdEventStruct), c_int, POINTER(BsdEventStruct), c_int, c_int64],
    ),
    "evl_sigaction": (c_int, [c_int, c_void_p, c_void_p]),
    "evl_listen": (c_int, [c_char_p, POINTER(SocketOptionsStruct)]),
    "evl_accept": (c_int, [c_int]),
    "evl_connect": (c_int, [c_char_p, POINTER(SocketOptionsStruct)]),
    "evl_socket_set": (c_int, [c_int, POINTER(SocketOptionsStruct)]),
    "evl_socket_address": (c_int, [c_int, c_char_p, c_size_t]),
    "evl_server_create": (c_void_p, [POINTER(ServerOptions)]),
    "evl_server_load": (c_int, [c_void_p, c_char_p]),
    "evl_server_listen": (c_int, [c_void_p, c_char_p]),
    "evl_server_address": (c_int, [c_void_p, c_size_t, c_char_p, c_size_t]),
    "evl_server_static": (c_int, [c_void_p, c_char_p, c_char_p]),
    "evl_server_route": (
        c_int,
        [c_void_p, c_char_p, c_char_p, HandlerFunction, c_void_p, FreeFunction],
    ),
    "evl_server_start": (c_int, [c_void_p]),
    "evl_server_workers": (c_int, [c_void_p]),
    "evl_server_work": (c_int, [c_void_p, c_size_t]),
    "evl_server_counters": (c_int, [c_void_p, c_size_t, POINTER(CountersStruct)]),
    "evl_server_run": (c_int, [c_void_p]),
    "evl_server_stop": (c_int, [c_void_p, c_int64]),
    "evl_server_free": (None, [c_void_p]),
    "evl_request_method": (Slice, [c_void_p]),
    "evl_request_target": (Slice, [c_void_p]),
    "evl_request_path": (Slice, [c_void_p]),
    "evl_request_query": (Slice, [c_void_p]),
    "evl_request_header": (Slice, [c_void_p, c_char_p]),
    "evl_request_header_at": (Header, [c_void_p, c_size_t]),
    "evl_request_body": (Slice, [c_void_p]),
    "evl_request_param": (Slice, [c_void_p, c_char_p]),
    "evl_request_peer": (Slice, [c_void_p]),
    "evl_respond": (c_int, [c_void_p, c_int, c_char_p, c_void_p, c_size_t]),
    "evl_response_status": (c_int, [c_void_p, c_int]),
    "evl_response_header": (c_int, [c_void_p, c_char_p, c_char_p]),
    "evl_response_write": (c_int, [c_void_p, c_void_p, c_size_t]),
    "evl_strerror": (c_char_p, [c_int]),
    "evl_error_name": (c_char_p, [c_int]),
    "evl_last_error": (c_char_p, []),
    "evl_last_error_code": (c_int, []),
    "evl_version": (c_char_p, []),
}


def find() -> str:
    """Where the library is: a path, or a name for the system's loader."""
    inside = Path(__file__).with_name(SONAME)
    if inside.exists():
        return str(inside)
    return os.environ.get("EVL_LIBRARY") or SONAME


def typed(library: L) -> L:
    """The same library with every prototype set."""
    for name, (restype, argtypes) in PROTOTYPES.items():
        try:
            function = getattr(library, name)
        except AttributeError:
            raise ImportError(f"{library._name} is too old for this package: no {name}") from None
        function.restype = restype
        function.argtypes = argtypes
    return library


def _load() -> tuple[ctypes.CDLL, ctypes.PyDLL]:
    place = find()
    try:
        return typed(ctypes.CDLL(place)), typed(ctypes.PyDLL(place))
    except OSError as error:
        raise ImportError(
            f"evl's library was not found ({error}): install it, or set EVL_LIBRARY to its path"
        ) from None


# The same functions twice: `library` lets other threads run meanwhile, `short` does not, which is
# quicker and right for what neither waits nor calls back.
library, short = _load()
