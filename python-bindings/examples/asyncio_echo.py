# SPDX-License-Identifier: MIT OR Apache-2.0
"""asyncio on evl: an echo server, and a client that asks it."""

import asyncio

import evl


async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(await reader.read())
    writer.close()


async def main() -> None:
    server = await asyncio.start_server(echo, "127.0.0.1")
    async with server:
        reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
        writer.write(b"hello from evl\n")
        writer.write_eof()
        print((await reader.read()).decode(), end="")
        writer.close()
        await writer.wait_closed()


loop = asyncio.SelectorEventLoop(evl.EvlSelector())
loop.run_until_complete(main())
loop.close()
