"""One base: which pods hold which modules, how full they are, how their agents are, what does not belong there. In: the fleet, a sight, a question, facts. Out: regions of a page. Pure."""

from collections.abc import Callable
from dataclasses import dataclass

from arkwright.model.cluster import Deployment, Pod
from arkwright.model.kinds import Module
from arkwright.model.names import MAX_MODULE_COUNT
from arkwright.model.outcomes import EventReason, Reason
from arkwright.people.standings import phase_of
from arkwright.web.agentfacts import AgentFacts, Mood, rounded
from arkwright.web.fleet import Fleet
from arkwright.web.pieces import Piece, Region
from arkwright.web.question import Question
from arkwright.web.sight import Right, Sight

PODS_PER_PAGE, COLUMNS_PER_PAGE = 50, 60
OWN_COLUMNS = 3  # besides modules
SILENT = {Reason.AGENT_UNREACHABLE.value, Reason.AGENT_UNAUTHENTICATED.value}
ANSWERS = (Mood.WELL, Mood.LEFT, Mood.TROUBLED)
FactsOf = Callable[[Pod], AgentFacts | None]


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
class AgentWord:
    """How an agent is, in a word."""

    mood: Mood
    rate: str
    tells: bool


@dataclass(frozen=True)
class PodRow:
    """`cells`: by column; `health`: "", or what is wrong with the pod or its agent; `cap` 0: no bound. `agent`: what its agent tells, None where
    nothing is known; `turn`: the address where it is opened, or closed."""

    pod: str
    ip: str
    count: int
    cap: int
    health: str
    foreign: str
    cells: tuple[tuple[Cell, ...], ...]
    agent: AgentWord | None
    is_asked: bool
    turn: str
    is_open: bool


@dataclass(frozen=True)
class Opened:
    """All that an agent tells. `columns`: how many the grid has; `facts`: None where nothing is known yet."""

    pod: str
    columns: int
    is_live: bool
    facts: AgentFacts | None


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


@dataclass(frozen=True)
class AgentsTold:
    """Of the agents on the page. `is_untold`: the controller does not answer; `rate`: "" where it is not known; `is_all`: there are no other pods."""

    asked: int
    known: int
    answer: int
    is_untold: bool
    rate: str
    is_all: bool


@dataclass(frozen=True)
class Summary:
    card: BaseCard
    agents: AgentsTold | None


def pods_on_page(fleet: Fleet, sight: Sight, base: Deployment, question: Question) -> tuple[list[Pod], Shown]:
    """Those that the page shows, and where it stands among all that match."""
    pods = fleet.pods_of(base) if sight.may(Right.SEE_PODS, base.metadata.namespace) else []
    words = question.q.lower().split()
    found = [one for one in pods if all(word in one.name.lower() for word in words)]
    first = (question.page - 1) * PODS_PER_PAGE
    shown = found[first : first + PODS_PER_PAGE]
    live = sum(1 for one in pods if one.is_live)
    earlier = question.address(page=question.page - 1, open="") if question.page > 1 else ""
    later = question.address(page=question.page + 1, open="") if first + len(shown) < len(found) else ""
    return shown, Shown(len(found), live, first + 1 if shown else 0, first + len(shown), earlier, later)


def grid_page(fleet: Fleet, sight: Sight, base: Deployment, question: Question, facts: FactsOf) -> tuple[Region, ...]:
    shown, paging = pods_on_page(fleet, sight, base, question)
    grid = Grid(fleet, sight, base, question)
    held = {one.name: grid.modules_on(one) for one in shown}
    names = sorted({each.spec.module.name for modules in held.values() for each in modules})
    columns = Columns(tuple(names[:COLUMNS_PER_PAGE]), max(0, len(names) - COLUMNS_PER_PAGE))
    told = {one.name: facts(one) for one in shown} if grid.may_see_modules else {}
    rows = (grid.pieces(one, held[one.name], columns, told.get(one.name)) for one in shown)
    is_all = not (paging.earlier or paging.later)
    summary = Summary(card_of(fleet, sight, base), agents_told(shown, told, is_all=is_all) if told else None)
    return (
        Region("summary", (Piece("base-summary", "basesummary", summary),)),
        Region("columns", (Piece("grid-columns", "columns", columns),)),
        Region("grid", tuple(piece for pieces in rows for piece in pieces)),
        Region("paging", (Piece("grid-pages", "gridpages", paging),)),
    )


def agents_told(shown: list[Pod], told: dict[str, AgentFacts | None], *, is_all: bool) -> AgentsTold:
    live = [told[one.name] for one in shown if one.is_live]
    known = [one for one in live if one is not None and one.mood is not Mood.NOTHING]
    rates = [one.rate for one in known if one.rate is not None]
    return AgentsTold(
        asked=len(live),
        known=len(known),
        answer=sum(one.mood in ANSWERS for one in known),
        is_untold=bool(known) and all(one.mood is Mood.UNTOLD for one in known),
        rate=rounded(sum(rates)) if rates else "",
        is_all=is_all,
    )


@dataclass(frozen=True)
class Grid:
    """What all rows have in common."""

    fleet: Fleet
    sight: Sight
    base: Deployment
    question: Question

    @property
    def may_see_modules(self) -> bool:
        return self.sight.may(Right.SEE_MODULES, self.base.metadata.namespace)

    def modules_on(self, pod: Pod) -> list[Module]:
        return self.fleet.modules_on(pod) if self.may_see_modules else []

    def pieces(self, pod: Pod, held: list[Module], columns: Columns, facts: AgentFacts | None) -> tuple[Piece, ...]:
        """Its row, and below it all that its agent tells, if it is opened."""
        is_open = self.may_see_modules and self.question.open == pod.name
        turn = self.question.address(open="" if is_open else pod.name) if self.may_see_modules else ""
        word = AgentWord(facts.mood, _rate(facts), facts.tells) if facts else None
        row = Piece(f"g-{pod.name}", "podrow", self._row(pod, held, columns.names, (word, turn, is_open)))
        if not is_open:
            return (row,)
        opened = Opened(pod.name, OWN_COLUMNS + len(columns.names) + bool(columns.more), pod.is_live, facts)
        return row, Piece(f"o-{pod.name}", "opened", opened)

    def _row(
        self, pod: Pod, held: list[Module], names: tuple[str, ...], agent: tuple[AgentWord | None, str, bool]
    ) -> PodRow:
        cells: dict[str, list[Cell]] = {}
        for one in sorted(held, key=lambda each: each.name):
            cells.setdefault(one.spec.module.name, []).append(_cell(one))
        word, turn, is_open = agent
        return PodRow(
            pod=pod.name,
            ip=pod.status.pod_ip,
            count=len(held),
            cap=_cap(pod, self.base),
            health=_health(pod, held),
            foreign=self._foreign(pod),
            cells=tuple(tuple(cells.get(name, ())) for name in names),
            agent=word if pod.is_live else None,
            is_asked=pod.is_live and self.may_see_modules,
            turn=turn,
            is_open=is_open,
        )

    def _foreign(self, pod: Pod) -> str:
        may_see = self.sight.may(Right.SEE_EVENTS, pod.metadata.namespace)
        told = self.fleet.events_about(pod) if may_see else []
        return next((one.message for one in told if one.reason == EventReason.MODULE_DRIFTED), "")


def _rate(facts: AgentFacts) -> str:
    return "" if facts.rate is None else rounded(facts.rate)


def card_of(fleet: Fleet, sight: Sight, base: Deployment) -> BaseCard:
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
