"""`arkwright get`, `status`: what is where, and why it waits. What a person decides about it is in `deciding`."""

import asyncio
import time
from collections.abc import Callable
from datetime import UTC, datetime
from enum import StrEnum
from typing import Annotated, Any

import typer
from rich.console import Console, Group, RenderableType
from rich.live import Live

from arkwright.cli.cluster import Namespace, Snapshot, chosen, complete_deployments, take_snapshot, with_cluster
from arkwright.cli.output import Format, fail, note, results, show
from arkwright.cli.troubles import site_troubles
from arkwright.cli.views import (
    bare_trees,
    base_rows,
    deployment_rows,
    module_rows,
    release_tree,
    site_line,
)
from arkwright.clients.kube import KubeClient
from arkwright.model.kinds import ModuleDeployment, Progress
from arkwright.people.owners import owner_line, silence
from arkwright.people.standings import is_seen
from arkwright.standalone.site import Site, site_of_kubeconfig

WATCH_SECONDS = 0.5
Output = Annotated[Format, typer.Option("--output", "-o", help="table, wide, json, yaml or name.")]


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
    snapshot = with_cluster(lambda kube: take_snapshot(kube, chosen(kube, namespace, all_namespaces)))
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
        snapshot = await take_snapshot(kube, chosen(kube, namespace))
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
                snapshot = await take_snapshot(kube, chosen(kube, namespace))
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
    if nobody := silence(snapshot.leases, _now()):
        note(nobody, "warning: ", "yellow")
    if owner := owner_line(snapshot.namespace, snapshot.leases, _now()):
        note(owner)


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
