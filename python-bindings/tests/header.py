# SPDX-License-Identifier: MIT OR Apache-2.0
"""Reads evl.h as far as a comparison needs it."""

from __future__ import annotations

import ctypes
import re
from typing import Any

from evl._structs import STRUCTS, FreeFunction, HandlerFunction
from support import REPOSITORY

TEXT = (REPOSITORY / "include" / "evl.h").read_text()
_CODE = re.sub(
    r"/\*.*?\*/|^\s*#.*?$|EVL_(NONNULL\([^)]*\)|WARN_UNUSED)", "", TEXT, flags=re.S | re.M
)

_PLAIN = {
    "void": None,
    "int": ctypes.c_int,
    "size_t": ctypes.c_size_t,
    "uintptr_t": ctypes.c_size_t,
    "intptr_t": ctypes.c_ssize_t,
    "int16_t": ctypes.c_int16,
    "int64_t": ctypes.c_int64,
    "uint16_t": ctypes.c_uint16,
    "uint32_t": ctypes.c_uint32,
    "uint64_t": ctypes.c_uint64,
    "char *": ctypes.c_char_p,
    "void *": ctypes.c_void_p,
    "evl_handler_fn": HandlerFunction,
    "evl_free_fn": FreeFunction,
}
_OPAQUE = set(re.findall(r"typedef struct (\w+) \1;", _CODE))


def _type(c_type: str) -> Any:
    c_type = " ".join(c_type.replace("const ", "").replace("*", " * ").split())
    if c_type in _PLAIN:
        return _PLAIN[c_type]
    name = c_type.removesuffix(" *")
    if name in _OPAQUE:
        return ctypes.c_void_p
    return STRUCTS[name] if name == c_type else ctypes.POINTER(STRUCTS[name])


def _declared(declaration: str) -> tuple[str, Any]:
    """Name and type of a parameter or field."""
    match = re.fullmatch(r"\s*(.*?)(\w+)\s*", declaration, re.S)
    assert match, declaration
    return match[2], _type(match[1])


def _parameters(text: str) -> list[Any]:
    if text.strip() == "void":
        return []
    return [_declared(parameter)[1] for parameter in text.split(",")]


def functions() -> dict[str, tuple[Any, list[Any]]]:
    found = re.findall(r"^((?:const )?\w+ \*?)(evl_\w+)\(([^)]*)\)\s*;", _CODE, re.M)
    return {name: (_type(result), _parameters(parameters)) for result, name, parameters in found}


def callbacks() -> dict[str, tuple[Any, list[Any]]]:
    found = re.findall(r"^typedef (\w+) \(\*(\w+)\)\(([^)]*)\);", _CODE, re.M)
    return {name: (_type(result), _parameters(parameters)) for result, name, parameters in found}


def structs() -> dict[str, list[tuple[str, Any]]]:
    """The fields of each struct. A string beside a ``len`` is bytes, for ctypes a ``c_void_p``."""
    found = {}
    for name, body in re.findall(r"typedef struct (\w+) \{(.*?)\}", _CODE, re.S):
        fields = [_declared(field) for field in body.split(";") if field.strip()]
        if ("len", ctypes.c_size_t) in fields:
            fields = [(name, ctypes.c_void_p if name == "ptr" else kind) for name, kind in fields]
        found[name] = fields
    return found


def enums() -> dict[str, dict[str, int]]:
    found = {}
    for name, body in re.findall(r"typedef enum (\w+) \{(.*?)\}", _CODE, re.S):
        pairs = (line.split("=") for line in body.split(",") if line.strip())
        found[name] = {constant.strip(): eval(number) for constant, number in pairs}
    return found
