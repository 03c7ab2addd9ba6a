"""What may be done about a release, each with what it will do or why it makes no sense now. In: a scene. Out: Offers. Pure."""

from dataclasses import dataclass

from arkwright.people.decisions import MakesNoSense, Scene, Verb, Wish, decide

FIRST = (Verb.CONFIRM, Verb.RESUME, Verb.RETRY, Verb.ABORT, Verb.PAUSE)
TO_ASK = frozenset({Verb.SCALE, Verb.SET_VERSION})  # what it will do depends on what is filled in


@dataclass(frozen=True)
class Offer:
    """`what`: what it will do; `why_not`: why it cannot be done now, "" if it can. `is_urgent`: what the release waits for."""

    verb: Verb
    what: str
    why_not: str
    is_urgent: bool = False


def offers(scene: Scene, may_change: bool) -> tuple[Offer, ...]:
    """In the order in which they are most likely meant; none for who may not."""
    if not may_change:
        return ()
    return tuple(_offer(scene, verb) for verb in (*FIRST, *(verb for verb in Verb if verb not in FIRST)))


def _offer(scene: Scene, verb: Verb) -> Offer:
    if verb in TO_ASK and not scene.deployment.is_terminating:
        return Offer(verb, "", "")
    try:
        return Offer(verb, decide(scene, Wish(verb)).what, "", verb in (Verb.CONFIRM, Verb.RESUME))
    except MakesNoSense as reason:
        return Offer(verb, "", str(reason))
