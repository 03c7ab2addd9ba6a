"""A person takes one Module away: it is uninstalled, and its ReplicaSet puts another in its place. In: a Module. Out: what that will do; the deletion."""

from dataclasses import dataclass
from datetime import datetime

from arkwright.clients.kube import KubeClient
from arkwright.model.kinds import Module
from arkwright.model.names import MODULE_REPLICASET
from arkwright.model.resources import RESOURCES, Kind
from arkwright.people.acting import Person, tell
from arkwright.people.decisions import MakesNoSense

MODULES = RESOURCES[Kind.MODULE]


@dataclass(frozen=True)
class Removal:
    """`what`: what it will do; `did`: the same after the person's name."""

    what: str
    did: str

    @property
    def promise(self) -> str:
        """Another for whatever a person might not have meant."""
        return f"{self.did}: {self.what}"


def removal(module: Module) -> Removal:
    """Raises MakesNoSense."""
    if module.is_terminating:
        raise MakesNoSense("it is on its way out already")
    identity = f"{module.spec.module.name}:{module.spec.module.version}"
    where = f"from {module.pod_name}" if module.pod_name else "from nowhere"
    if module.metadata.labels.get(MODULE_REPLICASET):
        return Removal(f"{identity} is uninstalled {where}, and another takes its place.", f"replaces {module.name}")
    return Removal(f"{identity} is uninstalled {where}, for good: no ReplicaSet counts it.", f"deletes {module.name}")


async def remove(kube: KubeClient, module: Module, by: tuple[Person, datetime]) -> Removal:
    """This very Module. Raises ClientError, MakesNoSense."""
    person, now = by
    found = removal(module)
    await kube.delete(MODULES, module.metadata.namespace, module.name, module.metadata.uid)
    await tell(kube, Kind.MODULE, module, f"{person.name} {found.did}, by {person.through}", now)
    return found
