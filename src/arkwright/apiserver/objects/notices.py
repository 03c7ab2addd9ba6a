"""What the server itself has to say of an object, as an Event: for `kubectl describe`. In: words. Out: documents. Pure."""

import hashlib
from datetime import datetime
from typing import Any

from arkwright.apiserver.kinds import Resource
from arkwright.apiserver.objects.metadata import timestamp
from arkwright.apiserver.store import Key

Document = dict[str, Any]
LONGEST_MESSAGE = 1024


def warning(resource: Resource, key: Key, words: str, now: datetime) -> Document:
    """One for each object and text: the same again is counted."""
    number = hashlib.sha256(f"{key.resource}/{words}".encode()).hexdigest()[:8]
    about = {"apiVersion": resource.api_version, "kind": resource.kind, "name": key.name}
    return {
        "metadata": {"name": f"{key.name[:200]}.{number}"},
        "involvedObject": about | ({"namespace": key.namespace} if key.namespace else {}),
        "type": "Warning",
        "reason": "CannotAct",
        "message": words[:LONGEST_MESSAGE],
        "count": 1,
        "firstTimestamp": timestamp(now),
        "lastTimestamp": timestamp(now),
        "source": {"component": "arkwright-apiserver"},
    }


def counted_up(had: Document, again: Document) -> Document:
    """In place of the one that is there."""
    return had | {"count": int(had.get("count") or 0) + 1, "lastTimestamp": again["lastTimestamp"]}
