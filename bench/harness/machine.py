# SPDX-License-Identifier: MIT OR Apache-2.0
"""The machine: a network of our own, two processors, the processes of a session, and what to say of them."""

import ctypes
import datetime
import fcntl
import os
import platform
import re
import socket
import struct
import subprocess
import sys
import time
from pathlib import Path

CONGESTION = "reno"
INSIDE = "EVL_BENCH_NETWORK"  # set in the process that runs inside the namespace
SIOCGIFFLAGS, SIOCSIFFLAGS, IFF_UP = 0x8913, 0x8914, 1
TICKS = os.sysconf("SC_CLK_TCK")

# As root; then as a user who may make user namespaces and stays himself in there.
NAMESPACES = (
    ["unshare", "--net", "--"],
    ["unshare", "--map-current-user", "--keep-caps", "--net", "--"],
)


def note(text):
    """One line of progress."""
    print(text, file=sys.stderr, flush=True)


def enter_own_network():
    """Starts this program again inside a network namespace, where that is permitted.

    Only the loopback is in there, nobody else's ports, and one congestion control that does not pace:
    a pacing one would measure its own timer, the same for every server.
    """
    if os.environ.get(INSIDE):
        return
    for command in NAMESPACES:
        try:
            permitted = subprocess.run([*command, "true"], capture_output=True, check=False).returncode == 0
        except FileNotFoundError:
            break
        if permitted:
            os.environ[INSIDE] = "own"
            os.execvp(command[0], [*command, sys.executable, *sys.argv])
    os.environ[INSIDE] = "host"


def set_up_network():
    """Makes the loopback usable and returns a phrase that says which network it is."""
    setting = Path("/proc/sys/net/ipv4/tcp_congestion_control")
    if os.environ.get(INSIDE) != "own":
        return f"the host's own (no permission for a namespace), TCP {setting.read_text().strip()}"
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as control:
        name, flags = struct.unpack("16sh14x", fcntl.ioctl(control, SIOCGIFFLAGS, struct.pack("16sh14x", b"lo", 0)))
        fcntl.ioctl(control, SIOCSIFFLAGS, struct.pack("16sh14x", name, flags | IFF_UP))
    try:
        setting.write_text(CONGESTION)
    except OSError:
        pass  # then the phrase below tells what it is
    return f"a namespace of its own, TCP {setting.read_text().strip()}"


def free_port():
    """A port of the loopback that nothing listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def processors():
    """(server's, generator's): the first two that we may run on; the same twice where there is one."""
    usable = sorted(os.sched_getaffinity(0))
    return usable[0], usable[-1] if len(usable) < 2 else usable[1]


def session_processes(leader):
    """The processes of the session that `leader` began: a server and the workers that it made."""
    members = []
    for entry in os.listdir("/proc"):
        if not entry.isdigit():
            continue
        try:
            fields = Path(f"/proc/{entry}/stat").read_text().rpartition(")")[2].split()
        except OSError:
            continue  # it ended while we looked
        if int(fields[3]) == leader:
            members.append(int(entry))
    return members


def busy_seconds(processor):
    """Seconds since boot that a processor was not idle, all processes together."""
    line = re.search(rf"^cpu{processor} (.*)$", Path("/proc/stat").read_text(), re.MULTILINE)
    user, nice, system, _idle, _iowait, irq, softirq, steal = map(int, line.group(1).split()[:8])
    return (user + nice + system + irq + softirq + steal) / TICKS


def process_seconds(pid):
    """Processor seconds of a process by the scheduler's clock; 0 if it is gone."""
    clock = ctypes.c_int()
    if ctypes.CDLL(None).clock_getcpuclockid(pid, ctypes.byref(clock)):
        return 0.0
    return time.clock_gettime(clock.value)


def describe():
    """Lines that say where and when."""
    cpuinfo = Path("/proc/cpuinfo").read_text()
    model = re.search(r"^model name\s*:\s*(.*)$", cpuinfo, re.MULTILINE)
    now = datetime.datetime.now(datetime.timezone.utc)
    return [
        f"date: {now:%Y-%m-%d %H:%M} UTC",
        f"kernel: {platform.system()} {platform.release()} {platform.machine()}",
        f"processor: {model.group(1) if model else 'unknown'}, {os.cpu_count()} of them",
    ]
