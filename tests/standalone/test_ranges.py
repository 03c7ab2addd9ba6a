"""Each site of a machine has a range of addresses of its own."""

import contextlib
import subprocess
import sys

import pytest

from arkwright.standalone.ranges import USUAL, RangeTaken, held_range


def test_the_first_site_has_the_usual_range_and_each_further_one_another(tmp_path):
    with contextlib.ExitStack() as sites:
        found = [sites.enter_context(held_range(None, f"site {number}", tmp_path)) for number in range(4)]
    assert found == list(USUAL[:4])


def test_a_range_is_free_once_its_site_is_down(tmp_path):
    with held_range(None, "one", tmp_path) as first:
        pass
    with held_range(None, "two", tmp_path) as second:
        assert second == first


@pytest.mark.parametrize("wish", ["127.8.0.0/16", "127.8.3.0/24", "127.0.0.0/8"])
def test_addresses_that_another_site_has_are_refused_by_its_name(tmp_path, wish):
    with held_range("127.8.0.0/16", "the site in /here", tmp_path):
        with pytest.raises(RangeTaken, match=f"the site in /here has addresses of {wish}"):
            with held_range(wish, "the site in /there", tmp_path):
                pass


def test_a_range_beside_it_is_free(tmp_path):
    with held_range("127.9.0.0/24", "one", tmp_path), held_range("127.9.1.0/24", "two", tmp_path) as found:
        assert found == "127.9.1.0/24"


def test_pods_that_share_one_address_share_it_with_everybody(tmp_path):
    with held_range("127.0.0.1/32", "one", tmp_path), held_range("127.0.0.1/32", "two", tmp_path) as found:
        assert found == "127.0.0.1/32"


HOLDS_AND_DIES = """
import os, pathlib, sys
from arkwright.standalone.ranges import held_range
with held_range("127.8.0.0/16", "it", pathlib.Path(sys.argv[1])):
    os._exit(1)
"""


def test_a_site_that_was_killed_holds_nothing(tmp_path):
    subprocess.run([sys.executable, "-c", HOLDS_AND_DIES, str(tmp_path)], check=False)
    assert list(tmp_path.glob("*.range"))
    with held_range(None, "next", tmp_path) as found:
        assert found == USUAL[0]


def test_nothing_that_somebody_has_put_there_is_written_to(tmp_path):
    """The place is everybody's: a link in it leads to whatever its maker likes."""
    mine = tmp_path / "mine"
    mine.write_text("mine")
    mine.chmod(0o600)
    place = tmp_path / "place"
    place.mkdir()
    for number in (8, 64, 65):
        (place / f"127.{number}.0.0_16.range").symlink_to(mine)
    with held_range(None, "a site", place) as found:
        assert found == "127.66.0.0/16"
    with pytest.raises(RangeTaken, match="another user has left there"), held_range("127.8.0.0/16", "a site", place):
        pass
    assert mine.read_text() == "mine" and oct(mine.stat().st_mode)[-3:] == "600"


def test_nor_is_a_gate_that_leads_elsewhere(tmp_path):
    (tmp_path / "gate").symlink_to("/etc/passwd")
    with pytest.raises(RangeTaken, match="gate cannot be used"), held_range(None, "a site", tmp_path):
        pass
