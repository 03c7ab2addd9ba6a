"""What the base's settings say of a module holds in the base's process, too."""

import asyncio

import pytest

from arklet.sharing import Served


@pytest.fixture
def modules():
    return {"served": {"shutdown-seconds": 0.2, "threads": 2}}


@pytest.fixture
def served(base, tmp_path):
    return Served(base, tmp_path)


HANGING = """
async def app(scope, receive, send):
    assert scope["type"] == "lifespan"
    await receive(); await send({"type": "lifespan.startup.complete"})
    await receive(); await receive()
"""
MEETING = """
import threading
alike = threading.Barrier(3)
def app(environ, start_response):
    try: alike.wait(0.3); said = b"three"
    except threading.BrokenBarrierError: said = b"less"
    start_response("200 OK", [])
    return [said]
"""


async def test_a_shutdown_has_its_time(served):
    await served.install(HANGING)
    assert await served.uninstall() == ["its shutdown failed: no answer to lifespan.shutdown after 0.2 s"]


async def test_a_wsgi_application_has_its_number_of_threads(served):
    await served.install(MEETING)
    assert set(await asyncio.gather(*(served.says() for _ in range(3)))) == {"less"}
