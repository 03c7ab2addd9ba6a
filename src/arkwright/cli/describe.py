"""`arkwright describe`: all that is known of one release, on one page. In: a name. Out: text, or the same as JSON or YAML.

What is asked for, how it stands and why, its revisions, who decided what, and what was told: each as the command of its own shows it.
"""

from dataclasses import dataclass
from typing import Annotated, Any

import msgspec
import typer
from rich.table import Table
from rich.text import Text

from arkwright.cli.cluster import Namespace, Snapshot, chosen, take_snapshot, with_cluster
from arkwright.cli.deciding import Name
from arkwright.cli.events import told_of
from arkwright.cli.history import COLUMNS as OF_REVISIONS
from arkwright.cli.history import read_scene, revision_row
from arkwright.cli.naming import bare_name
from arkwright.cli.output import Format, note, results, show
from arkwright.cli.views import release_tree
from arkwright.clients.kube import KubeClient
from arkwright.model.codec import stamp
from arkwright.model.kinds import ModuleDeployment, ModulePhase
from arkwright.model.text import plain
from arkwright.model.urls import without_secrets
from arkwright.people.acting import signatures
from arkwright.people.decisions import Scene
from arkwright.people.standings import age, message_of, standing

LATEST = 10  # Events that are shown
OF_EVENTS = ["at", "type", "reason", "about", "message"]


@dataclass(frozen=True)
class Known:
    scene: Scene
    snapshot: Snapshot
    told: list[dict[str, Any]]


def describe(
    name: Name,
    namespace: Namespace = "",
    output: Annotated[Format, typer.Option("--output", "-o", help="table, wide, json, yaml or name.")] = Format.TABLE,
) -> None:
    """All that is known of one release: what is asked for, how it stands and why, its revisions, who decided, what was told."""
    known = with_cluster(lambda kube: _known(kube, namespace, bare_name(name)))
    if output in (Format.TABLE, Format.WIDE):
        _print(known)
    else:
        show([_document(known)], output, ["name"])


async def _known(kube: KubeClient, namespace: str, name: str) -> Known:
    place = chosen(kube, namespace), name
    scene, snapshot = await read_scene(kube, namespace, name), await take_snapshot(kube, place[0])
    return Known(scene, snapshot, await told_of(kube, *place))


def _print(known: Known) -> None:
    one, now = known.scene.deployment, known.scene.now
    asked = Table(show_header=False, box=None, pad_edge=False)
    for field, value in _asked(one, known.scene).items():
        asked.add_row(field, Text(plain(str(value))))
    results.print(asked)
    results.print()
    results.print(release_tree(one, known.snapshot, now))
    _section("Conditions", _conditions(known.scene), ["type", "status", "reason", "for", "message"])
    _section("Revisions", [revision_row(known.scene, each) for each in known.scene.revisions], OF_REVISIONS[:-1])
    _section("Decided", _decided(one), ["at", "who", "verb"])
    _section("Told", known.told[-LATEST:], OF_EVENTS)
    if len(known.told) > LATEST:
        note(f"{len(known.told) - LATEST} earlier: arkwright events {one.name}")


def _section(title: str, rows: list[dict[str, Any]], columns: list[str]) -> None:
    if rows:
        results.print()
        results.print(Text(title, "bold"))
        show(rows, Format.TABLE, columns)


def _asked(one: ModuleDeployment, scene: Scene) -> dict[str, Any]:
    """What its spec asks for, where that is not the default of a field without a say here."""
    spec, strategy, module = one.spec, one.spec.operation_strategy, one.spec.template.spec.module
    made = one.metadata.creation_timestamp
    batches = f"{strategy.batch_count}{', the first one a pod (beta)' if strategy.use_beta else ''}"
    said = {
        "Name": f"{one.metadata.namespace}/{one.name}",
        "Made": f"{age((scene.now - made).total_seconds())} ago" if made else "",
        "Module": f"{module.name}:{module.version}",
        "Url": without_secrets(module.url),
        "Base": spec.base_deployment_name,
        "Replicas": "on every base pod" if spec.replicas < 0 else spec.replicas,
        "Policy": f"{strategy.upgrade_policy.value}, {spec.scheduling_strategy.scheduling_policy.value}",
        "Batches": batches,
        "Between": _between(one),
        "Paused": "yes" if spec.pause else "",
    }
    return {field: value for field, value in said.items() if value != ""}


def _between(one: ModuleDeployment) -> str:
    strategy = one.spec.operation_strategy
    gray = strategy.gray_time_between_batch_seconds
    waits = ["a person confirms"] if strategy.need_confirm else []
    return " and ".join([*waits, *([f"{gray} s of gray time pass"] if gray else [])])


def _conditions(scene: Scene) -> list[dict[str, Any]]:
    return [
        {
            "type": one.type,
            "status": one.status,
            "reason": one.reason,
            "for": age((scene.now - one.last_transition_time).total_seconds()) if one.last_transition_time else "",
            "message": one.message,
        }
        for one in scene.deployment.status.conditions
    ]


def _decided(one: ModuleDeployment) -> list[dict[str, Any]]:
    return [{"at": stamp(each.at) if each.at else "", "who": each.who, "verb": each.verb} for each in signatures(one)]


def _document(known: Known) -> dict[str, Any]:
    one = known.scene.deployment
    modules = [each for each in known.snapshot.modules if each.family == one.name]
    failed = [each for each in modules if each.status.status is ModulePhase.FAILED]
    return {
        "name": one.name,
        "namespace": one.metadata.namespace,
        "standing": standing(one),
        "message": message_of(one),
        "asked": {field[0].lower() + field[1:]: value for field, value in _asked(one, known.scene).items()},
        "status": msgspec.to_builtins(one.status),
        "failing": [
            {"module": each.name, "pod": each.pod_name, "reason": each.status.reason, "message": each.status.message}
            for each in failed
        ],
        "revisions": [revision_row(known.scene, each) for each in known.scene.revisions],
        "decided": _decided(one),
        "events": known.told,
    }
