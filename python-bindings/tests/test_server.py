# SPDX-License-Identifier: MIT OR Apache-2.0
"""Requests and answers: handlers, directories, configuration files, options."""

from __future__ import annotations

import errno
import gc
import http.client
import json
import socket
import tempfile
import threading
import unittest
import weakref
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import evl
from evl import _handlers
from support import PATIENCE, exchange, get, started

T = TypeVar("T")


class RequestTest(unittest.TestCase):
    """What a handler sees."""

    def seen(self, request: bytes, pattern: str, read: Callable[[evl.Request], T]) -> T:
        """What a handler reads out of this request."""
        server = evl.Server(workers=1)
        found: list[T] = []

        @server.route("*", pattern)
        def handler(request: evl.Request) -> str:
            found.append(read(request))
            return ""

        with started(server) as connection:
            exchange(f"{connection.host}:{connection.port}", request)
        return found[0]

    def test_target(self) -> None:
        request = b"GET /a%20b/../%c3%a4?x=1&y=%20 HTTP/1.0\r\n\r\n"
        seen = self.seen(
            request, "/{name}", lambda r: (r.method, r.target, r.path, r.query, r.param("name"))
        )
        self.assertEqual(seen, ("GET", "/a%20b/../%c3%a4?x=1&y=%20", "/ä", "x=1&y=%20", "ä"))

    def test_what_is_not_there_is_empty(self) -> None:
        seen = self.seen(b"GET /x HTTP/1.0\r\n\r\n", "/x", lambda r: (r.query, r.body))
        self.assertEqual(seen, ("", b""))

    def test_rest_of_the_path(self) -> None:
        request = b"GET /files/a/b.txt HTTP/1.0\r\n\r\n"
        self.assertEqual(
            self.seen(request, "/files/{path...}", lambda r: r.param("path")), "a/b.txt"
        )

    def test_a_parameter_that_the_pattern_has_not(self) -> None:
        def read(request: evl.Request) -> None:
            with self.assertRaises(KeyError):
                request.param("name")

        self.seen(b"GET / HTTP/1.0\r\n\r\n", "/", read)

    FIELDS = (
        b"GET / HTTP/1.1\r\nHost: h\r\nX-One: 1\r\nx-two:\r\nX-ONE: 2\r\n"
        b"X-Byte: \xe9\r\nConnection: close\r\n\r\n"
    )

    def test_headers_in_any_case(self) -> None:
        def read(request: evl.Request) -> tuple[object, ...]:
            headers = request.headers
            return headers["x-one"], headers.get_all("x-One"), headers["X-Two"], headers["x-byte"]

        self.assertEqual(self.seen(self.FIELDS, "/", read), ("1", ["1", "2"], "", "é"))

    def test_headers_that_are_not_there(self) -> None:
        def read(request: evl.Request) -> tuple[object, ...]:
            headers = request.headers
            with self.assertRaises(KeyError):
                headers["none"]
            return headers.get("none"), headers.get("x-one\0"), "none" in headers, "HOST" in headers

        self.assertEqual(self.seen(self.FIELDS, "/", read), (None, None, False, True))

    def test_all_headers(self) -> None:
        names, count = self.seen(self.FIELDS, "/", lambda r: (list(r.headers), len(r.headers)))
        self.assertEqual(names, ["host", "x-one", "x-two", "x-byte", "connection"])
        self.assertEqual(count, 5)

    def test_body_in_chunks(self) -> None:
        request = (
            b"POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n"
            b"3\r\nab\0\r\n2\r\ncd\r\n0\r\n\r\n"
        )
        self.assertEqual(self.seen(request, "/", lambda r: r.body), b"ab\0cd")

    def test_peer(self) -> None:
        peer = self.seen(b"GET / HTTP/1.0\r\n\r\n", "/", lambda r: r.peer)
        self.assertRegex(peer, r"^127\.0\.0\.1:\d+$")

    def test_a_request_ends_with_its_handler(self) -> None:
        server = evl.Server(workers=1)
        kept: list[evl.Request] = []
        server.route("GET", "/")(lambda request: kept.append(request) or "")  # type: ignore
        with started(server) as connection:
            get(connection, "/")
            for read in ("method", "body", "peer"):
                with self.subTest(read), self.assertRaisesRegex(RuntimeError, "ended"):
                    getattr(kept[0], read)
            with self.assertRaisesRegex(RuntimeError, "ended"):
                list(kept[0].headers)


