# SPDX-License-Identifier: MIT OR Apache-2.0
"""How servers end: by calls, under load, by signals, with their program."""

from __future__ import annotations

import contextlib
import signal
import subprocess
import threading
import time
import unittest
from concurrent.futures import ThreadPoolExecutor

import evl
from support import PATIENCE, child, connect, exchange, get, said, started

REQUEST = b"GET / HTTP/1.1\r\nHost: h\r\n\r\n"


def threads() -> list[str]:
    """The workers of all servers."""
    return [t.name for t in threading.enumerate() if t.name.startswith("evl-worker")]


class StopTest(unittest.TestCase):
    def tearDown(self) -> None:
        self.assertEqual(threads(), [])

    def test_before_the_start(self) -> None:
        server = evl.Server()
        server.stop()
        server.close()
        server.close()

    def test_twice(self) -> None:
        with started(evl.Server(workers=2)):
            self.assertEqual(len(threads()), 2)
        server = evl.Server(workers=2)
        with started(server) as connection:
            server.stop()
            server.stop()
            with self.assertRaises(ConnectionError):
                get(connection, "/")

    def test_running_requests_get_their_grace(self) -> None:
        server = evl.Server(workers=1)
        inside, go_on = threading.Event(), threading.Event()

        @server.route("GET", "/")
        def slow(request: evl.Request) -> str:
            inside.set()
            go_on.wait(PATIENCE)
            return "done"

        with started(server) as connection, ThreadPoolExecutor() as pool:
            answer = pool.submit(get, connection, "/")
            inside.wait(PATIENCE)
            stopping = pool.submit(server.stop, PATIENCE)
            go_on.set()
            self.assertEqual(answer.result(), (200, b"done"))
            stopping.result()

    def test_a_handler_stops_its_server(self) -> None:
        server = evl.Server(workers=2)

        @server.route("GET", "/stop")
        def stop(request: evl.Request) -> str:
            with self.assertRaisesRegex(RuntimeError, "stop"):
                server.close()
            server.stop()
            return "stopping"

        with started(server) as connection:
            self.assertEqual(get(connection, "/stop"), (200, b"stopping"))
            server.stop()

    def test_under_load(self) -> None:
        server = evl.Server(workers=2)
        server.route("GET", "/")(lambda request: "x" * 1000)
        busy = threading.Barrier(5)

        def load(address: str) -> int:
            count = 0
            with contextlib.suppress(OSError), connect(address) as peer:
                while True:
                    peer.sendall(REQUEST)
                    if not peer.recv(65536):
                        break
                    count += 1
                    if count == 100:
                        busy.wait(PATIENCE)
            return count

        with started(server) as connection, ThreadPoolExecutor() as pool:
            address = f"{connection.host}:{connection.port}"
            loads = [pool.submit(load, address) for _ in range(4)]
            busy.wait(PATIENCE)
            start = time.monotonic()
            server.stop(1)
            self.assertLess(time.monotonic() - start, 5)
            self.assertTrue(all(load.result() >= 100 for load in loads))

    def test_connections_that_are_idle_do_not_hold_it_up(self) -> None:
        server = evl.Server(workers=1)
        server.route("GET", "/")(lambda request: "x")
        with started(server) as connection:
            get(connection, "/")
            start = time.monotonic()
            server.stop(PATIENCE)
            self.assertLess(time.monotonic() - start, 5)

    def test_many_servers_in_turn(self) -> None:
        for _ in range(20):
            server = evl.Server(workers=2)
            server.route("GET", "/")(lambda request: "x")
            with started(server) as connection:
                self.assertEqual(get(connection, "/"), (200, b"x"))

    def test_negative_grace(self) -> None:
        with started(evl.Server(workers=1)), self.assertRaises(ValueError):
            evl.Server().stop(-1)


PROGRAM = """if True:
    import os, threading, time, evl

    class Server(evl.Server):
        def start(self):
            super().start()
            print(self.addresses[0], flush=True)

        def _order_stop(self, grace):
            super()._order_stop(grace)
            print("told to stop within", grace, flush=True)

    server = Server(workers=2)

    @server.route("GET", "/")
    def hello(request):
        return "hello"

    @server.route("GET", "/endless")
    def endless(request):
        print("inside", flush=True)
        while True:
            time.sleep(0.0001)

    @server.route("GET", "/slow")
    def slow(request):
        print("inside", flush=True)
        os.read(0, 1)
        return "done"

    server.listen("127.0.0.1:0")
"""
RUN = PROGRAM + "    server.run()\n    print('ended', flush=True)\n"


