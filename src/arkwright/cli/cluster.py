"""What commands see of a cluster. In: a namespace. Out: typed objects; a ClientError ends the command with a way out."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from typing import Annotated, Any, TypeVar

import msgspec
import typer

from arkwright.cli.output import fail, note
from arkwright.clients.credentials import find_access
from arkwright.clients.errors import ApiUnreachable, BadCredentials, ClientError, Forbidden, NotFound
from arkwright.clients.kube import KubeClient
from arkwright.model.cluster import Lease, Pod
from arkwright.model.codec import read
from arkwright.model.kinds import Module, ModuleDeployment, ModuleReplicaSet
from arkwright.model.names import DEFAULT_LEASE, MODULE_DEPLOYMENT, label_value
from arkwright.model.resources import RESOURCES, Kind
from arkwright.people.owners import of_controllers
from arkwright.standalone.site import site_in

T = TypeVar("T")
COMPLETION_SECONDS = 2.0


@dataclass(frozen=True)
class Snapshot:
    """One namespace at one moment ("" for all)."""

    deployments: tuple[ModuleDeployment, ...] = ()
    replica_sets: tuple[ModuleReplicaSet, ...] = ()
    modules: tuple[Module, ...] = ()
    pods: tuple[Pod, ...] = ()
    leases: tuple[Lease, ...] = ()  # of controllers; none where there are none, or where we may not look
    namespace: str = ""


def with_cluster(call: Callable[[KubeClient], Awaitable[T]]) -> T:
    """Run `call` on the API server that KUBECONFIG names; what goes wrong there ends the command."""

    async def run() -> T:
        async with KubeClient(await find_access()) as kube:
            return await call(kube)

    try:
        return asyncio.run(run())
    except BadCredentials as error:
        site = site_in(None)
        hint = (
            f"export KUBECONFIG={site.kubeconfig}"
            if site.keeper()
            else "set KUBECONFIG to the file of a cluster; arkwright up starts one on this machine"
        )
        fail(str(error), hint)
    except ApiUnreachable as error:
        fail(str(error), "is the cluster up? `kubectl cluster-info` uses the same KUBECONFIG")
    except Forbidden as error:
        fail(str(error), "ask for a role that may get and list moduledeployments, modulereplicasets, modules and pods")
    except NotFound as error:
        fail(str(error), "`arkwright get` lists what is there; without arkwright's kinds: kubectl apply -f deploy/")
    except ClientError as error:
        fail(str(error))


async def take_snapshot(kube: KubeClient, namespace: str) -> Snapshot:
    """All that views need."""
    leases, objects = await asyncio.gather(_leases(kube), _objects(kube, namespace))
    return replace(objects, leases=leases)


async def _objects(kube: KubeClient, namespace: str) -> Snapshot:
    """Without Leases, which are those of all namespaces."""
    kinds = (Kind.MODULE_DEPLOYMENT, Kind.MODULE_REPLICASET, Kind.MODULE, Kind.POD)
    deployments, replica_sets, modules, pods = await asyncio.gather(*(read_all(kube, it, namespace) for it in kinds))
    return Snapshot(deployments, replica_sets, modules, pods, namespace=namespace)


async def take_snapshots(kube: KubeClient, namespaces: Sequence[str], is_everywhere: bool) -> tuple[Snapshot, ...]:
    """One of each namespace that is asked for, the kubeconfig's own if none is; everywhere: of each that holds something."""
    if is_everywhere:
        return split(await take_snapshot(kube, ""))
    names = dict.fromkeys(one for word in namespaces for one in word.split(",") if one) or (kube.access.namespace,)
    leases = await _leases(kube)
    return tuple([replace(await _objects(kube, name), leases=leases) for name in names])


