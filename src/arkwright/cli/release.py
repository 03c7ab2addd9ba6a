"""`arkwright get`, `status`: what is where, and why it waits. What a person decides about it is in `deciding`."""

import asyncio
import contextlib
import time
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from functools import partial
from typing import Annotated, Any

import typer
from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.text import Text

from arkwright.cli.cluster import Everywhere, Namespaces, Snapshot, complete_deployments, take_snapshots, with_cluster
from arkwright.cli.moment import this_moment
from arkwright.cli.output import Format, fail, note, results, show, table_of
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
from arkwright.model.cluster import Pod
from arkwright.model.kinds import ModuleDeployment, Progress
from arkwright.people.owners import owner_line, silence
from arkwright.people.standings import is_given_up, is_seen
from arkwright.standalone.site import Site, site_of_kubeconfig

WATCH_SECONDS = 0.5
NO_MODULES = "no modules yet: kubectl apply -f FILE; its baseDeploymentName is one of `kubectl get deployments`"
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

NOTHING = {
    View.DEPLOYMENTS: "no deployments found",
    View.MODULES: "no modules found",
    View.BASES: "no base pod holds a module (kubectl get pods lists them all)",
}


def get(
    view: Annotated[View, typer.Argument(help="What to list.")] = View.DEPLOYMENTS,
    namespace: Namespaces = [],
    all_namespaces: Everywhere = False,
    output: Output = Format.TABLE,
    watch: Annotated[bool, typer.Option("--watch", "-w", help="Redraw the table, until Ctrl-C.")] = False,
) -> None:
    """List ModuleDeployments, Modules, or base pods with what is on them."""
    rows, columns = VIEWS[view]
    is_several = all_namespaces or len(namespace) > 1 or "," in "".join(namespace)
    shown = [*(["namespace"] if is_several else []), *columns]

    async def listed(kube: KubeClient) -> list[dict[str, Any]]:
        return [row for one in await take_snapshots(kube, namespace, all_namespaces) for row in rows(one)]

    if watch:
        _require_table(output)
        with contextlib.suppress(KeyboardInterrupt):
            with_cluster(lambda kube: _redraw(partial(listed, kube), lambda found: table_of(found, output, shown)))
        return
    found = with_cluster(listed)
    if not found and output in (Format.TABLE, Format.WIDE):
        note(f"{NOTHING[view]}; another namespace: -n NAME, all of them: -A")
        return
    show(found, output, shown)


async def _redraw(
    listed: Callable[[], Awaitable[list[dict[str, Any]]]], table: Callable[[list[dict[str, Any]]], RenderableType]
) -> None:
    """Until it is cancelled: in its place on a terminal, else below whenever something is new."""
    had = None
    with Live(console=results, auto_refresh=False) if results.is_terminal else contextlib.nullcontext() as live:
        while True:
            found = await listed()
            if live:
                live.update(table(found), refresh=True)
            elif found != had:
                results.print(table(found))
            had = found
            await asyncio.sleep(WATCH_SECONDS)


def _require_table(output: Format) -> None:
    if output not in (Format.TABLE, Format.WIDE):
        fail(
            f"-o {output} is written once; a table is redrawn",
            "arkwright events NAME --follow -o json follows for programs",
        )


def status(
    name: Annotated[str, typer.Argument(help="One ModuleDeployment.", autocompletion=complete_deployments)] = "",
    namespace: Namespaces = [],
    all_namespaces: Everywhere = False,
    watch: Annotated[bool, typer.Option("--watch", "-w", help="Redraw until every release is complete.")] = False,
    timeout: Annotated[float, typer.Option(help="With --watch: give up after so many seconds (0: never).")] = 0,
) -> None:
    """How releases stand: batch, revisions, base pods, and why something waits."""
    began = time.monotonic()

    async def look(kube: KubeClient) -> Sight:
        return Sight(await take_snapshots(kube, namespace, all_namespaces), name)

    async def follow(kube: KubeClient) -> bool:
        sight = await look(kube)
        site = site_of_kubeconfig()
        troubles = await site_troubles(site, kube) if site else []
        if site and not name and sight.is_empty:
            typer.echo(site_line(site, sight.pods))
            _say_what_runs(None, sight, troubles)
            note(NO_MODULES)
            return True
        sight.require_any()
        _say_what_runs(site, sight, troubles)
        if not watch:
            results.print(sight.picture)
            return True
        with _in_its_place(sight.picture) as live:
            while not sight.is_complete:
                if timeout and time.monotonic() - began > timeout:
                    return False
                await asyncio.sleep(WATCH_SECONDS)
                sight = await look(kube)
                sight.require_any()
                live.update(sight.picture, refresh=True)
        return True

    if not with_cluster(follow):
        fail(f"not complete after {timeout:g} s", "the lines above say what it waits for")


@contextlib.contextmanager
def _in_its_place(picture: RenderableType) -> Iterator[Live]:
    """Redrawn on a terminal; elsewhere shown once, as it was at the end, each line as long as it is."""
    with Live(picture, console=Console() if results.is_terminal else results, auto_refresh=False) as live:
        yield live
    if not results.is_terminal:
        results.print()  # the library leaves the last line open


@dataclass(frozen=True)
class Sight:
    """Some namespaces at one moment; `name`: of the one release that is asked for, "" for all."""

    snapshots: tuple[Snapshot, ...]
    name: str

    @property
    def shown(self) -> tuple[ModuleDeployment, ...]:
        return tuple(one for each in self.snapshots for one in each.deployments if self.name in ("", one.name))

    @property
    def pods(self) -> tuple[Pod, ...]:
        return tuple(one for each in self.snapshots for one in each.pods)

    @property
    def is_empty(self) -> bool:
        return not any(each.deployments or bare_trees(each, this_moment()) for each in self.snapshots)

    @property
    def is_complete(self) -> bool:
        return all(map(_is_complete, self.shown))

    @property
    def picture(self) -> RenderableType:
        """Below each namespace its releases and, if all are asked for, what belongs to none."""
        parts: list[RenderableType] = []
        for each in self.snapshots:
            trees = [release_tree(one, each, this_moment()) for one in each.deployments if self.name in ("", one.name)]
            trees += [] if self.name else bare_trees(each, this_moment())
            if trees and len(self.snapshots) > 1:
                parts.append(Text(each.namespace, "bold underline"))
            parts += trees
        return Group(*parts)

    def require_any(self) -> None:
        """Ends the command where nothing is to be shown."""
        if self.shown or not (self.name or self.is_empty):
            return
        there = ", ".join(one.name for each in self.snapshots for one in each.deployments) or "none at all"
        where = "this namespace" if len(self.snapshots) == 1 else "these namespaces"
        fail(
            f"no ModuleDeployment{f' {self.name!r}' if self.name else ''} in {where}",
            f"there: {there}; -n names another",
        )


def _say_what_runs(site: Site | None, sight: Sight, troubles: list[str]) -> None:
    """The parts that a release needs; nothing where all is well on a cluster."""
    if site:
        note(site_line(site, sight.pods))
    for one in troubles:
        note(one, "warning: ", "yellow")
    leases = sight.snapshots[0].leases if sight.snapshots else ()
    if nobody := silence(leases, this_moment()):
        note(nobody, "warning: ", "yellow")
    for each in sight.snapshots:
        if owner := owner_line(each.namespace, leases, this_moment()):
            note(owner)


def _is_complete(deployment: ModuleDeployment) -> bool:
    status = deployment.status
    is_over = status.release_status.progress is Progress.COMPLETED or is_given_up(deployment)
    return is_seen(deployment) and is_over and not status.unavailable_replicas