def last(process: subprocess.Popen[str]) -> str:
    """The last line of a child's output."""
    assert process.stdout is not None
    return process.stdout.read().splitlines()[-1]


class SignalsTest(unittest.TestCase):
    def test_interrupt_ends_at_once(self) -> None:
        with child(RUN) as process:
            address = said(process)
            with connect(address) as idle:
                idle.sendall(REQUEST)
                self.assertTrue(idle.recv(4096).endswith(b"hello"))
                start = time.monotonic()
                process.send_signal(signal.SIGINT)
                self.assertEqual(last(process), "ended")
                self.assertEqual(process.wait(PATIENCE), 0)
                self.assertLess(time.monotonic() - start, 1)

    def test_interrupt_before_any_request(self) -> None:
        with child(RUN) as process:
            said(process)
            process.send_signal(signal.SIGINT)
            self.assertEqual(last(process), "ended")
            self.assertEqual(process.wait(PATIENCE), 0)

    def test_terminate_lets_requests_end(self) -> None:
        with child(RUN) as process, ThreadPoolExecutor() as pool:
            slow = pool.submit(exchange, said(process), b"GET /slow HTTP/1.0\r\n\r\n")
            self.assertEqual(said(process), "inside")
            process.send_signal(signal.SIGTERM)
            self.assertEqual(said(process), "told to stop within 10.0")
            print(file=process.stdin, flush=True)
            self.assertTrue(slow.result().endswith(b"done"))
            self.assertEqual(last(process), "ended")
            self.assertEqual(process.wait(PATIENCE), 0)

    def test_a_second_interrupt_leaves_a_handler_that_hangs(self) -> None:
        program = PROGRAM + (
            "    try:\n        server.run()\n"
            "    except KeyboardInterrupt:\n        print('interrupted', flush=True)\n"
        )
        with child(program) as process, connect(said(process)) as peer:
            peer.sendall(b"GET /endless HTTP/1.1\r\nHost: h\r\n\r\n")
            self.assertEqual(said(process), "inside")
            process.send_signal(signal.SIGINT)
            self.assertEqual(said(process), "told to stop within 0")
            process.send_signal(signal.SIGINT)
            output, errors = process.communicate(timeout=PATIENCE)
            self.assertEqual(
                (process.returncode, output, errors), (-signal.SIGINT, "interrupted\n", "")
            )

    def test_interrupt_as_the_program_ends(self) -> None:
        program = PROGRAM + "    server.start()\n    os.read(0, 1)\n"
        with child(program) as process, connect(said(process)) as peer:
            peer.sendall(b"GET /endless HTTP/1.1\r\nHost: h\r\n\r\n")
            self.assertEqual(said(process), "inside")
            print(file=process.stdin, flush=True)
            deadline = time.monotonic() + PATIENCE
            while process.poll() is None and time.monotonic() < deadline:
                process.send_signal(signal.SIGINT)
            self.assertIn(process.returncode, (1, -signal.SIGINT))


class ProgramTest(unittest.TestCase):
    """A program may just end."""

    def ends(self, program: str) -> str:
        with child(PROGRAM + program) as process:
            output, errors = process.communicate(timeout=PATIENCE)
            self.assertEqual((process.returncode, errors), (0, ""))
            return output

    def test_with_a_server_that_runs(self) -> None:
        self.ends("    server.start()\n")

    def test_with_a_server_that_never_ran(self) -> None:
        self.ends("")

    def test_with_a_server_that_is_in_a_cycle(self) -> None:
        self.ends("    server.start()\n    server.itself = server\n    del server\n")

    def test_run_ends_when_a_thread_stops_the_server(self) -> None:
        stop = "    threading.Thread(target=server.stop).start()\n"
        output = self.ends("    server.start()\n" + stop + "    server.run()\n    print('ended')\n")
        self.assertIn("ended", output.split())


if __name__ == "__main__":
    unittest.main()
