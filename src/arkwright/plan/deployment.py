"""One ModuleDeployment: which revision is wanted, how far its release has come, how many replicas each revision has.

In: the ModuleDeployment, its ReplicaSets with their Modules, the live base pods. Out: ReplicaSets to create, change or
delete, the Service, the status. A release moves two counts: the new revision's as `release` allows, the old ones' as
`handover` says. Which pods is the ReplicaSet's business, how is the Module's.
"""

from dataclasses import replace
from datetime import datetime
from itertools import count

from arkwright.model.cluster import Document
from arkwright.model.codec import encode, encode_whole
from arkwright.model.kinds import HELD, ModuleDeployment, ModuleDeploymentStatus, ReleaseStatus
from arkwright.model.meta import Condition, KubernetesObject, OwnerReference
from arkwright.model.names import (
    ABORT,
    AWAITING,
    MODULE_DEPLOYMENT,
    MODULE_EXISTS,
    REPLICASET_EXISTS,
    label_value,
    replicaset_name,
)
from arkwright.model.outcomes import EventReason
from arkwright.model.resources import Kind
from arkwright.plan.abort import is_void, stable_instead, turned_back, unattended
from arkwright.plan.confirmation import PAUSE, as_annotation, as_decided, ignored, is_put_back, next_note, note_of
from arkwright.plan.handover import held_up, next_turn_in, old_counts
from arkwright.plan.intents import Delete, Intent, Patch, Plan, SetStatus, Target, Tell, target_of
from arkwright.plan.overview import ObservedDeployment
from arkwright.plan.release import Counts, Release, Step, plan_release
from arkwright.plan.retreat import plan_retreat
from arkwright.plan.revisions import (
    Revision,
    adoption,
    changes,
    creation,
    granted,
    outdated,
    released,
    revivals,
    wanted_replica_set,
)
from arkwright.plan.service import plan_service
from arkwright.plan.status import (
    TOLD_OF_DEPLOYMENTS,
    conditions,
    no_base,
    seconds_to_deadline,
    slowest,
    status_wait,
    tally,
    write_refused,
)

FINALIZERS = (REPLICASET_EXISTS, MODULE_EXISTS)


def plan_deployment(observed: ObservedDeployment, now: datetime) -> Plan:
    """The ModuleDeployment's next step. Progress is written before it is acted upon."""
    if observed.deployment.is_terminating:
        return _plan_removal(observed, now)
    revived = revivals(observed.deployment, observed.lost)
    if revived and not observed.refused:
        return Plan(revived)
    asked, observed = observed.deployment, replace(observed, deployment=as_decided(observed.deployment))
    if stable := stable_instead(observed.deployment, observed.revisions):
        observed = replace(observed, deployment=turned_back(observed.deployment, stable), is_abort=True)
    number, name = _revision(observed)
    step = plan_release(_release(observed, now), name, now)
    service = plan_service(observed.services)
    failure = _failure(observed) or service.failure
    is_sure = not (observed.refused and step.spec_changes)  # progress says nothing that the spec does not say yet
    status = _plan_status(observed, step.release if is_sure else asked.status.release_status, failure, now)
    intents = (
        *(status.intents if observed.refused else ()),  # first: what is refused again drops what comes after it
        *revived,
        *_adoption(observed),
        *(one for revision in observed.revisions for one in adoption(revision, observed.deployment)),
        *_spec_changes(observed, asked, step),
        *(() if observed.refused else status.intents),
        *_new_revision(observed, name, number, step.target),
        *_old_revisions(observed, now),
        *service.intents,
        *outdated(observed.others, observed.deployment.spec.revision_history_limit),
        *(Tell(observed.target, reason, words) for reason, words in step.told),
        *_told_of_confirm(observed, asked, step),
        *_told_of(failure, observed),
    )
    wait = observed.deployment.spec.min_ready_seconds
    soon = (one.next_available_in(wait, now) for one in observed.modules)
    looks = (status.look_again_in, *soon, next_turn_in(observed.handover, now), observed.silence.next_excuse_in(now))
    return Plan(intents, min((one for one in (step.look_again_in, *looks) if one is not None), default=None))


def _revision(observed: ObservedDeployment) -> tuple[int, str]:
    """Number and name; a revision that is wanted again becomes the newest."""
    newest = max((one.number for one in observed.others), default=0)
    if observed.current:
        return max(observed.current.number, newest + 1), observed.current.name
    taken = observed.taken | {one.name for one in observed.others}
    free = next(n for n in count(newest + 1) if replicaset_name(observed.deployment.name, n) not in taken)
    return free, replicaset_name(observed.deployment.name, free)


