# SPDX-License-Identifier: MIT OR Apache-2.0
"""Sockets in one call each: addresses, options, what is accepted, and what is refused."""

from __future__ import annotations

import errno
import os
import resource
import socket
import stat
import tempfile
import unittest
from pathlib import Path

import evl
from evl import Filter, Flag
from support import PATIENCE


def written(listener: socket.socket) -> str:
    """The address that leads to a listener, as evl reads it."""
    if listener.family == socket.AF_UNIX:
        return f"unix:{listener.getsockname()}"
    host, port = listener.getsockname()[:2]
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def wait_for(thing: socket.socket, filter: Filter) -> None:
    with evl.Reactor() as reactor:
        reactor.add(thing, filter)
        assert reactor.wait(PATIENCE)


class ConnectionTest(unittest.TestCase):
    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.path = Path(folder.name) / "socket"

    def test_it_carries_bytes_on_each_kind_of_address(self) -> None:
        for address in ("127.0.0.1:0", "[::1]:0", "*:0", "0", f"unix:{self.path}"):
            with self.subTest(address), evl.listen(address) as listener:
                self.assertIsNone(evl.accept(listener))
                with evl.connect(written(listener)) as client:
                    wait_for(listener, Filter.READ)
                    connection = evl.accept(listener)
                    assert connection is not None
                    with connection:
                        self.assertIsNone(evl.accept(listener))
                        wait_for(client, Filter.WRITE)
                        client.send(b"hello")
                        wait_for(connection, Filter.READ)
                        self.assertEqual(connection.recv(10), b"hello")
                        self.assertEqual(connection.getpeername(), client.getsockname())
                        for each in (listener, client, connection):
                            self.assertEqual(each.gettimeout(), 0)
                            self.assertFalse(each.get_inheritable())
                            self.assertEqual(each.type, socket.SOCK_STREAM)

    def test_ipv6_takes_ipv4_unless_told_not_to(self) -> None:
        for v6only in (False, True):
            with evl.listen("[::]:0", v6only=v6only) as listener, socket.socket() as client:
                refused = client.connect_ex(("127.0.0.1", listener.getsockname()[1]))
                self.assertEqual(refused, errno.ECONNREFUSED if v6only else 0)

    def test_options_are_taken_and_inherited(self) -> None:
        with evl.listen(
            "127.0.0.1:0",
            reuse_port=True,
            backlog=5,
            receive_buffer=20_000,
            nodelay=True,
            keepalive_idle=9,
            keepalive_interval=4,
            keepalive_count=2,
            linger=0.5,
        ) as listener:
            again = evl.listen(written(listener), reuse_port=True)
            again.close()
            with evl.connect(written(listener), send_buffer=30_000) as client:
                wait_for(listener, Filter.READ)
                connection = evl.accept(listener)
                assert connection is not None
                with connection:
                    of = connection.getsockopt
                    self.assertTrue(of(socket.IPPROTO_TCP, socket.TCP_NODELAY))
                    self.assertTrue(of(socket.SOL_SOCKET, socket.SO_KEEPALIVE))
                    self.assertGreaterEqual(of(socket.SOL_SOCKET, socket.SO_RCVBUF), 20_000)
                    self.assertEqual(of(socket.IPPROTO_TCP, socket.TCP_KEEPINTVL), 4)
                    self.assertEqual(of(socket.SOL_SOCKET, socket.SO_LINGER, 8)[4:5], b"\1")
                of = client.getsockopt
                self.assertGreaterEqual(of(socket.SOL_SOCKET, socket.SO_SNDBUF), 30_000)
                self.assertFalse(of(socket.IPPROTO_TCP, socket.TCP_NODELAY))
                evl.set_socket_options(client, nodelay=True)
                evl.set_socket_options(client, keepalive=True)
                self.assertTrue(of(socket.IPPROTO_TCP, socket.TCP_NODELAY))
                self.assertTrue(of(socket.SOL_SOCKET, socket.SO_KEEPALIVE))

    def test_a_unix_socket_has_its_mode_and_replaces_a_dead_one(self) -> None:
        for mode in (0o600, 0o660):
            with evl.listen(f"unix:{self.path}", mode=mode) as listener:
                self.assertEqual(stat.S_IMODE(self.path.stat().st_mode), mode)
                with self.assertRaises(OSError) as living:
                    evl.listen(f"unix:{self.path}")
                self.assertEqual(living.exception.errno, errno.EADDRINUSE)
                self.assertIn(str(self.path), str(living.exception))
                self.assertEqual(listener.getsockname(), str(self.path))

    def test_without_descriptors_the_connection_waits(self) -> None:
        limits = resource.getrlimit(resource.RLIMIT_NOFILE)
        self.addCleanup(resource.setrlimit, resource.RLIMIT_NOFILE, limits)
        with evl.listen("127.0.0.1:0") as listener, evl.connect(written(listener)):
            wait_for(listener, Filter.READ)
            free = os.dup(0)
            os.close(free)
            resource.setrlimit(resource.RLIMIT_NOFILE, (free, limits[1]))
            with self.assertRaises(OSError) as refused:
                evl.accept(listener)
            self.assertEqual(refused.exception.errno, errno.EMFILE)
            resource.setrlimit(resource.RLIMIT_NOFILE, limits)
            connection = evl.accept(listener)
            assert connection is not None
            connection.close()

    def test_a_reactor_serves_what_is_accepted(self) -> None:
        with evl.listen("127.0.0.1:0") as listener, evl.Reactor() as reactor:
            reactor.add(listener, Filter.READ)
            clients = [evl.connect(written(listener)) for _ in range(20)]
            accepted: list[socket.socket] = []
            while len(accepted) < len(clients):
                self.assertTrue(reactor.wait(PATIENCE))
                while (connection := evl.accept(listener)) is not None:
                    accepted.append(connection)
                    reactor.add(connection, Filter.READ, Flag.CLEAR, udata=connection)
            for one in clients + accepted:
                one.close()


class RefusalTest(unittest.TestCase):
    def test_what_is_no_address(self) -> None:
        for address in ("", "nowhere:80", "127.0.0.1:x", "unix:", "[::1"):
            for call in (evl.listen, evl.connect):
                with self.subTest(address), self.assertRaises(OSError) as wrong:
                    call(address)
                self.assertEqual(wrong.exception.errno, errno.EINVAL)
        with self.assertRaises(OSError) as long:
            evl.listen("unix:" + "x" * 200)
        self.assertEqual(long.exception.errno, errno.ENAMETOOLONG)
        with self.assertRaises(ValueError):
            evl.listen("unix:a\0b")

    def test_what_is_no_option(self) -> None:
        with self.assertRaises(TypeError):
            evl.listen("127.0.0.1:0", size=3)  # type: ignore[call-arg]
        for value in (-1, 1 << 32):
            with self.assertRaises(OverflowError):
                evl.listen("127.0.0.1:0", backlog=value)
        with self.assertRaisesRegex(OSError, "send_buffer"):
            evl.connect("127.0.0.1:1", send_buffer=(1 << 32) - 1)

    def test_what_is_no_socket(self) -> None:
        with tempfile.TemporaryFile() as file, self.assertRaises(OSError) as wrong:
            evl.set_socket_options(file, nodelay=True)
        self.assertEqual(wrong.exception.errno, errno.ENOTSOCK)
        with self.assertRaises(FileNotFoundError):
            evl.connect("unix:/nonexistent/socket")


if __name__ == "__main__":
    unittest.main()
