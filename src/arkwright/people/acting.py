"""Writes what a person decided, and says who it was: a note on the object, and an Event. In: a client with the person's rights. Out: what came of it.

Nothing is written if somebody else wrote since the person looked: a decision must not hit another release than the one it was about.
"""

import contextlib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

from arkwright.clients.errors import ClientError, Conflict
from arkwright.clients.kube import KubeClient
from arkwright.model.cluster import Document
from arkwright.model.codec import stamp
from arkwright.model.kinds import HELD, ModuleDeployment
from arkwright.model.meta import KubernetesObject
from arkwright.model.names import cut, short_hash
from arkwright.model.outcomes import EventReason
from arkwright.model.resources import RESOURCES, Kind
from arkwright.model.text import plain
from arkwright.people.decisions import Decision, MakesNoSense, Verb

TRIES = 5
LONGEST_NAME, LONGEST_MESSAGE, LONGEST_WHO = 200, 1024, 200
DEPLOYMENTS, EVENTS = RESOURCES[Kind.MODULE_DEPLOYMENT], RESOURCES[Kind.EVENT]
PASTS = {
    Verb.CONFIRM: "confirmed",
    Verb.PAUSE: "paused",
    Verb.RESUME: "resumed",
    Verb.ABORT: "aborted",
    Verb.RETRY: "retried",
    Verb.UNDO: "undone",
    Verb.RESTART: "restarted",
    Verb.SCALE: "scaled",
    Verb.SET_VERSION: "version-set",
}
PREFIX, SUFFIX = "arkwright.dev/", "-by"


@dataclass(frozen=True)
class Signature:
    """Who did it last, and when, as a note on the object tells. `verb`: its past."""

    verb: str
    who: str
    at: datetime | None


@dataclass(frozen=True)
class Person:
    """`through`: what they used, such as the dashboard."""

    name: str
    through: str


def note_of(verb: Verb) -> str:
    """The annotation that says who did it last.

    >>> note_of(Verb.CONFIRM)
    'arkwright.dev/confirmed-by'
    """
    return f"{PREFIX}{PASTS[verb]}{SUFFIX}"


def signatures(one: ModuleDeployment) -> list[Signature]:
    """What its notes tell; one that was edited into something else has no time."""
    found = []
    for past in PASTS.values():
        if said := one.metadata.annotations.get(f"{PREFIX}{past}{SUFFIX}"):
            who, _, at = said.rpartition(" ")
            found.append(Signature(past, who or said, _moment(at)))
    return found


def pause_of(one: ModuleDeployment) -> Signature | None:
    """Who holds it: where it is held, and a pause is the last that was decided."""
    if one.status.release_status.progress not in HELD:
        return None
    dated = [(each.at, each) for each in signatures(one) if each.at]
    _, last = max(dated, key=lambda it: it[0], default=(None, None))
    return last if last and last.verb == PASTS[Verb.PAUSE] else None


def _moment(text: str) -> datetime | None:
    try:
        return datetime.strptime(text, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC)
    except ValueError:
        return None


def signed(decision: Decision, verb: Verb, person: Person, now: datetime) -> Document:
    """The patch, with the note of who asked for it."""
    metadata = dict(decision.patch.get("metadata", {}))
    note = f"{plain(person.name, LONGEST_WHO)} {stamp(now)}"
    metadata["annotations"] = {**metadata.get("annotations", {}), note_of(verb): note}
    return decision.patch | {"metadata": metadata}


async def act(
    kube: KubeClient,
    place: tuple[str, str],
    verb: Verb,
    decide: Callable[[ModuleDeployment], Decision],
    by: tuple[Person, datetime],
) -> Decision:
    """`place`: namespace and name. `decide` is asked again if somebody wrote in between. Raises ClientError, MakesNoSense."""
    person, now = by
    for _ in range(TRIES):
        found = await kube.get(DEPLOYMENTS, *place)
        assert isinstance(found, ModuleDeployment)
        decision = decide(found)
        patch = signed(decision, verb, person, now)
        patch["metadata"]["resourceVersion"] = found.metadata.resource_version
        with contextlib.suppress(Conflict):
            await kube.patch(DEPLOYMENTS, DEPLOYMENTS.path(*place), patch)
            await tell(kube, Kind.MODULE_DEPLOYMENT, found, f"{person.name} {decision.did}, by {person.through}", now)
            return decision
    raise MakesNoSense("it changes all the time; try again")


async def tell(kube: KubeClient, kind: Kind, about: KubernetesObject, said: str, now: datetime) -> None:
    """Who did what, as an Event. Who may not write Events has done it all the same, and the note on the object tells so."""
    message = plain(said, LONGEST_MESSAGE)
    name = f"{cut(about.name, LONGEST_NAME)}.{short_hash(f'{about.metadata.uid}/{message}/{now.isoformat()}')}"
    namespace = about.metadata.namespace
    document: Document = {
        "apiVersion": "v1",
        "kind": "Event",
        "metadata": {"name": name, "namespace": namespace},
        "involvedObject": {
            "apiVersion": RESOURCES[kind].api_version,
            "kind": kind.value,
            "namespace": namespace,
            "name": about.name,
            "uid": about.metadata.uid,
        },
        "reason": EventReason.ASKED_FOR.value,
        "message": message,
        "type": "Normal",
        "count": 1,
        "firstTimestamp": stamp(now),
        "lastTimestamp": stamp(now),
        "source": {"component": "arkwright"},
        "reportingComponent": "arkwright",
    }
    with contextlib.suppress(ClientError):
        await kube.create(EVENTS, namespace, document)
