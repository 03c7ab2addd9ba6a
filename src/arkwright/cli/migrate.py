"""`arkwright migrate`: what an earlier controller has left is taken over, and what runs goes on running."""

from typing import Annotated

import msgspec
import typer

from arkwright.cli.cluster import Namespace, with_cluster
from arkwright.cli.migration import KINDS, Translation, hints, translated
from arkwright.cli.output import note, results
from arkwright.clients.errors import Conflict, NotFound
from arkwright.clients.kube import KubeClient
from arkwright.model.cluster import Document, Workload
from arkwright.model.names import GROUP
from arkwright.model.resources import RESOURCES, Kind, Resource

OURS = {
    RESOURCES[kind].plural: RESOURCES[kind] for kind in (Kind.MODULE, Kind.MODULE_REPLICASET, Kind.MODULE_DEPLOYMENT)
}
Documents = dict[str, list[Document]]


def migrate(
    group: Annotated[str, typer.Option("--from", help="The API group of the earlier controller's kinds.")] = GROUP,
    namespace: Namespace = "",
    apply: Annotated[bool, typer.Option("--apply", help="Make the objects; without it nothing is written.")] = False,
) -> None:
    """Take over what an earlier controller has left. Stop that one first."""

    async def take_over(kube: KubeClient) -> tuple[Documents, list[str], int]:
        chosen = namespace or kube.access.namespace
        found = {plural: await _all(kube, group, plural, chosen) for plural in KINDS}
        bases = await _documents(kube, RESOURCES[Kind.DEPLOYMENT], chosen)
        wanted = [translated(plural, one, group) for plural in KINDS for one in found[plural]]
        made = [await _make(kube, chosen, one) for one in wanted] if apply and group != GROUP else []
        return found, hints(found, bases, group), sum(made)

    found, said, made = with_cluster(take_over)
    for plural in reversed(KINDS):
        names = ", ".join(sorted(one["metadata"]["name"] for one in found[plural])) or "none"
        results.print(f"{plural}.{group}: {names}", markup=False, highlight=False)
    for line in said:
        note(line, "look: ", "yellow")
    _say_what_follows(group, made, apply)


def _say_what_follows(group: str, made: int, apply: bool) -> None:
    if group == GROUP:
        note("they are arkwright's own kinds: its controller takes them over at its start, without a call to any base")
    elif apply:
        note(
            f"{made} objects made in {GROUP}; start arkwright's controller: it takes over what runs, without a call to any base"
        )
        note("  then take the finalizers off the old ones and delete them; docs/migration.md has the commands")
    else:
        note(f"nothing is written yet: with --apply they are made anew in {GROUP}; the old ones stay")


async def _all(kube: KubeClient, group: str, plural: str, namespace: str) -> list[Document]:
    """Empty where the cluster does not know the kind."""
    try:
        return await _documents(kube, Resource(f"/apis/{group}/v1alpha1", plural, Workload), namespace)
    except NotFound:
        return []


async def _documents(kube: KubeClient, resource: Resource, namespace: str) -> list[Document]:
    return [msgspec.json.decode(raw) for raw in (await kube.list(resource, namespace)).objects]


async def _make(kube: KubeClient, namespace: str, wanted: Translation) -> bool:
    """Whether it was not there yet."""
    try:
        await kube.create(OURS[wanted.plural], namespace, wanted.document)
    except Conflict:
        note(f"{wanted.plural} {wanted.name} is there already, and left as it is")
        return False
    return True
