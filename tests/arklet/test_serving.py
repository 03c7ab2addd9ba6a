"""Requests through modules: every protocol, in each isolation; limits, figures, and a process that dies."""

import asyncio
import contextlib
import os
import signal
from urllib.parse import unquote

import aiohttp
import pytest
import yarl

from arklet.wheels import entry, write_wheel

ASGI = """
import asyncio, json, os
VERSION = "{version}"

async def app(scope, receive, send):
    if scope["type"] == "lifespan":
        await receive()
        scope["state"]["started"] = "yes"
        await send({{"type": "lifespan.startup.complete"}})
        await receive()
        await send({{"type": "lifespan.shutdown.complete"}})
    elif scope["type"] == "websocket":
        await websocket(receive, send)
    else:
        await http(scope, receive, send)

async def http(scope, receive, send):
    path = scope["path"].removeprefix(scope["root_path"])
    body = b""
    while (message := await receive())["type"] == "http.request":
        body += message["body"]
        if not message.get("more_body"):
            break
    await asyncio.sleep(float(scope["query_string"] or b"0"))
    if path == "/die":
        os._exit(3)
    if path == "/fail":
        await send({{"type": "http.response.start", "status": 500, "headers": []}})
        await send({{"type": "http.response.body", "body": b"failed"}})
        raise RuntimeError("this request fails")
    if path == "/eat":
        scope["state"]["eaten"] = bytearray(1 << 30)
    if path == "/stream":
        await send({{"type": "http.response.start", "status": 200, "headers": []}})
        for number in range(3):
            await send({{"type": "http.response.body", "body": b"%d\\n" % number, "more_body": True}})
            await asyncio.sleep(0.05)
        await send({{"type": "http.response.body", "body": b"end"}})
        return
    said = {{
        "body": body.decode(), "method": scope["method"], "path": path, "pid": os.getpid(), "root": scope["root_path"],
        "client": scope["client"][0], "scheme": scope["scheme"], "state": scope["state"]["started"], "version": VERSION,
        "cookie": dict(scope["headers"]).get(b"cookie", b"").decode(),
        "raw": scope["raw_path"].decode(), "names": sorted(name.decode() for name, _ in scope["headers"]),
    }}
    headers = [(b"content-type", b"application/json"), (b"set-cookie", b"a=1"), (b"set-cookie", b"b=2")]
    await send({{"type": "http.response.start", "status": 201, "headers": headers}})
    await send({{"type": "http.response.body", "body": json.dumps(said).encode()}})

async def websocket(receive, send):
    await receive()
    await send({{"type": "websocket.accept"}})
    while (message := await receive())["type"] == "websocket.receive":
        if message.get("text") == "bye":
            await send({{"type": "websocket.close", "code": 4001}})
            return
        if message.get("text") is not None:
            await send({{"type": "websocket.send", "text": VERSION + " " + message["text"]}})
        else:
            await send({{"type": "websocket.send", "bytes": message["bytes"][::-1]}})
"""
WSGI = """
import time
def app(environ, start_response):
    time.sleep(float(environ["QUERY_STRING"] or 0))
    start_response("202 Accepted", [("Content-Type", "text/plain")])
    body = environ["wsgi.input"].read().decode()
    return [" ".join((environ["REQUEST_METHOD"], environ["SCRIPT_NAME"], environ["PATH_INFO"], body)).encode()]
"""
ALL = pytest.mark.parametrize("mode", ["shared", "process"])
PROCESS = pytest.mark.parametrize("mode", ["process"])


@pytest.fixture
def serve(base, tmp_path, mode):
    """Install a version of module `served`."""

    async def install(code=ASGI, version="1.0"):
        files = {"served.py": code.format(version=version) if code is ASGI else code}
        url = write_wheel(tmp_path, "served", version, files, entry("served", "served:app", mode)).as_uri()
        answer = await base.command("installBiz", bizName="served", bizVersion=version, bizUrl=url)
        assert answer["code"] == "SUCCESS", answer

    return install


async def told(base, version="1.0"):
    (found,) = [one for one in (await base.command("queryAllBiz"))["data"] if one["bizVersion"] == version]
    return found


@ALL
async def test_a_request_arrives_whole_and_so_does_its_answer(base, serve, mode):
    await serve()
    async with base.session.put(f"{base.web}/served/a%20b?0", data=b"x" * 300_000, cookies={"c": "d"}) as response:
        said = await response.json()
        assert (response.status, response.headers.getall("set-cookie")) == (201, ["a=1", "b=2"])
    assert said["body"] == "x" * 300_000 and said["method"] == "PUT" and said["cookie"] == "c=d"
    assert (said["path"], said["root"], said["raw"]) == ("/a b", "/served", "/served/a%20b")
    assert (said["client"], said["scheme"], said["state"], said["version"]) == ("127.0.0.1", "http", "yes", "1.0")
    assert (said["pid"] == os.getpid()) is (mode != "process")
    assert not {"x-arkwright-origin", "connection"} & set(said["names"]) or mode != "process"


