# SPDX-License-Identifier: MIT OR Apache-2.0
"""Keeps a program running: python supervise.py program argument… starts it again, a tenth of a second
later, until it ends with success or SIGTERM comes, which it is passed."""

import signal
import subprocess
import sys

import evl
from evl import Filter, Flag, ProcessNote

def start(reactor: evl.Reactor) -> subprocess.Popen[bytes]:
    process = subprocess.Popen(sys.argv[1:])
    reactor.add(process.pid, Filter.PROC, fflags=ProcessNote.EXIT)
    return process


with evl.Reactor() as reactor:
    # What is ignored would be ignored by the program, too.
    signal.signal(signal.SIGTERM, lambda number, frame: None)
    reactor.add(signal.SIGTERM, Filter.SIGNAL)
    process = start(reactor)
    for event in reactor:
        if event.filter is Filter.TIMER:
            process = start(reactor)
        elif event.filter is Filter.PROC:
            print("ended with", process.wait(), flush=True)
            if process.returncode in (0, -signal.SIGTERM):
                break
            reactor.add(1, Filter.TIMER, Flag.ONESHOT, data=100)
        elif process.returncode is None:
            process.terminate()
        else:
            break
