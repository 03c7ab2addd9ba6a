"""A person with a wish and a keyboard, in a simulated world: what is wanted last, and how it is said to the API.

In: a world. Out: ModuleDeployments as people, kubectl and GitOps tools write them. Not done here: which act comes when.
"""

from dataclasses import dataclass, replace

import msgspec

from arkwright.model.names import GROUP, LAST_APPLIED
from arkwright.model.resources import RESOURCES, Kind
from fakes.base import FakeBase
from simulation.world import BASE, NAMESPACE, World

STORE = "store"
NAMES, VERSIONS = ("provider", "supplier"), ("1.0", "2.0", "3.0")
IN_PLACE, FIRST_OUT, ELSEWHERE = "install_then_uninstall", "uninstall_then_install", "scaleup_then_scaledown"
PATH = RESOURCES[Kind.MODULE_DEPLOYMENT].path(NAMESPACE, "demo")


@dataclass(frozen=True)
class Wish:
    """What a manifest says. `pause`: None where it does not say it. `mark`: a part of the url."""

    module: str = "provider"
    version: str = "1.0"
    mark: str = "first"
    base: str = BASE
    replicas: int = 2
    policy: str = IN_PLACE
    batches: int = 1
    needs_confirm: bool = False
    has_service: bool = False
    scheduling: str = "scatter"
    restart: str = ""
    pause: bool | None = None

    @property
    def spec(self):
        service = {"enableModuleService": self.has_service, "port": 80, "targetPort": 8080, "drainSeconds": 0}
        strategy = {"upgradePolicy": self.policy, "batchCount": self.batches, "needConfirm": self.needs_confirm}
        url = f"http://archives/{self.mark}/{self.module}-{self.version}.whl"
        archive = {"name": self.module, "version": self.version, "url": url}
        annotations = {f"{GROUP}/restartedAt": self.restart} if self.restart else {}
        spec = {
            "baseDeploymentName": self.base,
            "replicas": self.replicas,
            "operationStrategy": strategy | {"serviceStrategy": service},
            "schedulingStrategy": {"schedulingPolicy": self.scheduling},
            "template": {"metadata": {"annotations": annotations}, "spec": {"module": archive}},
        }
        return spec if self.pause is None else spec | {"pause": self.pause}


