"""How releases look: rows and trees. In: a Snapshot. Out: values to print. Nothing is fetched or written here."""

from datetime import datetime
from typing import Any

from rich.markup import escape
from rich.tree import Tree

from arkwright.cli.cluster import Snapshot
from arkwright.model.cluster import Pod
from arkwright.model.kinds import Module, ModuleDeployment, ModulePhase, ModuleReplicaSet, Progress
from arkwright.model.meta import Condition
from arkwright.model.names import MODULE_DEPLOYMENT, MODULE_REPLICASET, SERVES_PREFIX, label_value
from arkwright.model.text import plain
from arkwright.model.urls import without_secrets
from arkwright.people.acting import pause_of
from arkwright.people.standings import is_seen, lasting, message_of, phase_of, standing
from arkwright.people.waysout import next_step, way_out
from arkwright.plan.stages import failure_of
from arkwright.standalone.site import Site

MARKS = {
    ModulePhase.AVAILABLE: "[green]✔[/]",
    ModulePhase.FAILED: "[red]✖[/]",
    ModulePhase.TERMINATING: "[yellow]⚠[/]",
}
OVERDUE_SECONDS, LONG_SECONDS = 2, 5  # less is not worth a word
AMISS = "[yellow]⚠[/]"
UNDER_WAY = "[cyan]◌[/]"
PROGRESS_MARKS = {
    Progress.COMPLETED: "[green]✔[/]",
    Progress.PAUSED: "[yellow]॥[/]",
    Progress.WAITING_FOR_CONFIRMATION: "[yellow]॥[/]",
    Progress.ABORTED: "[red]✖[/]",
    Progress.TERMINATING: "[yellow]⚠[/]",
}


def _shown(text: str) -> str:
    """For a tree: neither markup nor a control of the terminal's."""
    return escape(plain(text))


def deployment_rows(snapshot: Snapshot) -> list[dict[str, Any]]:
    return [_deployment_row(one) for one in snapshot.deployments]


def _deployment_row(deployment: ModuleDeployment) -> dict[str, Any]:
    spec, status = deployment.spec, deployment.status
    release = status.release_status
    return {
        "name": deployment.name,
        "base": spec.base_deployment_name,
        "module": spec.template.spec.module.name,
        "version": spec.template.spec.module.version,
        "desired": status.replicas,
        "updated": status.updated_replicas,
        "available": status.available_replicas,
        "batch": f"{release.current_batch}/{release.real_batch_count}",
        "progress": standing(deployment),
        "namespace": deployment.metadata.namespace,
        "policy": spec.operation_strategy.upgrade_policy.value,
        "message": message_of(deployment),
    }


def module_rows(snapshot: Snapshot) -> list[dict[str, Any]]:
    return [
        {
            "name": one.name,
            "module": one.spec.module.name,
            "version": one.spec.module.version,
            "pod": one.pod_name,
            "status": phase_of(one),
            "namespace": one.metadata.namespace,
            "url": without_secrets(one.spec.module.url),
            "attempts": one.status.attempts,
            "reason": one.status.reason,
            "message": one.status.message,
        }
        for one in snapshot.modules
    ]


def base_rows(snapshot: Snapshot) -> list[dict[str, Any]]:
    """Base pods that hold modules, or may: what is on which machine."""
    on_pod: dict[str, list[Module]] = {}
    for module in snapshot.modules:
        on_pod.setdefault(module.pod_uid, []).append(module)
    return [
        {
            "pod": pod.name,
            "ip": pod.status.pod_ip,
            "modules": len(on_pod[pod.metadata.uid]),
            "serves": ", ".join(_served(pod.metadata.labels)),
            "namespace": pod.metadata.namespace,
            "holds": ", ".join(sorted(_held(one) for one in on_pod[pod.metadata.uid])),
        }
        for pod in snapshot.pods
        if pod.metadata.uid in on_pod
    ]


def site_line(site: Site, pods: tuple[Pod, ...]) -> str:
    """Where the one-machine site is, and how its base pods are."""
    _, server = site.keeper() or (0, "not up")
    down = [pod.name for pod in pods if not _is_ready(pod)]
    why = f"; arkwright logs {down[0]}{site.option} says why" if down else ""
    count = len(pods)
    return f"site {site.directory}: {server}, {count - len(down)} of {count} pods ready{why}"


def _is_ready(pod: Pod) -> bool:
    return pod.is_reachable and all(one.ready for one in pod.status.container_statuses)


def _served(labels: dict[str, str]) -> list[str]:
    return sorted(key.removeprefix(SERVES_PREFIX) for key in labels if key.startswith(SERVES_PREFIX))


def _held(module: Module) -> str:
    return f"{module.spec.module.name}:{module.spec.module.version} {phase_of(module)}"


def release_tree(deployment: ModuleDeployment, snapshot: Snapshot, now: datetime) -> Tree:
    """ModuleDeployment → revision → base pod and Module, with what it waits for on top."""
    tree = Tree(_headline(deployment))
    tree.add(f"{_shown(message_of(deployment))}{_since(deployment, now)}")
    if (pause := pause_of(deployment)) and pause.at:
        tree.add(f"paused by {_shown(pause.who)} {lasting((now - pause.at).total_seconds())} ago")
    revisions = revisions_of(deployment.name, snapshot)
    if step := next_step(deployment, is_seen(deployment), len(revisions) > 1):
        tree.add(f"[bold]→[/] {_shown(step)}")
    for revision in sorted(revisions, key=lambda one: one.revision, reverse=True):
        if modules := _modules_of(revision, snapshot):
            _add_revision(tree, revision, modules, now)
    return tree


