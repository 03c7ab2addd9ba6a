"""What people do through the page, on the embedded API and on a real one, with a controller that acts on it. In a real browser."""

import json
from contextlib import AsyncExitStack

import pytest

from arkwright.model.resources import Kind
from scenarios.kubectl import kubectl
from web.conftest import ROOT, dashboard_on, page_of

expect = pytest.importorskip("playwright.async_api").expect
pytestmark = [pytest.mark.browser, pytest.mark.timeout(180)]
BATCHES = {"batchCount": 2, "needConfirm": True}


def token_in(kubeconfig):
    return json.loads(kubeconfig.read_text())["users"][0]["user"]["token"]


@pytest.fixture
def address(cluster):
    with dashboard_on(cluster, "--token-only") as found:
        yield found.rstrip("/")


@pytest.fixture
async def page(browser, address, cluster, site):
    """Of an administrator, at the release `demo`, whose second version waits for a confirm."""
    await site.add_pods(2)
    await site.apply(version="1.0", replicas=2)
    await site.until_progress("Completed")
    await site.apply(version="2.0", operationStrategy=BATCHES)
    await site.until_progress("Paused", 1, 1)
    yield await page_of(browser, address, token_in(cluster), f"/releases/{site.namespace}/demo")


async def do(page, verb, *, says="", fills=None):
    """Through the menu of all actions, as far as the answer; `says`: what it must say before."""
    await page.click(".verbs > summary")
    await page.click(f".verbs a.verb:has(strong:text-is('{verb}'))")
    await page.wait_for_selector("#sheet[open]")
    for name, value in (fills or {}).items():
        await page.fill(f"#sheet input[name={name}]", value)
    if fills:
        await page.click("#sheet button.first")
        await page.wait_for_selector("#sheet form[method=post]")
    assert says in await page.inner_text("#sheet .shown")
    await page.click("#sheet form[method=post] button")
    await page.wait_for_selector("#sheet [data-close]:text-is('Close')")
    answer = await page.inner_text("#sheet")
    await page.click("#sheet [data-close]")
    return answer


async def test_a_confirm_says_first_what_it_will_do_and_then_does_it_in_the_persons_name(page, site):
    await page.click(".head a.first")
    await expect(page.locator("#sheet .shown")).to_contain_text(
        "Batch 2 of 2 begins: provider:2.0 goes to 1 more base pod."
    )
    foretold = page.locator("#sheet .foretold p")
    await expect(foretold.nth(0)).to_contain_text("provider:2.0 on 2 base pods of stock, in 2 batches")
    upgrade = "install provider:2.0, then switch to provider:2.0, then uninstall provider:1.0"
    await expect(foretold.nth(1)).to_have_text(f"batch 2/2  1 base pod: stock-2: {upgrade}")
    await page.click("#sheet button.first")
    await expect(page.locator("#sheet")).to_contain_text("1 done, 0 not")
    await site.until_progress("Completed")
    await page.click("#sheet [data-close]")
    await expect(page.locator(".headline .state")).to_contain_text("Complete")
    who = (await site.deployment())["metadata"]["annotations"]["arkwright.dev/confirmed-by"].split()[0]
    assert who == "admin"
    await expect(page.locator("#deeds")).to_contain_text("admin confirms batch 1/2 of provider:2.0, by the dashboard")


async def test_all_that_a_person_may_do_about_a_release_is_done_from_its_page(page, site):
    assert "1 done" in await do(page, "Abort", says="1.0 comes back")
    await site.until_progress("Aborted")
    await expect(page.locator(".headline .state")).to_contain_text("Aborted")
    assert "1 done" in await do(page, "Retry", says="begins anew")
    await site.until_progress("Paused", 1)
    assert "1 done" in await do(page, "Undo", says="provider:1.0 of revision")
    await site.until_progress("Completed")
    assert "1 done" in await do(page, "Scale", says="replicas 2 → 1", fills={"replicas": "1"})
    await site.until(lambda: len(site.serving()) == 1)
    await site.until_progress("Completed")
    assert "1 done" in await do(page, "Restart", says="uninstalled and installed again")
    await site.until_progress("Completed")
    url = "http://archives/provider-3.0.whl"
    assert "1 done" in await do(page, "Set version", says="1.0 → 3.0", fills={"version": "3.0", "url": url})
    await site.until(lambda: site.serving("3.0"))
    assert len((await site.deployment())["metadata"]["annotations"]) >= 6