class Operator:
    """Everything that people do in one world. `is_gentle`: nothing that they do may cost a request.

    `hurt`: pods whose base has lost what it held, so that labels may be late there. `left_behind`: (address, identity) of code whose
    object was lost as it was being deleted; no backup has it, and nobody knows any more whose that code is. `let_go`: uids of what
    was deleted with --cascade=orphan.
    """

    def __init__(self, seed, chance=0.0, *, is_gentle=False):
        self.world, self.is_gentle = World(seed, chance), is_gentle
        self.pick = self.world.random
        self.wish, self.acts = Wish(), []
        self.hurt, self.mute, self.left_behind, self.let_go = set(), {}, set(), set()
        self.world.add_base(STORE)
        self.world.add_pods(4)
        self.world.add_pods(3, app=STORE)

    def begin(self, **changes):
        self.wish = replace(self.wish, **changes)
        self.world.put(Kind.MODULE_DEPLOYMENT, "demo", self.wish.spec)

    def say(self, **changes):
        """Another wish, by a tool that writes only what it knows; the promise of what serves is the lower of both."""
        self.wish = replace(self.wish, **changes)
        self.world.tell(f"user wishes {changes}")
        self.lower_promise()
        if self.is_there():
            spec = self.wish.spec | {
                "template": self.wish.spec["template"] | {"metadata": {"annotations": self._restart}}
            }
            spec.pop("pause", None)  # to say that is an act of its own
            self.world.kube.change(PATH, {"spec": spec})
        else:
            self.world.put(Kind.MODULE_DEPLOYMENT, "demo", self.wish.spec)

    @property
    def _restart(self):
        return {f"{GROUP}/restartedAt": self.wish.restart or None}

    def lower_promise(self):
        self.world.promised = min(self.world.promised, self.count())

    def count(self):
        pods = len(self.own_pods())
        return pods if self.wish.replicas < 0 else min(self.wish.replicas, pods)

    # ── what there is ──

    def is_there(self):
        one = self.world.deployment()
        return one is not None and "deletionTimestamp" not in one["metadata"]

    def is_known(self):
        """Whether its ReplicaSets can be told from anybody's, should they lose their owner in this moment."""
        return self.is_there() and all(one["metadata"].get("labels") for one in self.replica_sets().values())

    def is_away(self):
        return self.world.deployment() is None

    def own_pods(self, base=None):
        """Addresses of the base's live pods."""
        pods = (
            one for one in self.world.kube.all(Kind.POD) if one["metadata"]["labels"]["app"] == (base or self.wish.base)
        )
        return {one["status"]["podIP"] for one in pods if _is_live(one)}

    def pods(self):
        """Addresses of pods that run and are nobody else's."""
        return sorted(one["status"]["podIP"] for one in self.world.kube.all(Kind.POD) if _is_live(one))

    def some_pod(self):
        return self.pick.choice(self.pods())

    def modules(self):
        return sorted(self.world.modules(), key=lambda one: one["metadata"]["name"])

    def replica_sets(self):
        """Those of the wish, old and new, by name."""
        named = {one["metadata"]["name"]: one for one in self.world.kube.all(Kind.MODULE_REPLICASET)}
        return {
            name: one
            for name, one in named.items()
            if name.startswith("demo-") and "deletionTimestamp" not in one["metadata"]
        }

    def service(self):
        return self.world.kube.one(Kind.SERVICE, NAMESPACE, f"{self.wish.module}-service")

    def leave_behind(self, modules):
        """Objects that are about to be lost for ever."""
        for one in modules:
            archive = one["spec"]["module"]
            self.left_behind.add((self.world.address_of(one), f"{archive['name']}:{archive['version']}"))

    # ── who says it, as the API server notes it ──

    def say_again(self, manager, operation, *, keeps_notes=True):
        """The manifest once more, unchanged: all that it says is so again, and is the manager's."""
        spec = self.wish.spec
        owned = {f"f:{field}": {} for field in spec}
        writer = {"manager": manager, "operation": operation, "fieldsV1": {"f:spec": owned}}
        metadata = {"managedFields": [writer]}
        if operation == "Update" and keeps_notes:
            writer["fieldsV1"]["f:metadata"] = {"f:annotations": {f"f:{LAST_APPLIED}": {}}}
            metadata["annotations"] = {LAST_APPLIED: msgspec.json.encode({"spec": spec}).decode()}
        if not keeps_notes:
            metadata["annotations"] = None
            spec = spec | {field: spec.get(field) for field in ("pause", "confirmBatchNum")}
        self.world.tell(f"{manager} writes the manifest again ({operation})")
        self.world.kube.change(PATH, {"metadata": metadata, "spec": spec})

    def confirm(self, *, by_number):
        """A person's word."""
        if by_number:
            return self.world.patch(confirmBatchNum=self.world.batch())
        writer = {"manager": "kubectl-patch", "operation": "Update", "fieldsV1": {"f:spec": {"f:pause": {}}}}
        self.world.tell("user sets pause to false")
        self.world.kube.change(PATH, {"metadata": {"managedFields": [writer]}, "spec": {"pause": False}})

    def waits(self):
        one = self.world.deployment()
        return self.is_there() and self.world.progress() == "Paused" and one["spec"].get("pause")

    # ── what is only for a while ──

    def silence_agent(self, address):
        self.mute[address] = self.world.arklet.bases.pop(address)
        self.hurt.add(address)

    def end_troubles(self):
        self.world.stop_faults()
        self.world.forbidden.clear()
        for address, base in self.mute.items():
            self.world.arklet.bases[address] = base
        self.mute.clear()
        for base in self.world.arklet.bases.values():
            base.failures.clear()
            base.broken_versions, base.unreachable_archives = set(), set()

    def hurt_base(self, address):
        self.hurt.add(address)
        return self.world.arklet.bases.get(address) or self.mute.get(address) or FakeBase()


def _is_live(pod):
    labels, metadata = pod["metadata"]["labels"], pod["metadata"]
    is_asked_to_leave = (
        labels.get(f"{GROUP}/delete-pod") == "true" or labels.get(f"{GROUP}/delete-pod-directly") == "true"
    )
    is_ours = not metadata.get("ownerReferences") and "deletionTimestamp" not in metadata
    return pod["status"]["phase"] == "Running" and is_ours and not is_asked_to_leave
