# SPDX-License-Identifier: MIT OR Apache-2.0
"""Shapes of server: what a request costs with one reactor, with several, and with workers. The servers
are the examples of c-examples; all of a server's threads are on one processor, so the figures tell what
a shape costs, not how far it goes."""

import json
import os
import re
import subprocess

from harness import machine
from measure import Failed, OUT, ROOT

EXAMPLES = ROOT / "build" / "examples"
SHAPES = {
    "one reactor": ("echo",),
    "2 reactors, SO_REUSEPORT": ("reuseport", "2"),
    "acceptor and 2 reactors": ("acceptor", "2"),
    "16 workers that block 1 ms": ("workers", "16"),
}
NAME = "shapes"
BASELINE = "one reactor"
CONNECTIONS = 100


def run(shape, milliseconds, on_server, on_clients):
    """One server, loaded for a time."""
    name, *arguments = SHAPES[shape]
    command = [str(EXAMPLES / name), "127.0.0.1:0", *arguments]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True,
                          preexec_fn=lambda: os.sched_setaffinity(0, {on_server})) as server:
        try:
            port = re.search(r":(\d+)$", server.stdout.readline().strip())
            if port is None:
                raise Failed(f"{name} does not say where it listens")
            before = machine.process_seconds(server.pid)
            load = subprocess.run([OUT / "echoes", port[1], str(CONNECTIONS), str(milliseconds)], capture_output=True,
                                  text=True, check=False, preexec_fn=lambda: os.sched_setaffinity(0, {on_clients}))
            seconds = machine.process_seconds(server.pid) - before
        finally:
            server.terminate()
    if load.returncode:
        raise Failed(f"echoes: {load.stderr.strip()}")
    result = json.loads(load.stdout)
    return {"lines/s": result["lines"] / result["seconds"], "CPU ns": seconds * 1e9 / result["lines"]}


def run_all(rounds, milliseconds, note):
    """All shapes, in turn, as a bench of `report`."""
    subprocess.run(["make", "--silent", "-C", str(ROOT), "examples"], check=True)
    subprocess.run(["cc", "-O2", "-Wall", "-Wextra", "-o", OUT / "echoes", ROOT / "bench/reactor/src/echoes.c"], check=True)
    runs = {shape: {"": []} for shape in SHAPES}
    on_server, on_clients = machine.processors()
    for number in range(rounds):
        for shape in SHAPES:
            result = run(shape, milliseconds, on_server, on_clients)
            runs[shape][""].append(result)
            note(f"shapes round {number + 1}/{rounds}  {shape}  {result}")
    title = f"Shapes of server: {CONNECTIONS} connections, lines of 64 bytes"
    return {"title": title, "unit": "per line", "baseline": BASELINE, "runs": runs}
