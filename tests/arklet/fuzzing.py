"""Feeds the agent what nobody should send, guided by which code that reaches. One target a run:

    python tests/arklet/fuzzing.py archives|commands|frames|output|calls [libFuzzer options, e.g. -max_total_time=600]

Ends with status 0 unless something other than a refusal came out, or an input took longer than -timeout seconds.
"""

import asyncio
import io
import json
import logging
import shutil
import struct
import sys
import tempfile
import warnings
import zipfile
from pathlib import Path

import atheris
import msgspec

with atheris.instrument_imports(
    include=["arkwright.arklet", "arkwright.model", "zipfile"], enable_loader_override=False
):
    from arkwright.arklet.archives.downloads import PackageError
    from arkwright.arklet.archives.packages import _read
    from arkwright.arklet.archives.unpacking import unpack
    from arkwright.arklet.bridge import calls as lines
    from arkwright.arklet.bridge import frames as words
    from arkwright.arklet.owners import Owner
    from arkwright.arklet.process.bridge import Bridge
    from arkwright.arklet.process.output import Output
    from arkwright.arklet.wire.routes import COMMANDS

sys.path.insert(0, str(Path(__file__).parents[1]))
from arklet.interface import LIMITS, Interface  # noqa: E402

INFO = "m-1.dist-info/"
NAMES = (
    "m.py",
    INFO + "METADATA",
    INFO + "entry_points.txt",
    "../out",
    "/out",
    "C:/out",
    "a/b",
    "",
    "a//b",
    "a\\..\\..\\b",
)
TEXTS = (
    b"x",
    b"Name: m\nVersion: 1\n",
    b"[arkwright.module]\nm = m:app\n",
    b"Name: m\nVersion: 1\nRequires-Dist: a>=1; b\n",
)
SCRATCH = Path(tempfile.mkdtemp(prefix="fuzzing-"))


def archives(data):
    """An archive of chosen parts, some of whose bytes are then changed: a package comes of it, or a PackageError."""
    given = atheris.FuzzedDataProvider(data)
    whole = bytearray(_zip(given))
    for _ in range(given.ConsumeIntInRange(0, 6)):
        if whole:
            whole[given.ConsumeIntInRange(0, len(whole) - 1)] = given.ConsumeIntInRange(0, 255)
    if given.ConsumeBool():
        del whole[given.ConsumeIntInRange(0, len(whole)) :]
    directory, archive = SCRATCH / "inside" / "unpacked", SCRATCH / "archive.whl"
    archive.write_bytes(whole)
    directory.mkdir(parents=True)
    try:
        unpack(archive, directory, LIMITS)
        _read(directory, "file:///archive.whl", frozenset())
    except PackageError:
        pass
    finally:
        assert {one.name for one in SCRATCH.iterdir()} <= {"inside", "archive.whl"}, "it left its directory"
        assert {one.name for one in (SCRATCH / "inside").iterdir()} <= {"unpacked"}, "it left its directory"
        shutil.rmtree(SCRATCH / "inside")


