"""Archives that nobody vouches for: what is refused, by name; what is fetched again, kept, and verified."""

import asyncio
import contextlib
import hashlib
import os
import re
import stat
import warnings
import zipfile
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from arklet.wheels import entry, write_wheel
from arkwright.arklet.archives.downloads import PackageError
from arkwright.arklet.archives.packages import Packages
from arkwright.arklet.archives.signatures import BadKey, signature
from arkwright.arklet.settings import ArchiveSettings

SMALL = ArchiveSettings(archive_mb=2, unpacked_mb=20, files=30, timeout_seconds=5)


@pytest.fixture
def good(tmp_path):
    return write_wheel(tmp_path, "good", "1.0", {"good.py": "app = None"}, entry("good", "good:app"))


async def refusal(path, settings=SMALL, **more):
    with pytest.raises(PackageError) as caught:
        await Packages(settings).fetch(path.as_uri() if hasattr(path, "as_uri") else path, **more)
    return str(caught.value)


def with_member(good, name, content=b"x", kind=0, **changes):
    info = zipfile.ZipInfo(name)
    info.external_attr = kind << 16
    for field, value in changes.items():
        setattr(info, field, value)
    with zipfile.ZipFile(good, "a", zipfile.ZIP_DEFLATED) as wheel, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        wheel.writestr(info, content)
    return good


async def test_a_good_archive_is_read(good):
    package = await Packages(SMALL).fetch(good.as_uri())
    assert (package.name, package.version, package.web_path, package.application) == ("good", "1.0", "good", "good:app")
    package.discard()
    assert not package.directory.exists()


@pytest.mark.parametrize("name", ["../out.py", "/out.py", "a/../../out.py", "..\\out.py", "C:/out.py", "C:\\out.py"])
async def test_a_path_that_leaves_the_directory_is_refused(good, name):
    assert re.search(r"file '.*out\.py' would leave its directory", await refusal(with_member(good, name)))


@pytest.mark.parametrize(
    "kind, words",
    [
        (stat.S_IFLNK | 0o777, "is a link"),
        (stat.S_IFCHR, "is neither file nor directory"),
        (stat.S_IFIFO, "is neither"),
    ],
)
async def test_links_and_devices_are_refused(good, kind, words):
    assert f"the archive's file 'good/x' {words}" in await refusal(with_member(good, "good/x", b"/etc/passwd", kind))


async def test_a_file_that_stands_twice_is_refused(good):
    assert "the archive's file 'good.py' is in it twice" in await refusal(with_member(good, "good.py"))


async def test_a_zip_bomb_is_refused(good):
    bomb = with_member(good, "good/bomb", bytes(15 << 20), compress_type=zipfile.ZIP_DEFLATED)
    assert "the archive's file 'good/bomb' is a zip bomb: 15728640 bytes in " in await refusal(bomb)


async def test_overlapping_files_are_refused(good):
    whole = bytearray(with_member(good, "good/big", os.urandom(200_000)).read_bytes())
    at = whole.rindex(b"PK\x01\x02")
    whole[at + 20 : at + 24] = (len(whole) * 2).to_bytes(4, "little")  # its compressed size
    good.write_bytes(whole)
    assert "overlap" in await refusal(good)


@pytest.mark.parametrize(
    "content, words",
    [
        (os.urandom(3 << 20), "good-1.0-py3-none-any.whl is larger than 2097152 bytes"),
        (bytes(range(256)) * (100_000), "the archive unpacks to 25600"),
    ],
    ids=["the archive", "its contents"],
)
async def test_what_is_too_large_is_refused(good, content, words):
    assert words in await refusal(with_member(good, "good/large", content, compress_type=zipfile.ZIP_DEFLATED))


async def test_too_many_files_are_refused(good):
    for number in range(40):
        with_member(good, f"good/{number}")
    assert "files; the limit is 30" in await refusal(good)


@pytest.mark.parametrize("left", [0, 10, 100, -1, -30])
async def test_a_cut_archive_is_refused(good, left):
    good.write_bytes(good.read_bytes()[:left])
    assert "the archive is no wheel that can be read" in await refusal(good)


