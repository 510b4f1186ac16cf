# SPDX-License-Identifier: MIT OR Apache-2.0
"""Echo on several threads, each with its reactor and its listener on the same port: python
reuseport.py [port [threads]], until ^C. Linux and FreeBSD spread the connections."""

import sys
import threading

import evl
from echo import serve
from evl import Filter

STOP = 1

port = int(sys.argv[1]) if len(sys.argv) > 1 else 7007
reactors, threads = [], []
for _ in range(int(sys.argv[2]) if len(sys.argv) > 2 else 2):
    listener = evl.listen(f"127.0.0.1:{port}", reuse_port=True)
    port = listener.getsockname()[1]  # 0 let the first choose
    reactor = evl.Reactor()
    reactor.add(STOP, Filter.USER)
    threads.append(threading.Thread(target=serve, args=(reactor, listener)))
    reactors.append(reactor)
for thread in threads:
    thread.start()
print(f"listening on 127.0.0.1:{port}", flush=True)
try:
    threads[0].join()
except KeyboardInterrupt:
    for reactor, thread in zip(reactors, threads):
        reactor.trigger(STOP)
        thread.join()
