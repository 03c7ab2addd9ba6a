"""Who confirms. In: what a release waits with, what somebody does to its fields. Out: whether it goes on."""

import json

import pytest
from msgspec.structs import replace

from arkwright.model.kinds import Progress, ReleaseStatus
from arkwright.model.meta import ManagedFields
from arkwright.model.names import AWAITING, LAST_APPLIED
from arkwright.plan.confirmation import as_annotation, as_decided, is_put_back, next_note
from arkwright.plan.deployment import ObservedDeployment, plan_deployment
from arkwright.plan.intents import Patch, SetStatus, Tell
from plan.builders import NOW, available, deployment, replica_set, revision, spec

WAITS = ReleaseStatus(
    update_revision="demo-replicas-2",
    current_batch=1,
    real_batch_count=3,
    original_delta_replicas=3,
    progress=Progress.PAUSED,
    batch_progress=Progress.COMPLETED,
)
CONTROLLER, KUBECTL, FLUX = "arkwright", "kubectl-client-side-apply", "flux"


def update(manager, *fields):
    return ManagedFields(manager=manager, operation="Update", fields_v1={"f:spec": {f"f:{one}": {} for one in fields}})


def server_side(manager, *fields):
    return replace(update(manager, *fields), operation="Apply")


def client_side(*fields):
    applied = {"f:annotations": {f"f:{LAST_APPLIED}": {}}}
    one = update(KUBECTL, *fields)
    return replace(one, fields_v1={**one.fields_v1, "f:metadata": applied})


def manifest(**fields):
    return {LAST_APPLIED: json.dumps({"spec": fields})}


def seen(*writers, annotations=None, release=WAITS, **wish):
    """A ModuleDeployment as it is in the cluster."""
    one = deployment(spec(3, need_confirm=True, batch_count=3, **wish))
    meta = replace(one.metadata, managed_fields=writers, annotations=annotations or {})
    return replace(one, metadata=meta, status=replace(one.status, release_status=release))


def waiting(*before, annotations=None, **wish):
    """What is noted as it begins to wait: manifests said something then."""
    return {AWAITING: as_annotation(next_note(seen(*before, annotations=annotations, **wish), WAITS))}


OLD = revision(replica_set("0.9", 1, 2), (available("0.9", 2), available("0.9", 3)))
NEW = revision(replica_set("1.0", 2, 1), (available("1.0", 1, revision=2),))
NOTHING_DECLARED = waiting(update(CONTROLLER, "pause"))
CLIENT = waiting(client_side("pause"), annotations=manifest(pause=False))
CLIENT_PAUSED = waiting(client_side("pause"), annotations=manifest(pause=True), pause=True)
CLIENT_SILENT = waiting(client_side(), annotations=manifest(replicas=3))
SERVER = waiting(server_side(FLUX, "pause"))
SERVER_SILENT = waiting(server_side(FLUX, "replicas"))
ACTS = {
    "nobody does anything": (seen(update(CONTROLLER, "pause"), annotations=NOTHING_DECLARED, pause=True), False),
    "kubectl patch": (seen(update("kubectl-patch", "pause"), annotations=NOTHING_DECLARED), True),
    "kubectl patch, where a manifest says so too": (
        seen(client_side(), update("kubectl-patch", "pause"), annotations=CLIENT | manifest(pause=False)),
        True,
    ),
    "kubectl edit that takes the line away": (seen(annotations=NOTHING_DECLARED), True),
    "kubectl edit that takes the line away, where a manifest has it": (
        seen(client_side(), annotations=CLIENT | manifest(pause=False)),
        True,
    ),
    "a program that reads, changes and writes": (seen(update("console", "pause"), annotations=NOTHING_DECLARED), True),
    "apply of the same manifest": (seen(client_side("pause"), annotations=CLIENT | manifest(pause=False)), False),
    "apply of a manifest that says it newly": (
        seen(client_side("pause"), annotations=CLIENT_SILENT | manifest(pause=False)),
        True,
    ),
    "apply of a manifest that said true": (
        seen(client_side("pause"), annotations=CLIENT_PAUSED | manifest(pause=False)),
        True,
    ),
    "apply of a manifest that has it no longer": (
        seen(client_side(), annotations=CLIENT | manifest(replicas=3)),
        False,
    ),
    "server-side apply of the same manifest, by force": (seen(server_side(FLUX, "pause"), annotations=SERVER), False),
    "server-side apply that says it newly": (seen(server_side(FLUX, "pause"), annotations=SERVER_SILENT), True),
    "server-side apply by a person, beside a tool": (
        seen(server_side("me", "pause"), server_side(FLUX, "replicas"), annotations=SERVER),
        True,
    ),
    "a tool that says again what a person has said": (
        seen(server_side(FLUX, "pause"), update("kubectl-patch", "pause"), annotations=SERVER),
        True,
    ),
    "replace, with pause": (seen(update("kubectl-replace", "pause")), False),
    "replace, without pause": (seen(update("kubectl-replace", "replicas")), False),
    "replace by what was exported at an earlier wait": (
        seen(
            update("kubectl-replace", "pause"),
            annotations={AWAITING: '{"batch":"demo-replicas-1/1"}'},
        ),
        False,
    ),
    "an annotation that somebody has broken": (
        seen(update("kubectl-edit", "pause"), annotations={AWAITING: "?"}),
        False,
    ),
}


