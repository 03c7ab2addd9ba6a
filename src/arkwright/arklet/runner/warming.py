"""What the warm process does once, so that its forks need not: first runs build up what later ones only use. In, out: nothing.

A process that is forked shares its memory with the others until it changes it, and first runs change much: the interpreter adapts code to
what it sees, libraries fill their tables. A request through an application that is nobody's does that for our own code; libraries that
build up much have a few lines of theirs.
"""

import asyncio
import contextlib
import socket
import sys
from typing import Any

from arkwright.arklet.asgi.words import Application, Message, Receive, Scope, Send
from arkwright.arklet.bridge.frames import NO_BODY, Open, Shutdown, encoded
from arkwright.arklet.bridge.orders import Order
from arkwright.arklet.runner.module import Base, loop_factory, serve

REQUESTS = 20
# package: a first use of it
FIRST_USES = {
    "pydantic": """
class Model(pydantic.BaseModel):
    number: int
    text: str = pydantic.Field("", max_length=9)
Model.model_validate({"number": 1}).model_dump_json()
""",
    "fastapi": """
app = fastapi.FastAPI()
async def depends(): yield 1
async def answer(number: int, text: str = fastapi.Body(), other: int = fastapi.Depends(depends)) -> dict[str, int]: return {}
app.post("/{number}")(answer)
app.openapi()
ask(app, "/1", b"{}")
""",
    "starlette": """
import starlette.applications, starlette.responses, starlette.routing
async def answer(request): return starlette.responses.PlainTextResponse("")
ask(starlette.applications.Starlette(routes=[starlette.routing.Route("/", answer)]), "/", b"")
""",
}


async def nobodys(scope: Scope, receive: Receive, send: Send) -> None:
    """An application."""
    message = await receive()
    while scope["type"] == "lifespan":
        await send({"type": f"{message['type']}.complete"})
        message = await receive()
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"0")]})
    await send({"type": "http.response.body", "body": b""})


def warm_up() -> None:
    """Our own code: an application's start, requests, and end. No trace of its event loop stays."""
    ours, theirs = socket.socketpair()
    with theirs, asyncio.Runner(loop_factory=loop_factory()) as runner:
        for number in range(REQUESTS):
            headers = [(b"host", b"nobody"), (b"accept", b"*/*")]
            about: Any = (
                "http",
                "1.1",
                "GET",
                "http",
                "/",
                b"/",
                b"",
                "",
                headers,
                ("127.0.0.1", 1),
                None,
                {},
                NO_BODY,
                {},
            )
            theirs.sendall(encoded(Open(number, *about)))
        theirs.sendall(encoded(Shutdown()))
        order = Order(identity="nobody", application="", directories=[])
        runner.get_loop()
        runner.run(serve(order, nobodys, Base(ours, asyncio.Event(), len(sys.modules))))
    asyncio.set_event_loop_policy(None)


def use_first(packages: set[str]) -> None:
    """Those of them that are imported. What fails is left to the modules."""
    for name in FIRST_USES.keys() & packages & sys.modules.keys():
        with contextlib.suppress(Exception):
            exec(FIRST_USES[name], {name: sys.modules[name], "__name__": f"{__name__}.{name}", "ask": ask})
    asyncio.set_event_loop_policy(None)


def ask(application: Application, path: str, body: bytes) -> None:
    """A request, some times."""
    headers = [(b"host", b"nobody"), (b"content-type", b"application/json")]
    scope = {"type": "http", "method": "POST" if body else "GET", "path": path, "headers": headers, "query_string": b""}
    more = {"root_path": "", "http_version": "1.1", "scheme": "http", "client": ("127.0.0.1", 1), "server": None}

    async def receive() -> Message:
        return {"type": "http.request", "body": body}

    async def send(message: Message) -> None:
        pass

    async def asking() -> None:
        for _ in range(REQUESTS):
            await application({**scope, **more}, receive, send)

    asyncio.run(asking())
