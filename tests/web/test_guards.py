"""What keeps the dashboard to whom it is for: sessions, forms, headers, links, and where it listens. Over real HTTP."""

import contextlib
import json
import os
import re
import subprocess
import sys

import httpx
import pytest
import structlog
from starlette.applications import Starlette
from starlette.routing import Route

from arkwright.model.resources import RESOURCES, Kind
from arkwright.web.answers import Guarded
from web.conftest import client_of, dashboard_on

PATHS = ["/", "/releases/shop/checkout", "/bases", "/bases/bank/bank-base", "/ask?verb=pause&on=shop/search"]
GUARDS = {
    "x-frame-options": "DENY",
    "x-content-type-options": "nosniff",
    "referrer-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
}


@pytest.fixture
async def client(dashboard):
    async with httpx.AsyncClient(base_url=dashboard, timeout=15) as found:
        yield found


@pytest.fixture
def token(stage_api):
    return (stage_api / "admin.token").read_text().strip()


@pytest.fixture
async def signed_in(client, token):
    """A client with a session, and the key of its forms."""
    answer = await client.post("/enter", data={"token": token, "next": "/bases"})
    assert (answer.status_code, answer.headers["location"]) == (303, "/bases")
    page = (await client.get("/ask?verb=confirm&on=shop/checkout")).text
    client.form = dict(re.findall(r'name="(\w+)" value="([^"]*)"', page))
    return client


@pytest.mark.parametrize("path", PATHS)
async def test_who_is_not_signed_in_is_asked_to_be_and_sees_nothing(client, path):
    answer = await client.get(path)
    assert answer.status_code == 303 and answer.headers["location"].startswith("/enter") and not answer.text


async def test_what_follows_changes_and_what_does_something_are_for_who_is_signed_in(client):
    assert (await client.get("/live?at=/")).status_code == 401
    assert (await client.post("/do", data={"verb": "pause"})).headers["location"] == "/enter"


@pytest.mark.parametrize(
    "path", [*PATHS, "/enter", "/live?at=/", "/static/app.js", "/static/nothing", "/nothing", "/healthz"]
)
async def test_every_answer_keeps_itself_to_itself(client, path):
    headers = (await client.get(path)).headers
    assert {name: headers.get(name) for name in GUARDS} == GUARDS
    policy = dict(one.split(" ", 1) for one in headers["content-security-policy"].split("; "))
    assert policy["default-src"] == policy["frame-ancestors"] == policy["base-uri"] == "'none'"
    assert policy["script-src"] == policy["style-src"] == policy["connect-src"] == policy["form-action"] == "'self'"


async def test_pages_are_kept_by_nobody_and_hold_no_script_or_style_of_their_own(signed_in):
    for path in PATHS:
        answer = await signed_in.get(path)
        assert answer.status_code == 200 and answer.headers["cache-control"] == "no-store"
        assert not re.search(
            r"<script(?![^>]*\ssrc=)|\sstyle=|\son\w+=|<style|https?://(?!archives\.example)", answer.text
        )


async def test_the_cookie_is_no_scripts_and_goes_to_no_other_site(client, token):
    answer = await client.post("/enter", data={"token": token})
    cookie = answer.headers["set-cookie"]
    assert all(word in cookie for word in ("HttpOnly", "SameSite=strict", "Path=/", "Max-Age=28800"))
    assert token not in cookie and "Secure" not in cookie
    behind = await client.post("/enter", data={"token": token}, headers={"x-forwarded-proto": "https"})
    assert "Secure" in behind.headers["set-cookie"]


@pytest.mark.parametrize("wrong", ["", "nonsense", "x" * 5000, "a\r\nb: c", "\x00"])
async def test_a_token_that_nobody_has_opens_nothing(client, wrong):
    answer = await client.post("/enter", data={"token": wrong})
    assert answer.status_code in (400, 401, 502) and "set-cookie" not in answer.headers


ODD_FORMS = {
    "of two megabytes": ("application/x-www-form-urlencoded", b"token=" + b"x" * (2 << 20)),
    "of too many fields": ("application/x-www-form-urlencoded", b"a=1&" * 3000),
    "of no text": ("application/x-www-form-urlencoded", b"token=\xff\xfe"),
    "in parts": (
        "multipart/form-data; boundary=x",
        b"--x\r\nContent-Disposition: form-data; name=token\r\n\r\nx\r\n--x--",
    ),
    "as JSON": ("application/json", b'{"token": "x"}'),
    "of no kind": ("", b"token=x"),
}