class ResponseTest(unittest.TestCase):
    """What the client gets for what a handler returns."""

    def setUp(self) -> None:
        self.server = evl.Server(workers=1)
        self.result: object = None
        self.server.route("*", "/")(lambda _: self.result)  # type: ignore
        self.connection = self.enterContext(started(self.server))

    if not hasattr(unittest.TestCase, "enterContext"):  # Python 3.9 and 3.10

        def enterContext(self, manager):  # type: ignore
            entered = manager.__enter__()
            self.addCleanup(manager.__exit__, None, None, None)
            return entered

    def answer(self, result: object, method: str = "GET") -> tuple[int, str | None, bytes]:
        self.result = result
        self.connection.request(method, "/")
        self.response = self.connection.getresponse()
        content = self.response.read()
        return self.response.status, self.response.getheader("Content-Type"), content

    def test_results(self) -> None:
        plain = "text/plain; charset=utf-8"
        binary = "application/octet-stream"
        html = evl.Response("<p>", content_type="text/html")
        table = [
            ("grüß", (200, plain, "grüß".encode())),
            (b"\0\xff", (200, binary, b"\0\xff")),
            ("", (200, None, b"")),
            ((201, "made"), (201, plain, b"made")),
            ((404, {"error": "none"}), (404, "application/json", b'{"error":"none"}')),
            (evl.Response(status=204), (204, None, b"")),
            (html, (200, "text/html", b"<p>")),
        ]
        for result, expected in table:
            with self.subTest(result):
                self.assertEqual(self.answer(result), expected)

    def test_json(self) -> None:
        value = {"a": [1, None, "ä"]}
        self.assertEqual(json.loads(self.answer(value)[2]), value)

    def test_headers(self) -> None:
        fields = [("Set-Cookie", "a=1"), ("Set-Cookie", "b=é")]
        self.answer(evl.Response("x", headers=fields))
        self.assertEqual(self.response.msg.get_all("Set-Cookie"), ["a=1", "b=é"])
        self.answer(evl.Response(status=302, headers={"Location": "/there"}))
        self.assertEqual(
            (self.response.status, self.response.getheader("Location")), (302, "/there")
        )

    def test_head_has_no_content(self) -> None:
        self.assertEqual(self.answer("hello", "HEAD")[2], b"")
        self.assertEqual(self.response.getheader("Content-Length"), "5")

    def test_a_large_answer(self) -> None:
        content = bytes(range(256)) * 40_000
        self.assertEqual(self.answer(content)[2], content)

    def test_results_that_are_none(self) -> None:
        split = "a\r\nb"
        table = [
            (None, "TypeError"),
            (7, "TypeError"),
            ((200, "x", "y"), "ValueError"),
            ((99, "x"), "OSError"),
            ({"a": object()}, "TypeError"),
            (evl.Response("x", headers={"X-Kept": "1", "X-Split": split}), "OSError"),
            (evl.Response("x", headers={"X-Nul": "a\0b"}), "ValueError"),
            (evl.Response("x", headers={"Content-Length": "7"}), "OSError"),
            (evl.Response("x", content_type=split), "OSError"),
        ]
        for result, error in table:
            with self.subTest(result), self.assertLogs("evl", "ERROR") as logs:
                status, _, content = self.answer(result)
                self.assertEqual(status, 500)
                self.assertIn(error, logs.output[0])
                self.assertIn("GET /", logs.output[0])
                self.assertNotEqual(content, b"x")
                self.assertIsNone(self.response.getheader("X-Kept"))
        self.assertEqual(
            self.answer("well again"), (200, "text/plain; charset=utf-8", b"well again")
        )


