"""Objects of another group, as objects of ours. In: documents of an earlier controller. Out: documents to create, and what a person has to know.

They are made without owners, Modules first: each is bound to the pod that its labels name, and adopted by what comes after it, so
nothing is called and nothing moves. Nothing is fetched or written here.
"""

from dataclasses import dataclass
from typing import Any

from arkwright.model.cluster import Document
from arkwright.model.names import API_VERSION, BASE_INSTANCE_NAME, GROUP, SERVES_PREFIX

KINDS = ("modules", "modulereplicasets", "moduledeployments")  # in the order in which they are made
KEPT = ("name", "namespace", "labels", "annotations", "finalizers")


@dataclass(frozen=True)
class Translation:
    """`document`: what is to be created in the collection `plural`."""

    plural: str
    document: Document

    @property
    def name(self) -> str:
        return str(self.document["metadata"]["name"])


def translated(plural: str, document: Document, group: str) -> Translation:
    """One object of `group`; its labels, annotations, finalizers and selectors have our names."""
    metadata = {field: value for field, value in document["metadata"].items() if field in KEPT}
    spec = {field: value for field, value in document.get("spec", {}).items() if field != "pause"}
    new = {"apiVersion": API_VERSION, "kind": document["kind"], "metadata": metadata, "spec": spec}
    return Translation(plural, _renamed(new, group))


def _renamed(value: Any, group: str) -> Any:
    """Keys of maps and finalizers that begin with the group's name; values are a person's words."""
    if isinstance(value, dict):
        return {
            _name(key, group): [_name(one, group) for one in inner] if key == "finalizers" else _renamed(inner, group)
            for key, inner in value.items()
        }
    return [_renamed(one, group) for one in value] if isinstance(value, list) else value


def _name(key: str, group: str) -> str:
    """
    >>> _name("koupleless.io/module-name", "koupleless.io"), _name("module.koupleless.io/stock", "koupleless.io"), _name("team", "koupleless.io")
    ('serverless.alipay.com/module-name', 'module.serverless.alipay.com/stock', 'team')
    """
    serves = f"module.{group.removeprefix('serverless.')}/"
    if key.startswith(serves):
        return SERVES_PREFIX + key.removeprefix(serves)
    return f"{GROUP}/{key.removeprefix(f'{group}/')}" if key.startswith(f"{group}/") else key


def hints(documents: dict[str, list[Document]], bases: list[Document], group: str) -> list[str]:
    """What a person has to know or to do besides, a line each. `bases`: the Deployments of the namespace."""
    nowhere = [one["metadata"]["name"] for one in documents["modules"] if not _pod_of(one, group)]
    said = [f"Module {name} names no base pod: it is placed anew, as a new one is" for name in nowhere]
    there = {one["metadata"]["name"] for one in bases}
    for one in documents["moduledeployments"]:
        name, base = one["metadata"]["name"], one.get("spec", {}).get("baseDeploymentName", "")
        if base not in there:
            said.append(f"ModuleDeployment {name}: there is no Deployment {base}")
    return said + [line for one in bases for line in _labels_to_rename(one, group)]


def _pod_of(module: Document, group: str) -> str:
    labels = _renamed(module["metadata"].get("labels", {}), group)
    return str(labels.get(BASE_INSTANCE_NAME, ""))


def _labels_to_rename(base: Document, group: str) -> list[str]:
    """Bases are their owners' own: a cap that has the old name would be no cap."""
    if group == GROUP:
        return []
    labels = base["metadata"].get("labels", {}) | base["spec"].get("template", {}).get("metadata", {}).get("labels", {})
    old = {key: _name(key, group) for key in labels if _name(key, group) != key}
    return [f"Deployment {base['metadata']['name']}: set the label {new} where {key} is" for key, new in old.items()]
