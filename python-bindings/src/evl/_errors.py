# SPDX-License-Identifier: MIT OR Apache-2.0
"""Codes become exceptions: the system's an OSError, evl's own an EvlError."""

from __future__ import annotations

import os

from ._enums import ErrorCode
from ._library import short


class EvlError(Exception):
    """A failure that is evl's own, such as a wrong configuration file."""

    def __init__(self, code: int, name: str, message: str) -> None:
        super().__init__(code, name, message)
        self.code = code
        """One of :class:`evl.ErrorCode`."""
        self.name = name
        """What the code is called: ``EVL_ECONFIG``."""
        self.message = message
        """What went wrong, in sentences."""

    def __str__(self) -> str:
        return f"{self.name}: {self.message}"


def error(code: int) -> OSError | EvlError:
    """The exception for a negative code that this thread's last call returned."""
    message = (short.evl_last_error() or short.evl_strerror(code)).decode(errors="replace")
    if code > max(ErrorCode):
        return OSError(-code, message)
    return EvlError(code, short.evl_error_name(code).decode(), message)


def check(code: int) -> int:
    """The code itself, unless it is negative."""
    if code < 0:
        raise error(code)
    return code


def made(handle: int | None) -> int:
    """The handle of a new object, unless it is NULL."""
    if handle is None:
        raise error(short.evl_last_error_code())
    return handle


def text(value: str | os.PathLike[str]) -> bytes:
    """A C string; UTF-8, or the file system's encoding for a path."""
    encoded = os.fsencode(value)
    if b"\0" in encoded:
        raise ValueError(f"embedded null character: {value!r}")
    return encoded
