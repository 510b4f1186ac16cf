# SPDX-License-Identifier: MIT OR Apache-2.0
"""The package and its examples pass mypy's strict mode."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
import unittest

from support import PACKAGE


@unittest.skipUnless(importlib.util.find_spec("mypy"), "mypy is not installed here")
class TypesTest(unittest.TestCase):
    def test_strict(self) -> None:
        command = [sys.executable, "-m", "mypy", "--strict", "src/evl"]
        command += sorted(str(path) for path in (PACKAGE / "examples").glob("*.py"))
        ran = subprocess.run(command, cwd=PACKAGE, capture_output=True, text=True)
        self.assertEqual(ran.returncode, 0, ran.stdout + ran.stderr)


if __name__ == "__main__":
    unittest.main()