async def test_an_encrypted_archive_is_refused(good):
    whole = bytearray(good.read_bytes())
    for at in (match.start() for match in re.finditer(b"PK\x01\x02", bytes(whole))):
        whole[at + 8] |= 1
    good.write_bytes(whole)
    assert "is encrypted" in await refusal(good)


async def test_a_broken_byte_is_noticed(good):
    whole = good.read_bytes().replace(b"app = None", b"app = Nine")
    good.write_bytes(whole)
    assert "Bad CRC-32 for file 'good.py'" in await refusal(good)


@pytest.mark.parametrize(
    "member, content, words",
    [
        ("entry_points.txt", "[arkwright.module", "entry_points.txt cannot be read"),
        ("entry_points.txt", b"\xff\xfe", "entry_points.txt cannot be read"),
        ("METADATA", "Name: good", "its METADATA has no Version"),
        ("METADATA", "Name: good\nVersion: 1\nRequires-Dist: a b c", "the archive's requirement cannot be read"),
    ],
)
async def test_metadata_that_cannot_be_read_is_named(tmp_path, member, content, words):
    path = tmp_path / "bad.whl"
    files = {"METADATA": "Name: good\nVersion: 1", "entry_points.txt": entry("a", "a:app")} | {member: content}
    with zipfile.ZipFile(path, "w") as wheel:
        for name, text in files.items():
            wheel.writestr(f"good-1.dist-info/{name}", text)
    assert words in await refusal(path)


async def test_both_digests_are_enforced(good):
    whole = good.read_bytes()
    sha256, md5 = hashlib.sha256(whole).hexdigest(), hashlib.md5(whole).hexdigest()
    (await Packages(SMALL).fetch(f"{good.as_uri()}#sha256={sha256}", md5)).discard()
    sha512 = hashlib.sha512(whole).hexdigest()
    (await Packages(SMALL).fetch(f"{good.as_uri()}#sha512={sha512.upper()}&sha256={sha256}")).discard()
    wrong = {"sha256": "0" * 64, "sha512": "0" * 128}
    for name, digest in wrong.items():
        said = await refusal(f"{good.as_uri()}#{name}={digest}")
        assert f"has another {name} than the one that is asked for: it was not loaded" in said
        assert sha256 not in said and sha512 not in said, "whoever guesses learns nothing"
    assert "has another md5 than" in (said := await refusal(good, md5="0" * 32)) and md5 not in said


@pytest.mark.parametrize(
    "fragment",
    [
        "sha256=00",
        "sha256=",
        "sha256",
        "sha1=" + "0" * 40,
        "md5=" + "0" * 32,
        "egg=provider",
        "top",
        "sha256=" + "g" * 64,
    ]
    + ["sha256=" + "0" * 64 + "&x=1", "sha256=" + "0" * 64 + "&sha256=" + "1" * 64, "&", "=" + "0" * 64],
)
async def test_a_fragment_that_is_no_digest_is_refused_and_not_overlooked(good, fragment):
    said = await refusal(f"{good.as_uri()}#{fragment}")
    assert "is no digest in hex" in said or "its fragment is to be #sha256=<hex> or #sha512=<hex>" in said


@pytest.mark.parametrize("md5", ["00", "x" * 32, " " * 32])
async def test_so_is_an_md5_that_is_none(good, md5):
    assert "'md5' is no digest in hex" in await refusal(good, md5=md5)


async def test_nothing_is_left_on_disk_by_a_refusal(good, tmp_path, monkeypatch):
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(scratch))
    await refusal(with_member(good, "../out.py"))
    assert [one.name for one in scratch.glob("*/*")] == ["lock"]


async def test_a_full_disk_is_named(good, monkeypatch):
    def full(self, chunk):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("arkwright.arklet.archives.downloads._Transfer.add", full)
    assert await refusal(good) == f"{good.as_uri()} cannot be stored here: No space left on device"


