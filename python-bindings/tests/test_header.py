# SPDX-License-Identifier: MIT OR Apache-2.0
"""The hand-written tables are those of evl.h: neither has anything that the other has not."""

from __future__ import annotations

import ctypes
import re
import unittest

import header
from evl import _enums
from evl._library import PROTOTYPES
from evl._structs import STRUCTS, FreeFunction, HandlerFunction

ENUMS = {
    "evl_filter": (_enums.Filter, "EVL_"),
    "evl_flag": (_enums.Flag, "EVL_"),
    "evl_io_note": (_enums.IoNote, "EVL_NOTE_"),
    "evl_timer_note": (_enums.TimerNote, "EVL_NOTE_"),
    "evl_process_note": (_enums.ProcessNote, "EVL_NOTE_"),
    "evl_vnode_note": (_enums.VnodeNote, "EVL_NOTE_"),
    "evl_user_note": (_enums.UserNote, "EVL_NOTE_"),
    "evl_accept_policy": (_enums.AcceptPolicy, "EVL_ACCEPT_"),
    "evl_error": (_enums.ErrorCode, "EVL_"),
    "evl_outcome": (_enums.Outcome, "EVL_"),
}


class HeaderTest(unittest.TestCase):
    maxDiff = None

    def test_functions(self) -> None:
        declared = header.functions()
        self.assertEqual(set(declared), set(PROTOTYPES))
        for name, prototype in declared.items():
            with self.subTest(name):
                self.assertEqual(PROTOTYPES[name], prototype)

    def test_nothing_of_the_header_is_overlooked(self) -> None:
        mentioned = set(re.findall(r"\b(evl_\w+)\(", header.TEXT))
        self.assertEqual(mentioned - set(PROTOTYPES) - set(header.callbacks()), set())

    def test_structs(self) -> None:
        declared = header.structs()
        self.assertEqual(set(declared), set(STRUCTS))
        for name, fields in declared.items():
            with self.subTest(name):
                self.assertEqual(STRUCTS[name]._fields_, fields)

    def test_enums(self) -> None:
        declared = header.enums()
        self.assertEqual(set(declared), set(ENUMS))
        for name, constants in declared.items():
            with self.subTest(name):
                enum, prefix = ENUMS[name]
                members = {prefix + key: int(value) for key, value in enum.__members__.items()}
                self.assertEqual(members, constants)

    def test_callbacks(self) -> None:
        types = {"evl_handler_fn": HandlerFunction, "evl_free_fn": FreeFunction}
        declared = header.callbacks()
        self.assertEqual(set(declared), set(types))
        for name, (result, parameters) in declared.items():
            with self.subTest(name):
                same = ctypes.CFUNCTYPE(result, *parameters)
                self.assertIs(same, types[name])


if __name__ == "__main__":
    unittest.main()
