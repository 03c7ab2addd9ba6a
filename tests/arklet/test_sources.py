"""Where archives may come from, and what is said of urls: files, hosts, redirects, and what a url may hide."""

import asyncio
import contextlib
import socket

import pytest

from arklet.wheels import entry, write_wheel
from arkwright.arklet.archives.errors import PackageError, PullError
from arkwright.arklet.archives.packages import Packages
from arkwright.arklet.archives.sources import Sources, Ways, Zone, is_below, zone_of
from arkwright.arklet.settings import ArchiveSettings
from arkwright.model.urls import hide_secrets, without_secrets

PLAIN = ArchiveSettings()
METADATA = "http://169.254.169.254/latest/meta-data/iam"


@pytest.fixture
def good(tmp_path):
    return write_wheel(tmp_path, "good", "1.0", {"good.py": "app = None"}, entry("good", "good:app"))


class Shop:
    """Answers on loopback. `answers`: path and query, as they came -> what is sent; `asked`: all of these, in order."""

    def __init__(self):
        self.answers, self.asked = {}, []

    async def __aenter__(self):
        self._server = await asyncio.start_server(self._converse, "127.0.0.1", 0)
        self.root = f"http://127.0.0.1:{self._server.sockets[0].getsockname()[1]}"
        return self

    async def __aexit__(self, *_):
        self._server.close()

    async def _converse(self, reader, writer):
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):
            head = (await reader.readuntil(b"\r\n\r\n")).decode()
            target = head.split()[1]
            self.asked.append((target, head))
            writer.write(self.answers.get(target, b"HTTP/1.1 404 Not here\r\ncontent-length: 0\r\n\r\n"))
            await writer.drain()
        writer.close()

    def sends(self, target, path):
        body = path.read_bytes()
        self.answers[target] = b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n" % len(body) + body

    def leads(self, target, location, status=302):
        head = f"HTTP/1.1 {status} There\r\ncontent-length: 0\r\nlocation: {location}\r\n\r\n"
        self.answers[target] = head.encode()


@pytest.fixture
async def shop():
    async with Shop() as one:
        yield one


async def refusal(url, settings=PLAIN, on_loopback=True):
    with pytest.raises(PackageError) as caught:
        await Packages(settings, on_loopback).fetch(url)
    return str(caught.value)


# ── files ──


async def test_files_are_read_below_the_users_own_directories_and_those_that_are_named(good, tmp_path, monkeypatch):
    (await Packages(PLAIN).fetch(good.as_uri())).discard()
    named = ArchiveSettings(directories=(str(tmp_path),))
    (await Packages(named, False).fetch(good.as_uri())).discard()
    elsewhere = ArchiveSettings(directories=(str(tmp_path / "inner"),))
    for settings, on_loopback in ((PLAIN, False), (elsewhere, True)):
        assert "this base reads archives below" in await refusal(good.as_uri(), settings, on_loopback)


@pytest.mark.parametrize(
    "path", ["/etc/passwd", "/proc/self/environ", "/nowhere/x", "/tmp/../etc/hostname", "/%65tc/passwd", "//etc/passwd"]
)
async def test_other_files_are_not_even_looked_for(path):
    said = await refusal(f"file://{path}")
    assert "this base reads archives below" in said and "No such file" not in said


async def test_a_link_leads_no_further_than_a_path(tmp_path, monkeypatch):
    (tmp_path / "inside").mkdir()
    (tmp_path / "inside" / "link.whl").symlink_to("/etc/passwd")
    settings = ArchiveSettings(directories=(str(tmp_path / "inside"),))
    assert "this base reads archives below" in await refusal((tmp_path / "inside" / "link.whl").as_uri(), settings)


async def test_a_file_of_another_machine_is_none(good):
    assert "a file of another machine" in await refusal(f"file://server{good}")


# ── hosts ──


