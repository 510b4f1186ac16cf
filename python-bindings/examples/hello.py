# SPDX-License-Identifier: MIT OR Apache-2.0
"""Greets whom the path names: python hello.py [address], then open /hello/Ada?times=3."""

import sys
from urllib.parse import parse_qs

import evl

server = evl.Server()


@server.route("GET", "/hello/{name}")
def hello(request: evl.Request) -> str:
    times = int(parse_qs(request.query).get("times", ["1"])[0])
    return f"Hello, {request.param('name')}!\n" * times


@server.route("GET", "/about")
def about(request: evl.Request) -> dict[str, str]:
    return {"you": request.peer, "browser": request.headers.get("User-Agent", "unknown")}


address = server.listen(sys.argv[1] if len(sys.argv) > 1 else "127.0.0.1:8080")
print(f"http://{address}/hello/World, until ^C", flush=True)
server.run()
