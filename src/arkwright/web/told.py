"""Events as the dashboard reads them: about what, when, how often. In: JSON of the API server. Out: frozen values."""

from dataclasses import replace
from datetime import UTC, datetime

from arkwright.model.meta import KubernetesObject, Value
from arkwright.model.resources import RESOURCES, Kind, Resource

OURS = frozenset({Kind.MODULE_DEPLOYMENT, Kind.MODULE_REPLICASET, Kind.MODULE})
TELLER = "arkwright"
LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)


class About(Value, frozen=True, kw_only=True):
    """The object that an Event is about."""

    kind: str = ""
    namespace: str = ""
    name: str = ""
    uid: str = ""


class Source(Value, frozen=True, kw_only=True):
    """Who told it."""

    component: str = ""


class ToldEvent(KubernetesObject, frozen=True, kw_only=True):
    """One Event; where it was counted up, of the last time."""

    involved_object: About = About()
    source: Source = Source()
    reason: str = ""
    message: str = ""
    type: str = ""
    count: int | None = 1
    last_timestamp: datetime | None = None
    event_time: datetime | None = None

    @property
    def is_of_modules(self) -> bool:
        """About one of our kinds, or told by us."""
        return self.involved_object.kind in OURS or self.source.component == TELLER

    @property
    def at(self) -> datetime:
        return self.last_timestamp or self.event_time or self.metadata.creation_timestamp or LONG_AGO

    @property
    def order(self) -> tuple[datetime, int]:
        """Events are dated to the second; the API server's version tells the order within one."""
        version = self.metadata.resource_version
        return self.at, int(version) if version.isdigit() else 0


def events_to_tell() -> Resource:
    """The collection of Events, read with all that is shown of them."""
    return replace(RESOURCES[Kind.EVENT], type=ToldEvent)
