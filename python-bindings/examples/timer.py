# SPDX-License-Identifier: MIT OR Apache-2.0
"""Two timers and a pipe on one reactor: what a thread writes comes between the ticks."""

import os
import threading

import evl
from evl import Filter, Flag

reader, writer = os.pipe()
thread = threading.Thread(target=os.write, args=(writer, b"hello from a thread"))

with evl.Reactor() as reactor:
    reactor.add(1, Filter.TIMER, data=100, udata="tick")
    reactor.add(2, Filter.TIMER, Flag.ONESHOT, data=350, udata="end")
    reactor.add(reader, Filter.READ, udata="message")
    thread.start()
    for event in reactor:
        if event.udata == "message":
            print(os.read(reader, 100).decode())
        else:
            print(event.udata)
        if event.udata == "end":
            reactor.close()
thread.join()