class Shop:
    """An HTTP server that breaks off after `breaks_after` bytes, once for each entry; notes what it was asked."""

    def __init__(self, files, etag='"1"'):
        self.files, self.etag, self.breaks_after, self.asked = files, etag, [], []

    async def answer(self, reader, writer):
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        path = head.split(" ")[1].partition("?")[0]
        wanted = dict(re.findall(r"^(range|if-range): (.*)\r$", head, re.IGNORECASE | re.MULTILINE))
        body = self.files.get(path)
        start = 0
        if wanted and wanted.get("If-Range") == self.etag:
            start = int(wanted["Range"].removeprefix("bytes=").rstrip("-"))
        self.asked.append((path, start))
        lines = [f"HTTP/1.1 {404 if body is None else 206 if start else 200} Said", "Connection: close"]
        body = body or b""
        lines += [f"Content-Length: {len(body) - start}", f"ETag: {self.etag}"]
        if start:
            lines.append(f"Content-Range: bytes {start}-{len(body) - 1}/{len(body)}")
        count = self.breaks_after.pop(0) if self.breaks_after else len(body)
        writer.write("\r\n".join([*lines, "", ""]).encode() + body[start : start + count])
        with contextlib.suppress(ConnectionError):
            await writer.drain()
        writer.close()


@pytest.fixture
async def shop(good, worker_number):
    shop = Shop({"/good.whl": good.read_bytes()})
    server = await asyncio.start_server(shop.answer, f"127.7.{worker_number}.3", 0)
    host, port = server.sockets[0].getsockname()
    shop.url = f"http://{host}:{port}/good.whl"
    yield shop
    server.close()


async def test_a_download_goes_on_where_it_broke_off(shop):
    shop.breaks_after = [100, 50]
    (await Packages(SMALL).fetch(shop.url)).discard()
    assert shop.asked == [("/good.whl", 0), ("/good.whl", 100), ("/good.whl", 150)]


