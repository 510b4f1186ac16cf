# SPDX-License-Identifier: MIT OR Apache-2.0
"""Clients of the example servers: `shapes.py check address process`. It fails with what went wrong.

echo     many connections at once, each of which gets back what it sent, in its order
slow     who does not read for a while gets everything, and others are served meanwhile
lines    many connections that send many lines at once: each gets its lines reversed, in their order
scarce   more connections than the server has descriptors: it does not spin, and all are served in the
         end; `process` is the server's, of which /proc tells the processor time
"""

from __future__ import annotations

import os
import random
import resource
import selectors
import socket
import sys
import time

PATIENCE = 60


def connect(address: str) -> socket.socket:
    if address.startswith("unix:"):
        peer = socket.socket(socket.AF_UNIX)
        peer.settimeout(PATIENCE)
        peer.connect(address[5:])
        return peer
    host, _, port = address.rpartition(":")
    return socket.create_connection((host.strip("[]"), int(port)), timeout=PATIENCE)


def exchange(peers: dict[socket.socket, bytes]) -> dict[socket.socket, bytes]:
    """Sends to all at once, and returns what each got until its end."""
    left = {peer: memoryview(sent) for peer, sent in peers.items()}
    got = {peer: bytearray() for peer in peers}
    with selectors.DefaultSelector() as selector:
        for peer in peers:
            peer.setblocking(False)
            selector.register(peer, selectors.EVENT_READ | selectors.EVENT_WRITE)
        while selector.get_map():
            ready = selector.select(PATIENCE)
            assert ready, f"{len(selector.get_map())} connections got nothing more"
            for key, events in ready:
                peer = key.fileobj
                if events & selectors.EVENT_WRITE:
                    left[peer] = left[peer][peer.send(left[peer][:5000]) :]
                    if not left[peer]:
                        peer.shutdown(socket.SHUT_WR)
                        selector.modify(peer, selectors.EVENT_READ)
                if events & selectors.EVENT_READ:
                    data = peer.recv(65536)
                    got[peer] += data
                    if not data:
                        selector.unregister(peer)
    return {peer: bytes(data) for peer, data in got.items()}


def all_echoed(peers: dict[socket.socket, bytes]) -> None:
    got = exchange(peers)
    wrong = sum(got[peer] != sent for peer, sent in peers.items())
    assert not wrong, f"{wrong} of {len(peers)} connections got something else than they sent"
    for peer in peers:
        peer.close()


def echo(address: str, process: str) -> None:
    all_echoed({connect(address): random.randbytes(20_000) for _ in range(100)})
    all_echoed({connect(address): random.randbytes(2 << 20)})


def slow(address: str, process: str) -> None:
    sent = random.randbytes(16 << 20)
    slow = connect(address)
    slow.setblocking(False)
    count = 0
    # What is taken without being read fills the buffers on the way; the server then waits for room.
    with selectors.DefaultSelector() as selector:
        selector.register(slow, selectors.EVENT_WRITE)
        while count < len(sent) and selector.select(0.3):
            count += slow.send(sent[count : count + 65536])
    assert count < len(sent), "the server read everything though it could write nothing"
    all_echoed({connect(address): b"others are served"})
    got = exchange({slow: sent[count:]})[slow]
    assert got == sent, f"{len(got)} bytes came back of {len(sent)}"
    slow.close()


def lines(address: str, process: str) -> None:
    peers = {}
    for number in range(20):
        texts = [f"{number} {line} {'x' * random.randrange(50)}" for line in range(30)]
        peers[connect(address)] = texts
    got = exchange({peer: "".join(t + "\n" for t in texts).encode() for peer, texts in peers.items()})
    for peer, texts in peers.items():
        assert got[peer].decode().split("\n") == [text[::-1] for text in texts] + [""]
        peer.close()


def processor_seconds(process: str) -> float:
    with open(f"/proc/{process}/stat") as stat:
        fields = stat.read().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def scarce(address: str, process: str) -> None:
    peers = [connect(address) for _ in range(50)]
    for number, peer in enumerate(peers):
        peer.sendall(b"%d" % number)
    # Some are in and the others wait: there is nothing to do for as long as is measured.
    used = processor_seconds(process)
    time.sleep(1)
    used = processor_seconds(process) - used
    assert used < 0.1, f"{used} s of processor time to let people wait for a second"
    waiting = set(range(50))
    while waiting:
        with selectors.DefaultSelector() as selector:
            for number in waiting:
                selector.register(peers[number], selectors.EVENT_READ, number)
            ready = [key.data for key, _ in selector.select(PATIENCE)]
        assert ready, f"{len(waiting)} of 50 connections are never served"
        for number in ready:
            assert peers[number].recv(100) == b"%d" % number
            peers[number].close()
            waiting.discard(number)


if __name__ == "__main__":
    # The server may have been given few descriptors; its clients are not meant.
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    globals()[sys.argv[1]](*sys.argv[2:])
