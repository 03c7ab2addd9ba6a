"""The list of releases: what needs a person first. In: the fleet, a sight, a question. Out: a Page. Pure.

A row depends on its ModuleDeployment alone, so it is made once for each version of that.
"""

from collections import Counter
from collections.abc import Hashable
from dataclasses import dataclass
from datetime import datetime

from arkwright.model.kinds import ModuleDeployment
from arkwright.people.decisions import Verb, is_asking
from arkwright.people.owners import silence
from arkwright.people.standings import message_of
from arkwright.people.waysout import next_step
from arkwright.web.fleet import Fleet
from arkwright.web.pieces import Page, Piece, Region
from arkwright.web.question import Question
from arkwright.web.sight import Right, Sight
from arkwright.web.states import Group, State, since, state_of

PER_PAGE = 50
LONGEST_MESSAGE = 320
BY_HAND = "; to go on: "
WITH_BUTTON = frozenset({State.ASKING, State.PAUSED, State.ABORTED})
TOLD_HOW = frozenset({State.FAILING, State.UNSEEN})


@dataclass(frozen=True)
class Row:
    """`batch`, `batches`: 0 where there is none; `verb`: what a person is asked for, "" if nothing."""

    uid: str
    namespace: str
    name: str
    base: str
    module: str
    version: str
    state: State
    since: datetime | None
    updated: int
    available: int
    desired: int
    batch: int
    batches: int
    message: str
    step: str
    verb: str

    @property
    def path(self) -> str:
        return f"/releases/{self.namespace}/{self.name}"


@dataclass(frozen=True)
class Chip:
    """One way to narrow the list. `group`: "" for all."""

    group: str
    count: int
    address: str
    is_chosen: bool


@dataclass(frozen=True)
class Choices:
    """What there is to choose among."""

    question: Question
    namespaces: tuple[str, ...]
    bases: tuple[str, ...]


@dataclass(frozen=True)
class Pages:
    """`earlier`, `later`: addresses, "" where there is none."""

    shown: tuple[int, int]
    count: int
    earlier: str
    later: str
    is_filtered: bool


class Releases:
    """Remembers the rows of what has not changed."""

    def __init__(self, fleet: Fleet) -> None:
        self._fleet = fleet
        self._rows: dict[str, tuple[tuple[str, bool], Row]] = {}

    def page(self, sight: Sight, question: Question, now: datetime) -> Page:
        all_rows = [self._row(one) for one in self._fleet.releases if _is_seen(sight, one)]
        found = [one for one in all_rows if _is_meant(one, question)]
        counts = Counter(one.state.group for one in found)
        wanted = [one for one in found if question.state in ("", one.state.group)]
        wanted.sort(key=_urgency)
        first = (question.page - 1) * PER_PAGE
        shown = wanted[first : first + PER_PAGE]
        regions = (
            Region("notices", notices(self._fleet, now)),
            Region("choices", (Piece("choice", "choices", _choices(all_rows, question)),)),
            Region("chips", (Piece("chip", "chips", _chips(counts, question)),)),
            Region("rows", tuple(self._pieces(shown, sight))),
            Region("pages", (Piece("paging", "pages", _pages(wanted, first, len(shown), question)),)),
        )
        return Page("releases", "Releases", regions, question)

    def _pieces(self, rows: list[Row], sight: Sight) -> list[Piece]:
        return [Piece(f"r-{one.uid}", "row", (one, sight.may(Right.CHANGE_RELEASES, one.namespace))) for one in rows]

    def _row(self, one: ModuleDeployment) -> Row:
        has_earlier = len(self._fleet.revisions_of(one)) > 1
        key, uid = (one.metadata.resource_version, has_earlier), one.metadata.uid
        known = self._rows.get(uid)
        if known is None or known[0] != key:
            known = self._rows[uid] = (key, row_of(one, has_earlier))
        return known[1]

    def forget(self) -> None:
        """Rows of what is gone."""
        there = {one.metadata.uid for one in self._fleet.releases}
        self._rows = {uid: row for uid, row in self._rows.items() if uid in there}


def row_of(one: ModuleDeployment, has_earlier: bool) -> Row:
    spec, status, state = one.spec, one.status, state_of(one)
    release, module = status.release_status, spec.template.spec.module
    is_batched = release.real_batch_count > 1 and state is not State.COMPLETE
    return Row(
        uid=one.metadata.uid,
        namespace=one.metadata.namespace,
        name=one.name,
        base=spec.base_deployment_name,
        module=module.name,
        version=module.version,
        state=state,
        since=since(one),
        updated=min(status.updated_available_replicas, status.replicas),
        available=status.available_replicas,
        desired=status.replicas,
        batch=release.current_batch if is_batched else 0,
        batches=release.real_batch_count if is_batched else 0,
        message=_message(one, state),
        step=next_step(one, state is not State.UNSEEN, has_earlier) if state in TOLD_HOW else "",
        verb=Verb.CONFIRM if is_asking(one) else Verb.RESUME if state is State.PAUSED else "",
    )


def _message(one: ModuleDeployment, state: State) -> str:
    """Without how to go on by hand, where a button does it."""
    said = message_of(one)
    return (said.partition(BY_HAND)[0] if state in WITH_BUTTON else said)[:LONGEST_MESSAGE]


def notices(fleet: Fleet, now: datetime) -> tuple[Piece, ...]:
    """What holds for all that is shown."""
    said = silence(fleet.leases, now)
    return (Piece("notice-silence", "notice", said),) if said else ()


def _is_seen(sight: Sight, one: ModuleDeployment) -> bool:
    return sight.may(Right.SEE_RELEASES, one.metadata.namespace)


def _is_meant(row: Row, question: Question) -> bool:
    if question.namespace not in ("", row.namespace) or question.base not in ("", row.base):
        return False
    text = f"{row.namespace}/{row.name} {row.module}:{row.version} {row.base}".lower()
    return all(word in text for word in question.q.lower().split())


def _urgency(row: Row) -> tuple[int, float, str, str]:
    """Of two that are as urgent, the one that has waited longer."""
    waited = row.since.timestamp() if row.since and row.state.needs_a_person else 0.0
    return row.state.rank, waited, row.name, row.namespace


def _chips(counts: Counter[Group], question: Question) -> Hashable:
    total = Chip("", counts.total(), question.address(state="", page=1), not question.state)
    each = (
        Chip(one, counts[one], question.address(state=one.value, page=1), question.state == one)
        for one in Group
        if counts[one] or question.state == one or one in (Group.PERSON, Group.MOVING)
    )
    return (*each, total)


def _choices(rows: list[Row], question: Question) -> Choices:
    namespaces = {one.namespace for one in rows} | {question.namespace}
    bases = {one.base for one in rows if question.namespace in ("", one.namespace)} | {question.base}
    return Choices(question, tuple(sorted(namespaces - {""})), tuple(sorted(bases - {""})))


def _pages(wanted: list[Row], first: int, shown: int, question: Question) -> Pages:
    earlier = question.address(page=question.page - 1) if question.page > 1 else ""
    later = question.address(page=question.page + 1) if first + shown < len(wanted) else ""
    is_filtered = bool(question.q or question.namespace or question.base or question.state)
    return Pages((first + 1 if shown else 0, first + shown), len(wanted), earlier, later, is_filtered)
