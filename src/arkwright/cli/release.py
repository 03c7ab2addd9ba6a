"""`arkwright get`, `status`, `confirm`, `abort`, `retry`: what is where, why it waits, and what a person decides about it."""

import asyncio
import time
from collections.abc import Callable
from datetime import UTC, datetime
from enum import StrEnum
from typing import Annotated, Any

import typer
from rich.console import Console, Group, RenderableType
from rich.live import Live

from arkwright.cli.cluster import Namespace, Snapshot, complete_deployments, take_snapshot, with_cluster
from arkwright.cli.output import Format, fail, note, results, show
from arkwright.cli.troubles import site_troubles
from arkwright.cli.views import (
    bare_trees,
    base_rows,
    deployment_rows,
    module_rows,
    release_tree,
    revisions_of,
    site_line,
)
from arkwright.clients.errors import Conflict
from arkwright.clients.kube import KubeClient
from arkwright.model.cluster import Document
from arkwright.model.kinds import HELD, UNDER_WAY, ModuleDeployment, Progress
from arkwright.model.names import ABORT
from arkwright.model.resources import RESOURCES, Kind
from arkwright.people.standings import controller_line, is_seen, message_of
from arkwright.standalone.site import Site, site_of_kubeconfig

WATCH_SECONDS = 0.5
CHANGE_TRIES = 5
DEPLOYMENTS = RESOURCES[Kind.MODULE_DEPLOYMENT]
Output = Annotated[Format, typer.Option("--output", "-o", help="table, wide, json or yaml.")]


class View(StrEnum):
    DEPLOYMENTS = "deployments"
    MODULES = "modules"
    BASES = "bases"


VIEWS: dict[View, tuple[Callable[[Snapshot], list[dict[str, Any]]], list[str]]] = {
    View.DEPLOYMENTS: (
        deployment_rows,
        ["name", "base", "module", "version", "desired", "updated", "available", "batch", "progress"],
    ),
    View.MODULES: (module_rows, ["name", "module", "version", "pod", "status"]),
    View.BASES: (base_rows, ["pod", "ip", "modules", "serves"]),
}


def get(
    view: Annotated[View, typer.Argument(help="What to list.")] = View.DEPLOYMENTS,
    namespace: Namespace = "",
    all_namespaces: Annotated[bool, typer.Option("--all-namespaces", "-A")] = False,
    output: Output = Format.TABLE,
) -> None:
    """List ModuleDeployments, Modules, or base pods with what is on them."""
    snapshot = with_cluster(lambda kube: take_snapshot(kube, _chosen(kube, namespace, all_namespaces)))
    rows, columns = VIEWS[view]
    found = rows(snapshot)
    if not found and output in (Format.TABLE, Format.WIDE):
        note(f"no {view} found; another namespace: -n NAME, all of them: -A")
        return
    show(found, output, [*(["namespace"] if all_namespaces else []), *columns])


def status(
    name: Annotated[str, typer.Argument(help="One ModuleDeployment.", autocompletion=complete_deployments)] = "",
    namespace: Namespace = "",
    watch: Annotated[bool, typer.Option("--watch", "-w", help="Redraw until every release is complete.")] = False,
    timeout: Annotated[float, typer.Option(help="With --watch: give up after so many seconds (0: never).")] = 0,
) -> None:
    """How releases stand: batch, revisions, base pods, and why something waits."""
    began = time.monotonic()

    async def follow(kube: KubeClient) -> bool:
        snapshot = await take_snapshot(kube, _chosen(kube, namespace))
        site = site_of_kubeconfig()
        troubles = await site_troubles(site, kube) if site else []
        if site and not name and not snapshot.deployments and not bare_trees(snapshot, _now()):
            typer.echo(site_line(site, snapshot))
            _say_what_runs(None, snapshot, troubles)
            note("no modules yet: kubectl apply -f a ModuleDeployment of one of these bases")
            return True
        shown = _named(snapshot, name)
        _say_what_runs(site, snapshot, troubles)
        if not watch:
            results.print(_picture(shown, snapshot, name))
            return True
        with Live(_picture(shown, snapshot, name), console=Console(), auto_refresh=False) as live:
            while not all(map(_is_complete, shown)):
                if timeout and time.monotonic() - began > timeout:
                    return False
                await asyncio.sleep(WATCH_SECONDS)
                snapshot = await take_snapshot(kube, _chosen(kube, namespace))
                shown = _named(snapshot, name)
                live.update(_picture(shown, snapshot, name), refresh=True)
        return True

    if not with_cluster(follow):
        fail(f"not complete after {timeout:g} s", "the lines above say what it waits for")


def _say_what_runs(site: Site | None, snapshot: Snapshot, troubles: list[str]) -> None:
    """The parts that a release needs; nothing where all is well on a cluster."""
    if site:
        note(site_line(site, snapshot))
    for one in troubles:
        note(one, "warning: ", "yellow")
    if silence := controller_line(snapshot.lease, _now()):
        note(silence, "warning: ", "yellow")


def _chosen(kube: KubeClient, namespace: str, is_everywhere: bool = False) -> str:
    return "" if is_everywhere else namespace or kube.access.namespace