@pytest.mark.parametrize(
    ("address", "zone"),
    [
        ("93.184.216.34", Zone.WORLD),
        ("2606:2800:220:1::1", Zone.WORLD),
        ("10.1.2.3", Zone.PRIVATE),
        ("192.168.0.1", Zone.PRIVATE),
        ("fd12::1", Zone.PRIVATE),
        ("100.64.0.1", Zone.PRIVATE),
        ("127.0.0.1", Zone.MACHINE),
        ("::1", Zone.MACHINE),
        ("::ffff:127.0.0.1", Zone.MACHINE),
        ("169.254.169.254", None),
        ("169.254.170.2", None),
        ("::ffff:169.254.169.254", None),
        ("fe80::1%eth0", None),
        ("fd00:ec2::254", None),
        ("100.100.100.200", None),
        ("64:ff9b::a9fe:a9fe", None),
        ("2002:a9fe:a9fe::", None),
        ("::a9fe:a9fe", None),
        ("::ffff:0:a9fe:a9fe", None),
        ("64:ff9b::7f00:1", Zone.MACHINE),
        ("64:ff9b::0a00:1", Zone.PRIVATE),
        ("168.63.129.16", None),
        ("fd20:ce::254", None),
        ("0.0.0.0", None),
        ("224.0.0.1", None),
    ],
)
def test_addresses_are_of_the_world_of_a_network_of_this_machine_or_nobodys_business(address, zone):
    assert zone_of(address) == zone


@pytest.mark.parametrize(
    "url",
    [
        METADATA,
        "http://[fe80::1]/x",
        "http://[::ffff:169.254.169.254]/x",
        "http://0.0.0.0/x",
        "http://2852039166/x",
        "http://0xA9FEA9FE/x",
    ],
)
async def test_link_local_and_metadata_addresses_are_never_asked_however_they_are_written(url):
    said = await refusal(url)
    assert "is a link-local or metadata address" in said or "cannot fetch" in said and "refused" not in said


async def test_nor_by_a_name_that_leads_there(monkeypatch):
    async def leads(self, host, port=0, family=socket.AF_INET):
        one = {"hostname": host, "host": "169.254.169.254", "port": port, "family": family, "proto": 0, "flags": 0}
        return [one]

    monkeypatch.setattr("aiohttp.resolver.DefaultResolver.resolve", leads)
    assert "169.254.169.254 is a link-local or metadata address" in await refusal("http://innocent.example/a.whl")


def test_unless_an_administrator_lists_them():
    ways = Ways()
    ways.begin_hop(METADATA, is_listed=True)
    with pytest.raises(PullError):
        ways.begin_hop(METADATA, is_listed=False)


@pytest.mark.parametrize(
    ("url", "prefix", "is_so"),
    [
        ("https://repo.example/mods/a.whl", "https://repo.example/mods/", True),
        ("https://repo.example/mods/a.whl", "https://repo.example", True),
        ("https://REPO.example/mods/a.whl", "https://repo.example/mods", True),
        ("https://repo.example/mods-of-others/a.whl", "https://repo.example/mods", False),
        ("https://repo.example/mods/../secret", "https://repo.example/mods", False),
        ("https://repo.example/mods/%2e%2e/secret", "https://repo.example/mods", False),
        ("https://repo.example/mods/..;/e/a.whl", "https://repo.example/mods", False),
        ("https://repo.example/mods/..\\e\\a.whl", "https://repo.example/mods", False),
        ("https://repo.example/mods/%5c..%5ca.whl", "https://repo.example/mods", False),
        ("https://repo.example/mods/%252e%252e/a.whl", "https://repo.example/mods", False),
        ("https://repo.example.evil.example/mods/a.whl", "https://repo.example/mods", False),
        ("https://repo.example@evil.example/mods/a.whl", "https://repo.example/mods", False),
        ("http://repo.example/mods/a.whl", "https://repo.example/mods", False),
        ("https://repo.example:8443/mods/a.whl", "https://repo.example/mods", False),
        ("file:///srv/mods/a.whl", "file:///srv/mods", True),
        ("file:///srv/a.whl", "file:///srv/mods", False),
        ("http://[bad", "https://repo.example", False),
    ],
)
def test_a_prefix_means_a_scheme_a_host_a_port_and_whole_segments(url, prefix, is_so):
    assert is_below(url, prefix) == is_so