def _release(observed: ObservedDeployment, now: datetime) -> Release:
    deployment, current = observed.deployment, observed.current
    counts = Counts(
        desired=observed.desired,
        planned=deployment.status.replicas,
        new=current.replica_set.spec.replicas if current else 0,
        new_present=len(observed.new_modules),
        new_available=_arrived(observed, now),
        old_present=sum(map(len, observed.old_modules)),
    )
    newest = max((one.number for one in observed.others), default=0)
    is_return = current is not None and current.number < newest
    spec = unattended(deployment.spec) if observed.is_abort else deployment.spec
    return Release(spec, deployment.status.release_status, counts, is_return, observed.is_abort)


def _arrived(observed: ObservedDeployment, now: datetime) -> int:
    """New Modules that are there to stay, and those that no batch waits for: but no release is complete by excuses alone."""
    wait, release = observed.deployment.spec.min_ready_seconds, observed.deployment.status.release_status
    available = observed.new_modules.available(wait, now)
    is_last = release.current_batch >= release.real_batch_count
    return available + (len(observed.silence.excused(now)) if available or not is_last else 0)


def _adoption(observed: ObservedDeployment) -> tuple[Intent, ...]:
    """Finalizers, and the base Deployment as owner (by uid: a base made anew under the same name is followed)."""
    metadata, base = observed.deployment.metadata, observed.base
    patch: Document = {}
    if not observed.is_abort and is_void(observed.deployment, observed.revisions):
        patch["annotations"] = {ABORT: None}
    if missing := [one for one in FINALIZERS if one not in metadata.finalizers]:
        patch["finalizers"] = [*metadata.finalizers, *missing]
    kept = [one for one in metadata.owner_references if one.kind != "Deployment"]
    if base and [one.uid for one in metadata.owner_references if one.kind == "Deployment"] != [base.metadata.uid]:
        owner = OwnerReference(api_version="apps/v1", kind="Deployment", name=base.name, uid=base.metadata.uid)
        patch["ownerReferences"] = [encode(one) for one in (*kept, owner)]
    if not patch:
        return ()
    patch["resourceVersion"] = metadata.resource_version
    return (Patch(observed.target, {"metadata": patch}, "it is taken under control"),)


def _spec_changes(observed: ObservedDeployment, asked: ModuleDeployment, step: Step) -> tuple[Intent, ...]:
    """With what is noted of manifests, which may say the opposite at any time. `asked`: as it is in the cluster."""
    is_held = step.release.progress in HELD
    if not (is_held or step.spec_changes):
        return ()  # most looks: manifests need not be read for these
    fields = ({PAUSE: True} if is_held and is_put_back(asked) else {}) | step.spec_changes
    patch: Document = {"spec": fields} if fields else {}
    note, known = next_note(asked, step.release), note_of(asked)
    if note != known if is_held else note.declared != known.declared:
        patch["metadata"] = {"annotations": {AWAITING: as_annotation(note)}}
    return (Patch(observed.target, patch, "the release asks for it"),) if patch else ()


def _told_of_confirm(observed: ObservedDeployment, asked: ModuleDeployment, step: Step) -> tuple[Intent, ...]:
    if step.release.progress not in HELD or not is_put_back(asked):
        return ()
    return (Tell(observed.target, EventReason.CONFIRMATION_IGNORED, ignored(asked), is_warning=True),)


def _new_revision(observed: ObservedDeployment, name: str, number: int, replicas: int) -> tuple[Intent, ...]:
    wanted = wanted_replica_set(observed.deployment, name, number, replicas)
    return changes(observed.current, wanted) if observed.current else (creation(wanted),)


def _old_revisions(observed: ObservedDeployment, now: datetime) -> tuple[Intent, ...]:
    deployment = observed.deployment
    kept = old_counts(observed.handover, now)
    plans = (changes(one, granted(one, kept[one.name], deployment)) for one in observed.others)
    return tuple(intent for plan in plans for intent in plan)


def _failure(observed: ObservedDeployment) -> Condition | None:
    """Why it waits: no base, no place, nothing that may leave, or a Module that fails, in its agent's words."""
    if observed.refused:
        return write_refused(observed.refused)
    if observed.base is None:
        return no_base(observed.deployment)
    known = observed.current.replica_set.status.conditions if observed.current else ()
    placed = (one for one in known if one.type == "ReplicaFailure" and one.status == "True")
    uncounted = observed.silence.uncounted
    troubled = (one for one in observed.troubled if one.pod_name not in uncounted)
    return next(placed, None) or held_up(observed.handover) or slowest(troubled)


def _told_of(failure: Condition | None, observed: ObservedDeployment) -> tuple[Intent, ...]:
    """An Event for what befalls the whole; the other failures are told by those whom they befall."""
    before = {one.reason for one in observed.deployment.status.conditions if one.status == "True"}
    if failure is None or failure.reason not in TOLD_OF_DEPLOYMENTS or failure.reason in before:
        return ()
    return (Tell(observed.target, EventReason(failure.reason), failure.message, is_warning=True),)


