"""ModuleDeployments in files, as `kubectl apply` takes them. In: a file. Out: documents; and what one would become, asked for with a dry run.

The API server's own words say what it would refuse. Nothing is written.
"""

import sys
from pathlib import Path
from typing import Any

import msgspec
import yaml

from arkwright.cli.naming import with_kind
from arkwright.cli.output import fail
from arkwright.clients.errors import NotFound
from arkwright.clients.kube import KubeClient
from arkwright.model.cluster import Document
from arkwright.model.codec import read
from arkwright.model.kinds import ModuleDeployment
from arkwright.model.names import LAST_APPLIED
from arkwright.model.resources import RESOURCES, Kind

DEPLOYMENTS = RESOURCES[Kind.MODULE_DEPLOYMENT]
DRY_RUN = {"dryRun": "All"}
ENDINGS = (".yaml", ".yml", ".json")
STANDARD_INPUT = "-"


def is_file(what: str) -> bool:
    """Whether it is meant as a file, and not as a name."""
    is_name = "/" not in what or with_kind(what)[0] is not None
    return what == STANDARD_INPUT or what.endswith(ENDINGS) or not is_name or Path(what).is_file()


def read_manifests(file: str) -> list[Document]:
    """All ModuleDeployments in it; other kinds are not of interest here. Ends the command where it cannot be read."""
    try:
        text = sys.stdin.read() if file == STANDARD_INPUT else Path(file).read_text()
        documents = [one for one in yaml.safe_load_all(text) if one]
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        fail(f"{file}: {error}", "the name of a file with a ModuleDeployment, or of a ModuleDeployment that is there")
    found = [one for document in documents for one in _listed(document) if one.get("kind") == Kind.MODULE_DEPLOYMENT]
    if not found:
        fail(f"there is no ModuleDeployment in {file}")
    return found


def _listed(document: Any) -> list[Document]:
    """What a list holds; anything else is alone."""
    if not isinstance(document, dict):
        return []
    items = document.get("items") if document.get("kind") == "List" else [document]
    return [one for one in items or [] if isinstance(one, dict)]


async def applied(kube: KubeClient, namespace: str, manifest: Document) -> ModuleDeployment:
    """What the ModuleDeployment would be. Raises ClientError, with the API server's words where it would refuse it."""
    metadata = manifest.get("metadata")
    name = str(metadata.get("name", "")) if isinstance(metadata, dict) else ""
    try:
        there = msgspec.json.decode(await kube.request("GET", DEPLOYMENTS.path(namespace, name)))
        path, patch = DEPLOYMENTS.path(namespace, name), applying(last_applied(there), manifest, there)
        answer = await kube.request("PATCH", path, body=patch, query=DRY_RUN)
    except NotFound:
        document = {**manifest, "metadata": {**(metadata or {}), "namespace": namespace}}
        answer = await kube.request("POST", DEPLOYMENTS.path(namespace), body=document, query=DRY_RUN)
    return read(answer, ModuleDeployment)


def last_applied(there: Document) -> Document:
    """The manifest that kubectl applied last; nothing where it is not known."""
    text = there["metadata"].get("annotations", {}).get(LAST_APPLIED, "{}")
    try:
        known = msgspec.json.decode(text)
    except msgspec.DecodeError:
        return {}
    return known if isinstance(known, dict) else {}


def applying(original: Document, manifest: Document, there: Document) -> Document:
    """The merge patch by which kubectl applies a manifest: what it says, and null for what it said last time and says no more.

    >>> applying({"a": 1, "b": {"c": 2}}, {"b": {"d": 3}}, {"a": 1, "b": {"c": 2, "x": 9}})
    {'a': None, 'b': {'c': None, 'd': 3}}
    """
    patch: Document = {key: None for key in original if key not in manifest and key in there}
    for key, value in manifest.items():
        had, said = there.get(key), original.get(key)
        if isinstance(value, dict) and isinstance(had, dict):
            if inner := applying(said if isinstance(said, dict) else {}, value, had):
                patch[key] = inner
        elif key not in there or had != value:
            patch[key] = value
    return patch
