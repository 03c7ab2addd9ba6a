"""How an object goes: at once, once its finalizers are gone, or once its pod has ended. Pure; the writing is done by `objects`."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from arkwright.apiserver.errors import Conflict, Forbidden
from arkwright.apiserver.kinds import CRDS, Resource
from arkwright.apiserver.objects.metadata import details, timestamp
from arkwright.apiserver.store import Record

Document = dict[str, Any]
CLEANUP = "customresourcecleanup.apiextensions.k8s.io"
LASTING = frozenset({"default", "kube-system", "kube-public"})
LONGEST_GRACE_SECONDS = 100 * 365 * 24 * 3600  # what is longer has no date


@dataclass(frozen=True)
class Removal:
    """How to delete. `grace_seconds`: None for what the object says. `policy`: Background, Foreground or Orphan."""

    policy: str = "Background"
    grace_seconds: int | None = None
    uid: str = ""
    version: str = ""
    is_dry_run: bool = False


def require(resource: Resource, record: Record, metadata: Document, removal: Removal) -> None:
    """Raises Conflict if it is not the object that was meant, Forbidden for what has to stay."""
    if resource.name == "namespaces" and record.key.name in LASTING:
        said = f'namespaces "{record.key.name}" is forbidden: this namespace may not be deleted'
        raise Forbidden(said, details(resource, record.key.name))
    for name, wanted, found, what in (
        ("UID", removal.uid, metadata["uid"], "deleted and then recreated"),
        ("ResourceVersion", removal.version, str(record.version), "modified"),
    ):
        if wanted and wanted != found:
            kind = f"{resource.kind}.{resource.group}" if resource.group else resource.kind
            subject = f'Operation cannot be fulfilled on {kind} "{record.key.name}"'
            said = f"the {name} in the precondition ({wanted}) does not match the {name} in record ({found})"
            about = details(resource, record.key.name) | {"kind": resource.kind}
            raise Conflict(f"{subject}: {said}. The object might have been {what}", about)


def finalizers_of(resource: Resource, metadata: Document, removal: Removal) -> list[str]:
    """Those it has; what shall come before its end is one, too."""
    if resource.name == CRDS and "deletionTimestamp" not in metadata:
        return [*(metadata.get("finalizers") or ()), CLEANUP]
    theirs = [one for one in metadata.get("finalizers") or () if one not in ("orphan", "foregroundDeletion")]
    added = {"Orphan": ["orphan"], "Foreground": ["foregroundDeletion"]}.get(removal.policy, [])
    if "deletionTimestamp" in metadata:
        added = [one for one in metadata.get("finalizers") or () if one not in theirs] or added
    return theirs + added


def grace_seconds(resource: Resource, document: Document, removal: Removal) -> int:
    """Seconds that a pod on a node has to end; 0 for all others."""
    if resource.name != "pods" or not document["spec"].get("nodeName"):
        return 0
    if document.get("status", {}).get("phase") in ("Succeeded", "Failed"):
        return 0
    wanted = removal.grace_seconds
    return int(document["spec"].get("terminationGracePeriodSeconds", 30) if wanted is None else max(0, wanted))


def keeps_itself(resource: Resource, document: Document) -> bool:
    """A namespace stays until it is empty."""
    return resource.name == "namespaces" and bool(document["spec"].get("finalizers"))


def standing(metadata: Document) -> tuple[Any, ...]:
    """How far its deletion has come."""
    names = ("deletionTimestamp", "deletionGracePeriodSeconds")
    return (metadata.get("finalizers") or [], *(metadata.get(name) for name in names))


def mark(resource: Resource, document: Document, grace: int, now: datetime) -> None:
    """Deleted, and still there: for its finalizers, or until its node says that it has ended. In place."""
    metadata = document["metadata"]
    is_first = "deletionTimestamp" not in metadata
    if is_first or grace < metadata.get("deletionGracePeriodSeconds", 0):
        if is_first or grace:
            metadata["deletionTimestamp"] = timestamp(now + timedelta(seconds=min(grace, LONGEST_GRACE_SECONDS)))
        metadata["deletionGracePeriodSeconds"] = grace
        if "generation" in metadata and is_first:
            metadata["generation"] += 1
    if resource.name == "namespaces":
        document["status"] = (document.get("status") or {}) | {"phase": "Terminating"}