async def test_a_decision_says_what_does_not_fit_before_it_is_made(page):
    await page.click(".verbs > summary")
    await page.click(".verbs a.verb:has(strong:text-is('Scale'))")
    await page.fill("#sheet input[name=replicas]", "3")
    await page.click("#sheet button.first")
    foretold = page.locator("#sheet .foretold")
    await expect(foretold).to_contain_text("it does not come to its end: InsufficientBases: 0/2 base pods fit")


async def test_one_goes_back_to_a_revision_from_its_line(page, site):
    await page.click("#revisions .revision:has(.number:text-is('1')) a.plain")
    await expect(page.locator("#sheet .shown")).to_contain_text("provider:1.0 of revision 1 is released again")
    await page.click("#sheet form[method=post] button")
    await expect(page.locator("#sheet")).to_contain_text("1 done, 0 not")
    await site.until(lambda: len(site.serving("1.0")) == 2)


async def test_what_makes_no_sense_now_says_why(page):
    await page.click(".verbs > summary")
    off = page.locator(".verb.off:has(strong:text-is('Retry'))")
    await expect(off).to_contain_text("no release of it was aborted")


async def test_a_release_that_moved_on_is_not_hit_by_what_was_shown_before(page, site):
    await page.click(".head a.first")
    await page.wait_for_selector("#sheet form[method=post]")
    await site.apply(version="4.0", operationStrategy=BATCHES)
    await site.until(lambda: site.serving("4.0"))
    await site.until_progress("Paused", 1, 1)
    await page.click("#sheet button.first")
    await expect(page.locator("#sheet")).to_contain_text("0 done, 1 not")
    assert (await site.deployment())["spec"]["pause"]


async def test_a_module_is_replaced_from_its_pod(page, site):
    before = {one["metadata"]["uid"] for one in await site.all(Kind.MODULE)}
    await page.locator("#pods .onpod .act a").first.click()
    await expect(page.locator("#sheet .shown")).to_contain_text("another takes its place")
    foretold = page.locator("#sheet .foretold p")
    await expect(foretold.nth(0)).to_have_text("its deletion uninstalls from 1 base pod")
    await expect(foretold.nth(1)).to_contain_text("then install provider:")
    await page.click("#sheet form[method=post] button")
    await expect(page.locator("#sheet")).to_contain_text("1 done, 0 not")

    async def is_replaced():
        found = await site.all(Kind.MODULE)
        return len(found) == 2 and not {one["metadata"]["uid"] for one in found} <= before

    await site.until(is_replaced)


async def test_several_are_confirmed_at_once_from_the_list(page, site, address):
    await site.apply(
        "other",
        operationStrategy=BATCHES,
        replicas=2,
        template={"spec": {"module": {"name": "other", "version": "1", "url": "http://archives/other-1.whl"}}},
    )
    await site.until_progress("Paused", 1, 1, name="other")
    await page.goto(f"{address}/?namespace={site.namespace}")
    for box in await page.locator("#rows input[type=checkbox]").all():
        await box.check()
    await page.click("[data-chosen] button[value=confirm]")
    await expect(page.locator("#sheet .shown li")).to_have_count(2)
    await page.click("#sheet form[method=post] button")
    await expect(page.locator("#sheet")).to_contain_text("2 done, 0 not")
    await site.until_progress("Completed")
    await site.until_progress("Completed", name="other")


# ── two who may not do the same ──


def person(site, name, verbs):
    """A token of somebody who may do so much in the site's namespace, and nothing elsewhere."""
    words = ("-n", site.namespace)
    kubectl("create", "serviceaccount", name, *words)
    kubectl(
        "create",
        "role",
        name,
        *words,
        f"--verb={verbs}",
        "--resource=moduledeployments.serverless.alipay.com,modules.serverless.alipay.com,modulereplicasets.serverless.alipay.com,pods,events,deployments.apps",
    )
    kubectl("create", "rolebinding", name, *words, f"--role={name}", f"--serviceaccount={site.namespace}:{name}")
    return kubectl("create", "token", name, *words).strip()


