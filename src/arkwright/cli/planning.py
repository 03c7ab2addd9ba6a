"""`arkwright plan`: what applying a manifest, another version, or a deletion would do. In: a file or a name. Out: text, JSON or YAML; status 0 if nothing would
change, 2 if something would, 1 for an error. Nothing is written.
"""

from typing import Annotated, Any

import msgspec
import typer

from arkwright.cli.cluster import Namespace, chosen, complete_deployments, with_cluster
from arkwright.cli.deciding import DEPLOYMENTS
from arkwright.cli.foretelling import foretold, live_in, told
from arkwright.cli.manifests import applied, is_file, read_manifests
from arkwright.cli.moment import this_moment
from arkwright.cli.naming import bare_name, with_kind
from arkwright.cli.output import Format, fail, show
from arkwright.clients.kube import KubeClient
from arkwright.model.cluster import Document
from arkwright.model.kinds import Module, ModuleDeployment
from arkwright.model.resources import RESOURCES, Kind
from arkwright.preview.outlook import Foreseen, foresee
from arkwright.preview.rehearsal import Deletion

WOULD_CHANGE = 2


def plan(
    what: Annotated[
        str,
        typer.Argument(
            help="A file with ModuleDeployments (-: standard input), or the name of one; with --delete also module/NAME.",
            autocompletion=complete_deployments,
        ),
    ] = "",
    filename: Annotated[str, typer.Option("--filename", "-f", help="The file.")] = "",
    version: Annotated[str, typer.Option(help="Of a name: with this version.")] = "",
    url: Annotated[str, typer.Option(help="Of a name: with this url.")] = "",
    replicas: Annotated[
        int | None, typer.Option(min=-1, help="Of a name: on so many base pods; -1: on every one.")
    ] = None,
    delete: Annotated[
        bool, typer.Option("--delete", help="What deleting it would do, as kubectl delete does it.")
    ] = False,
    namespace: Namespace = "",
    output: Annotated[Format, typer.Option("--output", "-o", help="table, wide, json, yaml or name.")] = Format.TABLE,
) -> None:
    """What would happen, batch by batch, and what does not fit; nothing is written. Ends with 0: nothing would change, 2: something would, 1: an error."""
    file = filename or (what if is_file(what) else "")
    wish = _wish(version, url, replicas)
    if not (file or what) or (filename and what) or (wish and (file or delete)):
        fail(
            "say a file, or a name and what is to be different, or that it is to go",
            "arkwright plan FILE, arkwright plan NAME --version VERSION --url URL, or arkwright plan NAME --delete",
        )
    if file:
        manifests = read_manifests(file)
        found = with_cluster(lambda kube: _of_manifests(kube, namespace, manifests, delete))
    elif delete:
        found = [with_cluster(lambda kube: _of_deletion(kube, chosen(kube, namespace), what))]
    else:
        name = bare_name(what)
        found = [with_cluster(lambda kube: _of_name(kube, namespace, name, wish))]
    _show(found, output)
    raise typer.Exit(WOULD_CHANGE if any(one.would_change for one in found) else 0)


def _wish(version: str, url: str, replicas: int | None) -> Document:
    module = {key: value for key, value in (("version", version), ("url", url)) if value}
    said: Document = {"template": {"spec": {"module": module}}} if module else {}
    if replicas is not None:
        said["replicas"] = replicas
    return {"spec": said} if said else {}


async def _of_name(kube: KubeClient, namespace: str, name: str, wish: Document) -> Foreseen:
    place = chosen(kube, namespace), name
    one = await kube.get(DEPLOYMENTS, *place)
    assert isinstance(one, ModuleDeployment)
    return foretold(await live_in(kube, place[0]), one, wish)


async def _of_deletion(kube: KubeClient, namespace: str, what: str) -> Foreseen:
    """`what`: with its kind, or the name of a ModuleDeployment."""
    kind, name = with_kind(what)
    one = await kube.get(RESOURCES[kind or Kind.MODULE_DEPLOYMENT], namespace, name)
    assert isinstance(one, ModuleDeployment | Module)
    return foresee(await live_in(kube, namespace), Deletion(one), this_moment())


async def _of_manifests(
    kube: KubeClient, namespace: str, manifests: list[Document], is_deletion: bool
) -> list[Foreseen]:
    """Each by itself."""
    found: list[Foreseen] = []
    for manifest in manifests:
        metadata = manifest.get("metadata") or {}
        place = namespace or str(metadata.get("namespace") or chosen(kube, ""))
        if is_deletion:
            found.append(await _of_deletion(kube, place, str(metadata.get("name", ""))))
        else:
            wish = await applied(kube, place, manifest)
            found.append(foresee(await live_in(kube, place), wish, this_moment()))
    return found


def _show(found: list[Foreseen], output: Format) -> None:
    if output in (Format.TABLE, Format.WIDE):
        typer.echo("\n".join(map(told, found)))
        return
    rows: list[dict[str, Any]] = [
        msgspec.to_builtins(one) for one in found if one.would_change or output is not Format.NAME
    ]
    show(rows, output, [])
