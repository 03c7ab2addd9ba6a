"""Who let a release go on: a person, or a manifest that was applied once more (semantics 4).

In: a ModuleDeployment, with who owns which of its fields, and what was noted when the release began to wait. Out: the wish as
persons mean it, and the note for the next time.

GitOps tools and scripts write `pause: false` every few minutes because it stands in a file, and a release waits for a person. So while
one waits, an annotation notes for what it waits and what the manifests said of the two fields then:
- the annotation is gone, or is of another wait: the whole object was replaced from a file that does not know it;
- the field belongs to somebody who applies manifests (server-side, or as kubectl does it in the client), and has the value that this
  manifest had already: applied once more.
Anything else is a person's word, a manifest that now says something else included.
"""

from typing import Any

import msgspec
from msgspec.structs import replace

from arkwright.model.kinds import HELD, ModuleDeployment, ReleaseStatus
from arkwright.model.meta import ManagedFields, Value
from arkwright.model.names import AWAITING, LAST_APPLIED

PAUSE, CONFIRM = "pause", "confirmBatchNum"
APPLY = "Apply"
Declared = dict[str, dict[str, Any]]  # who applies -> field -> the value in the manifest


class Note(Value, frozen=True, kw_only=True):
    """`batch`: the one that is waited for, as revision/number. `declared`: what manifests say of the fields that confirm."""

    batch: str = ""
    declared: Declared = {}


def note_of(deployment: ModuleDeployment) -> Note:
    """As the annotation has it; one that was edited into something else notes nothing."""
    try:
        return msgspec.json.decode(deployment.metadata.annotations.get(AWAITING, "{}"), type=Note)
    except msgspec.MsgspecError:
        return Note()


def next_note(deployment: ModuleDeployment, release: ReleaseStatus) -> Note:
    """What is to be noted while `release` is held. What a manifest said earlier stays: who takes a field over takes it from its owner,
    and the manifest still says so."""
    known = note_of(deployment).declared
    declared = {who: known.get(who, {}) | said for who, said in (known | _declared(deployment)).items()}
    return Note(batch=_batch(release), declared=declared)


def as_annotation(note: Note) -> str:
    return msgspec.json.encode(note).decode()


def as_decided(deployment: ModuleDeployment) -> ModuleDeployment:
    """The ModuleDeployment with the wish of persons: what manifests have put back is as it was."""
    spec = deployment.spec
    if spec.confirm_batch_num and _is_said_again(deployment, note_of(deployment), CONFIRM, spec.confirm_batch_num):
        spec = replace(spec, confirm_batch_num=0)
    if is_put_back(deployment):
        spec = replace(spec, pause=True)
    return deployment if spec is deployment.spec else replace(deployment, spec=spec)


def is_put_back(deployment: ModuleDeployment) -> bool:
    """Whether a release that waits would go on because of a manifest alone."""
    if deployment.status.release_status.progress not in HELD or deployment.spec.pause:
        return False
    note = note_of(deployment)
    is_replaced = note.batch != _batch(deployment.status.release_status)
    return is_replaced or _is_said_again(deployment, note, PAUSE, False) or _is_left_out(deployment, note)


def ignored(deployment: ModuleDeployment) -> str:
    """What its Event says: who has done that, as far as it can be seen, and the way out."""
    owners = {one.manager for one in deployment.metadata.managed_fields if one.has_of_spec(PAUSE)}
    who = ", ".join(sorted(owners)) or "whoever replaced or applied it"
    said = f"{who} has taken spec.pause away: a manifest that is applied again confirms nothing"
    batch = deployment.status.release_status.current_batch
    return f"{said}; to go on: arkwright confirm {deployment.name}, or spec.confirmBatchNum {batch}"


def _batch(release: ReleaseStatus) -> str:
    return f"{release.update_revision}/{release.current_batch}"


def _declared(deployment: ModuleDeployment) -> Declared:
    """What manifests say now."""
    spec, declared = deployment.spec, {}
    values = {PAUSE: spec.pause, CONFIRM: spec.confirm_batch_num}
    for one in deployment.metadata.managed_fields:
        if one.applies_in_client:
            declared[one.manager] = last_applied(deployment)
        elif one.operation == APPLY and not one.subresource:
            declared[one.manager] = {field: value for field, value in values.items() if one.has_of_spec(field)}
    return declared


def last_applied(deployment: ModuleDeployment) -> dict[str, Any]:
    """What the manifest that kubectl applied last says of the two fields."""
    try:
        spec = msgspec.json.decode(deployment.metadata.annotations.get(LAST_APPLIED, "{}"), type=_Manifest).spec
    except msgspec.MsgspecError:
        return {}
    return {field: spec[field] for field in (PAUSE, CONFIRM) if spec.get(field) is not None}


class _Manifest(msgspec.Struct):
    spec: dict[str, Any] = {}


def _is_said_again(deployment: ModuleDeployment, note: Note, field: str, value: object) -> bool:
    """All who have the field apply manifests, and these had this value before."""
    owners = [one for one in deployment.metadata.managed_fields if one.has_of_spec(field)]
    said = [note.declared.get(one.manager, {}).get(field) for one in owners if _applies(one)]
    return bool(owners) and len(said) == len(owners) and all(known == value for known in said)


def _applies(one: ManagedFields) -> bool:
    return one.operation == APPLY or one.applies_in_client


def _is_left_out(deployment: ModuleDeployment, note: Note) -> bool:
    """kubectl takes a field away that the manifest had and has no longer; nobody has said to go on."""
    writers = deployment.metadata.managed_fields
    if any(one.has_of_spec(PAUSE) for one in writers) or PAUSE in last_applied(deployment):
        return False
    return any(PAUSE in note.declared.get(one.manager, {}) for one in writers if one.applies_in_client)
