"""Feeds the agent what nobody should send, guided by which code that reaches. One target a run:

    python tests/arklet/fuzzing.py archives|commands [libFuzzer options, e.g. -max_total_time=600]

Ends with status 0 unless something other than a refusal came out, or an input took longer than -timeout seconds.
"""

import asyncio
import io
import json
import shutil
import struct
import sys
import tempfile
import warnings
import zipfile
from pathlib import Path

import atheris

with atheris.instrument_imports(
    include=["arkwright.arklet", "arkwright.model", "zipfile"], enable_loader_override=False
):
    from arkwright.arklet.archives.downloads import PackageError
    from arkwright.arklet.archives.packages import _read
    from arkwright.arklet.archives.unpacking import unpack
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
        _read(directory, "file:///archive.whl")
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


if __name__ == "__main__":
    target = {"archives": archives, "commands": commands}[sys.argv.pop(1)]
    atheris.Setup([*sys.argv, "-timeout=20", "-len_control=0"], target)
    atheris.Fuzz()
