"""How an object goes: at once, once its finalizers are gone, or once its pod has ended. Pure; the writing is done by `objects`."""

from dataclasses import dataclass
from typing import Any

from arkwright.apiserver.errors import Conflict
from arkwright.apiserver.metadata import details
from arkwright.apiserver.resources import Resource
from arkwright.apiserver.store import Record

Document = dict[str, Any]


@dataclass(frozen=True)
class Removal:
    """How to delete. `grace_seconds`: None for what the object says. `policy`: Background, Foreground or Orphan."""

    policy: str = "Background"
    grace_seconds: int | None = None
    uid: str = ""
    version: str = ""
    is_dry_run: bool = False


def require(resource: Resource, record: Record, metadata: Document, removal: Removal) -> None:
    """Raises Conflict if it is not the object that was meant."""
    for name, wanted, found in (
        ("UID", removal.uid, metadata["uid"]),
        ("ResourceVersion", removal.version, str(record.version)),
    ):
        if wanted and wanted != found:
            said = f"Precondition failed: {name} in precondition: {wanted}, {name} in object meta: {found}"
            subject = f'Operation cannot be fulfilled on {resource.name} "{record.key.name}"'
            raise Conflict(f"{subject}: {said}", details(resource, record.key.name))


def finalizers_of(metadata: Document, removal: Removal) -> list[str]:
    """Those it has; what shall come before its end is one, too."""
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