def split(snapshot: Snapshot) -> tuple[Snapshot, ...]:
    """One of all namespaces, by namespace."""
    kinds = ("deployments", "replica_sets", "modules", "pods")
    everything: dict[str, dict[str, list[Any]]] = {}
    for kind in kinds:
        for one in getattr(snapshot, kind):
            everything.setdefault(one.metadata.namespace, {}).setdefault(kind, []).append(one)
    return tuple(
        replace(snapshot, namespace=name, **{kind: tuple(found.get(kind, ())) for kind in kinds})
        for name, found in sorted(everything.items())
    )


async def _leases(kube: KubeClient) -> tuple[Lease, ...]:
    """Whoever may not list them may be allowed to see the one of a controller that acts alone."""
    leases = RESOURCES[Kind.LEASE]
    with contextlib.suppress(ClientError):
        return of_controllers(read(raw, Lease) for raw in (await kube.list(leases, DEFAULT_LEASE[0])).objects)
    with contextlib.suppress(ClientError):
        found = await kube.get(leases, *DEFAULT_LEASE)
        return (found,) if isinstance(found, Lease) else ()
    return ()


async def read_all(kube: KubeClient, kind: Kind, namespace: str) -> tuple[Any, ...]:
    """All of one kind that can be read; the others are named."""
    found = []
    for raw in (await kube.list(RESOURCES[kind], namespace)).objects:
        try:
            found.append(read(raw, RESOURCES[kind].type))
        except msgspec.ValidationError as error:
            note(f"a {kind} cannot be read and is left out: {error}", "warning: ", "yellow")
    return tuple(found)


async def read_revisions(kube: KubeClient, namespace: str, deployment: str) -> tuple[ModuleReplicaSet, ...]:
    """Of one ModuleDeployment, the newest first."""
    label = label_value(deployment)
    found = await read_all(kube, Kind.MODULE_REPLICASET, namespace)
    own = (one for one in found if one.metadata.labels.get(MODULE_DEPLOYMENT) == label)
    return tuple(sorted(own, key=lambda one: int(one.revision), reverse=True))


def chosen(kube: KubeClient, namespace: str, is_everywhere: bool = False) -> str:
    """The namespace that a command is about; "" for all."""
    return "" if is_everywhere else namespace or kube.access.namespace


def complete_deployments(context: typer.Context, incomplete: str) -> list[str]:
    """For the shell: names of ModuleDeployments in the namespace that was said."""

    async def names(kube: KubeClient) -> list[str]:
        said = context.params.get("namespace") or ""
        (where, *_) = (said,) if isinstance(said, str) else said
        return [one.name for one in await read_all(kube, Kind.MODULE_DEPLOYMENT, chosen(kube, where))]

    return _completed(names, incomplete)


def complete_namespaces(incomplete: str) -> list[str]:
    """For the shell: all that one may list."""

    async def names(kube: KubeClient) -> list[str]:
        listed = msgspec.json.decode(await kube.request("GET", "/api/v1/namespaces"))
        return [one["metadata"]["name"] for one in listed["items"]]

    return _completed(names, incomplete)


def _completed(names: Callable[[KubeClient], Awaitable[list[str]]], incomplete: str) -> list[str]:
    """Nothing if the cluster cannot be asked."""

    async def ask() -> list[str]:
        async with asyncio.timeout(COMPLETION_SECONDS), KubeClient(await find_access()) as kube:
            return [one for one in await names(kube) if one.startswith(incomplete)]

    try:
        return asyncio.run(ask())
    except (ClientError, TimeoutError):
        return []


Namespace = Annotated[
    str,
    typer.Option(
        "--namespace", "-n", help="The namespace; the kubeconfig's own if left out.", autocompletion=complete_namespaces
    ),
]
Namespaces = Annotated[
    list[str],
    typer.Option(
        "--namespace",
        "-n",
        help="The namespace, or several: -n a -n b; the kubeconfig's own if left out.",
        autocompletion=complete_namespaces,
    ),
]
Everywhere = Annotated[bool, typer.Option("--all-namespaces", "-A", help="All namespaces that you may list.")]