def _plan_status(
    observed: ObservedDeployment, release: ReleaseStatus, failure: Condition | None, now: datetime
) -> Plan:
    """Progress is written at once; counters at most every 0.2 s."""
    deployment, before = observed.deployment, observed.deployment.status
    wait = deployment.spec.min_ready_seconds
    counted = replace(
        tally(observed.desired, observed.new_modules, observed.old_modules, wait, now),
        uncounted=observed.silence.uncounted,
        excused=observed.silence.excused(now),
    )
    wanted = ModuleDeploymentStatus(
        replicas=counted.desired,
        available_replicas=counted.available,
        ready_replicas=counted.ready,
        unavailable_replicas=counted.unavailable,
        updated_replicas=counted.updated,
        updated_available_replicas=counted.updated_available,
        updated_ready_replicas=counted.updated_ready,
        upgrading_replicas=counted.updated - counted.updated_available,
        collision_count=before.collision_count,
        observed_generation=deployment.metadata.generation,
        selector=f"{MODULE_DEPLOYMENT}={label_value(deployment.name)}",
        conditions=conditions(deployment, release, counted, failure, now),
        release_status=release,
    )
    deadline = Plan(look_again_in=seconds_to_deadline(deployment, release, counted, now) or None)
    if wanted == before:
        return deadline
    left = status_wait(observed.status_written_at, now)
    if left > 0 and (wanted.release_status, wanted.replicas) == (before.release_status, before.replicas):
        return Plan(look_again_in=left)
    because = f"progress {release.progress}, {counted.available} of {counted.desired} available"
    return Plan((SetStatus(observed.target, encode_whole(wanted), because),))


def _plan_removal(observed: ObservedDeployment, now: datetime) -> Plan:
    """Uninstall everything, in batches but without confirm; then ReplicaSets, Service and finalizers."""
    metadata = observed.deployment.metadata
    if not set(FINALIZERS) & set(metadata.finalizers):
        return Plan()
    if observed.has_let_go:
        return Plan(_letting_go(observed) or (_without_finalizers(observed, "what it owns is to stay"),))
    present = sum(map(len, observed.modules))
    failing = sum(1 for each in observed.modules for one in each.going if one.status.attempts)
    spec, before = observed.deployment.spec, observed.deployment.status.release_status
    retreat = plan_retreat(spec, before, present, failing, now)
    failure = write_refused(observed.refused) if observed.refused else slowest(observed.troubled)
    status = _plan_status(observed, retreat.release, failure, now)
    told = tuple(Tell(observed.target, reason, words) for reason, words in retreat.told)
    if present:
        return status.then(Plan((*told, *_lowered(observed, retreat.staying))))  # told first: the rest may be refused
    gone = tuple(Delete(one.target, "its ModuleDeployment is deleted") for one in _standing(observed))
    service = plan_service(observed.services).intents
    if observed.revisions:
        return status.then(Plan((*gone, *service, *told)))
    is_kept = bool(set(metadata.finalizers) - set(FINALIZERS))
    last = _without_finalizers(observed, "nothing of it is left")
    return Plan((*service, *(status.intents if is_kept else ()), *told, last))


def _letting_go(observed: ObservedDeployment) -> tuple[Intent, ...]:
    """The collector does it too; where it does not know our kinds yet, it would collect what is to stay."""
    ours, services = observed.deployment.metadata.uid, (observed.service, *observed.former_services)
    owned: list[tuple[Target, KubernetesObject]] = [(one.target, one.replica_set) for one in observed.revisions]
    owned += [(target_of(Kind.SERVICE, one), one) for one in services if one is not None]
    return tuple(
        released(target, one, ours)
        for target, one in owned
        if any(each.uid == ours for each in one.metadata.owner_references)
    )


def _without_finalizers(observed: ObservedDeployment, because: str) -> Patch:
    metadata = observed.deployment.metadata
    rest = [name for name in metadata.finalizers if name not in FINALIZERS]
    patch: Document = {"metadata": {"finalizers": rest or None, "resourceVersion": metadata.resource_version}}
    return Patch(observed.target, patch, because)


def _standing(observed: ObservedDeployment) -> list[Revision]:
    return [one for one in observed.revisions if not one.replica_set.is_terminating]


def _lowered(observed: ObservedDeployment, left: int) -> tuple[Intent, ...]:
    """Counts that leave `left` Modules altogether, those of the current revision longest."""
    intents: list[Intent] = []
    for revision in sorted(_standing(observed), key=lambda one: one.number, reverse=True):
        keep = min(left, len(revision.modules.live), revision.replica_set.spec.replicas)
        left -= keep
        # as it was seen: it may have been let go of meanwhile, and is to stay then
        intents += changes(revision, granted(revision, keep, observed.deployment), as_seen=True)
    return tuple(intents)
