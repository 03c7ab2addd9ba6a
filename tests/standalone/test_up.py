"""`arkwright up`: what it refuses, when it says that it is up, and two sites beside each other."""

import asyncio
import re

import pytest

from apiserver.asking import Api
from arkwright.standalone import app
from arkwright.standalone.addresses import free_ports
from arkwright.standalone.parts import PartFailed
from arkwright.standalone.site import Site
from standalone.test_site import arkwright, pods_of, ready_pods, until


@pytest.mark.parametrize(
    "words, named",
    [
        (["--addresses", "nonsense"], "--addresses"),
        (["--addresses", "127.8.0.0/99"], "--addresses"),
        (["--bases", "-1"], "--bases"),
        (["--bases", "many"], "--bases"),
        (["--port", "99999"], "--port"),
        (["--port", "-1"], "--port"),
        (["--port", "http"], "--port"),
        (["--host", "nonsense.invalid"], "--host"),
        (["--host", "192.0.2.1"], "--host"),
        (["--host", "2001:db8::1"], "--host"),
    ],
)
def test_a_value_that_cannot_be_used_is_named_with_its_option(tmp_path, words, named):
    said = arkwright("up", "--data-dir", tmp_path, "--port", 0, *words, code=None)
    assert named in said and "Traceback" not in said
    assert "nothing is up" in arkwright("down", "--data-dir", tmp_path)


def test_a_directory_that_cannot_be_made_is_named(tmp_path):
    (tmp_path / "file").write_text("")
    said = arkwright("up", "--data-dir", tmp_path / "file" / "site", "--port", 0, code=1)
    assert "--data-dir" in said and "Traceback" not in said


@pytest.fixture
def two(tmp_path):
    """Directories of two sites that nobody gave addresses."""
    sites = tmp_path / "one", tmp_path / "two"
    for one in sites:
        arkwright("up", "--bases", 1, "--data-dir", one, "--port", 0)
    yield sites
    for one in sites:
        arkwright("down", "--data-dir", one)


def addresses(site):
    api = Api(site / "kubeconfig")
    until(lambda: ready_pods(api))
    return {one["status"]["podIP"] for one in pods_of(api)}


def test_two_sites_share_no_address_and_say_what_they_are_asked(two):
    first, second = two
    assert not addresses(first) & addresses(second)
    network = next(iter(addresses(first))) + "/30"
    said = arkwright(
        "up", "--data-dir", first.parent / "three", "--port", 0, "--addresses", f"{network[:-4]}0/30", code=1
    )
    assert f"the site in {first} has addresses" in said
    assert "leading" in until(lambda: arkwright("logs", "controller", "--data-dir", first))


def test_up_is_said_once_every_part_has_begun(two):
    """The controller answers at once, and what it prints has what a shell needs."""
    log = (Site(two[0]).logs / "controller.log").read_text()
    assert "controller starts" in log
    said = arkwright("up", "--data-dir", two[0], code=1)
    command = re.search("`(arkwright down[^`]*)`", said)[1]
    assert command == f"arkwright down --data-dir {two[0]}"


class EndsAtOnce:
    """In the place of a controller."""

    def __init__(self):
        self.has_ended = asyncio.Event()
        self.has_ended.set()

    def last_words(self):
        return "error: --agent-ca: no such file"


async def test_a_controller_that_does_not_start_is_told_in_its_own_words():
    nobody = next(free_ports("127.0.0.1"))
    with pytest.raises(PartFailed, match="the controller does not start: error: --agent-ca"):
        await app._answers(EndsAtOnce(), nobody)
