"""The kinds that there are now: those that Kubernetes has built in, as far as this API has them, and those that CRDs add.

In: CRD documents. Out: Resources, found by group, version and plural.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from arkwright.apiserver.kinds.absent import ABSENT, MEASURED
from arkwright.apiserver.kinds.builtin import BUILT_IN
from arkwright.apiserver.kinds.resources import Resource, custom_resources

Document = dict[str, Any]
CRDS = "customresourcedefinitions.apiextensions.k8s.io"


@dataclass
class Registry:
    """All resources, by (group, version, plural)."""

    _all: dict[tuple[str, str, str], Resource] = field(
        default_factory=lambda: {(one.group, one.version, one.plural): one for one in (*BUILT_IN, *ABSENT, *MEASURED)}
    )

    def find(self, group: str, version: str, plural: str) -> Resource | None:
        """None if there is no such kind."""
        return self._all.get((group, version, plural))

    def has_group(self, group: str) -> bool:
        """Whether there is any kind of it."""
        return any(one.group == group for one in self._all.values())

    def __iter__(self) -> Iterator[Resource]:
        return iter(self._all.values())

    def named(self, name: str) -> Resource | None:
        """By plural and group, the preferred version."""
        return next((one for one in self._all.values() if one.name == name), None)

    def of_kind(self, api_version: str, kind: str) -> Resource | None:
        """As an ownerReference names it."""
        return next((one for one in self._all.values() if (one.api_version, one.kind) == (api_version, kind)), None)

    def define(self, crd: Document) -> None:
        """Take in a CRD, new or changed. Raises like `custom_resources`, and then nothing has changed."""
        made = list(custom_resources(crd))
        self.forget(f"{crd['spec']['names']['plural']}.{crd['spec']['group']}")
        self._all |= {(one.group, one.version, one.plural): one for one in made}

    def forget(self, name: str) -> None:
        """Drop the kinds of a CRD, by its name."""
        self._all = {key: one for key, one in self._all.items() if one.name != name or not one.is_custom}
