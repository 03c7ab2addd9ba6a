"""What agents and users write into messages, Events and notes is shown as they wrote it, and does nothing to the page. In a real browser."""

import pytest

from arkwright.model.names import short_hash
from web.conftest import client_of, dashboard_on, install_kinds, page_of
from web.stage import Stage

import embedded  # isort: skip

expect = pytest.importorskip("playwright.async_api").expect
pytestmark = pytest.mark.browser
WORDS = {
    "an element": "<img src=x onerror=alert(1)>",
    "a script": "</p></li><script>alert(1)</script>",
    "the end of an attribute": "\"'><svg onload=alert(1)>",
    "a template": "{{ 7 * 7 }}{% raw %}${7*7}",
    "an entity": "&lt;b&gt; &#60;b>",
    "a link": "javascript:alert(1)",
}
UNSEEN = "up\u202edown \x1b[2J \u2066x"


@pytest.fixture(scope="module")
def odd_api(tmp_path_factory):
    directory = tmp_path_factory.mktemp("odd")
    with embedded.alone(directory) as kubeconfig:
        install_kinds(kubeconfig)
        with dashboard_on(kubeconfig, "--token-only") as address:
            yield directory, address.rstrip("/")


@pytest.fixture
async def odd_page(odd_api, browser, request):
    """The release `odd`, which says these words wherever somebody else may say something."""
    said = request.param
    directory, address = odd_api
    async with client_of(directory / "kubeconfig") as kube:
        stage = Stage(kube)
        namespace = f"odd-{short_hash(said)}"
        await stage.namespace(namespace)
        pods = await stage.base(namespace, "base", pods=1)
        notes = {"arkwright.dev/confirmed-by": f"{said} 2026-01-01T00:00:00Z", "arkwright.dev/paused-by": said}
        story = {"base": "base", "desired": 1, "failure": ("PullFailed", said), "message": said, "annotations": notes}
        one = await stage.release(namespace, "odd", "odd", ["1", "2"], progress="Executing", **story)
        await stage.module(one, 2, pods[0], "Failed", reason=said, message=said, attempts=1)
        await stage.event(one, "Told", said, warning=True)
        await stage.event(pods[0], "ModuleDrifted", said, warning=True)
    page = await page_of(browser, address, (directory / "admin.token").read_text().strip())
    page.told, page.said, page.place = [], said, (address, namespace)
    page.on("dialog", lambda dialog: page.told.append(dialog.message))
    page.on("console", lambda line: page.told.append(line.text))
    return page


@pytest.mark.parametrize("odd_page", WORDS.values(), ids=WORDS, indirect=True)
async def test_what_others_wrote_is_text_and_nothing_else(odd_page):
    address, namespace = odd_page.place
    for path in (f"/?namespace={namespace}", f"/releases/{namespace}/odd", f"/bases/{namespace}/base"):
        await odd_page.goto(address + path)
        await odd_page.wait_for_selector(".live.on")
        assert odd_page.said in " ".join((await odd_page.inner_text("main")).split())
        assert await odd_page.locator("main script, main img, main [onload], main [onerror]").count() == 0
        assert await odd_page.locator("a[href^=javascript]").count() == 0
    assert odd_page.told == []


@pytest.mark.parametrize("odd_page", [UNSEEN], ids=["unseen"], indirect=True)
async def test_what_cannot_be_seen_turns_no_words_round(odd_page):
    address, namespace = odd_page.place
    await odd_page.goto(f"{address}/releases/{namespace}/odd")
    shown = await odd_page.inner_text("main")
    assert not set(shown) & {"\u202e", "\u2066", "\x1b"} and "up\ufffddown" in shown


@pytest.mark.parametrize("odd_page", ["plain words"], indirect=True)
async def test_a_search_for_anything_finds_nothing_and_breaks_nothing(odd_page):
    for typed in (*WORDS.values(), "%00%0a", "x" * 300):
        before = odd_page.url
        await odd_page.fill(".search input", typed)
        await odd_page.wait_for_url(lambda url, before=before: url != before)
        await expect(odd_page.locator("#pages")).to_contain_text("Nothing matches.")
        await odd_page.reload()
        assert await odd_page.input_value(".search input") == typed[:120].strip() and odd_page.told == []
