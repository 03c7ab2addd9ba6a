"""`arkwright history`: the revisions of one release, and what changed in one. In: a name. Out: a table, or the same as JSON or YAML."""

from typing import Annotated, Any

import typer
from msgspec import to_builtins

from arkwright.cli.cluster import Namespace, chosen, read_revisions, with_cluster
from arkwright.cli.deciding import DEPLOYMENTS, Name
from arkwright.cli.moment import this_moment
from arkwright.cli.naming import bare_name
from arkwright.cli.output import Format, fail, note, show
from arkwright.clients.kube import KubeClient
from arkwright.model.kinds import ModuleDeployment, ModuleReplicaSet
from arkwright.model.names import CHANGE_CAUSE
from arkwright.model.urls import without_secrets
from arkwright.people.acting import signatures
from arkwright.people.decisions import Scene
from arkwright.people.standings import age
from arkwright.plan.revisions import identity
from arkwright.web.pasts import changes_between

COLUMNS = ["revision", "name", "version", "available", "age", "changeCause", "lastDecision", "url"]


def history(
    name: Name,
    revision: Annotated[int, typer.Option(min=0, help="This one alone, with what changed from the one before.")] = 0,
    namespace: Namespace = "",
    output: Annotated[Format, typer.Option("--output", "-o", help="table, wide, json, yaml or name.")] = Format.TABLE,
) -> None:
    """The revisions of one ModuleDeployment, the newest first; arkwright undo goes back to one."""
    scene = with_cluster(lambda kube: read_scene(kube, namespace, bare_name(name)))
    rows = [revision_row(scene, one) for one in scene.revisions]
    if revision:
        _show_one(scene, rows, revision, output)
    elif rows or output not in (Format.TABLE, Format.WIDE):
        show(rows, output, COLUMNS)
    else:
        note("no revision yet: no controller has begun to release it")


async def read_scene(kube: KubeClient, namespace: str, name: str) -> Scene:
    """A release with its revisions, at this moment. Raises NotFound."""
    place = chosen(kube, namespace), name
    found = await kube.get(DEPLOYMENTS, *place)
    assert isinstance(found, ModuleDeployment)
    return Scene(found, await read_revisions(kube, *place), this_moment())


def revision_row(scene: Scene, one: ModuleReplicaSet) -> dict[str, Any]:
    made = one.metadata.creation_timestamp
    is_wanted = identity(one.spec.template) == identity(scene.deployment.spec.template)
    return {
        "revision": one.revision,
        "name": one.name,
        "module": one.module.name,
        "version": one.module.version,
        "available": f"{one.status.available_replicas}/{one.spec.replicas}",
        "age": age((scene.now - made).total_seconds()) if made else "",
        "changeCause": one.metadata.annotations.get(CHANGE_CAUSE, ""),
        "lastDecision": _last_decision(scene.deployment) if is_wanted else "",
        "url": without_secrets(one.module.url),
    }


def _last_decision(deployment: ModuleDeployment) -> str:
    """What a person did last about this release, whichever revision it was then."""
    dated = [one for one in signatures(deployment) if one.at]
    last = max(dated, key=lambda one: one.at.timestamp() if one.at else 0, default=None)
    return f"{last.verb} by {last.who}" if last else ""


def _show_one(scene: Scene, rows: list[dict[str, Any]], revision: int, output: Format) -> None:
    numbers = [one.revision for one in scene.revisions]
    if revision not in numbers:
        known = ", ".join(map(str, numbers)) or "none at all"
        fail(f"{scene.deployment.name} has no revision {revision}", f"there: {known}")
    at = numbers.index(revision)
    older = scene.revisions[at + 1] if at + 1 < len(numbers) else None
    changed = changes_between(older, scene.revisions[at]) if older else ()
    if output in (Format.TABLE, Format.WIDE):
        told = rows[at] | {one.field: f"{one.before or 'none'} → {one.after or 'none'}" for one in changed}
        show([{"field": field, "value": value} for field, value in told.items()], output, ["field", "value"])
    else:
        show([rows[at] | {"changed": to_builtins(changed)}], output, COLUMNS)
