"""What real agents of real modules tell, on the page of a site's own dashboard. In a real browser."""

import json
import subprocess
import sys
import urllib.request
from pathlib import Path

import pytest

from apiserver.asking import Api
from standalone.test_site import arkwright, pods_of, ready_pods, until
from web.conftest import PATIENCE_MS, ROOT
from web.test_site import link_in

expect = pytest.importorskip("playwright.async_api").expect
pytestmark = [pytest.mark.browser, pytest.mark.timeout(180)]
REQUESTS = 7


@pytest.fixture
def site(tmp_path, worker_number):
    """Its directory, while it is up with a base that holds provider:1.0.2."""
    words = ["--data-dir", tmp_path / "site", "--port", 0, "--dashboard-port", 0]
    arkwright("up", "--bases", 1, *words, "--addresses", f"127.11.{worker_number}.0/24")
    try:
        release(tmp_path)
        yield tmp_path / "site"
    finally:
        arkwright("down", "--data-dir", tmp_path / "site")


def release(directory):
    command = [
        sys.executable,
        "-m",
        "arkwright",
        "module",
        "build",
        str(ROOT / "examples" / "provider"),
        "--out",
        str(directory),
    ]
    built = Path(subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip())
    module = {"name": "provider", "version": "1.0.2", "url": built.as_uri()}
    spec = {"baseDeploymentName": "base", "replicas": 1, "template": {"spec": {"module": module}}}
    kind = {"apiVersion": "serverless.alipay.com/v1alpha1", "kind": "ModuleDeployment", "metadata": {"name": "demo"}}
    (directory / "demo.json").write_text(json.dumps(kind | {"spec": spec}))
    where = ["kubectl", "--kubeconfig", str(directory / "site" / "kubeconfig")]
    subprocess.run([*where, "apply", "-f", str(directory / "demo.json")], check=True, capture_output=True)


def ask_the_module(site):
    api = Api(site / "kubeconfig")
    until(lambda: ready_pods(api))
    (pod,) = pods_of(api)
    address = pod["status"]["podIP"]

    def answers():
        try:
            return urllib.request.urlopen(f"http://{address}:8080/provider/", timeout=5).status == 200
        except OSError:
            return False

    until(answers)
    for _ in range(REQUESTS - 1):
        assert answers()


async def test_the_page_of_a_base_shows_what_its_agent_tells_and_the_calls_to_it(site, browser):
    ask_the_module(site)
    page = await browser.new_page()
    page.set_default_timeout(PATIENCE_MS)
    await page.goto(link_in(arkwright("dashboard", "--link", "--data-dir", site)))
    await page.goto(page.url.partition("/enter")[0].rstrip("/") + "/bases/default/base")
    row = page.locator("#grid > tr").first
    await expect(row.locator(".agent")).to_contain_text("well")
    await row.locator(".opens").focus()
    await page.keyboard.press("Enter")
    told = page.locator("#grid .opened")
    line = told.locator("tbody tr")
    await expect(line).to_contain_text("provider")
    cells = await line.locator("td").all_inner_texts()
    assert cells[:3] == ["1.0.2", "active", str(REQUESTS)] and cells[4:6] == ["0", "0"]
    assert all(float(one) > 0 for one in cells[6:])
    await expect(told.locator(".lastcalls")).to_contain_text("install provider:1.0.2")
    await expect(row.locator(".agent")).to_contain_text("0/s")
    assert await row.locator(".opens").evaluate("one => one === document.activeElement")
    await page.keyboard.press("Enter")
    await expect(told).to_have_count(0)
