# SPDX-License-Identifier: MIT OR Apache-2.0
"""The structs and callback types of evl.h. A test compares their fields with the header.

``const char *`` is ``c_char_p`` where it is a C string and ``c_void_p`` where a length stands
beside it, because ctypes reads a ``c_char_p`` up to the first NUL.
"""

from __future__ import annotations

import ctypes
from ctypes import (
    c_char_p,
    c_int,
    c_int16,
    c_int64,
    c_size_t,
    c_ssize_t,
    c_uint16,
    c_uint32,
    c_uint64,
    c_void_p,
)


class Slice(ctypes.Structure):
    _fields_ = [("ptr", c_void_p), ("len", c_size_t)]


class Header(ctypes.Structure):
    _fields_ = [("name", Slice), ("value", Slice)]


class EventStruct(ctypes.Structure):
    _fields_ = [
        ("ident", c_size_t),
        ("filter", c_int16),
        ("flags", c_uint16),
        ("fflags", c_uint32),
        ("data", c_int64),
        ("udata", c_void_p),
    ]


class BsdEventStruct(ctypes.Structure):
    """For those who want kevent() itself; the package does not use it."""

    _fields_ = [
        ("ident", c_size_t),
        ("filter", c_int16),
        ("flags", c_uint16),
        ("fflags", c_uint32),
        ("data", c_ssize_t),
        ("udata", c_void_p),
    ]


class ReactorOptions(ctypes.Structure):
    _fields_ = [("size", c_size_t), ("backend", c_char_p)]


class SocketOptionsStruct(ctypes.Structure):
    _fields_ = [
        ("size", c_size_t),
        ("backlog", c_uint32),
        ("reuse_port", c_uint32),
        ("v6only", c_uint32),
        ("mode", c_uint32),
        ("receive_buffer", c_uint32),
        ("send_buffer", c_uint32),
        ("nodelay", c_uint32),
        ("keepalive", c_uint32),
        ("keepalive_idle_s", c_uint32),
        ("keepalive_interval_s", c_uint32),
        ("keepalive_count", c_uint32),
        ("linger", c_uint32),
        ("linger_s", c_uint32),
    ]


class ServerOptions(ctypes.Structure):
    _fields_ = [
        ("size", c_size_t),
        ("backend", c_char_p),
        ("workers", c_uint32),
        ("caller_threads", c_uint32),
        ("max_body_bytes", c_uint64),
        ("header_timeout_ms", c_uint32),
        ("body_timeout_ms", c_uint32),
        ("send_timeout_ms", c_uint32),
        ("keepalive_timeout_ms", c_uint32),
        ("keepalive_requests", c_uint64),
        ("worker_connections", c_uint32),
        ("accept_policy", c_uint32),
        ("io", c_char_p),
    ]


class CountersStruct(ctypes.Structure):
    _fields_ = [
        ("size", c_size_t),
        ("accepted", c_uint64),
        ("open", c_uint64),
        ("requests", c_uint64),
        ("shed", c_uint64),
        ("turns", c_uint64),
    ]


HandlerFunction = ctypes.CFUNCTYPE(c_int, c_void_p, c_void_p, c_void_p)
FreeFunction = ctypes.CFUNCTYPE(None, c_void_p)

STRUCTS = {
    "evl_slice": Slice,
    "evl_header": Header,
    "evl_event": EventStruct,
    "evl_bsd_event": BsdEventStruct,
    "evl_options": ReactorOptions,
    "evl_socket_options": SocketOptionsStruct,
    "evl_server_options": ServerOptions,
    "evl_counters": CountersStruct,
}