async def readers_token(site, cluster):
    return (
        person(site, "reader", "get,list,watch")
        if site.is_real
        else (cluster.parent / "reader.token").read_text().strip()
    )


async def test_who_may_only_read_sees_no_live_button_beside_one_who_may(page, browser, address, cluster, site):
    token = await readers_token(site, cluster)
    other = await page_of(browser, address, token, f"/releases/{site.namespace}/demo")
    await expect(page.locator(".head a.first")).to_have_count(1)
    await expect(other.locator(".head .buttons, .onpod .act a")).to_have_count(0)
    await expect(other.locator(".head")).to_contain_text("You may only read here.")
    await page.click(".head a.first")
    await page.click("#sheet button.first")
    await expect(other.locator(".headline .state")).to_contain_text("Complete")


async def test_a_write_that_the_viewer_may_not_make_is_refused_in_the_api_servers_words(
    browser, address, cluster, site, page
):
    token = await readers_token(site, cluster)
    other = await page_of(browser, address, token)
    await other.goto(f"{address}/ask?verb=confirm&on={site.namespace}/demo")
    await other.click("form[method=post] button.first")
    await expect(other.locator(".shown")).to_contain_text("forbidden")
    assert (await site.deployment())["spec"]["pause"]


async def test_a_namespace_that_one_may_not_see_does_not_exist(browser, address, cluster, site, page):
    if not site.is_real:
        pytest.skip("the embedded API stores roles and does not look at them")
    await site.apply("hers", version="1.0", replicas=1)
    async with AsyncExitStack() as stack:
        other = type(site)(site._kube, stack, f"{site.namespace}-b", "127.99.1")
        other.is_real = True
        await other.begin()
        try:
            token = person(other, "outsider", "get,list,watch,patch")
            await other.apply("theirs", version="1.0", replicas=1)
            seen = await page_of(browser, address, token)
            await expect(seen.locator("#rows .title a")).to_have_text(["theirs"])
            assert site.namespace not in (await seen.content()).replace(other.namespace, "")
            paths = (
                f"/releases/{site.namespace}/hers",
                f"/releases/{site.namespace}/nothing",
                f"/bases/{site.namespace}/stock",
            )
            answers = [await seen.request.get(address + path) for path in paths]
            assert {one.status for one in answers} == {404}
            assert len({(await one.text()) for one in answers}) == 1
            await seen.goto(f"{address}/ask?verb=pause&on={site.namespace}/hers")
            await expect(seen.locator(".shown")).to_contain_text("there is no such release")
        finally:
            await other.end()


async def test_with_the_rights_of_deploy_it_shows_everything_and_confirms_as_the_viewer(
    browser, cluster, site, page, tmp_path
):
    if not site.is_real:
        pytest.skip("the embedded API stores roles and does not look at them")
    text = (ROOT / "deploy" / "dashboard" / "dashboard.yaml").read_text()
    text = text.replace("namespace: default", f"namespace: {site.namespace}").replace("replicas: 1", "replicas: 0")
    kubectl("apply", "-f", "-", text=text)
    config = json.loads(cluster.read_text())
    token = kubectl("create", "token", "arkwright-dashboard", "-n", site.namespace).strip()
    config["users"][0]["user"] = {"token": token}
    (tmp_path / "kubeconfig").write_text(json.dumps(config))
    try:
        with dashboard_on(tmp_path / "kubeconfig", "--token-only", "--lease-namespace", site.namespace) as address:
            address = address.rstrip("/")
            seen = await page_of(browser, address, token_in(cluster), f"/releases/{site.namespace}/demo")
            await expect(seen.locator("#pods .pod")).to_have_count(2)
            await expect(seen.locator("#revisions .revision")).to_have_count(2)
            assert await (await seen.request.get(address + "/readyz")).text() == "ok\n"
            own = await page_of(browser, address, token, f"/releases/{site.namespace}/demo")
            await expect(own.locator(".head")).to_contain_text("You may only read here.")
            await seen.click(".head a.first")
            await seen.click("#sheet button.first")
            await site.until_progress("Completed")
    finally:
        kubectl("delete", "-f", "-", text=text)