@pytest.mark.parametrize("form", ODD_FORMS)
@pytest.mark.parametrize("path", ["/enter", "/leave"])
async def test_a_form_that_no_page_of_ours_sends_is_not_read(client, form, path):
    kind, body = ODD_FORMS[form]
    answer = await client.post(path, content=body, headers={"content-type": kind})
    assert answer.status_code == 400 and "set-cookie" not in answer.headers


async def test_a_form_without_an_end_is_not_waited_for(client):
    async def endless():
        while True:
            yield b"token=" + b"x" * 60_000

    kind = {"content-type": "application/x-www-form-urlencoded"}
    with contextlib.suppress(httpx.TransportError):  # it is hung up on while it still sends
        assert (await client.post("/enter", content=endless(), headers=kind)).status_code == 400


@pytest.mark.parametrize("path", ["//evil.example", "https://evil.example", "/\\evil.example", "javascript:alert(1)"])
async def test_after_signing_in_one_is_led_nowhere_else(client, token, path):
    answer = await client.post("/enter", data={"token": token, "next": path})
    assert answer.headers["location"] == "/"


FOREIGN = {
    "without the form's key": ({"key": ""}, {}),
    "with the key of another session": ({"key": "0" * 64}, {}),
    "by a page of another site": ({}, {"sec-fetch-site": "cross-site"}),
    "by a page of the same site and another origin": ({}, {"sec-fetch-site": "same-site"}),
    "by another origin, of an old browser": ({}, {"origin": "http://evil.example"}),
    "by a sandboxed frame": ({}, {"origin": "null"}),
}


@pytest.mark.parametrize("case", FOREIGN)
async def test_a_form_that_another_page_sent_does_nothing(signed_in, stage_api, case):
    fields, headers = FOREIGN[case]
    answer = await signed_in.post("/do", data=signed_in.form | fields, headers=headers)
    assert answer.status_code == 403
    async with client_of(stage_api / "kubeconfig") as kube:
        found = json.loads(await kube.request("GET", RESOURCES[Kind.MODULE_DEPLOYMENT].path("shop", "checkout")))
    assert "confirmBatchNum" not in found["spec"]


@pytest.mark.parametrize(
    "change",
    [
        {"verb": "delete-all"},
        {"verb": ""},
        {"on": "shop"},
        {"on": "shop/checkout/extra"},
        {"promise": "something else"},
    ],
    ids=str,
)
async def test_a_form_that_was_edited_does_nothing(signed_in, change):
    answer = await signed_in.post("/do", data=signed_in.form | change)
    assert answer.status_code == 400 or "0 done, 1 not" in answer.text


async def test_a_cookie_that_was_edited_or_signed_out_is_nobodys(signed_in, dashboard):
    cookie = signed_in.cookies["arkwright-dashboard"]
    await signed_in.post("/leave", data={"key": signed_in.form["key"]})
    for tried in (cookie, cookie[:-4] + "AAAA", "x", ""):
        async with httpx.AsyncClient(base_url=dashboard, cookies={"arkwright-dashboard": tried}) as other:
            assert (await other.get("/")).status_code == 303


async def test_a_proxy_in_front_brings_a_token_and_that_is_asked_about(client, token):
    assert (await client.get("/", headers={"authorization": f"Bearer {token}"})).status_code == 200
    assert (await client.get("/", headers={"authorization": "Bearer nonsense"})).status_code == 303
    assert (
        await client.get("/", headers={"x-remote-user": "admin", "authorization": "Basic YWRtaW46"})
    ).status_code == 303


async def test_what_is_read_only_changes_nothing_for_anybody(stage_api, token):
    with dashboard_on(stage_api / "kubeconfig", "--token-only", "--read-only") as address:
        async with httpx.AsyncClient(base_url=address) as client:
            await client.post("/enter", data={"token": token})
            page = (await client.get("/ask?verb=pause&on=shop/search")).text
            form = dict(re.findall(r'name="(\w+)" value="([^"]*)"', page))
            assert (await client.post("/do", data=form)).status_code == 403
            assert "/ask?" not in (await client.get("/releases/shop/checkout")).text


