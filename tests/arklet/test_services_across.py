"""Services across processes: what crosses, what does not, and what is told of a provider that fails, is late, or dies."""

import asyncio
import contextlib
import datetime
import decimal
import enum
import os
import signal
import threading
import uuid

import pytest
from hypothesis import given
from hypothesis import strategies as st

from arklet.wheels import entry, write_wheel
from arkwright.arklet import services
from arkwright.arklet.bridge.values import packed, unpacked
from arkwright.arklet.services import CallTimedOut, CannotCross, NoSuchService, ServiceFailed, find, publish

OFFERS = """
import asyncio, os, time
from arkwright.arklet.services import publish
class OwnError(Exception): pass
class Offered:
    greeting = "hello"
    def echo(self, *args, **more): return args, more
    async def later(self, value, seconds=0.0):
        await asyncio.sleep(seconds)
        return value
    def sleep(self, seconds): time.sleep(seconds)
    def fail(self, kind): raise (OwnError("of its own") if kind == "own" else getattr(__builtins__, kind, KeyError)("what is wrong") if not isinstance(__builtins__, dict) else __builtins__[kind]("what is wrong"))
    def thing(self): return object()
    def die(self): os._exit(7)
    def __call__(self, value): return value + 1
publish("offered", Offered())
async def app(scope, receive, send): raise RuntimeError
"""
ASKS = """
import json
from arkwright.arklet.services import find, ServiceError
pool = find("pool", seconds=2)
async def app(scope, receive, send):
    if scope["type"] == "lifespan": raise RuntimeError
    try:
        said = repr(eval(scope["query_string"].decode()) if b"await" not in scope["query_string"] else await pool.wait(3))
    except Exception as error:
        said = f"{type(error).__name__}: {error} | {isinstance(error, LookupError)}"
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": said.encode()})
"""


@pytest.fixture(autouse=True)
def nothing_published():
    yield
    services.services.all.clear()


@pytest.fixture
def install(base, tmp_path):
    async def install(name, code):
        url = write_wheel(tmp_path, name, "1.0", {f"{name}.py": code}, entry(name, f"{name}:app", "process")).as_uri()
        answer = await base.command("installBiz", bizName=name, bizVersion="1.0", bizUrl=url)
        assert answer["code"] == "SUCCESS", answer

    return install


@pytest.fixture
async def offered(install):
    await install("offers", OFFERS)
    return find("offered", seconds=5)


WHOLE = {
    "none": None,
    "truth": True,
    "large": 1 << 200,
    "negative": -(1 << 70),
    "float": 0.1,
    "text": "caff\u00e8 \U0001f600",
    "bytes": b"\x00\xff",
    "tuple": (1, (2, [3, {4}])),
    "sets": [{1, 2}, frozenset({"a"})],
    "keys": {1: "a", (2, 3): "b", b"c": None, 1.5: 2},
    "bytearray": bytearray(b"x"),
    "moment": datetime.datetime(2026, 11, 27, 1, 2, 3, 4, tzinfo=datetime.timezone(datetime.timedelta(hours=8))),
    "naive": datetime.datetime(2026, 11, 27),
    "day": datetime.date(2026, 11, 27),
    "time": datetime.time(1, 2, 3),
    "span": datetime.timedelta(days=-1, microseconds=3),
    "money": decimal.Decimal("10.10"),
    "uuid": uuid.UUID(int=7),
    "complex": 1 - 2j,
}


@pytest.mark.parametrize("name", WHOLE)
async def test_values_arrive_as_what_they_are(offered, name):
    (args, more) = offered.echo(WHOLE[name], word=WHOLE[name])
    assert args == (WHOLE[name],) and more == {"word": WHOLE[name]}
    assert type(args[0]) is type(WHOLE[name])


class Colour(enum.Enum):
    RED = 1


@pytest.mark.parametrize(
    "value", [object(), Colour.RED, len, threading.Lock(), [Colour], {"a": {"b": (1, Colour.RED)}}]
)
async def test_what_cannot_cross_is_refused_by_name(offered, value):
    with pytest.raises(CannotCross, match=r"a call of offered\.echo has a .* in it, which cannot cross"):
        offered.echo(value)


async def test_a_result_that_cannot_cross_is_refused_by_name(offered):
    with pytest.raises(CannotCross, match=r"what offered\.thing returns has a builtins\.object in it"):
        offered.thing()


