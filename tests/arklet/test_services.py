"""Services between a base and its modules: found when they are called, switched and withdrawn with their module."""

import asyncio

import pytest

from arklet.wheels import entry, write_wheel
from arkwright.arklet import services
from arkwright.arklet.services import BadService, NoSuchService, find, publish

OFFERS = """
import asyncio, logging
from arkwright.arklet.services import publish
class Prices:
    version = "{version}"
    def of(self, item):
        logging.getLogger("a.library").warning("asked for %s", item)
        return "{version} " + item
    async def slowly(self, seconds):
        await asyncio.sleep(seconds)
        return "{version}"
publish("prices", Prices())
async def app(scope, receive, send): raise RuntimeError
"""
ASKS = """
from arkwright.arklet.services import NoSuchService, find
prices, stock = find("prices"), find("stock", ">=1,<2")
async def app(scope, receive, send):
    if scope["type"] == "lifespan": raise RuntimeError
    try:
        said = prices.of(stock.first())
    except NoSuchService as error:
        said = str(error)
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": said.encode()})
"""


class Stock:
    def first(self):
        return "umbrella"


@pytest.fixture(autouse=True)
def nothing_published():
    yield
    services.services.all.clear()


@pytest.fixture
def install(base, tmp_path):
    async def install(name, version, code, isolation="shared"):
        files, points = {f"{name}.py": code.replace("{version}", version)}, entry(name, f"{name}:app", isolation)
        url = write_wheel(tmp_path, name, version, files, points).as_uri()
        answer = await base.command("installBiz", bizName=name, bizVersion=version, bizUrl=url)
        assert answer["code"] == "SUCCESS", answer

    return install


BETWEEN = pytest.mark.parametrize(
    "asking, offering", [(one, other) for one in ("shared", "process") for other in ("shared", "process")]
)


@BETWEEN
async def test_a_module_calls_what_the_base_and_other_modules_offer(base, install, asking, offering):
    publish("stock", Stock(), version="1.2")
    await install("asks", "1.0", ASKS, asking)
    assert await base.get("/asks/") == (200, "no service prices: nobody offers it")
    await install("offers", "1.0", OFFERS, offering)
    assert await base.get("/asks/") == (200, "1.0 umbrella")


@BETWEEN
async def test_a_switch_is_for_services_too_and_an_uninstall_ends_them(base, install, asking, offering):
    publish("stock", Stock(), version="1.2")
    await install("asks", "1.0", ASKS, asking)
    await install("offers", "1.0", OFFERS, offering)
    await install("offers", "2.0", OFFERS, offering)
    assert (await base.get("/asks/"))[1] == "1.0 umbrella"
    await base.command("switchBiz", bizName="offers", bizVersion="2.0")
    assert (await base.get("/asks/"))[1] == "2.0 umbrella"
    await base.command("uninstallBiz", bizName="offers", bizVersion="2.0")
    assert (await base.get("/asks/"))[1] == "no service prices: prices 1.0 by offers:1.0 (not active)"


async def test_nobody_holds_on_to_a_provider_that_goes(base, install):
    await install("offers", "1.0", OFFERS)
    prices = find("prices")
    of = prices.of
    assert of("x") == "1.0 x" and prices.version == "1.0"
    answer = await base.command("uninstallBiz", bizName="offers", bizVersion="1.0")
    assert "residue" not in answer["data"]
    with pytest.raises(NoSuchService):
        of("x")


@pytest.mark.parametrize("offering", ["shared", "process"])
async def test_an_uninstall_waits_for_calls_under_way(base, install, offering):
    await install("offers", "1.0", OFFERS, offering)
    calling = asyncio.ensure_future(find("prices").slowly(0.5))
    await asyncio.sleep(0.05)
    answer = await base.command("uninstallBiz", bizName="offers", bizVersion="1.0")
    assert calling.done() and await calling == "1.0" and "residue" not in answer["data"]


@pytest.mark.parametrize("offering", ["shared", "process"])
async def test_a_call_runs_as_its_providers(base, install, offering, caplog):
    await install("offers", "1.0", OFFERS, offering)
    find("prices").of("x")
    async with asyncio.timeout(5):
        while "asked for x" not in caplog.messages:
            await asyncio.sleep(0.01)
    (record,) = [one for one in caplog.records if one.message == "asked for x"]
    assert record.arkwright_module == "offers:1.0"


@pytest.mark.parametrize("offering", ["shared", "process"])
async def test_health_lists_what_is_offered(base, install, offering):
    publish("stock", Stock(), version="1.2")
    await install("offers", "1.0", OFFERS, offering)
    health = (await base.command("health"))["data"]["healthData"]
    assert health["services"] == ["stock 1.2 by the base", "prices 1.0 by offers:1.0"]


def test_the_newest_version_that_fits_answers():
    for version in ("1.9", "1.10", "2.0"):
        publish("version", lambda version=version: version, version=version)
    assert [find("version", wanted)() for wanted in ("<2", "", "==1.9")] == ["1.10", "2.0", "1.9"]
    with pytest.raises(NoSuchService, match="no service version >2: version 1.9 by the base, version 1.10"):
        find("version", ">2")()


def test_what_cannot_be_is_refused_at_once():
    publish("stock", Stock(), version="1")
    with pytest.raises(BadService, match="stock 1 by the base is published already"):
        publish("stock", Stock(), version="1")
    with pytest.raises(BadService, match="Invalid version: 'x'"):
        publish("other", Stock(), version="x")
    with pytest.raises(BadService, match="Invalid specifier"):
        find("stock", "newest")