# ── the owner's link ──


async def test_the_link_lets_its_owner_in_once(stage_api):
    with dashboard_on(stage_api / "kubeconfig") as link:
        async with httpx.AsyncClient() as client:
            assert (await client.get(link)).status_code == 200
            address = link.partition("/enter")[0]
            assert "rates" in (await client.get(address)).text
            assert (await client.get(link)).status_code == 401
            assert (await client.get(f"{address}/enter?key=nonsense")).status_code == 401


@pytest.mark.skipif(os.geteuid() != 0 or sys.platform != "linux", reason="only root can be somebody else")
async def test_neither_the_link_nor_its_cookie_is_another_users(stage_api):
    with dashboard_on(stage_api / "kubeconfig") as link:
        assert as_nobody(link) == 401
        async with httpx.AsyncClient() as client:
            assert (await client.get(link)).status_code == 200  # it was not used up
            cookie = client.cookies["arkwright-dashboard"]
        assert as_nobody(link.partition("/enter")[0] + "/bases", cookie) == "/enter?next=/bases"


def as_nobody(url, cookie=""):
    """What another user of the machine is answered: a status, or where it leads."""
    program = "import http.client, sys, urllib.parse as p\n"
    program += "u = p.urlsplit(sys.argv[1]); c = http.client.HTTPConnection(u.hostname, u.port)\n"
    program += "c.request('GET', u.path + ('?' + u.query if u.query else ''), headers={'Cookie': 'arkwright-dashboard=' + sys.argv[2]})\n"
    program += "r = c.getresponse(); print(r.headers.get('location') or r.status)"
    command = ["/usr/bin/env", "python3", "-c", program, url, cookie]
    environment = {"PATH": "/usr/bin:/bin"}
    done = subprocess.run(
        command, user=65534, group=65534, extra_groups=[], env=environment, capture_output=True, text=True
    )
    found = done.stdout.strip()
    return int(found) if found.isdigit() else found or done.stderr


# ── where it listens ──

LISTENING = {
    "beyond loopback in clear": (["--host", "0.0.0.0"], "--plain-http"),
    "a certificate without a key": (["--tls-certificate", "{crt}"], "go together"),
    "a certificate that is not there": (["--tls-certificate", "/nowhere", "--tls-key", "/nowhere"], "there is no file"),
    "a key of cookies that is none": (["--session-key-file", "{crt}"], "32 bytes"),
}


@pytest.mark.parametrize("case", LISTENING)
def test_it_does_not_start_where_it_would_give_something_away(stage_api, case):
    words, said = LISTENING[case]
    words = [one.format(crt=stage_api / "server.crt") for one in words]
    command = [sys.executable, "-m", "arkwright", "dashboard", "--port", "0", *words]
    environment = os.environ | {"KUBECONFIG": str(stage_api / "kubeconfig")}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=30)
    assert done.returncode == 1 and said in done.stderr


async def test_with_a_certificate_it_speaks_tls_and_its_cookie_goes_over_tls_only(stage_api, token):
    words = (
        "--token-only",
        "--tls-certificate",
        str(stage_api / "server.crt"),
        "--tls-key",
        str(stage_api / "server.key"),
    )
    with dashboard_on(stage_api / "kubeconfig", *words) as address:
        async with httpx.AsyncClient(base_url=address, verify=False) as client:
            answer = await client.post("/enter", data={"token": token})
    assert address.startswith("https://") and "Secure" in answer.headers["set-cookie"]


async def test_a_page_that_fails_says_so_in_the_log_and_nothing_of_why_to_who_asked():
    async def fails(request):
        raise RuntimeError("inner words")

    app = Guarded(Starlette(routes=[Route("/", fails)]))
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    structlog.reset_defaults()
    with structlog.testing.capture_logs() as told:
        async with httpx.AsyncClient(transport=transport, base_url="http://here") as client:
            answer = await client.get("/")
    assert (answer.status_code, told[0]["event"]) == (500, "no page came of it")
    assert "inner words" not in answer.text and answer.headers["x-frame-options"] == "DENY"
