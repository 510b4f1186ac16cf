# SPDX-License-Identifier: MIT OR Apache-2.0
"""One run: a fresh server on one processor, the generator on another, figures or a reason."""

import contextlib
import json
import os
import resource
import signal
import socket
import subprocess
import time

from . import machine
from .configurations import OUT

START_LIMIT = 10.0
STOP_LIMIT = 3.0
WARM_UP = 0.2


class Failed(Exception):
    """A run that gives no figure; the text says why."""


def pinned(processor):
    """For `preexec_fn`: what is started runs on this processor only."""
    return lambda: os.sched_setaffinity(0, {processor})


def wait_until_answering(port, request, process):
    """Returns once a request is answered: a server may listen before the process that works is there."""
    limit = time.monotonic() + START_LIMIT
    while time.monotonic() < limit:
        if process.poll() is not None:
            raise Failed(f"ended with status {process.returncode} before it answered")
        with contextlib.suppress(OSError):
            with socket.create_connection(("127.0.0.1", port), START_LIMIT) as client:
                client.sendall(request.encode())
                if client.recv(1):
                    return
        time.sleep(0.01)  # nothing tells us when a foreign program is ready
    raise Failed("did not answer")


def stop(process):
    """Ends the server's session, and only that."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGTERM)
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(STOP_LIMIT)
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


@contextlib.contextmanager
def running(server, workload, processor):
    """The server, answering: yields its process and port; its output goes to `out/run/NAME.log`."""
    run = OUT / "run"
    run.mkdir(parents=True, exist_ok=True)
    port = machine.free_port()
    command = server.command(server.found(), workload, port, run)
    with open(run / f"{server.name}.log", "wb") as log:
        try:
            process = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                start_new_session=True, preexec_fn=pinned(processor),
            )
        except OSError as why:
            raise Failed(str(why)) from why
        try:
            wait_until_answering(port, workload.request, process)
            yield process, port
            if process.poll() is not None:
                raise Failed(f"ended with status {process.returncode} under load")
        finally:
            stop(process)


def generator_command(workload, port, pids, seconds):
    """The command line of `load`."""
    command = [OUT / "load", "-p", port, "-c", workload.connections, "-w", WARM_UP, "-d", seconds]
    command += ["-k"] if workload.close_each else []
    command += ["-t"] if workload.large else []
    command += ["-n", workload.depth, "-i", workload.idle, "-r", workload.rate]
    for pid in pids:
        command += ["-P", pid]
    return [*map(str, command), workload.request]


def children_seconds():
    """Processor time of the children that have ended."""
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def measure(server, workload, seconds):
    """Runs the workload once and returns {figure: value}; raises Failed."""
    on_server, on_generator = machine.processors()
    both = {on_server, on_generator}
    with running(server, workload, on_server) as (process, port):
        pids = machine.session_processes(process.pid)

        def clocks():
            total = sum(machine.busy_seconds(p) for p in both)
            ours = children_seconds() + sum(machine.process_seconds(p) for p in pids)
            return time.monotonic(), total, ours

        begin = clocks()
        try:
            done = subprocess.run(
                generator_command(workload, port, pids, seconds), capture_output=True, text=True,
                preexec_fn=pinned(on_generator), timeout=seconds + 60, check=False,
            )
        except subprocess.TimeoutExpired as late:
            raise Failed("the generator did not end in time") from late
        end = clocks()
    if done.returncode:
        raise Failed(done.stderr.strip() or f"generator ended with status {done.returncode}")
    elapsed, total, ours = (b - a for a, b in zip(begin, end))
    return figures(json.loads(done.stdout), max(0.0, (total - ours) / elapsed / len(both)))


def figures(told, others):
    """What the generator told, as the report shows it; `others` is the share of the two processors that
    neither server nor generator used."""
    cpu_us = told["server_cpu_s"] / told["requests"] * 1e6
    result = {
        "requests/s": told["requests"] / told["seconds"],
        "CPU µs": cpu_us,
        "RSS MiB": told["memory_bytes"] / 2**20,
        "server %": 100 * told["server_cpu_s"] / told["seconds"],
        "generator %": 100 * told["client_cpu_s"] / told["seconds"],
        "others %": 100 * others,
        "errors": told["errors"],
    }
    if "p99_us" in told:
        result |= {"p50 µs": told["p50_us"], "p99 µs": told["p99_us"]}
    if "idle_bytes" in told:
        result |= {"alone µs": told["alone_us"], "× alone": cpu_us / told["alone_us"], "bytes each": told["idle_bytes"]}
    return result
