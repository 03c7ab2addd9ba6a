"""What a module's requirements name by a url comes from where the base may have archives from, and from nowhere else."""

import pytest

from arklet.test_sources import Shop
from arklet.wheels import entry, write_wheel
from arkwright.arklet.archives import PackageError, install_beside
from arkwright.arklet.archives.packages import Packages
from arkwright.arklet.settings import ArchiveSettings

HELPER = "helperz-1.0-py3-none-any.whl"


@pytest.fixture
async def shop():
    async with Shop() as one:
        yield one


@pytest.fixture
def helper(tmp_path):
    return write_wheel(tmp_path, "helperz", "1.0", {"helperz.py": ""})


async def brought(tmp_path, requirement, **settings):
    """What lies beside a module that needs it; raises PackageError."""
    module = write_wheel(tmp_path, "needy", "1.0", {"needy.py": ""}, entry("needy", "needy:app"), [requirement])
    allowed = {"allow": (*settings.pop("allow", ()), tmp_path.as_uri())} if "allow" in settings else {}
    packages = Packages(ArchiveSettings(**allowed, **settings))
    package = await packages.fetch(module.as_uri())
    try:
        await install_beside(package.requirements, package.beside, package.fetch)
        return sorted(one.name for one in package.beside.glob("*.py"))
    finally:
        packages.close()


async def test_a_wheel_by_a_url_is_brought_as_an_archive_is(tmp_path, shop, helper):
    shop.sends(f"/{HELPER}?sig=a%2Fb", helper)
    assert await brought(tmp_path, f"helperz @ {shop.root}/{HELPER}?sig=a%2Fb") == ["helperz.py"]
    assert await brought(tmp_path, f"helperz @ {helper.as_uri()}") == ["helperz.py"]
    shop.sends(f"/{HELPER}", helper)
    assert await brought(tmp_path, f"helperz @ {shop.root}/{HELPER}", allow=(shop.root,)) == ["helperz.py"]


REFUSED = {
    "not listed": (f"{{shop}}/{HELPER}", {"allow": ("https://archives.example/",)}, "allow does not list it"),
    "a redirect to what is not listed": (
        f"{{shop}}/leads/{HELPER}",
        {"allow": ("{shop}/leads",)},
        "allow does not list it",
    ),
    "a metadata address": (f"http://169.254.169.254/{HELPER}", {}, "a link-local or metadata address"),
    "a file elsewhere": (f"file:///etc/{HELPER}", {}, "this base reads archives below"),
    "another digest": (f"{{shop}}/{HELPER}#sha256={'0' * 64}", {}, "it was not loaded"),
    "no wheel in it": ("{shop}/text-1.0-py3-none-any.whl", {}, "helperz"),
    "one that needs another by a url": ("{shop}/further-1.0-py3-none-any.whl", {}, "needs elsewhere by a url"),
}


@pytest.mark.parametrize("case", REFUSED)
async def test_what_an_archive_may_not_come_from_no_requirement_comes_from(tmp_path, shop, helper, case):
    url, settings, words = REFUSED[case]
    shop.sends(f"/{HELPER}", helper)
    shop.leads(f"/leads/{HELPER}", f"{shop.root}/{HELPER}")
    (tmp_path / "text").write_text("no wheel")
    shop.sends("/text-1.0-py3-none-any.whl", tmp_path / "text")
    further = write_wheel(
        tmp_path, "further", "1.0", {}, "", [f"elsewhere @ {shop.root}/elsewhere.whl"], ("helperz", "1.0")
    )
    shop.sends("/further-1.0-py3-none-any.whl", further)
    listed = {name: tuple(one.format(shop=shop.root) for one in value) for name, value in settings.items()}
    with pytest.raises(PackageError, match=words):
        await brought(tmp_path, f"helperz @ {url.format(shop=shop.root)}", **listed)
    assert "/elsewhere.whl" not in [target for target, _ in shop.asked]


async def test_what_a_package_of_the_index_names_by_a_url_is_not_followed(tmp_path, shop, helper, monkeypatch):
    shelf = tmp_path / "shelf"
    shelf.mkdir()
    shop.sends(f"/{HELPER}", helper)
    write_wheel(shelf, "indexed", "1.0", {"indexed.py": ""}, "", [f"helperz @ {shop.root}/{HELPER}"])
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(shelf))
    with pytest.raises(PackageError, match="asks for helperz by a url, which this base does not follow"):
        await brought(tmp_path, "indexed")
