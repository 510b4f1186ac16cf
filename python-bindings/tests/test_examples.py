# SPDX-License-Identifier: MIT OR Apache-2.0
"""Each example does what it says."""

from __future__ import annotations

import contextlib
import http.client
import json
import random
import re
import signal
import sys
import tempfile
import threading
import time
import unittest
from pathlib import Path
from subprocess import Popen

from support import PACKAGE, PATIENCE, connect, get, said, started_process, until_asleep

EXAMPLES = PACKAGE / "examples"


class ExamplesTest(unittest.TestCase):
    def connection(self, process: Popen[str]) -> http.client.HTTPConnection:
        match = re.search(r"http://([^/]+)/", said(process))
        assert match
        connection = http.client.HTTPConnection(match[1], timeout=PATIENCE)
        self.addCleanup(connection.close)
        deadline = time.monotonic() + PATIENCE
        while connection.sock is None:
            # It says where before it listens there, and once it listens it is ready for ^C.
            with contextlib.suppress(ConnectionRefusedError):
                connection.connect()
            self.assertLess(time.monotonic(), deadline)
        return connection

    def example(self, name: str, *arguments: str) -> list[str]:
        return [sys.executable, "-X", "dev", "-W", "error", str(EXAMPLES / name), *arguments]

    def ends_with_interrupt(self, process: Popen[str]) -> None:
        process.send_signal(signal.SIGINT)
        output, errors = process.communicate(timeout=PATIENCE)
        self.assertEqual((process.returncode, output, errors), (0, "", ""))

    def test_every_example_is_tested_and_short(self) -> None:
        tested = {name[5:] + ".py" for name in dir(self) if name.startswith("test_")}
        for path in EXAMPLES.glob("*.py"):
            self.assertIn(path.name, tested)
            self.assertLess(len(path.read_text().splitlines()), 60)

    def test_hello(self) -> None:
        with started_process(self.example("hello.py", "127.0.0.1:0")) as process:
            connection = self.connection(process)
            self.assertEqual(get(connection, "/hello/Ada?times=2"), (200, b"Hello, Ada!\n" * 2))
            self.assertEqual(json.loads(get(connection, "/about")[1])["browser"], "unknown")
            self.ends_with_interrupt(process)

    def test_static(self) -> None:
        with tempfile.TemporaryDirectory() as directory:
            (Path(directory) / "file.txt").write_text("the file")
            command = self.example("static.py", directory, "127.0.0.1:0")
            with started_process(command) as process:
                connection = self.connection(process)
                self.assertEqual(get(connection, "/file.txt"), (200, b"the file"))
                self.ends_with_interrupt(process)

    def test_asyncio_echo(self) -> None:
        with started_process(self.example("asyncio_echo.py")) as process:
            output, errors = process.communicate(timeout=PATIENCE)
        self.assertEqual((process.returncode, output, errors), (0, "hello from evl\n", ""))

    def test_timer(self) -> None:
        with started_process(self.example("timer.py")) as process:
            output, errors = process.communicate(timeout=PATIENCE)
        self.assertEqual((process.returncode, errors), (0, ""))
        lines = output.splitlines()
        self.assertEqual(lines[-1], "end")
        self.assertEqual(sorted(set(lines)), ["end", "hello from a thread", "tick"])

    def echoed(self, process: Popen[str]) -> None:
        """Many at once, more than the buffers hold, and somebody who does not read for a while."""
        address = said(process).removeprefix("listening on ")
        sent = random.randbytes(8 << 20)
        slow = connect(address)
        thread = threading.Thread(target=slow.sendall, args=(sent,))
        thread.start()
        peers = [connect(address) for _ in range(50)]
        for number, peer in enumerate(peers):
            peer.sendall(b"%d" % number)
        for number, peer in enumerate(peers):
            self.assertEqual(peer.recv(100), b"%d" % number)
            peer.close()
        with slow, slow.makefile("rb") as stream:
            self.assertEqual(stream.read(len(sent)), sent)
        thread.join()

    def test_echo(self) -> None:
        with started_process(self.example("echo.py", "127.0.0.1:0")) as process:
            self.echoed(process)
            until_asleep(process.pid)
            self.ends_with_interrupt(process)

    def test_reuseport(self) -> None:
        with started_process(self.example("reuseport.py", "0", "3")) as process:
            self.echoed(process)
            self.ends_with_interrupt(process)

    def test_watch(self) -> None:
        with tempfile.TemporaryDirectory() as directory:
            file = Path(directory) / "file"
            file.write_text("old")
            with started_process(self.example("watch.py", str(file))) as process:
                self.assertEqual(said(process), f"watching {file}")
                with file.open("a") as stream:
                    stream.write("new")
                self.assertEqual(said(process), f"{file} WRITE")
                file.chmod(0o600)
                self.assertEqual(said(process), f"{file} ATTRIB")
                file.unlink()
                output, errors = process.communicate(timeout=PATIENCE)
                self.assertIn("DELETE", output)
                self.assertEqual((process.returncode, errors), (0, ""))

    def test_supervise(self) -> None:
        with tempfile.TemporaryDirectory() as directory:
            # Fails the first two times.
            program = 'echo x >> "$0"; [ "$(wc -l < "$0")" -gt 2 ]'
            command = self.example("supervise.py", "sh", "-c", program, f"{directory}/runs")
            with started_process(command) as process:
                output, errors = process.communicate(timeout=PATIENCE)
                self.assertEqual(output.splitlines(), ["ended with 1"] * 2 + ["ended with 0"])
                self.assertEqual((process.returncode, errors), (0, ""))
        command = self.example("supervise.py", "sh", "-c", "echo up; exec sleep 100")
        with started_process(command) as process:
            self.assertEqual(said(process), "up")
            process.terminate()
            self.assertEqual(said(process), f"ended with {-signal.SIGTERM}")
            self.assertEqual(process.wait(PATIENCE), 0)


if __name__ == "__main__":
    unittest.main()