async def test_a_list_narrows_what_is_asked_redirects_too(shop, good):
    settings = ArchiveSettings(allow=(f"{shop.root}/mods/",))
    shop.sends("/mods/good.whl", good)
    shop.sends("/others/good.whl", good)
    shop.leads("/mods/there", "/others/good.whl")
    (await Packages(settings).fetch(f"{shop.root}/mods/good.whl")).discard()
    for url in (f"{shop.root}/others/good.whl", f"{shop.root}/mods/there", good.as_uri()):
        assert "the base's [archives] allow does not list it" in await refusal(url, settings)
    assert [target for target, _ in shop.asked] == ["/mods/good.whl", "/mods/there"]


# ── redirects ──


async def test_a_redirect_to_the_same_place_is_followed(shop, good):
    shop.sends("/good.whl", good)
    shop.leads("/old", "good.whl", 308)
    (await Packages(PLAIN).fetch(f"{shop.root}/old")).discard()


@pytest.mark.parametrize(
    ("location", "words"),
    [
        (METADATA, "link-local or metadata address"),
        ("file:///etc/passwd", "which is not followed"),
        ("ftp://h/x", "which is not followed"),
        ("/again", "more than 10 redirects"),
    ],
)
async def test_a_redirect_leads_to_nothing_that_the_url_may_not(shop, location, words):
    shop.leads("/again", location)
    assert words in await refusal(f"{shop.root}/again")


@pytest.mark.parametrize(
    ("first", "then"),
    [("93.184.216.34", "10.0.0.1"), ("93.184.216.34", "127.0.0.1"), ("10.0.0.1", "127.0.0.1"), ("10.0.0.1", "::1")],
)
def test_nor_to_a_more_inner_place(first, then):
    ways = Ways()
    ways.begin_hop("http://first.example/", is_listed=False)
    ways.take("first.example", first)
    ways.begin_hop("http://then.example/", is_listed=False)
    with pytest.raises(PullError, match="a more inner place"):
        ways.take("then.example", then)
    ways.take("first.example", first)


async def test_a_password_goes_to_whom_it_is_for_and_not_where_he_leads(shop, good):
    async with Shop() as other:
        other.sends("/good.whl", good)
        shop.leads("/good.whl", f"{other.root}/good.whl")
        (await Packages(PLAIN).fetch(shop.root.replace("//", "//me:secret@") + "/good.whl")).discard()
        assert "Authorization: Basic" in shop.asked[0][1] and "Authorization" not in other.asked[0][1]


SIGNED = "/mods/a%2Fb%20c+d%7e/good.whl?X-Sig=a%2Bb%3D%3D&X-Key=%C3%BC/1+2&e=&x"


async def test_a_signed_url_reaches_the_server_byte_for_byte_through_redirects_too(shop, good):
    shop.sends(SIGNED, good)
    shop.leads("/first?%7E=~", shop.root + SIGNED)
    (await Packages(PLAIN).fetch(shop.root + "/first?%7E=~")).discard()
    (await Packages(PLAIN).fetch(shop.root + SIGNED)).discard()
    assert [target for target, _ in shop.asked] == ["/first?%7E=~", SIGNED, SIGNED]


async def test_a_login_page_is_no_archive_and_says_so(shop):
    page = b"<html>Please log in</html>"
    head = b"HTTP/1.1 200 OK\r\ncontent-type: text/html; charset=utf-8\r\ncontent-length: %d\r\n\r\n" % len(page)
    shop.answers["/good.whl"] = head + page
    said = await refusal(f"{shop.root}/good.whl")
    assert (
        said.startswith(f"cannot fetch {shop.root}/good.whl: the server answered with a web page") and "login" in said
    )


# ── what is said of urls ──