async def test_a_file_that_has_changed_meanwhile_is_fetched_from_its_beginning(shop):
    shop.breaks_after = [100]
    real = shop.answer

    async def changing(reader, writer):
        await real(reader, writer)
        shop.etag = '"2"'

    shop.answer = changing
    server = await asyncio.start_server(changing, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    (await Packages(SMALL).fetch(f"http://127.0.0.1:{port}/good.whl")).discard()
    assert shop.asked == [("/good.whl", 0), ("/good.whl", 0)]
    server.close()


async def test_a_server_that_always_breaks_off_is_told_about(shop):
    shop.breaks_after = [10] * 20
    assert f"cannot fetch {shop.url}" in await refusal(shop.url)
    assert len(shop.asked) == 6


async def test_a_server_that_has_it_not_is_quoted(shop):
    assert "the server answered 404 Said" in await refusal(shop.url.replace("good", "bad"))


async def test_a_silent_server_is_given_up(worker_number):
    async def silent(reader, writer):
        with contextlib.suppress(ConnectionError):
            await reader.read()
        writer.close()

    server = await asyncio.start_server(silent, f"127.7.{worker_number}.4", 0)
    host, port = server.sockets[0].getsockname()
    settings = ArchiveSettings(timeout_seconds=0.3)
    assert "not done after 0.3 s" in await refusal(f"http://{host}:{port}/x", settings)
    server.close()


async def test_what_is_no_file_is_refused_and_nobody_waits_for_it(tmp_path):
    os.mkfifo(tmp_path / "pipe.whl")
    anywhere = ArchiveSettings(directories=("/",))
    for path in (tmp_path / "pipe.whl", tmp_path, Path("/dev/zero")):
        assert f"cannot read {path.as_uri()}: it is not a file" in await refusal(path, anywhere)


@pytest.fixture
def cached(tmp_path):
    return ArchiveSettings(cache_directory=str(tmp_path / "cache"), cache_mb=1)


async def test_an_archive_that_names_its_digest_is_fetched_once(shop, good, cached):
    url = f"{shop.url}#sha256={hashlib.sha256(good.read_bytes()).hexdigest()}"
    for _ in range(2):
        (await Packages(cached).fetch(url)).discard()
    assert len(shop.asked) == 1


async def test_what_has_rotted_in_the_cache_is_fetched_again(shop, good, cached, tmp_path):
    digest = hashlib.sha256(good.read_bytes()).hexdigest()
    (await Packages(cached).fetch(f"{shop.url}#sha256={digest}")).discard()
    (tmp_path / "cache" / digest).write_bytes(b"rotten")
    (await Packages(cached).fetch(f"{shop.url}#sha256={digest}")).discard()
    assert len(shop.asked) == 2 and (tmp_path / "cache" / digest).read_bytes() == good.read_bytes()


async def test_the_cache_keeps_to_its_budget_and_drops_what_was_used_longest_ago(tmp_path, cached):
    for number in range(4):
        files = {"good.py": "app = None", "good_data": os.urandom(400_000)}
        path = write_wheel(tmp_path, "good", f"{number}", files, entry("good", "good:app"))
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
        (await Packages(cached).fetch(f"{path.as_uri()}#sha256={digest}")).discard()
        os.utime(tmp_path / "cache" / digest, (number, number))
    kept = sorted(one.stat().st_mtime for one in (tmp_path / "cache").iterdir())
    assert kept == [2, 3]


async def test_bases_that_share_a_cache_do_not_trip_over_each_other(tmp_path, cached):
    """The cache holds two or three of these; each is fetched, kept and dropped while others are."""
    urls = []
    for number in range(6):
        files = {"good.py": "app = None", "good_data": os.urandom(400_000)}
        path = write_wheel(tmp_path, "good", f"{number}", files, entry("good", "good:app"))
        urls.append(f"{path.as_uri()}#sha256={hashlib.sha256(path.read_bytes()).hexdigest()}")
    bases = [Packages(cached) for _ in range(2)]
    for _ in range(10):
        for package in await asyncio.gather(*(base.fetch(url) for base in bases for url in urls)):
            package.discard()
    assert sum(one.stat().st_size for one in (tmp_path / "cache").iterdir()) <= cached.cache_mb << 20


async def test_what_cannot_be_kept_is_installed_all_the_same(good, cached, tmp_path, caplog):
    packages = Packages(cached)
    (tmp_path / "cache").rmdir()
    digest = hashlib.sha256(good.read_bytes()).hexdigest()
    (await packages.fetch(f"{good.as_uri()}#sha256={digest}")).discard()
    assert f"archive {digest} was not kept in {tmp_path}/cache: No such file or directory" in caplog.messages


@pytest.fixture
def signed(good, tmp_path):
    """A key that the base trusts, and what signs with it."""
    key = Ed25519PrivateKey.generate()
    (tmp_path / "trusted.pem").write_bytes(
        key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    )
    settings = ArchiveSettings(trusted_keys=(str(tmp_path / "trusted.pem"),))
    return settings, lambda by=key: good.with_name(good.name + ".sig").write_bytes(signature(good, by))


async def test_an_archive_that_is_signed_by_a_trusted_key_is_loaded(good, signed):
    settings, sign = signed
    sign()
    (await Packages(settings).fetch(good.as_uri())).discard()


async def test_any_other_archive_is_refused(good, signed):
    settings, sign = signed
    assert "cannot read" in await refusal(good, settings)
    sign(Ed25519PrivateKey.generate())
    assert "by none of the keys that this base trusts" in await refusal(good, settings)
    sign()
    with_member(good, "good/more")
    assert "by none of the keys that this base trusts" in await refusal(good, settings)
    good.with_name(good.name + ".sig").write_text("no signature")
    assert "is not base64" in await refusal(good, settings)


def test_a_key_that_cannot_be_used_is_named(tmp_path, good):
    for path in (tmp_path / "nowhere.pem", good):
        with pytest.raises(BadKey, match=str(path)):
            Packages(ArchiveSettings(trusted_keys=(str(path),)))


async def test_c_extensions_are_for_processes_only(base, tmp_path):
    files = {"compiled.py": "async def app(scope, receive, send): raise RuntimeError", "fast.so": b"\x7fELF"}
    for mode, expected in (("shared", "CMD_PROCESS_INTERNAL_ERROR"), ("process", "SUCCESS")):
        path = write_wheel(tmp_path, "compiled", "1.0", files, entry("compiled", "compiled:app", mode))
        answer = await base.command("installBiz", bizUrl=path.as_uri())
        assert answer["code"] == expected, answer
        assert ("brings C extensions (fast.so)" in answer.get("message", "")) is (mode == "shared")
