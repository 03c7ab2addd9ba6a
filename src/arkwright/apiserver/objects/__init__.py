"""Objects and what is written to them. In: documents that somebody wishes. Out: the documents that are stored instead.

collector        what follows from a write: dependents, namespaces, CRDs
verbs            create, update, apply, delete: one write, from the wish to the store
  writes           what a wish becomes before it is stored
  removals         how an object goes
  notices          what the server itself has to say of an object
  allocation       addresses and ports that belong to one Service
    patches          a change, as a patch says it
    managed          who owns which field
    metadata         what every object has in common
"""

from arkwright.apiserver.objects.collector import Collector
from arkwright.apiserver.objects.expiry import end_events, end_old_events
from arkwright.apiserver.objects.patches import (
    APPLY_PATCH,
    JSON_PATCH,
    MERGE_PATCH,
    STRATEGIC_PATCH,
    json_patched,
    merge_patched,
    strategically_patched,
)
from arkwright.apiserver.objects.removals import Removal
from arkwright.apiserver.objects.verbs import Objects
from arkwright.apiserver.objects.writes import Answer, Options, not_found, require_possible, require_some_version

__all__ = [
    "APPLY_PATCH",
    "Answer",
    "Collector",
    "JSON_PATCH",
    "MERGE_PATCH",
    "Objects",
    "Options",
    "Removal",
    "STRATEGIC_PATCH",
    "end_events",
    "end_old_events",
    "json_patched",
    "merge_patched",
    "not_found",
    "require_possible",
    "require_some_version",
    "strategically_patched",
]
