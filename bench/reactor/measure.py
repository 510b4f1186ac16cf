# SPDX-License-Identifier: MIT OR Apache-2.0
"""Builds a bench with a peer, and runs it on a processor of its own."""

import json
import os
import subprocess
from pathlib import Path

from cases import PEERS

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
OUT = ROOT / "bench" / "out" / "reactor"
CRATES = OUT / "crates"
CFLAGS = ("-O2", "-Wall", "-Wextra", f"-I{ROOT}/include", "-pthread")
LIBRARY_PATH = (f"-L{ROOT}/build", f"-Wl,-rpath,{ROOT}/build")
CARGO = os.environ.get("CARGO") or "cargo"


class Failed(Exception):
    """A program could not be built, or did not come to its end."""


def is_crate(peer):
    """Whether a peer is a package in peers/."""
    return (HERE / "peers" / peer.source / "Cargo.toml").exists()


def prepare():
    """Installs the libraries and builds what several programs are linked with."""
    packages = sorted({peer.package for peer in PEERS.values() if peer.package})
    subprocess.run([ROOT / ".ci" / "need", "cc", *packages], check=False)
    subprocess.run(["make", "--silent", "-C", str(ROOT), "build"], check=True)
    manifest = HERE / "peers" / "Cargo.toml"
    subprocess.run([CARGO, "build", "--quiet", "--release", "--locked", "--manifest-path", str(manifest),
                    "--target-dir", str(CRATES)], check=True)
    OUT.mkdir(parents=True, exist_ok=True)


def program(bench, name):
    """The path of a bench's program with that peer."""
    return OUT / f"{bench.program}-{name.replace(', ', '-').replace(' ', '-')}"


def build(bench, name):
    """Links the bench with the peer."""
    peer = PEERS[name]
    bench_source = HERE / "src" / f"{bench.program}.c"
    if is_crate(peer):
        peer_part = [str(CRATES / "release" / f"libpeer_{peer.source}.a"), "-lm", "-ldl"]
    else:
        peer_part = [*peer.flags, str(HERE / "peers" / f"{peer.source}.c")]
    command = ["cc", *CFLAGS, "-o", str(program(bench, name)), str(bench_source), *peer_part, *LIBRARY_PATH,
               *peer.libraries]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    if result.returncode:
        raise Failed(result.stderr.strip().splitlines()[0] if result.stderr else "cc failed")


def run(bench, name, arguments, processors):
    """One run; returns what the program measured."""
    environment = {k: v for k, v in os.environ.items() if k != "EVL_BACKEND"} | dict(PEERS[name].environment)
    command = [str(program(bench, name)), *map(str, arguments)]
    result = subprocess.run(command, capture_output=True, text=True, check=False, env=environment,
                            preexec_fn=lambda: os.sched_setaffinity(0, processors))
    if result.returncode:
        raise Failed(f"exit status {result.returncode}: {result.stderr.strip()}")
    return json.loads(result.stdout)
