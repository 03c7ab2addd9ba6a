"""WebSockets: handshakes, messages, refusals and ends."""

from parity.table import Case, Talk, Until, get

RAW = """
import asyncio, json
NOTES = []
async def app(scope, receive, send):
    if scope["type"] == "http":
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": json.dumps(NOTES).encode()})
        return
    assert scope["type"] == "websocket"
    assert (await receive())["type"] == "websocket.connect"
    await answer(scope, receive, send)
async def accept(send, **more): await send({"type": "websocket.accept", **more})
async def say(send, text): await send({"type": "websocket.send", "text": text})
async def close(send, **more): await send({"type": "websocket.close", **more})
"""
ECHO = """
async def answer(scope, receive, send):
    await accept(send)
    while (message := await receive())["type"] == "websocket.receive":
        if message.get("text") is not None: await say(send, message["text"].upper())
        else: await send({"type": "websocket.send", "bytes": message["bytes"][::-1]})
    NOTES.append([message["type"], message.get("code"), message.get("reason")])
"""


def websocket(name, answer, *asks, **more):
    return Case(f"websocket: {name}", RAW + answer, asks, **more)


CASES = (
    websocket(
        "texts and bytes, small, empty and large",
        ECHO,
        Talk("/", ("a", b"ab", "", b"", "caf\xe9 \U0001f600", "x" * 100_000, bytes(range(256)) * 2000), code=1000),
        Until("/", "websocket.disconnect"),
    ),
    websocket(
        "the client's close code and reason are heard",
        ECHO,
        Talk("/", ("a",), code=4321, reason="enough for today"),
        Until("/", '["websocket.disconnect", 4321, "enough for today"]'),
    ),
    websocket(
        "a close without a code",
        ECHO,
        Talk("/", code=1000),
        Until("/", "websocket.disconnect"),
        get("/"),
    ),
    websocket(
        "what it is told of a handshake",
        """
async def answer(scope, receive, send):
    await accept(send)
    names = ("type", "path", "raw_path", "root_path", "query_string", "subprotocols", "scheme", "http_version", "asgi", "extensions")
    told = {name: repr(scope.get(name)) for name in names}
    told["headers"] = [(n.decode(), v.decode("latin-1")) for n, v in scope["headers"] if n.startswith((b"x-", b"cookie", b"origin"))]
    await say(send, json.dumps(told)); await close(send)
""",
        Talk(
            "/a%20b/c%2Fd?e=f",
            headers=(("X-One", "1"), ("X-One", "2"), ("Cookie", "a=1"), ("Origin", "https://a.test")),
            subprotocols=("a", "b"),
        ),
    ),
    websocket(
        "a subprotocol and headers of its acceptance",
        """
async def answer(scope, receive, send):
    chosen = scope["subprotocols"][-1] if scope["subprotocols"] else None
    await accept(send, subprotocol=chosen, headers=[(b"x-a", b"1"), (b"x-a", b"2"), (b"set-cookie", b"c=d")])
    await say(send, str(chosen)); await close(send)
""",
        Talk("/", subprotocols=("one", "two")),
        Talk("/"),
    ),
    websocket(
        "codes and reasons of its own closes",
        """
async def answer(scope, receive, send):
    await accept(send)
    code = int(scope["path"].rpartition("/")[2])
    await close(send, code=code, reason="because of " + str(code))
""",
        *(Talk(f"/{code}") for code in (1000, 1001, 1008, 1011, 1012, 3000, 4999)),
    ),
    websocket(
        "a refusal before the acceptance",
        "async def answer(scope, receive, send):\n    await close(send, code=4003, reason='no')\n",
        Talk("/"),
    ),
    websocket(
        "a refusal with an answer of its own",
        """
async def answer(scope, receive, send):
    await send({"type": "websocket.http.response.start", "status": 401, "headers": [(b"www-authenticate", b"Basic"), (b"content-type", b"text/plain")]})
    await send({"type": "websocket.http.response.body", "body": b"who ", "more_body": True})
    await send({"type": "websocket.http.response.body", "body": b"are you?"})
""",
        Talk("/"),
    ),
    websocket(
        "an exception before the acceptance",
        "async def answer(scope, receive, send):\n    raise LookupError('before the acceptance')\n",
        Talk("/"),
        lines=("LookupError: before the acceptance",),
    ),
    websocket(
        "an exception after the acceptance",
        "async def answer(scope, receive, send):\n    await accept(send); await say(send, 'a')\n    raise LookupError('after the acceptance')\n",
        Talk("/"),
        lines=("LookupError: after the acceptance",),
    ),
    websocket("a return before the acceptance", "async def answer(scope, receive, send):\n    pass\n", Talk("/")),
    websocket(
        "a return after the acceptance",
        "async def answer(scope, receive, send):\n    await accept(send); await say(send, 'a')\n",
        Talk("/"),
    ),
    websocket(
        "many messages keep their order",
        """
async def answer(scope, receive, send):
    await accept(send)
    for number in range(2000): await say(send, str(number))
    seen = [await receive() for _ in range(3)]
    await say(send, json.dumps([one["text"] for one in seen])); await close(send)
""",
        Talk("/", ("a", "b", "c"), hears_first=True),
    ),
    websocket(
        "words that are out of order are refused to the application",
        """
async def answer(scope, receive, send):
    try: await say(send, "too early")
    except Exception as error: NOTES.append(type(error).__name__)
    await accept(send)
    try: await accept(send)
    except Exception as error: NOTES.append(type(error).__name__)
    await close(send)
    try: await say(send, "too late")
    except Exception as error: NOTES.append(type(error).__name__)
""",
        Talk("/"),
        get("/"),
    ),
    websocket(
        "it says something by itself, while it listens",
        """
async def answer(scope, receive, send):
    await accept(send)
    async def clock():
        for number in range(3): await asyncio.sleep(0.01); await say(send, f"tick {number}")
    task = asyncio.create_task(clock())
    message = await receive()
    await task
    await close(send, reason=message["text"])
""",
        Talk("/", ("now",), hears_first=True),
    ),
)
