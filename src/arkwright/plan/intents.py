"""What a plan can say. An intent is one thing to do, and why; `controller/execute` does them in order.

Intents of one type that stand side by side are done at once; the first failure drops what comes after.
"""

from dataclasses import dataclass

from arkwright.model.cluster import Document
from arkwright.model.kinds import ModuleArchive
from arkwright.model.meta import KubernetesObject
from arkwright.model.outcomes import Command, EventReason
from arkwright.model.resources import Kind


@dataclass(frozen=True)
class Target:
    """One object of the cluster."""

    kind: Kind
    namespace: str
    name: str
    uid: str = ""


def target_of(kind: Kind, one: KubernetesObject) -> Target:
    """This very object."""
    return Target(kind, one.metadata.namespace, one.name, one.metadata.uid)


@dataclass(frozen=True)
class Create:
    """Make an object; that it is there already is no failure."""

    target: Target
    document: Document
    because: str


@dataclass(frozen=True)
class Patch:
    """A JSON merge patch of everything but status."""

    target: Target
    patch: Document
    because: str


@dataclass(frozen=True)
class SetStatus:
    """A JSON merge patch of the whole status."""

    target: Target
    status: Document
    because: str


@dataclass(frozen=True)
class Delete:
    """Delete this very object (by uid); that it is gone is no failure."""

    target: Target
    because: str


@dataclass(frozen=True)
class Call:
    """Ask an agent for something. The answer comes back as an observation; nobody waits for it here.

    `is_routine`: only to see that all is as it was; an answer that says so concerns nobody.
    """

    target: Target
    command: Command
    archive: ModuleArchive
    attempt: int
    because: str
    is_routine: bool = False


@dataclass(frozen=True)
class Tell:
    """A Kubernetes Event about `target`."""

    target: Target
    reason: EventReason
    because: str
    is_warning: bool = False


@dataclass(frozen=True)
class MakeSure:
    """This very object is there and is to stay, by the API server's own word: what follows is wrong where it is not."""

    target: Target
    because: str


Intent = MakeSure | Create | Patch | SetStatus | Delete | Call | Tell


@dataclass(frozen=True)
class Plan:
    """What to do now, and in how many seconds to look again even if nothing changes (None: when something does)."""

    intents: tuple[Intent, ...] = ()
    look_again_in: float | None = None

    def then(self, other: "Plan") -> "Plan":
        """Both plans; the sooner look."""
        looks = [look for look in (self.look_again_in, other.look_again_in) if look is not None]
        return Plan(self.intents + other.intents, min(looks, default=None))
