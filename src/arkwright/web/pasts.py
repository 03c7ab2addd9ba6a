"""What has been: revisions and what differs between them, what people did, what was told. In: the fleet. Out: pieces. Pure."""

from dataclasses import dataclass
from datetime import datetime

from arkwright.model.codec import encode
from arkwright.model.kinds import ModuleReplicaSet
from arkwright.model.names import RESTARTED_AT
from arkwright.model.outcomes import EventReason
from arkwright.people.acting import signatures
from arkwright.people.changes import Changed, changed_fields, flat
from arkwright.people.decisions import Scene
from arkwright.plan.revisions import identity
from arkwright.web.fleet import Fleet
from arkwright.web.pieces import Piece
from arkwright.web.sight import Right, Sight
from arkwright.web.told import ToldEvent

MOST_EVENTS, MOST_REVISIONS = 60, 20


@dataclass(frozen=True)
class RevisionLine:
    """`changed`: from the revision before it. `is_wanted`: the one that is asked for; `may_undo`: whether the viewer may go back to it."""

    namespace: str
    release: str
    number: int
    name: str
    module: str
    version: str
    available: int
    replicas: int
    made: datetime | None
    is_wanted: bool
    may_undo: bool
    changed: tuple[Changed, ...]


@dataclass(frozen=True)
class Deed:
    """What a person did. `verb`: the past of it, as its annotation says; `said`: what its Event says."""

    who: str
    said: str
    at: datetime | None


@dataclass(frozen=True)
class Story:
    """One Event."""

    reason: str
    message: str
    is_warning: bool
    count: int
    at: datetime
    about: str


def revision_pieces(scene: Scene, may_change: bool) -> tuple[Piece, ...]:
    shown = scene.revisions[:MOST_REVISIONS]
    before = (*scene.revisions[1 : len(shown) + 1], None)
    lines = (_revision(scene, one, older, may_change) for one, older in zip(shown, before, strict=False))
    return tuple(Piece(f"v-{one.number}", "revision", one) for one in lines)


def _revision(scene: Scene, one: ModuleReplicaSet, older: ModuleReplicaSet | None, may_change: bool) -> RevisionLine:
    is_wanted = identity(one.spec.template) == identity(scene.deployment.spec.template)
    return RevisionLine(
        namespace=one.metadata.namespace,
        release=scene.deployment.name,
        number=one.revision,
        name=one.name,
        module=one.module.name,
        version=one.module.version,
        available=one.status.available_replicas,
        replicas=one.spec.replicas,
        made=one.metadata.creation_timestamp,
        is_wanted=is_wanted,
        may_undo=may_change and not is_wanted and not scene.deployment.is_terminating,
        changed=changes_between(older, one) if older else (),
    )


def changes_between(older: ModuleReplicaSet, newer: ModuleReplicaSet) -> tuple[Changed, ...]:
    """Field by field, of what makes a revision and of how it is released."""
    return changed_fields(_fields(older), _fields(newer))


def _fields(one: ModuleReplicaSet) -> dict[str, str]:
    spec = one.spec
    fields = flat("operationStrategy", encode(spec.operation_strategy)) | flat("module", encode(one.module))
    if restarted := spec.template.metadata.annotations.get(RESTARTED_AT):
        fields["restartedAt"] = restarted
    return fields


def deeds(scene: Scene, fleet: Fleet, sight: Sight) -> tuple[Piece, ...]:
    """The latest first: by Events as long as they are kept, else by the notes on the object."""
    one = scene.deployment
    told = _about(scene, fleet, sight, {EventReason.ASKED_FOR})
    found = [Deed("", each.message, each.at) for each in told]
    seen = {each.at.replace(microsecond=0) for each in told}
    noted = [Deed(each.who, each.verb, each.at) for each in signatures(one)]
    found += [each for each in noted if each.at not in seen]
    found.sort(key=lambda each: each.at.timestamp() if each.at else 0, reverse=True)
    return tuple(Piece(f"d-{number}", "deed", each) for number, each in enumerate(found[:MOST_EVENTS]))


def stories(scene: Scene, fleet: Fleet, sight: Sight) -> tuple[Piece, ...]:
    """Events of the release, its revisions and its Modules."""
    found = _about(scene, fleet, sight, set())
    return tuple(Piece(f"e-{one.metadata.uid}", "event", _story(one)) for one in found[:MOST_EVENTS])


def _about(scene: Scene, fleet: Fleet, sight: Sight, reasons: set[str]) -> list[ToldEvent]:
    one, namespace = scene.deployment, scene.deployment.metadata.namespace
    if not sight.may(Right.SEE_EVENTS, namespace):
        return []
    modules = fleet.modules_of(one) if sight.may(Right.SEE_MODULES, namespace) else []
    told = fleet.events_about(one, *scene.revisions, *modules)
    return [each for each in told if not reasons or each.reason in reasons]


def _story(one: ToldEvent) -> Story:
    about = f"{one.involved_object.kind} {one.involved_object.name}"
    return Story(one.reason, one.message, one.type == "Warning", one.count or 1, one.at, about)
