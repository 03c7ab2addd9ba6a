"""The dashboard in a real browser: an embedded API with a fleet on it, the dashboard as a process, and pages of Debian's Chromium."""

import asyncio
import contextlib
import os
import subprocess
import sys
from pathlib import Path

import pytest

from arkwright.clients.credentials import find_access
from arkwright.clients.kube import KubeClient
from fakes.controller import FakeController
from scenarios.conftest import cluster, site, site_class  # noqa: F401 (fixtures)
from web.browser_parts import COMMAND, chromium
from web.stage import play
from web.tellers import Tellers

ROOT = Path(__file__).parents[2]
GIVEN = os.environ.get("KUBECONFIG", "")
sys.path.insert(0, str(ROOT / "tests" / "kubernetes"))
import embedded  # noqa: E402

PATIENCE_MS = 20_000
ARGUMENTS = ["--no-sandbox", "--disable-dev-shm-usage", "--disable-gpu"]


def pytest_generate_tests(metafunc):
    """As scenarios do it: on the embedded API and on a real one."""
    if "cluster" in metafunc.fixturenames:
        chosen = metafunc.config.getoption("--api")
        apis = [pytest.param("embedded"), pytest.param("kubernetes", marks=pytest.mark.kubernetes)]
        wanted = [one for one in apis if chosen in (None, one.values[0])]
        metafunc.parametrize("cluster", ["given"] if GIVEN else wanted, indirect=True, scope="session")


def install_kinds(kubeconfig):
    files = [word for file in sorted((ROOT / "deploy").glob("*crd.yaml")) for word in ("-f", str(file))]
    subprocess.run(["kubectl", "--kubeconfig", str(kubeconfig), "apply", *files], check=True, capture_output=True)


@pytest.fixture(scope="session")
def stage_api(tmp_path_factory):
    """Directory of an API server with the fleet of `stage` on it, where no controller acts but one that hands on what agents tell."""
    directory = tmp_path_factory.mktemp("stage")
    with embedded.alone(directory) as kubeconfig, FakeController(lambda namespace, pod: None) as controller:
        install_kinds(kubeconfig)
        controller.view_of = Tellers(asyncio.run(_play(kubeconfig, controller.url)))
        yield directory


async def _play(kubeconfig, url):
    async with client_of(kubeconfig) as kube:
        stage = await play(kube)
        await stage.lease(url)
        return stage


@contextlib.asynccontextmanager
async def client_of(kubeconfig):
    before = os.environ.get("KUBECONFIG")
    os.environ["KUBECONFIG"] = str(kubeconfig)
    try:
        access = await find_access()
    finally:
        os.environ.pop("KUBECONFIG") if before is None else os.environ.update(KUBECONFIG=before)
    async with KubeClient(access) as kube:
        yield kube


@contextlib.contextmanager
def dashboard_on(kubeconfig, *words):
    """A dashboard process; the first line that it says."""
    command = [sys.executable, "-m", "arkwright", "dashboard", "--port", "0", *words]
    environment = os.environ | {"KUBECONFIG": str(kubeconfig)}
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment)
    try:
        yield process.stdout.readline().strip()
    finally:
        process.terminate()
        process.wait(20)
        process.stdout.close()


@pytest.fixture(scope="session")
def dashboard(stage_api):
    """Its address, for who shows a token."""
    with dashboard_on(stage_api / "kubeconfig", "--token-only") as address:
        yield address.rstrip("/")


@pytest.fixture
async def browser():
    """A real one; each test has its own."""
    if not chromium():
        pytest.skip(f"no Chromium here: {COMMAND}")
    from playwright.async_api import async_playwright, expect

    expect.set_options(timeout=PATIENCE_MS)
    async with async_playwright() as playwright:
        found = await playwright.chromium.launch(executable_path=chromium(), args=ARGUMENTS)
        yield found
        await found.close()


@pytest.fixture
async def visit(browser, dashboard, stage_api):
    """A function: a page of the dashboard, opened by whoever has the token of that name."""

    async def opened(path="/", who="admin", **options):
        token = (stage_api / f"{who}.token").read_text().strip()
        return await page_of(browser, dashboard, token, path, **options)

    return opened


async def page_of(browser, address, token, path="/", **options):
    """Signed in, and live."""
    context = await browser.new_context(**({"viewport": {"width": 1280, "height": 860}} | options))
    page = await context.new_page()
    page.set_default_timeout(PATIENCE_MS)
    await sign_in(page, address, token)
    if path != "/":
        await page.goto(address + path)
    await page.wait_for_selector(".live.on")
    return page


async def sign_in(page, address, token):
    await page.goto(address + "/enter")
    await page.fill("input[name=token]", token)
    await page.click("button.first")
    await page.wait_for_url(address + "/")