def bare_trees(snapshot: Snapshot, now: datetime) -> list[Tree]:
    """ReplicaSets without a ModuleDeployment, and Modules without a ReplicaSet: made by hand, let go of, or detached."""
    bare = [one for one in snapshot.replica_sets if not _is_owned(one, snapshot)]
    trees = []
    for one in bare:
        failure = failure_of(one)
        tree = Tree(f"ModuleReplicaSet without a ModuleDeployment{_shown(_told(failure) if failure else '')}")
        _add_revision(tree, one, _modules_of(one, snapshot), now)
        if failure:
            _add_way_out(tree, failure.reason, failure.message)
        trees.append(tree)
    homes = {label_value(one.name) for one in snapshot.replica_sets}
    alone = [one for one in snapshot.modules if one.metadata.labels.get(MODULE_REPLICASET) not in homes]
    if alone:
        tree = Tree("Modules without a ModuleReplicaSet")
        for module in sorted(alone, key=lambda one: one.name):
            _add_way_out(_add_module(tree, module, module.name, now), module.status.reason, module.status.message)
        trees.append(tree)
    return trees


def _is_owned(revision: ModuleReplicaSet, snapshot: Snapshot) -> bool:
    names = {label_value(one.name) for one in snapshot.deployments}
    return revision.metadata.labels.get(MODULE_DEPLOYMENT) in names


def _told(failure: Condition) -> str:
    return f"  {failure.reason}: {failure.message}"


def _add_way_out(tree: Tree, reason: str, message: str) -> None:
    if way := way_out(reason, message):
        tree.add(f"[bold]→[/] {_shown(way)}")


def revisions_of(deployment: str, snapshot: Snapshot) -> list[ModuleReplicaSet]:
    label = label_value(deployment)
    return [one for one in snapshot.replica_sets if one.metadata.labels.get(MODULE_DEPLOYMENT) == label]


def _headline(deployment: ModuleDeployment) -> str:
    spec, status = deployment.spec, deployment.status
    release, module = status.release_status, spec.template.spec.module
    mark = _mark(deployment)
    batch = f"  batch {release.current_batch}/{release.real_batch_count}" if release.real_batch_count else ""
    counts = f"{status.updated_available_replicas} of {status.replicas} updated, {status.available_replicas} available"
    named = f"[bold]{_shown(deployment.name)}[/]  {_shown(module.name)}:{_shown(module.version)}"
    return f"{mark} {named} on {_shown(spec.base_deployment_name)}  {standing(deployment)}{batch}  {counts}"


def _mark(deployment: ModuleDeployment) -> str:
    """What was complete and has lost something since is not well."""
    progress = deployment.status.release_status.progress
    if not is_seen(deployment):
        return UNDER_WAY
    return (
        AMISS if progress is Progress.COMPLETED and failure_of(deployment) else PROGRESS_MARKS.get(progress, UNDER_WAY)
    )


def _since(deployment: ModuleDeployment, now: datetime) -> str:
    release = deployment.status.release_status
    if not is_seen(deployment) or release.progress is Progress.COMPLETED or release.last_transition_time is None:
        return ""
    return f" [dim](for {lasting((now - release.last_transition_time).total_seconds())})[/]"


def _modules_of(revision: ModuleReplicaSet, snapshot: Snapshot) -> list[Module]:
    label = label_value(revision.name)
    found = [one for one in snapshot.modules if one.metadata.labels.get(MODULE_REPLICASET) == label]
    return sorted(found, key=lambda one: one.pod_name)


def _add_revision(tree: Tree, revision: ModuleReplicaSet, modules: list[Module], now: datetime) -> None:
    module = revision.module
    counts = f"{revision.status.available_replicas} of {revision.spec.replicas} available"
    named = f"{_shown(module.name)}:{_shown(module.version)}"
    branch = tree.add(f"{_shown(revision.name)}  revision {revision.revision}  {named}  {counts}")
    for one in modules:
        _add_module(branch, one, one.pod_name, now)


def _add_module(tree: Tree, one: Module, named: str, now: datetime) -> Tree:
    phase = phase_of(one)
    mark = MARKS.get(ModulePhase(phase), UNDER_WAY)
    why = ": ".join(part for part in (one.status.reason, one.status.message) if part)
    return tree.add(f"{mark} {_shown(named)}  {phase}  {_shown(why)}".rstrip() + _time_told(one, now))


def _time_told(module: Module, now: datetime) -> str:
    """Of one that fails, its tries; of one that is coming or going, for how long."""
    status = module.status
    if status.attempts and status.next_attempt_time is not None:
        seconds = round((status.next_attempt_time - now).total_seconds())
        if seconds < -OVERDUE_SECONDS:
            return f" [dim](try {status.attempts}; the next is under way for {lasting(-seconds)})[/]"
        return f" [dim](try {status.attempts}, the next in {max(0, seconds)} s)[/]"
    since = status.last_transition_time
    if status.status is ModulePhase.AVAILABLE or since is None:
        return ""
    seconds = round((now - since).total_seconds())
    return f" [dim](for {lasting(seconds)})[/]" if seconds >= LONG_SECONDS else ""
