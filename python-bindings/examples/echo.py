# SPDX-License-Identifier: MIT OR Apache-2.0
"""An echo server on one reactor: python echo.py [address], until ^C."""

import contextlib
import socket
import sys

import evl
from evl import Event, Filter, Flag


class Connection:
    """Waits for one thing at a time: to read, or, while something is left to write, for room."""

    def __init__(self, reactor: evl.Reactor, sock: socket.socket) -> None:
        self.reactor, self.sock, self.left = reactor, sock, b""
        reactor.add(sock, Filter.READ, Flag.ONESHOT, udata=self)

    def serve(self) -> None:
        try:
            self.left = self.left or self.sock.recv(65536)
            if not self.left:
                raise ConnectionError
            self.left = self.left[self.sock.send(self.left) :]
        except BlockingIOError:
            pass
        except OSError:
            self.sock.close()
            return
        wanted = Filter.WRITE if self.left else Filter.READ
        self.reactor.add(self.sock, wanted, Flag.ONESHOT, udata=self)


def serve(reactor: evl.Reactor, listener: socket.socket) -> None:
    """Until a USER event comes."""
    with reactor, listener:
        reactor.add(listener, Filter.READ, Flag.DISPATCH)
        for event in reactor:
            if isinstance(event.udata, Connection):
                event.udata.serve()
            elif event.filter is Filter.USER:
                return
            else:
                try:
                    while (sock := evl.accept(listener)) is not None:
                        Connection(reactor, sock)
                    reactor.change([Event(listener.fileno(), Filter.READ, Flag.ENABLE)])
                except OSError:  # Descriptors are wanting: who waits is let in when there are.
                    reactor.add(1, Filter.TIMER, Flag.ONESHOT, data=50)


if __name__ == "__main__":
    listener = evl.listen(sys.argv[1] if len(sys.argv) > 1 else "127.0.0.1:7007")
    print("listening on {}:{}".format(*listener.getsockname()), flush=True)
    with contextlib.suppress(KeyboardInterrupt):
        serve(evl.Reactor(), listener)
