"""The listeners at the test network's addresses. Each notes a connection and its first bytes, and
forwards it to the server behind it."""

from __future__ import annotations

import asyncio
import contextlib
import time
from dataclasses import dataclass
from typing import Any, cast

from tests.egress import hello
from tests.egress.places import (
    HTTP2,
    OTHER_PORT,
    OTHER_PROXY,
    PROXY,
    PROXY_PORT,
    S3,
    SHARED,
    SHARED6,
    SUFFIX,
    WEBSOCKETS,
    WRONG,
    XRAY,
    XRAY_PORT,
)
from tests.egress.seen import Seen

_FIRST_BYTES = 30.0


@dataclass(frozen=True)
class Ports:
    """Loopback ports of the servers behind the fronts."""

    api: int
    plain: int
    grpc: int
    http2: int
    websockets: int
    s3: int


class Fronts:
    """All listeners of the network except the resolver."""

    def __init__(self, seen: Seen, ports: Ports) -> None:
        self._seen, self._ports = seen, ports
        # The event loop holds tasks weakly: without another reference, a connection would be
        # collected and closed.
        self._serving: set[asyncio.Task[None] | None] = set()
        self._own: set[tuple[str, int]] = set()
        self._servers: list[asyncio.Server] = []

    async def start(self) -> None:
        """Start listening."""
        for address in (SHARED, SHARED6, S3):
            for port in (443, 80, OTHER_PORT):
                self._servers.append(
                    await asyncio.start_server(self._serve, address, port, backlog=64)
                )
        self._servers.append(await asyncio.start_server(self._serve, WRONG, 443))
        for address in (PROXY, OTHER_PROXY):
            self._servers.append(await asyncio.start_server(self._proxy, address, PROXY_PORT))
        loop = asyncio.get_running_loop()
        for port in (XRAY_PORT, XRAY_PORT + 1):
            await loop.create_datagram_endpoint(lambda: _Datagrams(self._seen), (XRAY, port))
        for port in (443, 53):
            await loop.create_datagram_endpoint(lambda: _Datagrams(self._seen), (SHARED, port))

    async def settle(self) -> None:
        """Wait until everything the clients sent so far has been noted. The clients have exited by
        now."""
        for server in self._servers:
            for listener in server.sockets:
                with contextlib.suppress(OSError):
                    # This connection is accepted after all earlier ones.
                    _, writer = await asyncio.open_connection(*listener.getsockname()[:2])
                    self._own.add(writer.get_extra_info("sockname")[:2])
                    writer.close()
        end = time.monotonic() + 20
        while (self._own or self._serving) and time.monotonic() < end:
            await asyncio.sleep(0.01)
        self._own.clear()

    def _is_own(self, writer: asyncio.StreamWriter) -> bool:
        """Whether settle() made this connection. True only once per port, because a client can get
        the same port later."""
        peer = writer.get_extra_info("peername")[:2]
        own = peer in self._own
        self._own.discard(peer)
        return own

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        address, port = writer.get_extra_info("sockname")[:2]
        self._serving.add(asyncio.current_task())
        try:
            first = await _first_bytes(reader)
            if not first and self._is_own(writer):
                return
            greeting = hello.read(first)
            self._seen.note(
                "connection", address=address, port=port, bytes=len(first), first=first[:64].hex()
            )
            if greeting is not None:
                self._seen.note(
                    "hello", address=address, port=port, server_name=greeting.server_name
                )
            if first:
                await _pipe(first, reader, writer, self._server_port(address, greeting))
        finally:
            self._serving.discard(asyncio.current_task())
            writer.close()

    def _server_port(self, address: str, greeting: hello.Hello | None) -> int:
        if greeting is None:
            return self._ports.plain
        by_name = {HTTP2: self._ports.http2, WEBSOCKETS: self._ports.websockets}
        if greeting.server_name in by_name:
            return by_name[greeting.server_name]
        if "h2" in greeting.protocols and "http/1.1" not in greeting.protocols:
            return self._ports.grpc
        return self._ports.s3 if address == S3 else self._ports.api

    async def _proxy(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        address, port = writer.get_extra_info("sockname")[:2]
        self._serving.add(asyncio.current_task())
        try:
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                method, target, *_ = head.decode("latin-1").split()
                self._seen.note(
                    "proxy",
                    address=address,
                    port=port,
                    method=method,
                    target=target,
                    peer=writer.get_extra_info("peername")[1],
                )
                refusal = _refusal(head)
                if refusal is None:
                    break
                # A proxy that refuses the tunnel may keep the connection.
                writer.write(refusal)
            if method != "CONNECT":
                await _pipe(head, reader, writer, self._ports.plain)
                return
            writer.write(b"HTTP/1.1 200 OK\r\n\r\n")
            first = await _first_bytes(reader)
            greeting = hello.read(first)
            if greeting is not None:
                self._seen.note(
                    "hello", address=address, port=port, server_name=greeting.server_name
                )
            behind = S3 if target.rpartition(":")[0].endswith(SUFFIX) else SHARED
            await _pipe(first, reader, writer, self._server_port(behind, greeting))
        except (asyncio.IncompleteReadError, OSError):
            if not self._is_own(writer):
                self._seen.note("proxy", address=address, port=port, method=None, target=None)
        finally:
            self._serving.discard(asyncio.current_task())
            writer.close()


class _Datagrams(asyncio.DatagramProtocol):
    def __init__(self, seen: Seen) -> None:
        self._seen = seen

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._port = transport.get_extra_info("sockname")[1]
        # The class of Python 3.11's datagram transport does not derive from DatagramTransport.
        self._transport = cast(asyncio.DatagramTransport, transport)

    def datagram_received(self, data: bytes, addr: tuple[str | Any, int]) -> None:
        self._seen.note("datagram", port=self._port, data=data.decode("latin-1"))
        if self._port == 53:
            # Answer REFUSED, so that the client need not wait for a timeout.
            self._transport.sendto(data[:2] + b"\x81\x85" + data[4:], addr)


def _refusal(head: bytes) -> bytes | None:
    """The refusal that the request's X-Answer header asks for. None without that header, and for a
    407 challenge that the request has met."""
    lines = dict(line.partition(b": ")[::2] for line in head.split(b"\r\n"))
    status = lines.get(b"X-Answer")
    if status is None or (status == b"407" and b"Proxy-Authorization" in lines):
        return None
    body = b"HTTP/1.1 200 OK\r\n\r\n" * 3 + b"..."
    challenge = b'Proxy-Authenticate: Digest realm="a", nonce="b"\r\n'
    return b"HTTP/1.1 %s no\r\n%sContent-Length: %d\r\n\r\n%s" % (
        status,
        challenge,
        len(body),
        body,
    )


async def _first_bytes(reader: asyncio.StreamReader) -> bytes:
    first = b""
    with contextlib.suppress(asyncio.TimeoutError, OSError):
        while True:
            more = await asyncio.wait_for(reader.read(65536), _FIRST_BYTES)
            first += more
            if not more or hello.is_whole(first):
                break
    return first


async def _pipe(
    first: bytes, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, port: int
) -> None:
    with contextlib.suppress(OSError):
        inner, outer = await asyncio.open_connection("127.0.0.1", port)
        outer.write(first)
        ways = [
            asyncio.create_task(_copy(reader, outer)),
            asyncio.create_task(_copy(inner, writer)),
        ]
        await asyncio.wait(ways, return_when=asyncio.ALL_COMPLETED)
        outer.close()


async def _copy(source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
    # If one side resets the connection, the other side is still told that it ended.
    with contextlib.suppress(OSError):
        while data := await source.read(65536):
            target.write(data)
            await target.drain()
    with contextlib.suppress(OSError):
        target.write_eof()