class HandlersTest(unittest.TestCase):
    def test_exceptions_stay_inside(self) -> None:
        server = evl.Server(workers=1)

        @server.route("GET", "/{kind}")
        def fail(request: evl.Request) -> str:
            raise {"error": LookupError, "exit": SystemExit, "key": KeyboardInterrupt}[
                request.param("kind")
            ]("why")

        with started(server) as connection:
            for kind in ("error", "exit", "key"):
                with self.subTest(kind), self.assertLogs("evl", "ERROR") as logs:
                    self.assertEqual(get(connection, f"/{kind}")[0], 500)
                self.assertIn("Traceback", logs.output[0])

    def test_declined_goes_to_the_next(self) -> None:
        server = evl.Server(workers=1)
        server.route("GET", "/page")(lambda request: evl.DECLINED)
        server.route("GET", "/page")(lambda request: "second")
        server.route("GET", "/none")(lambda request: evl.DECLINED)
        with started(server) as connection:
            self.assertEqual(get(connection, "/page"), (200, b"second"))
            self.assertEqual(get(connection, "/none")[0], 404)

    def test_workers_take_turns_and_count(self) -> None:
        policy = evl.AcceptPolicy.ROUND_ROBIN
        with evl.Server(2, accept_policy=policy, worker_connections=2) as server:
            address = server.listen("127.0.0.1:0")
            server.route("GET", "/")(lambda request: "x")
            with self.assertRaises(evl.EvlError):
                server.counters()
            server.start()
            connections = [http.client.HTTPConnection(address, timeout=30) for _ in range(4)]
            for connection in connections:
                self.assertEqual(get(connection, "/"), (200, b"x"))
            # All are idle: the first makes room.
            fifth = http.client.HTTPConnection(address, timeout=30)
            self.assertEqual(get(fifth, "/"), (200, b"x"))
            server.stop()
            counters = server.counters()
            self.assertEqual(sum(worker.accepted for worker in counters), 5)
            self.assertEqual(sum(worker.requests for worker in counters), 5)
            self.assertEqual(sum(worker.shed for worker in counters), 1)
            self.assertEqual([worker.open for worker in counters], [0, 0])
            for connection in (*connections, fifth):
                connection.close()

    def test_methods(self) -> None:
        server = evl.Server(workers=1)
        server.route("GET", "/")(lambda request: "got")
        server.route("POST", "/")(lambda request: request.body)
        with started(server) as connection:
            connection.request("POST", "/", body=b"posted")
            self.assertEqual(connection.getresponse().read(), b"posted")
            self.assertEqual(get(connection, "/"), (200, b"got"))
            connection.request("DELETE", "/")
            response = connection.getresponse()
            response.read()
            self.assertEqual(response.status, 405)
            self.assertIn("POST", response.getheader("Allow") or "")

    def test_a_wrong_route_holds_nothing(self) -> None:
        held = len(_handlers._handlers)
        with evl.Server() as server:
            for method, pattern in (("GET", "no-slash"), ("NONSENSE", "/"), ("GET", "/{")):
                with self.subTest(pattern), self.assertRaises(OSError) as refused:
                    server.route(method, pattern)(lambda request: "")
                self.assertEqual(refused.exception.errno, errno.EINVAL)
            self.assertEqual(len(_handlers._handlers), held)

    def test_handlers_are_released_with_the_server(self) -> None:
        def handler(request: evl.Request) -> str:
            return ""

        reference = weakref.ref(handler)
        server = evl.Server(workers=1)
        self.assertIs(server.route("GET", "/")(handler), handler)
        del handler
        with started(server):
            gc.collect()
            self.assertIsNotNone(reference())
        gc.collect()
        self.assertIsNone(reference())

    def test_a_forgotten_server_is_freed(self) -> None:
        held = len(_handlers._handlers)
        server = evl.Server()
        server.route("GET", "/")(str)
        del server
        gc.collect()
        self.assertEqual(len(_handlers._handlers), held)


