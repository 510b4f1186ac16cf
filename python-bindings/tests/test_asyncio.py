# SPDX-License-Identifier: MIT OR Apache-2.0
"""asyncio on EvlSelector, on each backend: streams, processes, timers, threads and ^C."""

from __future__ import annotations

import asyncio
import signal
import sys
import threading
import time
import unittest
from collections.abc import Callable, Coroutine
from typing import Any

import evl
from support import PATIENCE, backends, child, said, until_asleep

INTERRUPTED = """
import asyncio, evl

async def main():
    print("waiting", flush=True)
    await asyncio.Event().wait()

loop = asyncio.SelectorEventLoop(evl.EvlSelector({backend!r}))
{prepare}
try:
    loop.run_until_complete(main())
except KeyboardInterrupt:
    print("interrupted")
except RuntimeError:
    print("stopped")
finally:
    for task in asyncio.all_tasks(loop):
        task.cancel()
    loop.run_until_complete(asyncio.sleep(0))
    loop.close()
"""


class AsyncioTest(unittest.TestCase):
    def run_on_each_backend(self, main: Callable[[], Coroutine[Any, Any, None]]) -> None:
        for backend in backends():
            with self.subTest(backend=backend):
                loop = asyncio.SelectorEventLoop(evl.EvlSelector(backend))
                try:
                    loop.run_until_complete(asyncio.wait_for(main(), PATIENCE))
                finally:
                    loop.close()

    def test_more_than_the_buffers_hold_is_echoed(self) -> None:
        sent = bytes(range(256)) * 8192

        async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            while data := await reader.read(65536):
                writer.write(data)
                await writer.drain()
            writer.close()

        async def main() -> None:
            async with await asyncio.start_server(echo, "127.0.0.1") as server:
                address = server.sockets[0].getsockname()
                reader, writer = await asyncio.open_connection(*address)
                writer.write(sent)
                writer.write_eof()
                self.assertEqual(await reader.read(), sent)
                writer.close()
                await writer.wait_closed()

        self.run_on_each_backend(main)

    def test_a_process_is_asked(self) -> None:
        program = "import sys; print(sys.stdin.read()[::-1]); sys.exit(3)"

        async def main() -> None:
            pipe = asyncio.subprocess.PIPE
            process = await asyncio.create_subprocess_exec(
                sys.executable, "-c", program, stdin=pipe, stdout=pipe
            )
            output, _ = await process.communicate(b"live")
            self.assertEqual((output.strip(), process.returncode), (b"evil", 3))

        if sys.version_info < (3, 12):
            # Before, a process is waited for by the loop of the policy's choice.
            self.addCleanup(asyncio.set_child_watcher, None)
            asyncio.set_child_watcher(asyncio.ThreadedChildWatcher())
        self.run_on_each_backend(main)

    def test_timers_come_in_order_and_never_early(self) -> None:
        async def main() -> None:
            loop = asyncio.get_running_loop()
            start = loop.time()
            told: list[float] = []
            done = asyncio.Event()
            for delay in (0.03, 0.0004, 0.02):
                loop.call_later(delay, told.append, delay)
            loop.call_later(0.04, done.set)
            used = time.process_time()
            await done.wait()
            self.assertEqual(told, [0.0004, 0.02, 0.03])
            self.assertGreaterEqual(loop.time() - start + 1e-6, 0.04)
            self.assertLess(time.process_time() - used, 0.03, "it waits, it does not spin")

        self.run_on_each_backend(main)

    def test_a_thread_wakes_the_loop(self) -> None:
        async def main() -> None:
            loop = asyncio.get_running_loop()
            woken = asyncio.Event()
            await loop.run_in_executor(None, loop.call_soon_threadsafe, woken.set)
            await woken.wait()
            await loop.shutdown_default_executor()

        self.run_on_each_backend(main)

    def test_no_call_of_many_threads_is_lost(self) -> None:
        async def main() -> None:
            loop = asyncio.get_running_loop()
            heard: list[int] = []

            def call() -> None:
                for number in range(500):
                    loop.call_soon_threadsafe(heard.append, number)

            threads = [threading.Thread(target=call) for _ in range(4)]
            for thread in threads:
                thread.start()
            while len(heard) < 2000:
                await asyncio.sleep(0.001)
            for thread in threads:
                thread.join()
            self.assertEqual(sorted(heard), sorted(list(range(500)) * 4))

        self.run_on_each_backend(main)

    def test_connections_that_come_and_go_reuse_their_numbers(self) -> None:
        async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            writer.write(await reader.readline())
            writer.close()

        async def ask(address: Any, line: bytes) -> None:
            reader, writer = await asyncio.open_connection(*address)
            writer.write(line)
            self.assertEqual(await reader.read(), line)
            writer.close()
            await writer.wait_closed()

        async def main() -> None:
            async with await asyncio.start_server(echo, "127.0.0.1") as server:
                address = server.sockets[0].getsockname()
                for round in range(10):
                    lines = [b"%d %d\n" % (round, number) for number in range(30)]
                    await asyncio.gather(*(ask(address, line) for line in lines))

        self.run_on_each_backend(main)

    def interrupt(self, prepare: str, said_last: str) -> None:
        for backend in backends():
            program = INTERRUPTED.format(backend=backend, prepare=prepare)
            with self.subTest(backend=backend), child(program) as process:
                self.assertEqual(said(process), "waiting")
                until_asleep(process.pid)
                process.send_signal(signal.SIGINT)
                output, errors = process.communicate(timeout=PATIENCE)
                self.assertEqual((process.returncode, output, errors), (0, said_last + "\n", ""))

    def test_interrupt_is_raised(self) -> None:
        self.interrupt("", "interrupted")

    def test_a_signal_handler_of_the_loop_runs(self) -> None:
        self.interrupt("loop.add_signal_handler(2, loop.stop)", "stopped")


if __name__ == "__main__":
    unittest.main()
