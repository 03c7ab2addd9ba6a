"""Bases: which pods hold which modules, how full they are, what does not belong there. In: the fleet, a sight, a question. Out: a Page, or None. Pure."""

from dataclasses import dataclass
from datetime import datetime

from arkwright.model.cluster import Deployment, Pod
from arkwright.model.kinds import Module
from arkwright.model.names import MAX_MODULE_COUNT
from arkwright.model.outcomes import EventReason, Reason
from arkwright.model.resources import Kind
from arkwright.people.standings import phase_of
from arkwright.web.fleet import Fleet
from arkwright.web.pieces import Page, Piece, Region
from arkwright.web.question import Question
from arkwright.web.releases import notices
from arkwright.web.sight import Right, Sight

PODS_PER_PAGE, COLUMNS_PER_PAGE = 50, 60
SILENT = {Reason.AGENT_UNREACHABLE.value, Reason.AGENT_UNAUTHENTICATED.value}


@dataclass(frozen=True)
class BaseCard:
    """One base in the list. `capacity`: 0 where nothing bounds it."""

    namespace: str
    name: str
    pods: int
    live: int
    modules: int
    capacity: int
    troubles: int


@dataclass(frozen=True)
class Cell:
    """What one pod has of one module. `word`: version and phase for who cannot see it."""

    uid: str
    version: str
    phase: str
    why: str


@dataclass(frozen=True)
class PodRow:
    """`cells`: by column; `health`: "", or what is wrong with the pod or its agent; `cap` 0: no bound."""

    pod: str
    ip: str
    count: int
    cap: int
    health: str
    foreign: str
    cells: tuple[tuple[Cell, ...], ...]


@dataclass(frozen=True)
class Columns:
    names: tuple[str, ...]
    more: int


@dataclass(frozen=True)
class Shown:
    count: int
    live: int
    first: int
    last: int
    earlier: str
    later: str


def bases_page(fleet: Fleet, sight: Sight, question: Question, now: datetime) -> Page | None:
    """`/bases`: all of them; `/bases/namespace/name`: one, pods by modules."""
    if question.path == "/bases":
        return _list(fleet, sight, question, now)
    namespace, _, name = question.path.removeprefix("/bases/").partition("/")
    base = fleet.get(Kind.DEPLOYMENT, namespace, name)
    if base is None or not sight.may(Right.SEE_BASES, namespace):
        return None
    return _one(fleet, sight, base, question, now)


def _list(fleet: Fleet, sight: Sight, question: Question, now: datetime) -> Page:
    seen = [one for one in fleet.bases if sight.may(Right.SEE_BASES, one.metadata.namespace)]
    words = question.q.lower().split()
    found = (_card(fleet, sight, one) for one in seen if _is_base(fleet, one) and _is_meant(one, words))
    cards = sorted(found, key=lambda one: (-bool(one.troubles), one.namespace, one.name))
    pieces = tuple(Piece(f"b-{one.namespace}-{one.name}", "base", one) for one in cards)
    regions = (
        Region("notices", notices(fleet, now)),
        Region("bases", pieces or (Piece("no-bases", "nobases", bool(words)),)),
    )
    return Page("bases", "Bases", regions, question)


def _is_base(fleet: Fleet, one: Deployment) -> bool:
    """Deployments that nobody releases to are somebody else's affair."""
    return bool(fleet.releases_of(one) or fleet.modules_in(one.metadata.namespace, one.name)[0])


def _is_meant(one: Deployment, words: list[str]) -> bool:
    return all(word in f"{one.metadata.namespace}/{one.name}".lower() for word in words)


def _card(fleet: Fleet, sight: Sight, base: Deployment) -> BaseCard:
    namespace = base.metadata.namespace
    pods = fleet.pods_of(base) if sight.may(Right.SEE_PODS, namespace) else []
    modules, failed = fleet.modules_in(namespace, base.name) if sight.may(Right.SEE_MODULES, namespace) else (0, 0)
    live = [one for one in pods if one.is_live]
    caps = [_cap(one, base) for one in live]
    return BaseCard(
        namespace=namespace,
        name=base.name,
        pods=len(pods),
        live=len(live),
        modules=modules,
        capacity=sum(caps) if caps and all(caps) else 0,
        troubles=len(pods) - len(live) + failed,
    )


