"""HTTP as an ASGI application sees and says it: scopes, bodies, answers."""

from parity.table import Ask, Case, get, head, post

# An application without a framework: `answer` is what it does with a request; lifespans it does not know.
RAW = """
import asyncio, json
NOTES = []
def note(text): NOTES.append(text)
async def body_of(receive):
    pieces = []
    while (message := await receive())["type"] == "http.request":
        pieces.append(message.get("body", b""))
        if not message.get("more_body"): break
    return b"".join(pieces)
async def start(send, status=200, headers=(), **more):
    await send({"type": "http.response.start", "status": status, "headers": list(headers), **more})
async def say(send, body=b"", more=False):
    await send({"type": "http.response.body", "body": body, "more_body": more})
async def app(scope, receive, send):
    assert scope["type"] == "http"
    if scope["path"].endswith("/notes"):
        await start(send); await say(send, json.dumps(NOTES).encode())
        return
    await answer(scope, receive, send)
"""


def raw(name, answer, *asks, **more):
    """A case of an application without a framework."""
    return Case(f"http: {name}", RAW + answer, asks, **more)


SCOPES = (
    raw(
        "what it is told of a request",
        """
async def answer(scope, receive, send):
    told = {name: value for name, value in scope.items() if name not in ("client", "server", "app", "state")}
    await start(send, headers=[(b"content-type", b"text/plain")])
    await say(send, json.dumps(told, default=repr, sort_keys=True).encode())
""",
        get("/a/b?c=d&e=%20+", x_one="1", accept="*/*"),
        get("//a//b/../c/./d"),
        get("/a%2Fb%20c%C3%A9"),
        get("/caf%E9?caf%E9"),
        get("/;a=1?"),
        Ask("PATCH", "/x"),
        Ask("BREW", "/coffee"),
    ),
    raw(
        "duplicate headers, empty ones and bytes beyond ASCII, both ways and in order",
        """
async def answer(scope, receive, send):
    told = [(name.decode("latin-1"), value.decode("latin-1")) for name, value in scope["headers"]]
    headers = [(b"X-B", b"1"), (b"x-a", b"2"), (b"X-B", b"3"), (b"x-empty", b""), (b"x-bytes", b"caf\\xe9"), (b"vary", b"a"), (b"vary", b"b")]
    await start(send, headers=headers)
    await say(send, json.dumps(told).encode())
""",
        Ask(
            "GET",
            "/",
            (("X-B", "1"), ("x-a", "2"), ("X-B", "3"), ("X-Empty", ""), ("X-Bytes", "caf\xe9"), ("X_Under", "1")),
        ),
        Ask("GET", "/", tuple((f"X-{number}", "v" * 50) for number in range(60))),
    ),
    raw(
        "who asks, where, and by which scheme",
        """
async def answer(scope, receive, send):
    await start(send); await say(send, json.dumps([scope["scheme"], scope["client"][0], scope["root_path"], scope["http_version"]]).encode())
""",
        get("/"),
        get("/", x_forwarded_for="1.2.3.4", x_forwarded_proto="https"),
    ),
)

BODIES = (
    raw(
        "a chunked body arrives, and so do its trailers or not",
        "async def answer(scope, receive, send):\n    body = await body_of(receive)\n    await start(send); await say(send, b'got ' + body)\n",
        Ask("POST", "/", pieces=(b"one", b"two", b"three")),
        Ask("POST", "/", pieces=(b"one",), trailers=b"X-Sum: 3\r\n", headers=(("Trailer", "X-Sum"),)),
        post("/", b""),
        post("/", b"\x00\xff"),
    ),
    raw(
        "large bodies both ways",
        "async def answer(scope, receive, send):\n    body = await body_of(receive)\n"
        "    await start(send, headers=[(b'content-length', b'%d' % len(body))]); await say(send, body[::-1])\n",
        post("/", b"0123456789" * 300_000),
    ),
    raw(
        "a body is answered while it comes",
        """
async def answer(scope, receive, send):
    await start(send)
    while True:
        message = await receive()
        await say(send, message.get("body", b"").upper(), message.get("more_body", False))
        if not message.get("more_body"): return
""",
        Ask("POST", "/", pieces=(b"a" * 1000, b"b" * 1000)),
    ),
    raw(
        "a client waits to be told to send its body",
        """
async def answer(scope, receive, send):
    if scope["path"].endswith("/no"):
        await start(send, 403); await say(send, b"not from you"); return
    body = await body_of(receive)
    await start(send); await say(send, body)
""",
        Ask("POST", "/", body=b"a body", expects=True),
        Ask("POST", "/no", body=b"a body", expects=True),
    ),
    raw(
        "a large upload is refused before it has come",
        "async def answer(scope, receive, send):\n    await start(send, 413, [(b'content-length', b'9')]); await say(send, b'too large')\n",
        Ask("POST", "/", pieces=(b"x" * 65536, b"y"), early=True),
    ),
    raw(
        "an upload is not read: its answer comes all the same",
        "async def answer(scope, receive, send):\n    await start(send); await say(send, b'unread')\n",
        post("/", b"x" * 2_000_000),
        post("/", b"x"),
    ),
)

ANSWERS = (
    raw(
        "trailers of the answer",
        """
async def answer(scope, receive, send):
    await start(send, headers=[(b"trailer", b"x-sum")], trailers=True)
    await say(send, b"body")
    await send({"type": "http.response.trailers", "headers": [(b"x-sum", b"4")], "more_trailers": False})
""",
        get("/", te="trailers"),
    ),
    raw(
        "HEAD has the headers of GET",
        """
async def answer(scope, receive, send):
    await start(send, headers=[(b"content-length", b"5"), (b"x-method", scope["method"].encode())])
    await say(send, b"hello")
""",
        head("/"),
        get("/"),
    ),
    raw(
        "statuses, also without a body and odd ones",
        """
async def answer(scope, receive, send):
    await start(send, int(scope["path"].rpartition("/")[2])); await say(send)
""",
        *(get(f"/{status}") for status in (204, 304, 205, 299, 418, 451, 599)),
    ),
    raw(
        "pieces go out as they are made",
        """
GO = asyncio.Event()
async def answer(scope, receive, send):
    if scope["path"].endswith("/go"):
        GO.set(); await start(send); await say(send, b"gone"); return
    await start(send)
    await say(send, b"first ", True)
    await asyncio.wait_for(GO.wait(), 5)
    await say(send, b"", True); await say(send, b"second", True); await say(send)
""",
        Ask("GET", "/", then=(get("/go"),)),
    ),
    raw(
        "server-sent events",
        """
async def answer(scope, receive, send):
    await start(send, headers=[(b"content-type", b"text/event-stream"), (b"cache-control", b"no-store")])
    for number in range(3):
        await say(send, b"data: %d\\n\\n" % number, True)
        await asyncio.sleep(0.05)
    await say(send)
""",
        get("/"),
    ),
    raw(
        "cookies: several, with their attributes",
        """
async def answer(scope, receive, send):
    seen = [value.decode() for name, value in scope["headers"] if name == b"cookie"]
    await start(send, headers=[(b"set-cookie", b"a=1; Path=/served; HttpOnly"), (b"set-cookie", b"b=2; SameSite=Lax")])
    await say(send, json.dumps(seen).encode())
""",
        get("/"),
        get("/"),
    ),
)

CASES = (
    *SCOPES,
    *BODIES,
    *ANSWERS,
)
