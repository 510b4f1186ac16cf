# SPDX-License-Identifier: MIT OR Apache-2.0
"""The wheel is built, carries the library, and works where nothing else of evl is.

Slow: it makes an environment of its own, and takes hatchling from the package index. Left out if
the environment has EVL_SKIP_SLOW.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import unittest
import venv
import zipfile
from pathlib import Path

from support import PACKAGE, REPOSITORY

LIBRARY = "libevl.dylib" if sys.platform == "darwin" else "libevl.so"
BUILT = [REPOSITORY / "build" / LIBRARY, REPOSITORY / "target" / "release" / LIBRARY]

PROGRAM = """
import evl, evl._library, http.client, pathlib
assert pathlib.Path(evl._library.find()).parent == pathlib.Path(evl.__file__).parent
with evl.Server(workers=1) as server:
    server.route("GET", "/")(lambda request: "from a wheel")
    address = server.listen("127.0.0.1:0")
    server.start()
    connection = http.client.HTTPConnection(address, timeout=20)
    connection.request("GET", "/")
    print(connection.getresponse().read().decode())
    connection.close()
"""


def run(*command: str | Path, **more: object) -> subprocess.CompletedProcess[str]:
    hidden = ("PYTHONPATH", "EVL_LIBRARY")
    environment = {key: value for key, value in os.environ.items() if key not in hidden}
    return subprocess.run(
        [str(word) for word in command], capture_output=True, text=True, env=environment
    )


@unittest.skipIf("EVL_SKIP_SLOW" in os.environ, "EVL_SKIP_SLOW is set")
class WheelTest(unittest.TestCase):
    def setUp(self) -> None:
        directory = tempfile.TemporaryDirectory()
        self.addCleanup(directory.cleanup)
        self.directory = Path(directory.name)

    def build(self, package: Path) -> subprocess.CompletedProcess[str]:
        build = ("-m", "pip", "wheel", "--no-deps", "--wheel-dir", self.directory)
        return run(sys.executable, *build, package)

    @unittest.skipUnless(any(map(Path.exists, BUILT)), "the library is not built: make build")
    def test_in_a_fresh_environment(self) -> None:
        built = self.build(PACKAGE)
        self.assertEqual(built.returncode, 0, built.stderr)
        (wheel,) = self.directory.glob("*.whl")
        self.assertRegex(wheel.name, r"^evl-\d+\.\d+\.\d+-py3-none-(many)?[a-z0-9_]+\.whl$")
        names = zipfile.ZipFile(wheel).namelist()
        self.assertIn("evl/py.typed", names)
        inside = "evl/libevl.0.dylib" if sys.platform == "darwin" else "evl/libevl.so.0"
        self.assertIn(inside, names)
        self.assertFalse([name for name in names if "__pycache__" in name or "test" in name])

        environment = self.directory / "venv"
        venv.create(environment, with_pip=True)
        python = environment / "bin" / "python"
        installed = run(python, "-m", "pip", "install", "--no-deps", "--no-index", wheel)
        self.assertEqual(installed.returncode, 0, installed.stderr)
        ran = run(python, "-X", "dev", "-W", "error", "-c", PROGRAM)
        self.assertEqual((ran.stdout, ran.stderr), ("from a wheel\n", ""))

    def test_without_the_library_it_names_the_command(self) -> None:
        package = self.directory / "python-bindings"
        (package / "src" / "evl").mkdir(parents=True)
        for name in ("pyproject.toml", "build_wheel.py", "README.md", "src/evl/__init__.py"):
            (package / name).write_bytes((PACKAGE / name).read_bytes())
        for name in ("Cargo.toml", "LICENSE"):
            (self.directory / name).write_bytes((REPOSITORY / name).read_bytes())
        built = self.build(package)
        self.assertNotEqual(built.returncode, 0)
        self.assertIn("run `make build`", built.stdout + built.stderr)


if __name__ == "__main__":
    unittest.main()
