"""What one viewer may see and do, by namespace. In: what the API server allows. Out: answers. Pure.

Two viewers of the same sight see the same pages, so a page is made once for both.
"""

from dataclasses import dataclass
from enum import StrEnum

from arkwright.model.names import GROUP


class Right(StrEnum):
    """What pages need, each as the API server is asked for it: verb, group, resource."""

    SEE_RELEASES = f"list {GROUP}/moduledeployments"
    SEE_REVISIONS = f"list {GROUP}/modulereplicasets"
    SEE_MODULES = f"list {GROUP}/modules"
    SEE_PODS = "list /pods"
    SEE_BASES = "list apps/deployments"
    SEE_EVENTS = "list /events"
    CHANGE_RELEASES = f"patch {GROUP}/moduledeployments"
    DELETE_MODULES = f"delete {GROUP}/modules"

    @property
    def attributes(self) -> dict[str, str]:
        """As a SubjectAccessReview has them.

        >>> Right.SEE_BASES.attributes
        {'verb': 'list', 'group': 'apps', 'resource': 'deployments'}
        """
        verb, _, what = self.value.partition(" ")
        group, _, resource = what.partition("/")
        return {"verb": verb, "group": group, "resource": resource}


READING = frozenset(one for one in Right if one.value.startswith("list "))
DOORS = frozenset({Right.SEE_RELEASES, Right.SEE_BASES, Right.SEE_MODULES})
"""Who has none of these in a namespace does not learn that it is there."""
Rights = frozenset[Right]


@dataclass(frozen=True)
class Sight:
    """`everywhere`: in all namespaces; `places`: what there is besides, of the namespaces where there is any."""

    everywhere: Rights = frozenset()
    places: tuple[tuple[str, Rights], ...] = ()

    def may(self, right: Right, namespace: str) -> bool:
        return right in self.everywhere or any(right in rights for name, rights in self.places if name == namespace)

    def only_reading(self) -> "Sight":
        """The same, of a dashboard that changes nothing."""
        return Sight(self.everywhere & READING, tuple((name, rights & READING) for name, rights in self.places))
