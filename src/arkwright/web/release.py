"""One release: what it waits for, batch by batch, pod by pod. In: the fleet, a sight, a question. Out: a Page, or None. Pure."""

from dataclasses import dataclass
from datetime import datetime

from arkwright.model.kinds import Module, ModuleDeployment, ModulePhase
from arkwright.model.resources import Kind
from arkwright.people.decisions import Scene
from arkwright.people.standings import phase_of
from arkwright.people.waysout import way_out
from arkwright.web.batchline import batch_line
from arkwright.web.fleet import Fleet
from arkwright.web.offers import Offer, offers
from arkwright.web.pasts import deeds, revision_pieces, stories
from arkwright.web.pieces import Page, Piece, Region
from arkwright.web.question import Question
from arkwright.web.releases import Row, notices, row_of
from arkwright.web.sight import Right, Sight

PODS_PER_PAGE = 100
RANKS = {ModulePhase.FAILED.value: 0, ModulePhase.AVAILABLE.value: 9, ModulePhase.TERMINATING.value: 5}


@dataclass(frozen=True)
class Head:
    row: Row
    offers: tuple[Offer, ...]
    may_change: bool
    replicas: int
    policy: str


@dataclass(frozen=True)
class OnPod:
    """One Module. `is_new`: of the version that is asked for."""

    uid: str
    name: str
    version: str
    phase: str
    is_new: bool
    why: str
    step: str
    attempts: int
    next_try: datetime | None
    since: datetime | None


@dataclass(frozen=True)
class PodLine:
    """`pod`: "" where nothing of the pod may be seen but its name, which Modules tell."""

    pod: str
    namespace: str
    ip: str
    is_ready: bool
    modules: tuple[OnPod, ...]
    may_delete: bool


@dataclass(frozen=True)
class Crowd:
    """How many pods there are, and which of them are shown."""

    shown: int
    count: int
    earlier: str
    later: str


def release_page(fleet: Fleet, sight: Sight, question: Question, now: datetime) -> Page | None:
    """None: there is no such release, or none that the viewer may see."""
    namespace, _, name = question.path.removeprefix("/releases/").partition("/")
    one = fleet.release(namespace, name)
    if one is None or not sight.may(Right.SEE_RELEASES, namespace):
        return None
    scene = Scene(one, tuple(fleet.revisions_of(one)), now)
    may_change = sight.may(Right.CHANGE_RELEASES, namespace)
    pods, crowd = _pods(fleet, sight, one, question)
    regions = (
        Region("notices", notices(fleet, now)),
        Region("head", (Piece("headline", "head", _head(scene, sight)),)),
        Region("line", (Piece("batches", "batches", batch_line(scene.deployment, scene.now)),)),
        Region("pods", pods),
        Region("crowd", (Piece("pods-shown", "crowd", crowd),)),
        Region("revisions", revision_pieces(scene, may_change) if sight.may(Right.SEE_REVISIONS, namespace) else ()),
        Region("deeds", deeds(scene, fleet, sight)),
        Region("events", stories(scene, fleet, sight)),
    )
    return Page("release", one.name, regions, question)


def _head(scene: Scene, sight: Sight) -> Head:
    one = scene.deployment
    row = row_of(one, len(scene.revisions) > 1)
    may_change = sight.may(Right.CHANGE_RELEASES, one.metadata.namespace)
    policy = one.spec.operation_strategy.upgrade_policy.value
    return Head(row, offers(scene, may_change), may_change, one.spec.replicas, policy)


def _pods(fleet: Fleet, sight: Sight, one: ModuleDeployment, question: Question) -> tuple[tuple[Piece, ...], Crowd]:
    """The slowest first."""
    namespace = one.metadata.namespace
    if not sight.may(Right.SEE_MODULES, namespace):
        return (), Crowd(0, 0, "", "")
    by_pod: dict[str, list[Module]] = {}
    for module in fleet.modules_of(one):
        by_pod.setdefault(module.pod_name, []).append(module)
    lines = sorted((_line(fleet, sight, one, modules) for modules in by_pod.values()), key=_slowness)
    first = (question.page - 1) * PODS_PER_PAGE
    shown = lines[first : first + PODS_PER_PAGE]
    earlier = question.address(page=question.page - 1) if question.page > 1 else ""
    later = question.address(page=question.page + 1) if first + len(shown) < len(lines) else ""
    return tuple(Piece(f"p-{each.pod}", "pod", each) for each in shown), Crowd(len(shown), len(lines), earlier, later)


def _line(fleet: Fleet, sight: Sight, one: ModuleDeployment, modules: list[Module]) -> PodLine:
    namespace = one.metadata.namespace
    pod = fleet.get(Kind.POD, namespace, modules[0].pod_name) if sight.may(Right.SEE_PODS, namespace) else None
    wanted = one.spec.template.spec.module
    shown = sorted((_on_pod(each, each.spec.module.version == wanted.version) for each in modules), key=_order)
    return PodLine(
        pod=modules[0].pod_name,
        namespace=namespace,
        ip=pod.status.pod_ip if pod else "",
        is_ready=not (pod and pod.is_unready),
        modules=tuple(shown),
        may_delete=sight.may(Right.DELETE_MODULES, namespace),
    )


def _on_pod(module: Module, is_new: bool) -> OnPod:
    status, phase = module.status, phase_of(module)
    why = ": ".join(part for part in (status.reason, status.message) if part) if phase != "Available" else ""
    return OnPod(
        uid=module.metadata.uid,
        name=module.name,
        version=module.spec.module.version,
        phase=phase,
        is_new=is_new,
        why=why,
        step=way_out(status.reason, status.message) if why else "",
        attempts=status.attempts,
        next_try=status.next_attempt_time if phase == "Failed" else None,
        since=status.last_transition_time,
    )


def _order(one: OnPod) -> tuple[bool, str]:
    return not one.is_new, one.name


def _slowness(line: PodLine) -> tuple[int, int, str]:
    """What fails, then what is on its way, then what serves."""
    return min(RANKS.get(one.phase, 3) for one in line.modules), -max(one.attempts for one in line.modules), line.pod
