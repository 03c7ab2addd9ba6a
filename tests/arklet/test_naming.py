"""Names, versions and web paths, from archives and from callers: whatever is installed can be listed and removed, and takes nothing of the base's."""

import pytest

from arklet.wheels import entry, write_wheel
from arkwright.arklet.archives.errors import PackageError
from arkwright.arklet.archives.packages import Packages
from arkwright.arklet.door import reserved_by
from arkwright.arklet.settings import ArchiveSettings

WICKED_NAMES = [
    "base",
    "Base",
    "BASE",
    "../../x",
    "a/b",
    "a b",
    "a\nb",
    "a\x1b[2J",
    "a" * 101,
    "a" * (1 << 20),
    "-a",
    "a-",
    ".",
    "ä",
    "a:b",
    "a%41",
    "\u202ea",
]
WICKED_VERSIONS = ["1\n2", "1 2", "1/2", "..", "", "1" * 129, "\x1b", "1:2", "ä", "\u202e1"]
WICKED_PATHS = [
    "..",
    ".",
    "a/b",
    "a b",
    "\x1b[2J",
    "a" * 64,
    "a" * 100_000,
    "a?b",
    "a#b",
    "a%2fb",
    "a\\b",
    "\u202ea",
    "a;b",
    "a:b",
    "a\x00b",
]


def answered(answer):
    return answer["code"] == "SUCCESS", answer.get("message", "")


@pytest.mark.parametrize("name", [one for one in WICKED_NAMES if len(one) < 1000])
async def test_no_caller_names_a_module_so_that_it_cannot_be_told_or_removed(base, make_wheel, name):
    done, said = answered(await base.command("installBiz", bizName=name, bizVersion="1.0", bizUrl=make_wheel()))
    assert not done and ("is no name" in said or "is what the base itself is called" in said) and len(said) < 500
    assert not set(said) & set("\x1b\n\u202e") and await base.states() == {}


@pytest.mark.parametrize("version", [one for one in WICKED_VERSIONS if one])
async def test_nor_a_version(base, make_wheel, version):
    done, said = answered(await base.command("installBiz", bizName="provider", bizVersion=version, bizUrl=make_wheel()))
    assert not done and "is no version" in said and not set(said) & set("\x1b\n\u202e")


async def refusal(tmp_path, name="good", version="1.0", path="good", reserved=frozenset()):
    wheel = write_wheel(
        tmp_path, "good", "1.0", {"good.py": "app = None"}, entry(path, "good:app"), told=(name, version)
    )
    with pytest.raises(PackageError) as caught:
        await Packages(ArchiveSettings(), reserved=reserved).fetch(wheel.as_uri())
    assert len(str(caught.value)) < 600 and not set(str(caught.value)) & set("\x1b\u202e")
    return str(caught.value)


@pytest.mark.parametrize("name", [one for one in WICKED_NAMES if "\n" not in one])
async def test_no_archive_does_either(tmp_path, name):
    said = await refusal(tmp_path, name=name)
    assert "is no name" in said or "is what the base itself is called" in said


@pytest.mark.parametrize("version", [one for one in WICKED_VERSIONS if one and "\n" not in one])
async def test_nor_by_its_version(tmp_path, version):
    assert "is no version" in await refusal(tmp_path, version=version)


@pytest.mark.parametrize("path", [one for one in WICKED_PATHS if not set(one) & set("\x00#;")])
async def test_a_web_path_is_one_segment_that_can_be_seen(tmp_path, path):
    said = await refusal(tmp_path, path=path)
    assert "which is not one segment of letters, digits" in said or "cannot be read" in said


# ── what the base answers itself ──


def starlette():
    from starlette.applications import Starlette
    from starlette.routing import Mount, Route

    return Starlette(
        routes=[
            Route("/admin", None),
            Route("/health/live", None),
            Mount("/static", routes=[]),
            Route("/{rest:path}", None),
        ]
    )


def fastapi():
    from fastapi import FastAPI

    app = FastAPI()
    app.get("/orders/{number}")(lambda number: number)
    return app


def flask():
    from flask import Flask

    app = Flask("base", static_folder=None)
    app.add_url_rule("/admin", "admin", lambda: "admin")
    app.add_url_rule("/<page>", "page", lambda page: page)
    return app


def silent():
    return lambda scope, receive, send: None


def odd():
    class Odd:
        routes = 5
        url_map = property(lambda self: 1 / 0)

    return Odd()


@pytest.mark.parametrize(
    ("made", "paths"),
    [
        (starlette, {"admin", "health", "static"}),
        (fastapi, {"orders", "docs", "redoc", "openapi.json"}),
        (flask, {"admin"}),
        (silent, set()),
        (odd, set()),
    ],
)
def test_a_base_tells_which_paths_are_its_own(made, paths):
    assert reserved_by(made()) == paths


async def test_a_module_does_not_take_them(tmp_path):
    said = await refusal(tmp_path, path="docs", reserved=frozenset({"docs"}))
    assert said.endswith("asks for web path /docs, which the base answers itself")