SECRET = "S3CRET"
SHAPES = [
    f"http://me:{SECRET}@h/a.whl",
    f"http://{SECRET}@h/a.whl",
    f"https://me:{SECRET}@h:8443/a.whl",
    f"https://me:p%40{SECRET}@h/a.whl",
    f"http://me:{SECRET}@@h/a.whl",
    f"http://a@b:{SECRET}@h/a.whl",
    f"http://:{SECRET}@h/a.whl",
    f"http://me:{SECRET}@[::1]/a.whl",
    f"http://me:{SECRET}@[::1/a.whl",
    f"http://me:{SECRET}@h:port/a.whl",
    f"http://me:{SECRET}@h:99999/a.whl",
    f"http://me:{SECRET}@h:-1/a.whl",
    f"http://me:{SECRET}@:80/a.whl",
    f"http://me:{SECRET}@/a.whl",
    f"http:/me:{SECRET}@h/a.whl",
    f"http:me:{SECRET}@h/a.whl",
    f"//me:{SECRET}@h/a.whl",
    f"me:{SECRET}@h/a.whl",
    f"me:{SECRET}@h:a.whl",
    f"s3://KEY:{SECRET}@bucket/a.whl",
    f"ftp://me:{SECRET}@h/a.whl",
    f"git+ssh://me:{SECRET}@h/a.git",
    f"HTTP://ME:{SECRET}@H/a.whl",
    f" http://me:{SECRET}@h/a.whl",
    f"http://me:{SECRET} x@h/a.whl",
    f"http://me:{SECRET}\t@h/a.whl",
    f"http://me:{SECRET}\\@h/a.whl",
    f"http://h\\@me:{SECRET}@h/a.whl",
    f"http://me:{SECRET}\n@h/a.whl",
    f"http://me:{SECRET}\x00@h/a.whl",
    f"http://me:{SECRET}<@h/a.whl",
    f"http://me:{SECRET}'@h/a.whl",
    f"http://h/a.whl?sig={SECRET}",
    f"http://h/a.whl?{SECRET}",
    f"http://h/a.whl?a=1&token={SECRET}&b=2",
    f"http://h/a.whl?a=1?b={SECRET}",
    f"http://h/a.whl;jsessionid={SECRET}",
    f"http://h/a.whl;{SECRET}?x",
    f"http://h/a.whl#{SECRET}",
    f"http://h/a.whl#sha256={SECRET}",
    f"http://h/a.whl?#{SECRET}",
    f"http://h/?{SECRET}#x",
    f"http://h?{SECRET}",
    f"http://h#{SECRET}",
    f"https://h:443/a.whl?X-Amz-Signature={SECRET}&X-Amz-Credential=AKIA",
    f"https://h/a.whl?sv=1&sig={SECRET}%3D",
    f"https://h/%61.whl?se=1&sig={SECRET}",
    f"file:///srv/a.whl?{SECRET}",
    f"file:///srv/a.whl#{SECRET}",
    f"file://me:{SECRET}@h/a.whl",
    f"http://ü:{SECRET}@h/a.whl",
    f"http://me:{SECRET}@ü.example/a.whl",
]


def test_there_are_fifty_shapes():
    assert len(SHAPES) >= 50


@pytest.mark.parametrize("url", SHAPES)
def test_no_shape_of_a_url_shows_its_secret(url):
    assert SECRET not in without_secrets(url)
    if "://" in url and not set(url) & set(" \t\n\x00\\<'"):
        assert SECRET not in hide_secrets(f"cannot fetch {url}: it is not there")


@pytest.mark.parametrize("url", [one for one in SHAPES if "\x00" not in one])
async def test_nor_does_a_refusal(url):
    assert SECRET not in await refusal(url, ArchiveSettings(timeout_seconds=1))


def test_what_is_no_secret_is_shown():
    for url in (
        "http://h/a.whl",
        "https://h:8443/mods/a%20b.whl",
        "file:///srv/a.whl",
        "http://[::1]:80/a",
        "s3://bucket/a",
    ):
        assert without_secrets(url) == url
        assert hide_secrets(f"see {url}, please") == f"see {url}, please"


def test_a_source_needs_no_network_to_be_checked():
    Sources(PLAIN, True).check("http://h/a.whl")