def _zip(given):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as made, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for _ in range(given.ConsumeIntInRange(0, 5)):
            name = given.PickValueInList([*NAMES]) if given.ConsumeBool() else given.ConsumeUnicodeNoSurrogates(20)
            info = zipfile.ZipInfo(name or "-")
            info.external_attr = given.ConsumeIntInRange(0, 0xFFFFFFFF)
            info.compress_type = given.PickValueInList([zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
            text = given.PickValueInList([*TEXTS]) if given.ConsumeBool() else given.ConsumeBytes(200)
            try:
                made.writestr(info, text)
            except (ValueError, UnicodeEncodeError, struct.error):
                continue
    return buffer.getvalue()


FIELDS = (
    "bizName",
    "bizVersion",
    "bizUrl",
    "md5",
    "async",
    "requestId",
    "installStrategy",
    "bizList",
    "type",
    "moduleName",
)
VALUES = (
    "",
    "m",
    "1",
    "file:///nowhere",
    "file:///%00",
    "http://",
    "ftp://x",
    "http://[",
    "file://x#sha256=zz",
    None,
    True,
    7,
    [],
    {},
    [{}],
)
_loop = asyncio.new_event_loop()
_interface = Interface()


def commands(data):
    """A command with a body: an answer in the wire's words comes of it."""
    given = atheris.FuzzedDataProvider(data)
    name = (
        given.PickValueInList([*COMMANDS, "", "a/b"]) if given.ConsumeBool() else given.ConsumeUnicodeNoSurrogates(10)
    )
    if given.ConsumeBool():
        body = json.dumps(
            {given.PickValueInList([*FIELDS]): _value(given) for _ in range(given.ConsumeIntInRange(0, 6))}
        ).encode()
    else:
        body = given.ConsumeBytes(300)
    answer = _loop.run_until_complete(asyncio.wait_for(_interface.ask(name, body), 10))
    assert answer["code"] in ("SUCCESS", "FAILED", "CMD_NOT_FOUND", "CMD_PROCESS_INTERNAL_ERROR"), answer


def _value(given):
    return given.PickValueInList([*VALUES]) if given.ConsumeBool() else given.ConsumeUnicodeNoSurrogates(20)


class Wire(asyncio.Transport):
    """Takes what is written, and forgets it."""

    def __init__(self):
        super().__init__()
        self.is_aborted = False

    def write(self, data):
        pass

    def is_closing(self):
        return self.is_aborted

    def abort(self):
        self.is_aborted = True


KINDS = (words.Started, words.Event, words.Credit, words.Done, words.Pull, words.Response, words.Body, words.Ended)
MESSAGES = ("http.response.start", "http.response.body", "websocket.accept", "websocket.send", "websocket.close", "")
KEYS = ("type", "status", "headers", "body", "more_body", "text", "bytes", "code", "reason", "subprotocol")
UNDER_WAY = 3


def frames(data):
    """What a module's process may say while requests are under way in it: each ends or goes on, and the base goes on."""
    _loop.run_until_complete(asyncio.wait_for(_hear(atheris.FuzzedDataProvider(data)), 10))


async def _hear(given):
    bridge, wire = Bridge(lambda: None), Wire()
    bridge.connection_made(wire)
    requests = [asyncio.ensure_future(_ask(bridge, number)) for number in range(UNDER_WAY)]
    await asyncio.sleep(0)
    while given.remaining_bytes() and not wire.is_aborted:
        bridge.data_received(_said(given))
        await asyncio.sleep(0)
    bridge.connection_lost(None)
    assert not await asyncio.gather(*requests) == [], "they all come to an end"
    assert not bridge._requests and len(bridge._frames._left) <= words.MESSAGE_BYTES + words.OVERHEAD_BYTES


async def _ask(bridge, number):
    scope = {
        "type": "websocket" if number else "http",
        "asgi": {},
        "http_version": "1.1",
        "path": "/",
        "query_string": b"",
    }

    given = iter(range(2))

    async def receive():
        if next(given, None) is None:
            await asyncio.Event().wait()
        return {"type": "websocket.connect"} if number == 1 else {"type": "http.request", "body": b"x" * 100_000}

    async def send(message):
        if message.get("status") == 7:
            raise OSError("gone")
        assert "type" in message or True

    try:
        await bridge({**scope, "headers": [(b"content-length", b"5")]}, receive, send)
    except Exception as error:
        assert not isinstance(error, AssertionError | AttributeError | IndexError), error


def _said(given):
    """A frame with fields of the right kinds or others, or bytes."""
    choice = given.ConsumeIntInRange(0, 9)
    if choice == 0:
        return given.ConsumeBytes(given.ConsumeIntInRange(0, 40))
    kind = given.PickValueInList([*KINDS])
    number = given.ConsumeIntInRange(-1, UNDER_WAY + 1)
    fields = [kind.__struct_config__.tag, number]
    for _ in range(given.ConsumeIntInRange(0, 6)):
        fields.append(_field(given))
    payload = msgspec.msgpack.encode(fields)
    size = len(payload) if choice > 1 else given.ConsumeIntInRange(0, 1 << 32 - 1)
    return size.to_bytes(4, "big") + payload


def _field(given):
    choice = given.ConsumeIntInRange(0, 7)
    if choice == 0:
        return given.ConsumeInt(8)
    if choice == 1:
        return given.ConsumeBytes(given.ConsumeIntInRange(0, 2000))
    if choice == 2:
        return given.ConsumeUnicodeNoSurrogates(20)
    if choice == 3:
        return given.ConsumeBool()
    if choice == 4:
        return [[given.ConsumeBytes(5), given.ConsumeBytes(5)]]
    if choice == 5:
        return None
    message = {given.PickValueInList([*KEYS]): _field(given) if choice == 6 else 200 for _ in range(2)}
    return message | {"type": given.PickValueInList([*MESSAGES])}


def output(data):
    """What it may print: records come of it, and what is kept stays small."""

    async def hear():
        given = atheris.FuzzedDataProvider(data)
        heard = Output(Owner("m:1"), lambda number: None, lambda: None)
        while given.remaining_bytes():
            piece = given.ConsumeBytes(given.ConsumeIntInRange(0, 60))
            heard.data_received(
                given.PickValueInList([b"", b"\x1e", b"\n", b"Traceback (most recent call last):\n"]) + piece
            )
        heard.connection_lost(None)

    _loop.run_until_complete(asyncio.wait_for(hear(), 10))


def calls(data):
    """What it may ask of the base's services, or answer: an answer comes of it, or the line is cut."""

    async def hear():
        given = atheris.FuzzedDataProvider(data)

        async def answer(question):
            raise LookupError(str(question)[:50])

        line, wire = lines.Line(answer, lambda: None), Wire()
        line.connection_made(wire)
        while given.remaining_bytes() and not wire.is_aborted:
            payload = msgspec.msgpack.encode([given.ConsumeIntInRange(0, 3), *(_field(given) for _ in range(3))])
            line.data_received(len(payload).to_bytes(4, "big") + payload)
            await asyncio.sleep(0)
        line.connection_lost(None)

    _loop.run_until_complete(asyncio.wait_for(hear(), 10))


if __name__ == "__main__":
    logging.root.addHandler(logging.NullHandler())
    targets = {"archives": archives, "commands": commands, "frames": frames, "output": output, "calls": calls}
    target = targets[sys.argv.pop(1)]
    atheris.Setup([*sys.argv, "-timeout=20", "-len_control=0"], target)
    atheris.Fuzz()