def _one(fleet: Fleet, sight: Sight, base: Deployment, question: Question, now: datetime) -> Page:
    namespace = base.metadata.namespace
    pods = fleet.pods_of(base) if sight.may(Right.SEE_PODS, namespace) else []
    words = question.q.lower().split()
    found = [one for one in pods if all(word in one.name.lower() for word in words)]
    first = (question.page - 1) * PODS_PER_PAGE
    shown = found[first : first + PODS_PER_PAGE]
    may_see = sight.may(Right.SEE_MODULES, namespace)
    held = {one.name: fleet.modules_on(one) if may_see else [] for one in shown}
    names = sorted({each.spec.module.name for modules in held.values() for each in modules})
    columns = Columns(tuple(names[:COLUMNS_PER_PAGE]), max(0, len(names) - COLUMNS_PER_PAGE))
    rows = (_row(fleet, sight, one, base, (held[one.name], columns.names)) for one in shown)
    live = sum(1 for one in pods if one.is_live)
    earlier = question.address(page=question.page - 1) if question.page > 1 else ""
    later = question.address(page=question.page + 1) if first + len(shown) < len(found) else ""
    paging = Shown(len(found), live, first + 1 if shown else 0, first + len(shown), earlier, later)
    regions = (
        Region("notices", notices(fleet, now)),
        Region("summary", (Piece("base-summary", "basesummary", _card(fleet, sight, base)),)),
        Region("columns", (Piece("grid-columns", "columns", columns),)),
        Region("grid", tuple(Piece(f"g-{one.pod}", "podrow", one) for one in rows)),
        Region("paging", (Piece("grid-pages", "gridpages", paging),)),
    )
    return Page("base", base.name, regions, question)


def _row(fleet: Fleet, sight: Sight, pod: Pod, base: Deployment, held: tuple[list[Module], tuple[str, ...]]) -> PodRow:
    modules, names = held
    cells: dict[str, list[Cell]] = {}
    for one in sorted(modules, key=lambda each: each.name):
        cells.setdefault(one.spec.module.name, []).append(_cell(one))
    told = fleet.events_about(pod) if sight.may(Right.SEE_EVENTS, pod.metadata.namespace) else []
    foreign = next((one.message for one in told if one.reason == EventReason.MODULE_DRIFTED), "")
    return PodRow(
        pod=pod.name,
        ip=pod.status.pod_ip,
        count=len(modules),
        cap=_cap(pod, base),
        health=_health(pod, modules),
        foreign=foreign,
        cells=tuple(tuple(cells.get(name, ())) for name in names),
    )


def _cell(one: Module) -> Cell:
    phase = phase_of(one)
    why = ": ".join(part for part in (one.status.reason, one.status.message) if part)
    return Cell(one.metadata.uid, one.spec.module.version, phase, "" if phase == "Available" else why)


def _health(pod: Pod, modules: list[Module]) -> str:
    """What is wrong with it, as a sentence of ours; "" for nothing."""
    if pod.is_terminating or pod.is_asked_to_leave:
        return "leaving"
    if not pod.is_live:
        return "not running"
    if any(one.status.reason in SILENT and phase_of(one) != "Available" for one in modules):
        return "agent does not answer"
    return "not ready" if pod.is_unready else ""


def _cap(pod: Pod, base: Deployment) -> int:
    """The pod's own label wins; 0: no bound, or one that is no number."""
    text = pod.metadata.labels.get(MAX_MODULE_COUNT) or base.metadata.labels.get(MAX_MODULE_COUNT, "")
    text = text or base.spec.template.metadata.labels.get(MAX_MODULE_COUNT, "")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 6 else 0
