"""Carries requests to a module in another process. In: ASGI calls. Out: the same requests over a unix socket, and their answers."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import aiohttp
import msgspec
import yarl

from arkwright.arklet.asgi.words import SERVICE_RESTART, Receive, Scope, Send, refuse, unless
from arkwright.arklet.process.child import KEEP_ALIVE_SECONDS, ORIGIN_HEADER, Origin

# RFC 9110 7.6.1: of one connection only; and what the client library makes itself.
OF_THE_CONNECTION = {
    b"connection",
    b"keep-alive",
    b"te",
    b"transfer-encoding",
    b"upgrade",
    b"proxy-connection",
    ORIGIN_HEADER,
}
OF_THE_HANDSHAKE = {
    b"sec-websocket-key",
    b"sec-websocket-version",
    b"sec-websocket-extensions",
    b"sec-websocket-protocol",
}
MADE_BY_AIOHTTP = ("User-Agent", "Content-Type", "Accept", "Accept-Encoding")
NORMAL = 1000  # close code
NO_LIMIT = aiohttp.ClientTimeout(total=None, sock_connect=5)


class Unreached(Exception):
    """Nobody listens on the socket; nothing of the request has been used up."""


class Relay:
    """ASGI, to the application that listens on `socket`. Raises Unreached."""

    def __init__(self, socket: Path) -> None:
        connector = aiohttp.UnixConnector(str(socket), limit=0, keepalive_timeout=KEEP_ALIVE_SECONDS / 2)
        self._session = aiohttp.ClientSession(
            connector=connector, auto_decompress=False, timeout=NO_LIMIT, cookie_jar=aiohttp.DummyCookieJar()
        )
        # a request that has killed the process must not be sent to the next one; the other side closes no idle
        # connection before we do, so there is nothing else that sending again would be good for
        self._session._retry_connection = False

    async def close(self) -> None:
        await self._session.close()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await (self._http if scope["type"] == "http" else self._websocket)(scope, receive, send)
        except aiohttp.ClientConnectorError as error:
            raise Unreached from error
        except aiohttp.ClientConnectionError as error:
            await refuse(
                scope, receive, send, 502, f"the process of this module broke off: {error or type(error).__name__}"
            )

    async def _http(self, scope: Scope, receive: Receive, send: Send) -> None:
        body = _body(receive) if _has_body(scope) else None
        request = self._session.request(
            scope["method"],
            _url(scope),
            headers=_headers(scope, OF_THE_CONNECTION),
            data=body,
            allow_redirects=False,
            skip_auto_headers=MADE_BY_AIOHTTP,
        )
        async with request as response:
            headers = [one for one in response.raw_headers if one[0].lower() not in OF_THE_CONNECTION]
            await send({"type": "http.response.start", "status": response.status, "headers": headers})
            if response.content.is_eof():  # all of it has come with its head: nothing to wait for
                await send({"type": "http.response.body", "body": response.content.read_nowait()})
            else:  # an answer without end ends when nobody is there to read it
                await unless(_gone(receive), _pass_on(response, send))

    async def _websocket(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = _headers(scope, OF_THE_CONNECTION | OF_THE_HANDSHAKE)
        opening = self._session.ws_connect(
            _url(scope), headers=headers, protocols=scope.get("subprotocols", ()), max_msg_size=0
        )
        try:
            socket = await opening
        except aiohttp.WSServerHandshakeError:
            await receive()  # websocket.connect
            await send({"type": "websocket.close", "code": NORMAL})
            return
        async with socket:
            await receive()  # websocket.connect
            await send({"type": "websocket.accept", "subprotocol": socket.protocol})
            to_module = asyncio.create_task(_to_module(receive, socket))
            to_client = asyncio.create_task(_to_client(socket, send))
            try:
                await asyncio.wait((to_module, to_client), return_when=asyncio.FIRST_COMPLETED)
                if to_module.done():  # the client has gone, or is told by whoever ends this
                    await socket.close(code=to_module.result())
                else:
                    to_client.result()
                    died = socket.close_code in (None, aiohttp.WSCloseCode.ABNORMAL_CLOSURE)
                    await send({"type": "websocket.close", "code": SERVICE_RESTART if died else socket.close_code})
            finally:
                to_module.cancel()
                to_client.cancel()


def _url(scope: Scope) -> yarl.URL:
    """As the client sent it."""
    raw = scope.get("raw_path") or quote(scope["path"]).encode()
    query = b"?" + scope["query_string"] if scope.get("query_string") else b""
    return yarl.URL("http://module" + (raw + query).decode("latin-1"), encoded=True)


def _has_body(scope: Scope) -> bool:
    names = {name for name, _ in scope["headers"]}
    return b"transfer-encoding" in names or b"content-length" in names


def _headers(scope: Scope, left_out: set[bytes]) -> list[tuple[str, str]]:
    kept = [(name, value) for name, value in scope["headers"] if name not in left_out]
    origin = Origin(scheme=scope["scheme"], client=scope.get("client"), root_path=scope["root_path"])
    kept.append((ORIGIN_HEADER, msgspec.json.encode(origin)))
    return [(name.decode("latin-1"), _text(value)) for name, value in kept]


def _text(value: bytes) -> str:
    """The client library makes UTF-8 of it again."""
    try:
        return value.decode()
    except UnicodeDecodeError:
        return value.decode("latin-1")


async def _body(receive: Receive) -> AsyncIterator[bytes]:
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise aiohttp.ClientPayloadError("the client has gone")
        yield message.get("body", b"")
        if not message.get("more_body"):
            return


async def _pass_on(response: aiohttp.ClientResponse, send: Send) -> None:
    async for chunk in response.content.iter_any():
        await send({"type": "http.response.body", "body": chunk, "more_body": True})
    await send({"type": "http.response.body", "body": b""})


async def _gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


async def _to_module(receive: Receive, socket: "aiohttp.ClientWebSocketResponse[Any]") -> int:
    """Until the client goes; its close code."""
    while (message := await receive())["type"] == "websocket.receive":
        with contextlib.suppress(ConnectionError):
            if message.get("text") is not None:
                await socket.send_str(message["text"])
            else:
                await socket.send_bytes(message["bytes"])
    return int(message.get("code") or NORMAL)


async def _to_client(socket: "aiohttp.ClientWebSocketResponse[Any]", send: Send) -> None:
    async for message in socket:
        if message.type is aiohttp.WSMsgType.TEXT:
            await send({"type": "websocket.send", "text": message.data})
        elif message.type is aiohttp.WSMsgType.BINARY:
            await send({"type": "websocket.send", "bytes": message.data})
