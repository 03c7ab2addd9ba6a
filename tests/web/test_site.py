"""The dashboard of one machine's site: `arkwright up` prints a link that lets its owner in, once."""

import os
import re
import stat
import subprocess
import sys

import httpx
import pytest

from web.conftest import dashboard_on

WORDS = ["--port", "0", "--dashboard-port", "0", "--no-controller"]


def arkwright(*words, directory):
    command = [sys.executable, "-m", "arkwright", words[0], "--data-dir", str(directory), *words[1:]]
    done = subprocess.run(command, capture_output=True, text=True, timeout=90, env={**os.environ, "TERM": "dumb"})
    return done.stdout, " ".join(done.stderr.split())


@pytest.fixture
def up(tmp_path):
    yield lambda *more: arkwright("up", *WORDS, *more, directory=tmp_path)
    arkwright("down", directory=tmp_path)


def link_in(text):
    return re.sub(r"\s", "", re.search(r"http://127\.0\.0\.1:\d+/enter\?key=[\w=-]+", text)[0])


async def test_the_link_that_up_prints_opens_the_dashboard_with_all_rights_once(up, tmp_path):
    link = link_in(up()[1])
    async with httpx.AsyncClient() as client:
        assert (await client.get(link)).status_code == 200
        page = await client.get(link.partition("/enter")[0])
        assert "No releases yet." in page.text and "admin" in page.text
        assert (await client.get(link)).status_code == 401
        other = arkwright("dashboard", "--link", directory=tmp_path)[0]
        assert (await client.get(link_in(other))).status_code == 200
    assert stat.S_IMODE((tmp_path / "dashboard.key").stat().st_mode) == 0o600
    assert "key=" not in (tmp_path / "logs" / "dashboard.log").read_text()


def test_without_a_dashboard_there_is_no_link(up, tmp_path):
    assert "dashboard:" not in up("--no-dashboard")[1]
    assert "no dashboard of the site" in arkwright("dashboard", "--link", directory=tmp_path)[1]


@pytest.mark.browser
async def test_the_link_leads_a_browser_to_the_releases(browser, stage_api):
    with dashboard_on(stage_api / "kubeconfig") as link:
        page = await browser.new_page()
        await page.goto(link)
        await page.wait_for_url(link.partition("/enter")[0] + "/")
        await page.wait_for_selector(".live.on")
        assert await page.locator("#rows > li").count() == 11 and "key=" not in await page.evaluate("document.referrer")
