# SPDX-License-Identifier: MIT OR Apache-2.0
"""What the servers are asked for: one row per table of the report."""

import os
from dataclasses import dataclass
from pathlib import Path

KIB = 1024
MIB = 1024 * KIB
HELLO = b"Hello, World!"

# What Firefox sends with a navigation, some 700 bytes with the request line.
BROWSER = (
    "User-Agent: Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0\r\n"
    "Accept: text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8\r\n"
    "Accept-Language: de-DE,de;q=0.8,en-US;q=0.5,en;q=0.3\r\n"
    "Accept-Encoding: gzip, deflate, br, zstd\r\n"
    "Referer: http://localhost/articles/2026/performance.html\r\n"
    "Cookie: session=5f2b6c1e9a7d4f0388e1c2b3a4958677; consent=1; theme=dark; last=1767225600\r\n"
    "Upgrade-Insecure-Requests: 1\r\nSec-Fetch-Dest: document\r\nSec-Fetch-Mode: navigate\r\n"
    "Sec-Fetch-Site: same-origin\r\nSec-Fetch-User: ?1\r\nPriority: u=0, i\r\n"
    "Connection: keep-alive\r\nPragma: no-cache\r\nCache-Control: no-cache\r\n"
)


@dataclass(frozen=True)
class Workload:
    """One kind of request, repeated by a number of connections at once."""

    name: str
    title: str
    kind: str  # "hello" and "echo" are for handlers, "file" for the document root
    limit: float  # what the judged figure may be in terms of the floor's, or of the server's own without idle ones
    body_bytes: int = len(HELLO)
    connections: int = 64
    headers: str = ""
    close_each: bool = False
    depth: int = 1  # requests that are sent at a time
    idle: int = 0  # connections beside the active ones that say nothing
    rate: int = 0  # requests per second of an open loop; 0: each connection asks again once answered

    @property
    def path(self):
        """What is asked for."""
        return f"/{self.file_name}" if self.kind == "file" else f"/{self.kind}"

    @property
    def file_name(self):
        """The file in the document root."""
        return f"{self.name}.bin"

    @property
    def large(self):
        """Whether the generator lets the kernel drop the body, and the floor uses sendfile."""
        return self.body_bytes > 64 * KIB

    @property
    def request(self):
        """The bytes of one request."""
        headers = self.headers + ("Connection: close\r\n" if self.close_each else "")
        if self.kind == "echo":
            headers += f"Content-Type: text/plain\r\nContent-Length: {self.body_bytes}\r\n"
        body = "x" * self.body_bytes if self.kind == "echo" else ""
        method = "POST" if self.kind == "echo" else "GET"
        return f"{method} {self.path} HTTP/1.1\r\nHost: localhost\r\n{headers}\r\n{body}"

    @property
    def judged(self):
        """The figure that the limit is for."""
        return "p99 µs" if self.rate else "× alone" if self.idle else "CPU µs"


WORKLOADS = (
    Workload("hello", "hello", "hello", 1.06),
    Workload("headers", "hello, a browser's 700 bytes of headers", "hello", 1.12, headers=BROWSER),
    Workload("1k", "1 KiB file", "file", 1.12, KIB),
    Workload("100k", "100 KiB file", "file", 1.08, 100 * KIB),
    Workload("10m", "10 MiB file", "file", 1.02, 10 * MIB, connections=16),
    Workload("close", "hello, a connection per request", "hello", 1.02, close_each=True),
    Workload("echo", "POST 1 KiB, echoed", "echo", 1.10, KIB),
    Workload("pipelined", "hello, pipelined × 16", "hello", 1.3, depth=16),
    Workload("idle", "hello beside 9,000 idle connections", "hello", 1.02, idle=9000),
    Workload("rate", "hello, 10,000 requests/s whatever comes back", "hello", 1.05, rate=10_000),
)
IDLE_BYTES = 256  # memory of the process that an idle connection may cost


def write_files(root: Path):
    """Makes the document root that every server serves."""
    root.mkdir(parents=True, exist_ok=True)
    (root / "hello").write_bytes(HELLO)
    for workload in WORKLOADS:
        file = root / workload.file_name
        if workload.kind == "file" and not (file.exists() and file.stat().st_size == workload.body_bytes):
            file.write_bytes(os.urandom(workload.body_bytes))