def _named(snapshot: Snapshot, name: str) -> tuple[ModuleDeployment, ...]:
    found = tuple(one for one in snapshot.deployments if name in ("", one.name))
    if not found and (name or not bare_trees(snapshot, _now())):
        there = ", ".join(one.name for one in snapshot.deployments) or "none at all"
        fail(
            f"no ModuleDeployment{f' {name!r}' if name else ''} in this namespace", f"there: {there}; -n names another"
        )
    return found


def _picture(deployments: tuple[ModuleDeployment, ...], snapshot: Snapshot, name: str) -> RenderableType:
    """`name`: of the one that was asked for; "" shows what belongs to none as well."""
    alone = [] if name else bare_trees(snapshot, _now())
    return Group(*(release_tree(one, snapshot, _now()) for one in deployments), *alone)


def _now() -> datetime:
    return datetime.fromtimestamp(time.time(), UTC)


def _is_complete(deployment: ModuleDeployment) -> bool:
    status = deployment.status
    is_over = status.release_status.progress in (Progress.COMPLETED, Progress.ABORTED)
    return is_seen(deployment) and is_over and not status.unavailable_replicas


def confirm(
    name: Annotated[str, typer.Argument(help="The ModuleDeployment.", autocompletion=complete_deployments)],
    batch: Annotated[int, typer.Option(help="Confirm through this batch; the one that waits if left out.")] = 0,
    namespace: Namespace = "",
) -> None:
    """Let a release that waits for a person go on."""
    release = with_cluster(lambda kube: _confirm(kube, _chosen(kube, namespace), name, batch)).status.release_status
    done = batch or release.current_batch
    note(f"batch {done}/{release.real_batch_count} of {name} is confirmed")
    note(f"  arkwright status {name} --watch   shows how it goes on")


async def _confirm(kube: KubeClient, namespace: str, name: str, batch: int) -> ModuleDeployment:
    def wish(found: ModuleDeployment) -> Document:
        number = batch or found.status.release_status.current_batch
        _check_confirm(found, number)
        return {"spec": {"confirmBatchNum": number}}

    return await _change(kube, namespace, name, wish)


async def _change(
    kube: KubeClient, namespace: str, name: str, wish: Callable[[ModuleDeployment], Document]
) -> ModuleDeployment:
    """Only if nobody wrote in between: a wish must not hit another release than the one that was looked at."""
    for _ in range(CHANGE_TRIES):
        found = await kube.get(DEPLOYMENTS, namespace, name)
        assert isinstance(found, ModuleDeployment)
        patch = wish(found)
        patch.setdefault("metadata", {})["resourceVersion"] = found.metadata.resource_version
        try:
            await kube.patch(DEPLOYMENTS, DEPLOYMENTS.path(namespace, name), patch)
            return found
        except Conflict:
            continue
    fail(f"{name} changes all the time", "try again")


def _check_confirm(deployment: ModuleDeployment, batch: int) -> None:
    release = deployment.status.release_status
    where = f"batch {release.current_batch}/{release.real_batch_count}"
    if release.progress not in HELD:
        fail(f"{deployment.name} waits for nobody: {release.progress}, {where}", message_of(deployment))
    if batch < release.current_batch:
        fail(f"batch {batch} is done; {where} waits", f"arkwright confirm {deployment.name}")
    if batch > release.real_batch_count:
        fail(f"there is no batch {batch}: this release has {release.real_batch_count}", f"{where} waits")


def abort(
    name: Annotated[str, typer.Argument(help="The ModuleDeployment.", autocompletion=complete_deployments)],
    namespace: Namespace = "",
) -> None:
    """Give a release up: back to the version that served before, whatever it waits for."""

    async def give_up(kube: KubeClient) -> ModuleDeployment:
        chosen = _chosen(kube, namespace)
        revisions = revisions_of(name, await take_snapshot(kube, chosen))
        return await _change(kube, chosen, name, lambda found: _abortion(found, len(revisions)))

    release = with_cluster(give_up).status.release_status
    note(f"{release.update_revision} of {name} is given up, the earlier version comes back")
    note(f"  arkwright status {name} --watch   shows how; arkwright retry {name} tries again")


def _abortion(deployment: ModuleDeployment, revisions: int) -> Document:
    release = deployment.status.release_status
    if release.progress not in UNDER_WAY:
        fail(f"no release of {deployment.name} is under way: {release.progress}", message_of(deployment))
    if revisions < 2:
        fail(f"{deployment.name} has no earlier version to go back to", "set replicas to 0, or delete it")
    return {"metadata": {"annotations": {ABORT: release.update_revision}}}


def retry(
    name: Annotated[str, typer.Argument(help="The ModuleDeployment.", autocompletion=complete_deployments)],
    namespace: Namespace = "",
) -> None:
    """Begin a release anew that was aborted."""
    with_cluster(lambda kube: _change(kube, _chosen(kube, namespace), name, _begin_anew))
    note(f"the release of {name} begins anew")
    note(f"  arkwright status {name} --watch   shows how it goes on")


def _begin_anew(deployment: ModuleDeployment) -> Document:
    if ABORT not in deployment.metadata.annotations:
        fail(f"no release of {deployment.name} was aborted", message_of(deployment))
    return {"metadata": {"annotations": {ABORT: None}}}