@ALL
async def test_the_path_arrives_as_it_was_sent(base, serve, mode):
    await serve()
    for path in ("/served", "/served/", "/served//a//b/", "/served/%2e%2e/x", "/served/a%2Fb%3Fc"):
        async with base.session.get(yarl.URL(base.web + path, encoded=True)) as response:
            said = await response.json()
        assert (said["raw"], said["root"], "/served" + said["path"]) == (path, "/served", unquote(path))


@ALL
async def test_a_web_path_may_have_letters_of_any_language(base, tmp_path, mode):
    url = write_wheel(
        tmp_path, "served", "1.0", {"served.py": ASGI.format(version="1.0")}, entry("caffè", "served:app", mode)
    )
    assert (await base.command("installBiz", bizUrl=url.as_uri()))["code"] == "SUCCESS"
    async with base.session.get(f"{base.web}/caffè/crème") as response:
        said = await response.json()
    assert (said["root"], said["path"], said["raw"]) == ("/caffè", "/crème", "/caff%C3%A8/cr%C3%A8me")


@ALL
async def test_an_answer_is_passed_on_piece_by_piece(base, serve, mode):
    await serve()
    async with base.session.get(f"{base.web}/served/stream") as response:
        assert await response.content.readline() == b"0\n"
        assert not response.content.at_eof()
        assert await response.read() == b"1\n2\nend"


@ALL
async def test_websockets_go_both_ways_and_end_with_their_code(base, serve, mode):
    await serve()
    async with base.session.ws_connect(f"{base.web}/served/") as socket:
        await socket.send_str("hello")
        assert (await socket.receive()).data == "1.0 hello"
        await socket.send_bytes(b"abc")
        assert (await socket.receive()).data == b"cba"
        await socket.send_str("bye")
        assert (await socket.receive()).type is aiohttp.WSMsgType.CLOSE
        assert socket.close_code == 4001


@contextlib.asynccontextmanager
async def greeted(base):
    """A WebSocket that the module has answered on."""
    async with base.session.ws_connect(f"{base.web}/served/") as socket:
        await socket.send_str("hello")
        await socket.receive()
        yield socket


@ALL
async def test_an_uninstall_tells_websockets_that_the_service_restarts(base, serve, mode):
    await serve()
    async with greeted(base) as socket:
        uninstall = asyncio.create_task(base.command("uninstallBiz", bizName="served", bizVersion="1.0"))
        assert (await socket.receive()).type is aiohttp.WSMsgType.CLOSE
        assert socket.close_code == 1012
        assert (await uninstall)["data"]["message"] == "Uninstall biz: served:1.0 success."


@ALL
async def test_a_switch_is_for_new_requests_and_old_ones_finish(base, serve, mode):
    await serve()
    await serve(version="2.0")
    slow = asyncio.create_task(base.get("/served/?0.3"))
    await asyncio.sleep(0.1)
    await base.command("switchBiz", bizName="served", bizVersion="2.0")
    assert '"version": "2.0"' in (await base.get("/served/"))[1]
    assert '"version": "1.0"' in (await slow)[1]


@ALL
async def test_wsgi_modules_are_served_from_threads(base, serve, mode):
    await serve(WSGI)
    async with base.session.post(f"{base.web}/served/below", data=b"body") as response:
        assert (response.status, await response.text()) == (202, "POST /served /below body")
    answer = await base.command("uninstallBiz", bizName="served", bizVersion="1.0")
    assert "residue" not in answer["data"]


@ALL
async def test_requests_failures_and_latencies_are_counted(base, serve, mode):
    await serve()
    for path in ("", "", "?0.3", "fail"):
        await base.get(f"/served/{path}")
    found = await told(base)
    assert found["requests"] | {"latencyMs": 0} == {
        "requests": 4,
        "failed": 1,
        "refused": 0,
        "timedOut": 0,
        "latencyMs": 0,
    }
    # 10 ms apart from what it slept: an event loop's timers may be early by one
    assert found["requests"]["latencyMs"]["p99"] > 290 > found["requests"]["latencyMs"]["p50"]
    assert found["requestsInFlight"] == 0


@ALL
@pytest.mark.parametrize("modules", [{"served": {"concurrency": 2, "timeout-seconds": 0.5}}])
async def test_more_requests_than_allowed_are_refused_and_long_ones_end(base, serve, mode, modules):
    await serve()
    answers = await asyncio.gather(*(base.get("/served/?0.3") for _ in range(4)))
    assert sorted(status for status, _ in answers) == [201, 201, 503, 503]
    assert await base.get("/served/?5") == (504, "this module has not answered after 0.5 s\n")
    figures = (await told(base))["requests"]
    assert (figures["refused"], figures["timedOut"]) == (2, 1)


@PROCESS
async def test_a_process_that_dies_is_started_again_and_its_end_is_told(base, serve, mode):
    await serve()
    first = (await told(base))["pid"]
    assert (await base.get("/served/die"))[0] == 502
    async with asyncio.timeout(10):
        while (await told(base)).get("lastEnd") is None:
            await asyncio.sleep(0.01)
    assert (await base.get("/served/"))[0] == 201  # it has waited until the process was there again
    found = await told(base)
    assert found["pid"] != first
    assert (found["restarts"], found["lastEnd"]) == (1, "it ended with code 3")
    assert await base.get("/") == (200, "base")


