# SPDX-License-Identifier: MIT OR Apache-2.0
"""Puts the library into the wheel, and into its name what the library needs of the system."""

from __future__ import annotations

import re
import sys
import sysconfig
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

SONAME = "libevl.0.dylib" if sys.platform == "darwin" else "libevl.so.0"
BUILT = "libevl.dylib" if sys.platform == "darwin" else "libevl.so"


class LibraryHook(BuildHookInterface):
    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        repository = Path(self.root).parent
        places = [repository / "build" / BUILT, repository / "target" / "release" / BUILT]
        library = next((place for place in places if place.exists()), None)
        if library is None:
            raise FileNotFoundError(
                f"evl's library is not built: run `make build` in {repository} (looked for "
                + " and ".join(map(str, places))
                + ")"
            )
        build_data["pure_python"] = False
        build_data["tag"] = f"py3-none-{platform_tag(library)}"
        build_data["force_include"][str(library.resolve())] = f"evl/{SONAME}"
        build_data["force_include"][str(repository / "LICENSE")] = "evl/LICENSE"


def platform_tag(library: Path) -> str:
    """This machine's, or on Linux that of all which have the library's glibc or a newer one."""
    needed = re.findall(rb"GLIBC_(\d+)\.(\d+)", library.read_bytes())
    if not needed:
        return re.sub(r"[-.]", "_", sysconfig.get_platform())
    major, minor = max((int(major), int(minor)) for major, minor in needed)
    return f"manylinux_{major}_{minor}_{sysconfig.get_platform().split('-', 1)[1]}"
