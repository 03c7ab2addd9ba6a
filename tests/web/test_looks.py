"""How it looks and reads, in a real browser: for who cannot see it, on narrow screens, in both themes. `--pictures` makes those of the docs anew."""

import re

import pytest

from web.browser_parts import COMMAND, axe
from web.conftest import ROOT

pytestmark = pytest.mark.browser
PICTURES = ROOT / "docs" / "pictures"
PAGES = {
    "releases": "/",
    "release": "/releases/shop/checkout",
    "failing": "/releases/bank/rates",
    "bases": "/bases",
    "base": "/bases/shop/shop-base",
    "agents": "/bases/bank/bank-base?open=bank-base-7d9c4b-412c9",
}
THEMES = ("light", "dark")
RULES = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]}


async def shown(page, name, what=""):
    """Once what agents tell is there, which comes a moment later; requests a second, `what`, come with their second answers."""
    if name in ("base", "agents"):
        await page.locator("#grid > tr:last-child .agent", has_text=re.compile(what or "well")).wait_for()


@pytest.fixture
def judged():
    """A function: what axe-core has against a page as it is."""
    if not axe().exists():
        pytest.skip(f"no axe-core here: {COMMAND}")
    script = axe().read_text()

    async def found(page):
        session = await page.context.new_cdp_session(page)
        await session.send("Runtime.evaluate", {"expression": script})
        answer = await page.evaluate("(rules) => axe.run(document, rules)", RULES)
        return [(one["id"], [each["html"][:200] for each in one["nodes"]]) for one in answer["violations"]]

    return found


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize("name", PAGES)
async def test_who_cannot_see_the_page_can_use_it(visit, judged, name, theme):
    page = await visit(PAGES[name], color_scheme=theme, reduced_motion="reduce")
    await shown(page, name)
    assert await judged(page) == []


@pytest.mark.parametrize("theme", THEMES)
async def test_what_opens_over_the_page_can_be_used_by_all(visit, judged, theme):
    page = await visit("/releases/shop/checkout", color_scheme=theme, reduced_motion="reduce")
    await page.click(".verbs > summary")
    assert await judged(page) == []
    await page.click(".verbs a.verb >> nth=0")
    await page.wait_for_selector("#sheet[open]")
    assert await judged(page) == []
    await page.keyboard.press("Escape")
    await page.wait_for_selector("dialog[open]", state="hidden")
    await page.keyboard.press("?")
    await page.wait_for_selector("#keys[open]")
    assert await judged(page) == []


async def test_the_page_that_asks_for_a_token_can_be_used_by_all(browser, dashboard, judged):
    page = await (await browser.new_context()).new_page()
    await page.goto(dashboard + "/enter")
    assert await judged(page) == []


@pytest.mark.parametrize("name", PAGES)
async def test_nothing_is_wider_than_a_narrow_screen(visit, name):
    page = await visit(PAGES[name], viewport={"width": 360, "height": 720})
    await shown(page, name)
    assert await page.evaluate("document.documentElement.scrollWidth") <= 360


@pytest.mark.parametrize("theme", THEMES)
async def test_pictures_of_the_main_pages(request, visit, theme):
    if not request.config.getoption("--pictures"):
        pytest.skip("only with --pictures")
    PICTURES.mkdir(exist_ok=True)
    page = await visit(color_scheme=theme, reduced_motion="reduce")
    address = page.url.rstrip("/")
    for name, path in PAGES.items():
        await page.goto(address + path)
        await page.wait_for_selector(".live.on")
        await shown(page, name, r"\d/s")
        await page.screenshot(path=PICTURES / f"{name}-{theme}.png")
    await page.goto(f"{address}/releases/shop/checkout")
    await page.click(".head a.first")
    await page.wait_for_selector("#sheet[open]")
    await page.screenshot(path=PICTURES / f"confirm-{theme}.png")
    narrow = await visit(color_scheme=theme, viewport={"width": 390, "height": 844})
    await narrow.screenshot(path=PICTURES / f"narrow-{theme}.png")
