"""Bases: all of them as cards, or one as pods by modules (`podgrid`). In: the fleet, a sight, a question. Out: a Page, or None. Pure."""

from datetime import datetime

from arkwright.model.cluster import Deployment, Pod
from arkwright.model.resources import Kind
from arkwright.web.fleet import Fleet
from arkwright.web.pieces import Page, Piece, Region
from arkwright.web.podgrid import FactsOf, card_of, grid_page, pods_on_page
from arkwright.web.question import Question
from arkwright.web.releases import notices
from arkwright.web.sight import Right, Sight


def nothing_known(pod: Pod) -> None:
    """Of any agent."""


def bases_page(
    fleet: Fleet, sight: Sight, question: Question, now: datetime, facts: FactsOf = nothing_known
) -> Page | None:
    """`/bases`: all of them; `/bases/namespace/name`: one, pods by modules. `facts`: what a pod's agent tells."""
    if question.path == "/bases":
        return _list(fleet, sight, question, now)
    base = _asked_for(fleet, sight, question)
    if base is None:
        return None
    regions = grid_page(fleet, sight, base, question, facts)
    return Page("base", base.name, (Region("notices", notices(fleet, now)), *regions), question)


def shown_pods(fleet: Fleet, sight: Sight, question: Question) -> list[Pod]:
    """Those whose agents the page would ask: the live ones on it, for who may see what is in them."""
    base = _asked_for(fleet, sight, question) if question.path != "/bases" else None
    if base is None or not sight.may(Right.SEE_MODULES, base.metadata.namespace):
        return []
    return [one for one in pods_on_page(fleet, sight, base, question)[0] if one.is_live]


def _asked_for(fleet: Fleet, sight: Sight, question: Question) -> Deployment | None:
    namespace, _, name = question.path.removeprefix("/bases/").partition("/")
    base = fleet.get(Kind.DEPLOYMENT, namespace, name)
    return base if isinstance(base, Deployment) and sight.may(Right.SEE_BASES, namespace) else None


def _list(fleet: Fleet, sight: Sight, question: Question, now: datetime) -> Page:
    seen = [one for one in fleet.bases if sight.may(Right.SEE_BASES, one.metadata.namespace)]
    words = question.q.lower().split()
    found = (card_of(fleet, sight, one) for one in seen if _is_base(fleet, one) and _is_meant(one, words))
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
