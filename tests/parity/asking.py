"""Asks an application over HTTP/1.1 and reads the answer as it comes. In: a place and an Ask. Out: what was answered, as plain values.

Every request has a connection of its own. No library: what is compared are bytes, duplicates, trailers and what is broken off.
"""

import asyncio
from dataclasses import dataclass, field

from parity.table import Ask, Talk, Until
from parity.talking import talked

SECONDS = 10.0
HOST = "example.test"
NO_BODY = (204, 304)


@dataclass
class Place:
    """Where an application is: `root` is what its paths begin with there. `cookies`: what it has set so far."""

    host: str
    port: int
    root: str
    cookies: dict[str, str] = field(default_factory=dict)


async def done(place, step):
    """What comes of a step."""
    match step:
        case Ask(times=1):
            return await _answered(place, step)
        case Ask():
            return [*await asyncio.gather(*(_answered(place, step) for _ in range(step.times)))]
        case Talk():
            return await talked(f"ws://{place.host}:{place.port}{place.root}{step.path}", step)
        case Until():
            return await _comes_about(place, step)


async def _comes_about(place, step, seconds=SECONDS):
    said = None
    for _ in range(int(seconds / 0.05)):
        said = await _answered(place, Ask("GET", step.path))
        if step.text in str(said.get("body")):
            return True
        await asyncio.sleep(0.05)
    return said


async def _answered(place, step):
    try:
        async with asyncio.timeout(SECONDS):
            reader, writer = await asyncio.open_connection(place.host, place.port)
            try:
                return await _exchanged(place, step, reader, writer)
            finally:
                writer.close()
    except TimeoutError:
        return {"error": f"no answer after {SECONDS:g} s"}
    except (ConnectionError, asyncio.IncompleteReadError):
        return {"error": "no answer: the connection was closed"}


async def _exchanged(place, step, reader, writer):
    said = {}
    writer.write(_head(place, step))
    if step.expects:
        status, headers = await _response_head(reader)
        if status != 100:
            return await _rest(place, step, reader, status, headers)
        said["interim"] = status
    for piece in step.pieces or ([step.body] if step.body else []):
        writer.write(b"%x\r\n%s\r\n" % (len(piece), piece) if step.pieces else piece)
        if step.early:
            break
    if step.pieces and not step.early:
        writer.write(b"0\r\n" + step.trailers + b"\r\n")
    await writer.drain()
    return said | await _rest(place, step, reader, *await _response_head(reader))


def _head(place, step):
    lines = [f"{step.method} {place.root}{step.path} HTTP/1.1", f"Host: {HOST}"]
    lines += [f"{name}: {value}" for name, value in step.headers]
    if place.cookies:
        lines.append("Cookie: " + "; ".join(f"{name}={value}" for name, value in place.cookies.items()))
    if step.pieces:
        lines.append("Transfer-Encoding: chunked")
    elif step.body:
        lines.append(f"Content-Length: {len(step.body)}")
    if step.expects:
        lines.append("Expect: 100-continue")
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")


async def _response_head(reader):
    first, *rest = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")[:-2]
    return int(first.split(" ")[1]), [tuple(line.split(": ", 1) if ": " in line else (line, "")) for line in rest]


async def _rest(place, step, reader, status, headers):
    for name, value in headers:
        if name.lower() == "set-cookie":
            key, _, cookie = value.partition(";")[0].partition("=")
            place.cookies[key] = cookie
    said = {"status": status, "headers": headers}
    body = bytearray()
    try:
        async for piece in _pieces(step, reader, status, {name.lower(): value for name, value in headers}, said):
            body += piece
            if step.leaves:
                return said | {"body": "…"}
            if step.then and "then" not in said:
                said["then"] = [await _answered(place, one) for one in step.then]
    except (ConnectionError, asyncio.IncompleteReadError):
        said["broken off"] = True
    return said | {"body": _text(bytes(body))}


async def _pieces(step, reader, status, headers, said):
    """Of the body, as they come; `said` gets trailers."""
    if step.method == "HEAD" or status in NO_BODY:
        return
    if "content-length" in headers:
        async for piece in _pieces_of(reader, int(headers["content-length"])):
            yield piece
    elif headers.get("transfer-encoding") == "chunked":
        while size := int(await reader.readuntil(b"\r\n"), 16):
            yield (await reader.readexactly(size + 2))[:-2]
        if (line := await reader.readuntil(b"\r\n")) != b"\r\n":
            said["trailers"] = line.decode("latin-1")
    else:
        while piece := await reader.read(1 << 16):
            yield piece


async def _pieces_of(reader, left):
    while left:
        if not (piece := await reader.read(min(left, 1 << 16))):
            raise asyncio.IncompleteReadError(b"", left)
        left -= len(piece)
        yield piece


def _text(body):
    try:
        return body.decode()
    except UnicodeDecodeError:
        return repr(body)
