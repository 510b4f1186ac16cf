# SPDX-License-Identifier: MIT OR Apache-2.0
"""The servers: how each is found, started and named. A further peer is one more row of `SERVERS`."""

import os
import re
import shutil
import subprocess
from dataclasses import dataclass
from typing import Callable

from .configurations import EVL, H2O, LIGHTTPD, NGINX, NGINX_CACHE, OUT, ROOT, WWW, write
from .machine import note

OURS = "evl"
FLOOR = "floor"
NGINX_NAME = "nginx"
HYPER = "hyper"
CRATE = ROOT / "bench/peers/hyper"
CRATES = OUT / "crates"


@dataclass(frozen=True)
class Server:
    """A row of the report."""

    name: str
    program: str  # a path, or a name that is looked for in PATH
    command: Callable  # (program, workload, port, run folder) -> argv
    package: str = ""  # Debian's, of a server or of the library that it is made with
    kinds: tuple = ("hello", "file", "echo")  # the workloads that it can serve

    def found(self):
        """The program's path, or None."""
        return shutil.which(self.program, path=os.environ.get("PATH", "") + ":/usr/sbin:/sbin")

    def describe(self):
        """Name and version in one phrase."""
        told = ""
        if self.package:
            told = subprocess.run(["dpkg-query", "--show", "--showformat=${Version}", self.package],
                                  capture_output=True, text=True, check=False).stdout
        elif self.name == HYPER:
            told = re.search(r'name = "hyper"\nversion = "(.*)"', (CRATE / "Cargo.lock").read_text()).group(1)
        number = re.search(r"\d+(\.\d+)+", told)
        return f"{self.name} {number.group()}" if number else self.name


def evl_command(program, workload, port, run):
    """Callbacks in C for hello and echo, the configured server for files."""
    if workload.kind != "file":
        return [str(OUT / "hello"), str(port)]
    return [program, write(OURS, EVL, port, run)]


def evl_uring_command(program, workload, port, run):
    """The same over io_uring."""
    return ["env", "EVL_IO=uring", *evl_command(program, workload, port, run)]


def nginx_command(more=""):
    """A worker under a master, as it is run in earnest."""
    def command(program, _workload, port, run):
        return [program, "-e", str(run / "nginx.err"), "-c", write("nginx", NGINX, port, run, "user {};\n", more)]
    return command


def h2o_command(program, _workload, port, run):
    """One thread, in the foreground."""
    return [program, "-c", write("h2o", H2O, port, run, "user: {}\n")]


def lighttpd_command(program, _workload, port, run):
    """In the foreground."""
    return [program, "-D", "-f", write("lighttpd", LIGHTTPD, port, run)]


def peer_command(program, _workload, port, _run):
    """A program of bench/peers."""
    return [program, str(port), str(WWW)]


def floor_command(program, workload, port, _run):
    """Fixed bytes: from memory, or large ones by sendfile."""
    command = [program, str(port), str(len(workload.request)), str(workload.body_bytes)]
    command.append("close" if workload.close_each else "keep")
    return [*command, str(WWW / workload.file_name)] if workload.large else command


STATIC = ("hello", "file")
SERVERS = (
    Server(FLOOR, str(OUT / "floor"), floor_command),
    Server(OURS, str(ROOT / "build/examples/webserv"), evl_command),
    Server("evl-uring", str(ROOT / "build/examples/webserv"), evl_uring_command),
    Server(NGINX_NAME, "nginx", nginx_command(), "nginx-light", STATIC),
    Server("nginx + file cache", "nginx", nginx_command(NGINX_CACHE), "nginx-light", ("file",)),
    Server("h2o", "h2o", h2o_command, "h2o", STATIC),
    Server("lighttpd", "lighttpd", lighttpd_command, "lighttpd", STATIC),
    Server("libmicrohttpd", str(OUT / "microhttpd"), peer_command, "libmicrohttpd-dev"),
    Server("evhttp", str(OUT / "evhttp"), peer_command, "libevent-dev"),
    Server(HYPER, str(CRATES / "release/hyper"), peer_command, kinds=("hello", "echo")),
)

# Each program of ours with its sources, below bench/, and what it is linked with.
PROGRAMS = {
    "load": (("src/load.c", "src/generator.c"), ()),
    "floor": (("src/floor.c",), ()),
    "hello": (("src/hello.c",), (f"-L{ROOT}/build", "-levl", f"-Wl,-rpath,{ROOT}/build")),
    "microhttpd": (("peers/microhttpd.c",), ("-lmicrohttpd",)),
    "evhttp": (("peers/evhttp.c",), ("-levent",)),
}
OPTIONAL = ("microhttpd", "evhttp")  # without their libraries they are left out
CFLAGS = ("-O2", "-Wall", "-Wextra", f"-I{ROOT}/include")


def build():
    """Compiles the programs that are older than their sources."""
    OUT.mkdir(parents=True, exist_ok=True)
    for program, (names, libraries) in PROGRAMS.items():
        sources = [ROOT / "bench" / name for name in names]
        target = OUT / program
        if target.exists() and target.stat().st_mtime > max(source.stat().st_mtime for source in sources):
            continue
        note(f"building {program}")
        done = subprocess.run(["cc", *CFLAGS, "-o", target, *sources, *libraries], check=program not in OPTIONAL,
                              capture_output=program in OPTIONAL)
        if done.returncode:
            note(f"{program} cannot be built")
    done = subprocess.run([os.environ.get("CARGO") or "cargo", "build", "--quiet", "--release", "--target-dir", CRATES],
                          cwd=CRATE, check=False)
    if done.returncode:
        note(f"{HYPER} cannot be built")
