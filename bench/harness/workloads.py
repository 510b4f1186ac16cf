# SPDX-License-Identifier: MIT OR Apache-2.0
"""What the servers are asked for: one row per table of the report."""

import os
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Workload:
    """One kind of request, repeated by a number of connections at once."""

    name: str
    title: str
    path: str
    body_bytes: int
    connections: int = 64
    close_each: bool = False
    is_file: bool = True

    @property
    def large(self):
        """Whether the generator lets the kernel drop the body, so as not to be the bottleneck."""
        return self.body_bytes > 64 * 1024


HELLO = 13  # bytes of "Hello, World!"
KIB = 1024
MIB = 1024 * KIB

WORKLOADS = (
    Workload("hello", "hello, keep-alive", "/hello", HELLO, is_file=False),
    Workload("hello-close", "hello, a connection per request", "/hello", HELLO, close_each=True, is_file=False),
    Workload("1k", "1 KiB file, keep-alive", "/1k.bin", KIB),
    Workload("1k-close", "1 KiB file, a connection per request", "/1k.bin", KIB, close_each=True),
    Workload("100k", "100 KiB file, keep-alive", "/100k.bin", 100 * KIB),
    Workload("10m", "10 MiB file, keep-alive", "/10m.bin", 10 * MIB, connections=16),
)


def write_files(root: Path):
    """Makes the document root that every server serves."""
    root.mkdir(parents=True, exist_ok=True)
    (root / "hello").write_bytes(b"Hello, World!")
    for workload in WORKLOADS:
        file = root / workload.path.lstrip("/")
        if workload.is_file and not (file.exists() and file.stat().st_size == workload.body_bytes):
            file.write_bytes(os.urandom(workload.body_bytes))
