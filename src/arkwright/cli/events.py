"""`arkwright events`: what was told of one release, its revisions and its Modules. In: a name. Out: a table, or lines as they come."""

from collections.abc import AsyncIterator
from typing import Annotated, Any

import msgspec
import typer
from rich.text import Text

from arkwright.cli.cluster import Namespace, chosen, read_revisions, with_cluster
from arkwright.cli.deciding import DEPLOYMENTS, Name
from arkwright.cli.naming import bare_name
from arkwright.cli.output import Format, note, results, show
from arkwright.clients.errors import Gone
from arkwright.clients.kube import Change, KubeClient
from arkwright.model.codec import read, stamp
from arkwright.model.resources import Kind
from arkwright.model.text import escaped, plain
from arkwright.web.told import ToldEvent, events_to_tell

EVENTS = events_to_tell()
COLUMNS = ["at", "type", "reason", "about", "count", "message"]
SHORTEST = 20  # of a name, where it is cut to make that of a revision
NEW = frozenset({Change.ADDED, Change.MODIFIED})


class Ears:
    """Which Events are of one ModuleDeployment: about it, a revision that it has or had since we listen, or a Module of one."""

    def __init__(self, kube: KubeClient, namespace: str, name: str) -> None:
        self._kube, self._place = kube, (namespace, name)
        self._revisions: set[str] = set()
        self._heard: set[tuple[str, str]] = set()

    async def listed(self) -> tuple[list[ToldEvent], str]:
        """Those that were not heard yet, the oldest first, and the version from which a watch goes on."""
        await self._look()
        listing = await self._kube.list(EVENTS, self._place[0])
        found = [one for raw in listing.objects if (one := _readable(raw)) and self._is_new(one)]
        return sorted(found, key=lambda one: one.order), listing.version

    async def coming(self, version: str) -> AsyncIterator[ToldEvent]:
        """Until the API server ends the stream. Raises Gone."""
        async for line in self._kube.watch(EVENTS, self._place[0], version):
            one = _readable(line.object) if line.type in NEW else None
            if one is None:
                continue
            if self._may_be_of_a_new_revision(one):
                await self._look()
            if self._is_new(one):
                yield one

    async def _look(self) -> None:
        self._revisions |= {one.name for one in await read_revisions(self._kube, *self._place)}

    def _is_new(self, one: ToldEvent) -> bool:
        mark = (one.metadata.uid, one.metadata.resource_version)
        if mark in self._heard or not self._is_ours(one):
            return False
        self._heard.add(mark)
        return True

    def _is_ours(self, one: ToldEvent) -> bool:
        about = one.involved_object
        if about.kind == Kind.MODULE_DEPLOYMENT:
            return about.name == self._place[1]
        if about.kind == Kind.MODULE_REPLICASET:
            return about.name in self._revisions
        return about.kind == Kind.MODULE and any(about.name.startswith(f"{name}-") for name in self._revisions)

    def _may_be_of_a_new_revision(self, one: ToldEvent) -> bool:
        about = one.involved_object
        is_below = about.kind in (Kind.MODULE_REPLICASET, Kind.MODULE) and about.name.startswith(
            self._place[1][:SHORTEST]
        )
        return is_below and not self._is_ours(one)


def _readable(raw: msgspec.Raw) -> ToldEvent | None:
    """Anybody may write Events; one that is none is nobody's."""
    try:
        return read(raw, ToldEvent)
    except msgspec.ValidationError:
        return None


def events(
    name: Name,
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Go on with what comes, until Ctrl-C.")] = False,
    namespace: Namespace = "",
    output: Annotated[
        Format,
        typer.Option("--output", "-o", help="table, wide, json (with --follow, one object a line), yaml or name."),
    ] = Format.TABLE,
) -> None:
    """What was told of a release, its revisions and its Modules, the latest last."""

    async def tell(kube: KubeClient) -> list[ToldEvent]:
        place = chosen(kube, namespace), bare_name(name)
        await kube.get(DEPLOYMENTS, *place)
        ears = Ears(kube, *place)
        if follow:
            await _follow(ears, output)
        return (await ears.listed())[0]

    found = with_cluster(tell)
    if not found and output in (Format.TABLE, Format.WIDE):
        note("nothing was told; Events are kept for an hour")
        return
    show([_row(one) for one in found], output, COLUMNS)


async def told_of(kube: KubeClient, namespace: str, name: str) -> list[dict[str, Any]]:
    """The same as rows, the latest last."""
    return [_row(one) for one in (await Ears(kube, namespace, name).listed())[0]]


async def _follow(ears: Ears, output: Format) -> None:
    while True:
        told, version = await ears.listed()
        for one in told:
            _print(one, output)
        try:
            async for one in ears.coming(version):
                _print(one, output)
        except Gone:
            continue


def _print(one: ToldEvent, output: Format) -> None:
    """As it comes, on a line of its own."""
    row = _row(one)
    if output is Format.JSON:
        typer.echo(escaped(msgspec.json.encode(row).decode()))
        return
    line = f"{row['at']}  {row['type']:<7}  {row['reason']:<20}  {row['about']}  {row['message']}"
    results.print(Text(plain(line)))


def _row(one: ToldEvent) -> dict[str, Any]:
    about = one.involved_object
    return {
        "name": one.name,
        "at": stamp(one.at),
        "type": one.type,
        "reason": one.reason,
        "about": f"{about.kind} {about.name}",
        "count": one.count or 1,
        "message": one.message,
    }