def test_a_value_in_itself_is_refused():
    value = []
    value.append(value)
    with pytest.raises(CannotCross, match="nested too deeply, or in itself"):
        packed(value, "it")


@given(st.binary(max_size=60))
def test_bytes_that_are_no_value_are_refused(data):
    with contextlib.suppress(ValueError):
        unpacked(data)


async def test_attributes_calls_and_coroutines_are_told_apart(offered):
    assert offered.greeting == "hello" and offered(1) == 2
    assert await offered.later("x") == "x"
    with pytest.raises(AttributeError, match="nowhere"):
        _ = offered.nowhere


@pytest.mark.parametrize("kind", ["ValueError", "KeyError", "TimeoutError", "OSError", "UnicodeDecodeError"])
async def test_what_the_provider_raises_is_caught_as_what_it_is(offered, kind):
    with pytest.raises(ServiceFailed) as raised:
        offered.fail(kind)
    assert kind == "UnicodeDecodeError" or isinstance(
        raised.value,
        getattr(__builtins__, kind, Exception) if not isinstance(__builtins__, dict) else __builtins__[kind],
    )
    assert raised.value.trace.rstrip().splitlines()[0].startswith("Traceback") and "in fail" in raised.value.trace


async def test_an_exception_of_the_providers_own_is_told_by_type_message_and_trace(offered):
    with pytest.raises(ServiceFailed, match="of its own") as raised:
        offered.fail("own")
    assert raised.value.type == "OwnError" and "OwnError: of its own" in raised.value.trace


async def test_a_call_that_takes_too_long_is_given_up(base, offered):
    impatient = find("offered", seconds=0.2)
    with pytest.raises(CallTimedOut, match=r"no answer after 0\.2 s"):
        impatient.sleep(1)
    with pytest.raises(CallTimedOut):
        await impatient.later(1, seconds=1)
    assert offered.echo(1) == ((1,), {}), "others go on"


async def test_many_calls_at_once_from_threads_and_tasks(offered):
    found = await asyncio.gather(
        *(asyncio.to_thread(offered.echo, number) for number in range(20)),
        *(offered.later(number, seconds=0.05) for number in range(20)),
    )
    assert found == [((number,), {}) for number in range(20)] + list(range(20))


async def test_a_provider_that_dies_fails_the_call_and_offers_again_once_it_is_back(base, offered):
    with pytest.raises(ConnectionError, match="the process that offers it has ended"):
        offered.die()
    async with asyncio.timeout(10):
        while True:
            with contextlib.suppress(NoSuchService, ConnectionError):
                assert offered.echo(1) == ((1,), {})
                return
            await asyncio.sleep(0.05)


class Pool:
    size = 3

    def __init__(self):
        self.threads = set()

    def take(self, count):
        self.threads.add(threading.current_thread())
        if count > self.size:
            raise LookupError(f"only {self.size}")
        return {"taken": count}

    async def wait(self, seconds):
        await asyncio.sleep(seconds)


async def test_a_module_uses_what_the_base_has_through_its_functions(base, install):
    publish("pool", pool := Pool())
    await install("asks", ASKS)
    assert await base.get("/asks/?pool.take(2)") == (200, "{'taken': 2}")
    assert await base.get("/asks/?pool.size") == (200, "3")
    assert await base.get("/asks/?pool.take(9)") == (200, "LookupError: only 3 | True")
    assert await base.get("/asks/?await") == (200, "CallTimedOut: no answer after 2 s | True")
    assert threading.main_thread() not in pool.threads, "a call that blocks must not hold up the base"


async def test_the_bases_loop_goes_on_while_a_module_calls_it(base, install):
    started, go_on = threading.Event(), threading.Event()

    class Slow:
        def wait(self):
            started.set()
            return go_on.wait(5)

    publish("pool", Slow())
    await install("asks", ASKS)
    asking = asyncio.create_task(base.get("/asks/?pool.wait()"))
    await asyncio.to_thread(started.wait, 5)
    assert await base.get("/") == (200, "base")
    go_on.set()
    assert await asking == (200, "True")


async def test_services_of_a_killed_process_are_gone_with_it(base, offered):
    (told,) = (await base.command("queryAllBiz"))["data"]
    os.kill(told["pid"], signal.SIGKILL)
    async with asyncio.timeout(5):
        while services.published():
            await asyncio.sleep(0.01)
