"""The objects that a part of one machine follows. In: what its watches bring. Out: each by its name, and word of every change.

What the controller's cache reckons beside its objects (indexes, rosters, tallies) reads its own kinds; here a Deployment or a pod is a
Workload, with all that it says, and nobody asks for anything but objects. Not done here: deciding.
"""

from typing import Any

from arkwright.controller.cache import Cache, Change
from arkwright.model.resources import Kind


class Followed(Cache):
    """Keeps objects, and nothing beside them."""

    def _put(self, kind: Kind, key: tuple[str, str], old: Any, new: Any) -> None:
        if new is None:
            self._objects[kind].pop(key, None)
        else:
            self._objects[kind][key] = new
        self.on_change(Change(kind, old, new))
