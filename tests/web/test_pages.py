"""What people see, in a real browser."""

import json
import re

import pytest
from cryptography.fernet import Fernet

from arkwright.model.resources import RESOURCES, Kind
from web.conftest import client_of, dashboard_on, page_of

expect = pytest.importorskip("playwright.async_api").expect
pytestmark = pytest.mark.browser


async def names(page):
    return await page.locator("#rows .title a").all_inner_texts()


async def test_what_needs_a_person_comes_first(visit):
    page = await visit()
    assert (await names(page))[:5] == ["rates", "checkout", "payments", "basket", "search"]
    assert re.sub(r"\s+", " ", await page.inner_text("#chips")).startswith("3 Needs a person 2 Rolling out 1 Aborted")


async def test_a_search_narrows_the_list_as_it_is_typed(visit):
    page = await visit()
    await page.keyboard.press("/")
    await page.keyboard.type("bank rat")
    await expect(page.locator("#rows > li")).to_have_count(1)
    assert await names(page) == ["rates"] and page.url.endswith("/?q=bank+rat")


async def test_a_chip_a_namespace_and_a_base_narrow_the_list(visit):
    page = await visit()
    await page.click(".chip.c-person")
    await expect(page.locator("#rows > li")).to_have_count(3)
    await page.select_option("select[name=namespace]", "bank")
    await expect(page.locator("#rows > li")).to_have_count(2)
    assert "state=person" in page.url and "namespace=bank" in page.url


async def test_the_keyboard_goes_through_the_list_and_opens(visit):
    page = await visit()
    second = (await names(page))[1]
    await page.keyboard.press("ArrowDown")
    await page.keyboard.press("ArrowDown")
    await page.keyboard.press("Enter")
    await page.wait_for_selector("h1:not(.hidden)")
    assert await page.inner_text("h1:not(.hidden)") == second
    await page.keyboard.press("?")
    assert await page.is_visible("#keys")


async def test_a_release_tells_its_batches_what_each_waits_for_and_who_confirmed(visit):
    page = await visit("/releases/shop/checkout")
    batches = [" ".join(one.split()) for one in await page.locator(".batch").all_inner_texts()]
    assert batches == [
        "Batch 1 beta 1 pod done",
        "Batch 2 3 pods done",
        "Batch 3 2 pods waits for you",
        "Batch 4 2 pods after a confirm",
    ]
    assert "ines confirms batch 1/4" in await page.inner_text("#deeds")
    assert "batch 2/4 waits for a person" in await page.inner_text("#events")


async def test_the_reason_of_the_slowest_pod_comes_first(visit):
    page = await visit("/releases/bank/rates")
    first = await page.inner_text("#pods > li:first-child")
    assert (
        "PullFailed: cannot read https://archives.example/rates-4.2.0.whl: 404 Not Found" in first and "try 4" in first
    )


async def test_what_changed_between_revisions_is_told_field_by_field(visit):
    page = await visit("/releases/shop/checkout")
    await page.click("#revisions summary")
    told = await page.inner_text("#revisions .changes")
    assert "module.version" in told and "3.0.9" in told and "3.1.0" in told


async def test_a_change_is_on_the_screen_without_asking(visit, stage_api):
    page = await visit("/releases/shop/mails")
    async with client_of(stage_api / "kubeconfig") as kube:
        path = RESOURCES[Kind.MODULE_DEPLOYMENT].path("shop", "mails")
        found = json.loads(await kube.request("GET", path))
        release = found["status"]["releaseStatus"] | {"progress": "Paused", "batchProgress": "Executing"}
        await kube.request("PATCH", f"{path}/status", body={"status": {"releaseStatus": release}})
        await page.wait_for_selector(".headline .s-paused")
        await kube.request(
            "PATCH", f"{path}/status", body={"status": {"releaseStatus": found["status"]["releaseStatus"]}}
        )
    await page.wait_for_selector(".headline .s-complete")


async def test_a_browser_that_prefers_chinese_gets_chinese(visit):
    page = await visit(locale="zh-CN")
    assert "需要人处理" in await page.inner_text("#chips")
    assert await page.get_attribute("html", "lang") == "zh-CN"


async def test_the_focus_stays_where_it_was_when_its_piece_is_exchanged(visit, stage_api):
    page = await visit()
    await page.focus("#rows a[href='/releases/shop/reviews']")
    async with client_of(stage_api / "kubeconfig") as kube:
        path = RESOURCES[Kind.MODULE_DEPLOYMENT].path("shop", "reviews", "status")
        await kube.request("PATCH", path, body={"status": {"availableReplicas": 7}})
        row = page.locator("#rows > li:has(a[href='/releases/shop/reviews'])")
        await expect(row).to_contain_text("7 available")
        await kube.request("PATCH", path, body={"status": {"availableReplicas": 8}})
    assert await page.evaluate("document.activeElement.getAttribute('href')") == "/releases/shop/reviews"


async def test_a_dashboard_that_went_away_and_came_back_is_followed_again(browser, stage_api):
    token = (stage_api / "admin.token").read_text().strip()
    key = stage_api / "cookie.key"
    key.write_bytes(Fernet.generate_key())
    words = ("--token-only", "--session-key-file", str(key))
    with dashboard_on(stage_api / "kubeconfig", *words) as address:
        page = await page_of(browser, address.rstrip("/"), token)
    await page.wait_for_selector(".live:not(.on)")
    port = address.rstrip("/").rpartition(":")[2]
    with dashboard_on(stage_api / "kubeconfig", *words, "--port", port):
        await page.wait_for_selector(".live.on", timeout=20_000)
        assert await page.locator("#rows > li").count() == 11