@PROCESS
async def test_a_websocket_ends_with_the_process_it_goes_to(base, serve, mode):
    await serve()
    async with greeted(base) as socket:
        os.kill((await told(base))["pid"], signal.SIGKILL)
        assert (await socket.receive(5)).type is aiohttp.WSMsgType.CLOSE
        assert socket.close_code == 1012


@PROCESS
async def test_what_a_process_says_at_its_end_is_in_the_log(base, serve, mode, caplog):
    caplog.set_level("INFO")
    await serve(
        ASGI.format(version="1.0").replace(
            '"lifespan.shutdown.complete"', 'print(("z" * 99 + "\\n") * 2000, "bye") or "lifespan.shutdown.complete"'
        )
    )
    await base.command("uninstallBiz", bizName="served", bizVersion="1.0")
    assert [one for one in caplog.messages if one.endswith("bye")]


@PROCESS
async def test_health_knows_a_processs_cpu_time_and_memory(base, serve, mode):
    await serve()
    found = await told(base)
    assert 0 <= found["cpuSeconds"] < 60 and 5 < found["memoryMb"] < 500


@PROCESS
@pytest.mark.parametrize("modules", [{"served": {"memory-mb": 400, "cpus": 1}}])
async def test_memory_and_processors_are_limited(base, serve, mode, modules):
    await serve()
    assert len(os.sched_getaffinity((await told(base))["pid"])) == 1
    assert (await base.get("/served/eat"))[0] == 500
    assert (await base.get("/served/"))[0] == 201


@PROCESS
async def test_a_process_goes_with_its_uninstall(base, serve, mode):
    await serve()
    pid = (await told(base))["pid"]
    await base.command("uninstallBiz", bizName="served", bizVersion="1.0")
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


@PROCESS
async def test_a_hung_process_is_killed_by_its_uninstall(base, serve, mode):
    await serve()
    pid = (await told(base))["pid"]
    os.kill(pid, signal.SIGSTOP)
    await base.command("uninstallBiz", bizName="served", bizVersion="1.0")
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


@PROCESS
@pytest.mark.parametrize(
    "code, cause",
    [
        ("1 / 0", "ZeroDivisionError: division by zero"),
        ("import os; os._exit(4)", "its process ended before it had started"),
    ],
)
async def test_a_start_that_fails_in_a_process_tells_its_cause(base, tmp_path, mode, code, cause):
    url = write_wheel(tmp_path, "served", "1.0", {"served.py": code}, entry("served", "served:app", mode)).as_uri()
    answer = await base.command("installBiz", bizName="served", bizVersion="1.0", bizUrl=url)
    assert cause in answer["message"] and cause in answer["errorStackTrace"].splitlines()[-1]
    assert await base.states() == {}


@ALL
@pytest.mark.parametrize("modules", [{"served": {"drain-seconds": 0.2}}])
async def test_a_request_that_is_cut_off_is_told_so_and_logs_no_exception(base, serve, mode, modules, caplog):
    await serve()
    slow = asyncio.create_task(base.get("/served/?60"))
    await asyncio.sleep(0.1)
    answer = await base.command("uninstallBiz", bizName="served", bizVersion="1.0")
    assert answer["data"]["residue"] == ["1 requests were cut off after 0.2 s"]
    assert await slow == (503, "this module is going, and has not answered in the time that it was given\n")
    assert not [one for one in caplog.messages if "Exception in ASGI" in one]


TALKING = """
async def app(scope, receive, send):
    if scope["type"] == "lifespan": raise RuntimeError
    await receive()
    await send({"type": "websocket.accept"})
    while True:
        message = await receive()
        if message["type"] == "websocket.disconnect":
            ENDING
        await send({"type": "websocket.send", "text": message["text"]})
"""


@ALL
@pytest.mark.parametrize(
    "ending", ["raise RuntimeError('it is gone')", "await send({'type': 'websocket.send', 'text': 'bye'}); return"]
)
async def test_however_it_ends_its_websocket_the_client_hears_of_a_restart(base, serve, mode, ending):
    await serve(TALKING.replace("ENDING", ending))
    async with greeted(base) as socket:
        uninstall = asyncio.create_task(base.command("uninstallBiz", bizName="served", bizVersion="1.0"))
        while (await socket.receive(5)).type is aiohttp.WSMsgType.TEXT:
            pass
        assert socket.close_code == 1012
    await uninstall


DYING = """
import os
async def app(scope, receive, send):
    if scope["type"] == "lifespan": raise RuntimeError
    await receive()
    os._exit(3)
"""


@PROCESS
async def test_a_handshake_with_a_process_that_dies_is_answered(base, serve, mode):
    await serve(DYING)
    async with asyncio.timeout(5):
        with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
            await base.session.ws_connect(f"{base.web}/served/")
    assert refused.value.status == 502