@pytest.mark.parametrize("act", ACTS)
def test_a_person_confirms_and_a_manifest_that_is_applied_again_does_not(act):
    one, goes_on = ACTS[act]
    intents = plan_deployment(ObservedDeployment(one, revisions=(OLD, NEW), live_pods=3), NOW).intents
    assert (not as_decided(one).spec.pause) == goes_on
    restored = [intent.patch["spec"] for intent in intents if isinstance(intent, Patch) and "spec" in intent.patch]
    assert ({"pause": True} in restored) == (not goes_on and not one.spec.pause)
    told = [intent for intent in intents if isinstance(intent, Tell) and intent.reason == "ConfirmationIgnored"]
    assert bool(told) == (not goes_on and not one.spec.pause)


NUMBERS = {
    "a person sets it": (seen(update("kubectl-patch", "confirmBatchNum"), confirm=1, pause=True), 1),
    "arkwright confirm": (seen(update("arkwright", "confirmBatchNum"), confirm=1, pause=True), 1),
    "a manifest that had it": (
        seen(
            client_side("confirmBatchNum"),
            annotations=waiting(client_side("confirmBatchNum"), annotations=manifest(confirmBatchNum=1), confirm=1)
            | manifest(confirmBatchNum=1),
            confirm=1,
            pause=True,
        ),
        0,
    ),
    "a manifest that has another number now": (
        seen(
            client_side("confirmBatchNum"),
            annotations=waiting(client_side("confirmBatchNum"), annotations=manifest(confirmBatchNum=1), confirm=1)
            | manifest(confirmBatchNum=2),
            confirm=2,
            pause=True,
        ),
        2,
    ),
    "a tool by force": (
        seen(
            server_side(FLUX, "confirmBatchNum"),
            annotations=waiting(server_side(FLUX, "confirmBatchNum"), confirm=1),
            confirm=1,
            pause=True,
        ),
        0,
    ),
}


@pytest.mark.parametrize("who", NUMBERS)
def test_a_number_confirms_where_a_manifest_has_not_said_it_before(who):
    one, counts = NUMBERS[who]
    assert as_decided(one).spec.confirm_batch_num == counts


def test_what_a_manifest_said_is_remembered_while_nobody_has_the_field():
    first = next_note(seen(server_side(FLUX, "pause")), WAITS)
    second = replace(WAITS, current_batch=2)
    kept = seen(server_side(FLUX, "replicas"), annotations={AWAITING: as_annotation(first)}, release=second)
    note = next_note(kept, second)
    assert note.batch == "demo-replicas-2/2" and note.declared == {FLUX: {"pause": False}}
    forced = seen(server_side(FLUX, "pause"), annotations={AWAITING: as_annotation(note)}, release=second)
    assert is_put_back(forced)


def test_another_version_goes_ahead_whatever_its_manifest_says_of_the_pause():
    applied = seen(client_side("pause"), annotations=CLIENT | manifest(pause=False), version="2.0")
    intents = plan_deployment(ObservedDeployment(applied, revisions=(OLD, NEW), live_pods=3), NOW).intents
    assert not [one for one in intents if isinstance(one, Tell) and one.reason == "ConfirmationIgnored"]
    (status,) = (one.status["releaseStatus"] for one in intents if isinstance(one, SetStatus))
    assert (status["updateRevision"], status["progress"]) == ("demo-replicas-3", "Executing")
