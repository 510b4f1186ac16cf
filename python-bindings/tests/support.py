# SPDX-License-Identifier: MIT OR Apache-2.0
"""What several test files use."""

from __future__ import annotations

import contextlib
import http.client
import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import evl

PATIENCE = 20
"""Seconds after which a test is taken to hang."""

PACKAGE = Path(__file__).resolve().parent.parent
REPOSITORY = PACKAGE.parent


def backends() -> list[str]:
    """Those of this system."""
    found = []
    for name in ("kqueue", "epoll", "poll", "select"):
        with contextlib.suppress(OSError), evl.Reactor(name):
            found.append(name)
    return found


@contextlib.contextmanager
def pipe() -> Iterator[tuple[int, int]]:
    """A pipe's two ends; the test may close them itself."""
    reader, writer = os.pipe()
    try:
        yield reader, writer
    finally:
        for end in (reader, writer):
            with contextlib.suppress(OSError):
                os.close(end)


@contextlib.contextmanager
def started(server: evl.Server) -> Iterator[http.client.HTTPConnection]:
    """A connection to a server, which is closed at the end."""
    with server:
        address = server.listen("127.0.0.1:0")
        server.start()
        connection = http.client.HTTPConnection(address, timeout=PATIENCE)
        with contextlib.closing(connection):
            yield connection


def get(connection: http.client.HTTPConnection, path: str) -> tuple[int, bytes]:
    connection.request("GET", path)
    response = connection.getresponse()
    return response.status, response.read()


def connect(address: str) -> socket.socket:
    host, _, port = address.rpartition(":")
    return socket.create_connection((host, int(port)), timeout=PATIENCE)


def exchange(address: str, request: bytes) -> bytes:
    """What comes back for these bytes until the server closes the connection."""
    with connect(address) as peer:
        peer.sendall(request)
        return b"".join(iter(lambda: peer.recv(65536), b""))


@contextlib.contextmanager
def started_process(command: list[str]) -> Iterator[subprocess.Popen[str]]:
    """A process with pipes to its input and output, which does not outlive the test."""
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=pipe, text=True) as process:
        try:
            yield process
        finally:
            process.kill()


def child(program: str) -> contextlib.AbstractContextManager[subprocess.Popen[str]]:
    """A Python program in a process of its own."""
    return started_process([sys.executable, "-X", "dev", "-W", "error", "-c", program])


def said(process: subprocess.Popen[str]) -> str:
    """The next line of a child's output."""
    assert process.stdout is not None
    line = process.stdout.readline()
    if not line:
        assert process.stderr is not None
        raise AssertionError(f"the program ended: {process.stderr.read()}")
    return line.strip()


def until_asleep(process: int) -> None:
    """Returns when a process does nothing any more, where the system tells (proc(5))."""
    status = Path(f"/proc/{process}/stat")
    while status.exists() and status.read_text().rpartition(")")[2].split()[0] != "S":
        pass