class SetUpTest(unittest.TestCase):
    def setUp(self) -> None:
        directory = tempfile.TemporaryDirectory()
        self.addCleanup(directory.cleanup)
        self.directory = Path(directory.name)
        (self.directory / "index.html").write_text("the index")
        (self.directory / "file.txt").write_text("the file")

    def write(self, text: str) -> Path:
        path = self.directory / "evl.conf"
        path.write_text(text)
        return path

    def test_directory_beside_routes(self) -> None:
        server = evl.Server(workers=1)
        server.static("/", self.directory)
        server.route("GET", "/file.txt")(lambda request: "the route")
        with started(server) as connection:
            self.assertEqual(get(connection, "/"), (200, b"the index"))
            self.assertEqual(get(connection, "/file.txt"), (200, b"the route"))
            self.assertEqual(get(connection, "/none")[0], 404)

    def test_a_directory_that_is_not_there(self) -> None:
        with evl.Server() as server, self.assertRaises(FileNotFoundError):
            server.static("/", self.directory / "none")

    def test_configuration_file(self) -> None:
        server = evl.Server()
        server.load(
            self.write(
                f"worker_processes 1; http {{ server {{ listen 127.0.0.1:0; root {self.directory};"
                " location /old { return 301 /new; } } }"
            )
        )
        server.route("GET", "/route")(lambda request: "the route")
        with server:
            server.start()
            (address,) = server.addresses
            answer = exchange(address, b"GET /file.txt HTTP/1.0\r\n\r\n")
            self.assertTrue(answer.endswith(b"the file"), answer)
            self.assertIn(b" 301 ", exchange(address, b"GET /old HTTP/1.0\r\n\r\n"))
            self.assertTrue(
                exchange(address, b"GET /route HTTP/1.0\r\n\r\n").endswith(b"the route")
            )

    def test_a_wrong_configuration_file(self) -> None:
        path = self.write("http { server { lissten 80; } }")
        with evl.Server() as server:
            with self.assertRaises(evl.EvlError) as wrong:
                server.load(path)
            error = wrong.exception
            self.assertEqual((error.code, error.name), (evl.ErrorCode.ECONFIG, "EVL_ECONFIG"))
            self.assertIn(f"{path}:1:17", error.message)
            self.assertIn("listen", error.message)
            self.assertIn(error.message, str(error))
            with self.assertRaisesRegex(evl.EvlError, "none.conf"):
                server.load(self.directory / "none.conf")

    def test_several_addresses(self) -> None:
        server = evl.Server(workers=1)
        server.route("GET", "/")(lambda request: request.peer)
        path = str(self.directory / "socket")
        with server:
            addresses = [server.listen("127.0.0.1:0"), server.listen(f"unix:{path}")]
            self.assertEqual(server.addresses, addresses)
            self.assertNotIn(":0", addresses[0])
            server.start()
            self.assertTrue(exchange(addresses[0], b"GET / HTTP/1.0\r\n\r\n"))
            with socket.socket(socket.AF_UNIX) as peer:
                peer.settimeout(PATIENCE)
                peer.connect(path)
                peer.sendall(b"GET / HTTP/1.0\r\n\r\n")
                answer = b"".join(iter(lambda: peer.recv(4096), b""))
            self.assertTrue(answer.endswith(b"unix:"), answer)

    def test_an_address_that_is_taken(self) -> None:
        with socket.create_server(("127.0.0.1", 0)) as taken, evl.Server() as server:
            with self.assertRaises(OSError) as refused:
                server.listen(f"127.0.0.1:{taken.getsockname()[1]}")
            self.assertEqual(refused.exception.errno, errno.EADDRINUSE)

    def test_the_longest_body(self) -> None:
        server = evl.Server(workers=1, max_body_bytes=10)
        server.route("POST", "/")(lambda request: request.body)
        with started(server) as connection:
            connection.request("POST", "/", body=b"x" * 10)
            self.assertEqual(connection.getresponse().read(), b"x" * 10)
            connection.request("POST", "/", body=b"x" * 11)
            self.assertEqual(connection.getresponse().status, 413)

    def test_a_slow_client(self) -> None:
        with started(evl.Server(workers=1, header_timeout=0.05)) as connection:
            answer = exchange(f"{connection.host}:{connection.port}", b"GET / HT")
        self.assertIn(answer[:13], (b"", b"HTTP/1.1 408 "))

    def test_options_that_would_not_fit(self) -> None:
        wrong: list[dict[str, float]] = [
            {"workers": 0},
            {"workers": -1},
            {"max_body_bytes": 1 << 64},
            {"header_timeout": 0},
            {"send_timeout": 1e10},
        ]
        for options in wrong:
            with self.subTest(options), self.assertRaisesRegex(ValueError, next(iter(options))):
                evl.Server(**options)  # type: ignore

    def test_strings_with_a_nul(self) -> None:
        with evl.Server() as server:
            for call in (server.listen, server.load, lambda x: server.static("/", x)):
                with self.assertRaisesRegex(ValueError, "null"):
                    call("a\0b")

    def test_the_wrong_time(self) -> None:
        server = evl.Server(workers=1)
        with self.assertRaises((evl.EvlError, OSError)):
            server.start()
        with started(server) as connection:
            for late in (server.start, lambda: server.route("GET", "/")(str)):
                with self.subTest(late), self.assertRaises(evl.EvlError) as refused:
                    late()
                self.assertEqual(refused.exception.code, evl.ErrorCode.ESTATE)
            self.assertEqual(get(connection, "/")[0], 404)
        with self.assertRaisesRegex(ValueError, "closed"):
            server.listen("127.0.0.1:0")

    def test_workers_are_threads_of_python(self) -> None:
        names: set[str] = set()
        server = evl.Server(workers=3)

        @server.route("GET", "/")
        def name(request: evl.Request) -> str:
            names.add(threading.current_thread().name)
            return "here"

        with started(server) as connection:
            running = {t.name for t in threading.enumerate() if t.name.startswith("evl-worker")}
            self.assertEqual(running, {f"evl-worker-{index}" for index in range(3)})
            for _ in range(30):
                self.assertEqual(get(connection, "/"), (200, b"here"))
                connection.close()
        self.assertLessEqual(names, running)
        self.assertTrue(names)


if __name__ == "__main__":
    unittest.main()
