"""Talks to an application over a WebSocket. In: a url and a Talk. Out: what was heard, as plain values."""

import asyncio

from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake, InvalidStatus

SECONDS = 10.0
# Not the application's: those of the handshake and of the server
IGNORED = {"date", "server", "connection", "upgrade", "sec-websocket-accept", "sec-websocket-extensions"}


async def talked(url, step):
    try:
        async with asyncio.timeout(SECONDS):
            return await _talked(url, step)
    except InvalidStatus as refused:
        answer = refused.response
        return {"refused": answer.status_code, "headers": _told(answer.headers), "body": answer.body.decode()}
    except TimeoutError:
        return {"error": f"no answer after {SECONDS:g} s"}
    except (InvalidHandshake, OSError, EOFError):
        return {"error": "no handshake"}


async def _talked(url, step):
    names = list(step.subprotocols) or None
    async with connect(url, subprotocols=names, additional_headers=step.headers, proxy=None) as socket:
        heard = []
        try:
            if step.hears_first:
                heard.append(await socket.recv())
            for one in step.says:
                await socket.send(one)
                heard.append(await socket.recv())
            if step.code is None:
                heard += [one async for one in socket]
            else:
                await socket.close(step.code, step.reason)
        except ConnectionClosed:
            pass
    return {
        "headers": _told(socket.response.headers),
        "subprotocol": socket.subprotocol,
        "heard": heard,
        "closed": (socket.close_code, socket.close_reason),
    }


def _told(headers):
    return sorted((name.lower(), value) for name, value in headers.raw_items() if name.lower() not in IGNORED)
