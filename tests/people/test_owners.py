"""Who acts, as a person reads it. In: Leases as they are. Out: a line, or nothing."""

from datetime import UTC, datetime, timedelta

import pytest
from msgspec.structs import replace

from arkwright.model.cluster import Lease, LeaseSpec
from arkwright.model.meta import ObjectMeta
from arkwright.model.names import ACTS_BY, ANSWERS_AT, SHARES_WITH
from arkwright.model.shares import owner
from arkwright.people.owners import address_for, of_controllers, owner_line, silence

NOW = datetime(2026, 1, 1, tzinfo=UTC)
FIRST, SECOND = (owner("shop", frozenset("ab")), *({"a", "b"} - {owner("shop", frozenset("ab"))}))


def lease(seconds, holder="c-1"):
    """Of a controller that acts alone."""
    return Lease(metadata=ObjectMeta(name="arkwright"), spec=_spec(seconds, holder))


def partner(name, circle, seconds=1, group="arkwright"):
    marks = {"labels": {SHARES_WITH: group}, "annotations": {ACTS_BY: ",".join(circle)}}
    return Lease(metadata=ObjectMeta(name=f"{group}-{name}", **marks), spec=_spec(seconds, name))


def _spec(seconds, holder):
    return LeaseSpec(holder_identity=holder, lease_duration_seconds=15, renew_time=NOW - timedelta(seconds=seconds))


@pytest.mark.parametrize(
    ("leases", "said"),
    [
        ([], ""),
        ([lease(3)], ""),
        ([lease(19)], ""),
        ([lease(40)], "no controller acts: the last one was heard of 40 s ago; what stands here may be of then"),
        ([lease(7300)], "no controller acts: the last one was heard of 2 h 1 min ago; what stands here may be of then"),
        (
            [lease(2, holder="")],
            "no controller acts: the last one was heard of 2 s ago; what stands here may be of then",
        ),
        ([lease(7300, holder=""), partner("a", "a")], ""),
        (
            [partner("a", "a", 50), partner("b", "b", 40)],
            "no controller acts: the last one was heard of 40 s ago; what stands here may be of then",
        ),
    ],
)
def test_that_nobody_acts_is_said_where_the_leases_tell(leases, said):
    assert silence(leases, NOW) == said


MOVES = "namespace shop is moving from one controller to another"
OF_TWO = f"controller {FIRST} acts on namespace shop, one of 2 that share the namespaces out"


@pytest.mark.parametrize(
    ("leases", "said"),
    [
        ([], ""),
        ([lease(3)], ""),
        ([partner("a", "ab"), partner("b", "ab")], OF_TWO),
        ([partner("a", "ab"), partner("b", "ab"), partner("c", "abc", 50)], OF_TWO),  # c is dead
        ([partner("a", "ab"), partner("b", "ab"), lease(3)], MOVES),  # one that acts alone still lives
        ([partner(FIRST, "ab"), partner(SECOND, SECOND)], MOVES),  # the second does not know of the first yet
        ([partner(FIRST, ""), partner(SECOND, "ab")], MOVES),
    ],
)
def test_whose_a_namespace_is_is_said_where_it_is_shared(leases, said):
    assert owner_line("shop", leases, NOW) == said


def at(url, one):
    return replace(one, metadata=replace(one.metadata, annotations=one.metadata.annotations | {ANSWERS_AT: url}))


BOTH = [at("http://first:1", partner(FIRST, "ab")), at("http://second:1", partner(SECOND, "ab"))]


@pytest.mark.parametrize(
    ("leases", "address"),
    [
        ([], ""),
        ([lease(3)], ""),  # one that listens nowhere that could be said
        ([at("http://one:1", lease(3))], "http://one:1"),
        ([at("http://one:1", lease(40))], ""),  # dead
        ([at("http://one:1", lease(3, holder=""))], ""),  # let go
        (BOTH, "http://first:1"),
        ([at("http://one:1", lease(40)), *BOTH], "http://first:1"),
        ([at("http://one:1", lease(3)), *BOTH], ""),  # it moves
    ],
)
def test_who_acts_on_a_namespace_can_be_asked_where_its_lease_says(leases, address):
    assert address_for("shop", leases, NOW) == address


def test_leases_of_others_are_not_looked_at():
    other = Lease(metadata=ObjectMeta(name="something-else"))
    assert of_controllers([other, lease(3), partner("a", "a"), partner("x", "x", group="theirs")]) == (
        lease(3),
        partner("a", "a"),
    )
