"""Deployments, ReplicaSets and pods without an API: plans are carried out at once, pods become ready when a test says so."""

from datetime import UTC, datetime

from arkwright.model.cluster import Workload
from arkwright.model.codec import decode
from arkwright.model.resources import Kind
from arkwright.plan.intents import Create, Delete, Patch, SetStatus
from arkwright.standalone.belonging import Belonging
from arkwright.standalone.replicas import is_ready, plan_replica_set
from arkwright.standalone.rollout import plan_deployment

NOW = datetime(2026, 1, 1, tzinfo=UTC)
READY = {"type": "Ready", "status": "True", "lastTransitionTime": "2025-01-01T00:00:00Z"}


def template(image):
    containers = [{"name": "base", "image": image}]
    return {"metadata": {"labels": {"app": "base"}}, "spec": {"containers": containers}}


def deployment(image="1", replicas=3, **spec):
    about = {"name": "base", "namespace": "shop", "uid": "d", "generation": 1}
    selector = {"matchLabels": {"app": "base"}}
    return {"metadata": about, "spec": {"replicas": replicas, "selector": selector, "template": template(image)} | spec}


class World:
    """`deployment`, `sets`, `pods`: documents, the latter two by name. `watch`: called after every single step. `lingers`: pods
    that are deleted go when a test says so."""

    def __init__(self, wish, watch=lambda: None, lingers=False):
        self.deployment, self.sets, self.pods = wish, {}, {}
        self._watch, self._lingers, self._made = watch, lingers, 0

    def settle(self, now=NOW):
        """Plan and act until there is nothing to do but wait for pods."""
        for _ in range(200):
            intents = self.planned(now)
            if not intents:
                return self
            for one in intents:
                self._act(one)
                self._watch()
        raise AssertionError(f"it does not settle: {intents}")

    def planned(self, now):
        return [intent for plan in self._plans(now) for intent in plan.intents]

    def look_again_in(self, now):
        """Seconds until the Deployment's next look."""
        return self._plans(now)[0].look_again_in

    def _plans(self, now):
        sets = {name: decode(one, Workload) for name, one in self.sets.items()}
        plans = [plan_deployment(decode(self.deployment, Workload), tuple(sets.values()), now)]
        return plans + [plan_replica_set(one, self._pods_of(name), "node", now) for name, one in sets.items()]

    def _pods_of(self, name):
        belonging = Belonging(Kind.REPLICASET, Kind.POD, decode(self.sets[name], Workload))
        pods = (decode(one, Workload) for one in self.pods.values())
        return tuple(one for one in pods if belonging.is_candidate(one))

    def _act(self, intent):
        name = intent.target.name
        where = {Kind.POD: self.pods, Kind.REPLICASET: self.sets}.get(intent.target.kind)
        document = self.deployment if where is None else where.get(name)
        match intent:
            case Create():
                self._create(where, name, intent.document)
            case Delete() if self._lingers and where is self.pods:
                document["metadata"]["deletionTimestamp"] = "2026-01-01T00:00:00Z"
            case Delete():
                del where[name]
            case SetStatus():
                document["status"] = intent.status
            case Patch(patch={"spec": spec}):
                document["spec"] |= spec
            case Patch(patch={"metadata": {"ownerReferences": owners}}):
                document["metadata"]["ownerReferences"] = owners
            case Patch(patch={"metadata": {"annotations": annotations}}):
                document["metadata"].setdefault("annotations", {}).update(annotations)

    def _create(self, where, name, document):
        self._made += 1
        name += str(self._made) if name.endswith("-") else ""
        about = document["metadata"] | {"name": name, "namespace": "shop", "uid": name}
        status = {"phase": "Running"} if where is self.pods else {}
        where[name] = document | {"metadata": about, "status": status, "spec": dict(document["spec"])}

    # ── what a test does and looks at ──

    def release(self, image, now=NOW):
        self.deployment["spec"]["template"] = template(image)
        self.deployment["metadata"]["generation"] += 1
        return self.settle(now)

    def make_ready(self, *names, since=READY["lastTransitionTime"], now=NOW):
        for name in names or self.waiting():
            self.pods[name]["status"] = {"phase": "Running", "conditions": [READY | {"lastTransitionTime": since}]}
        return self.settle(now)

    def lose(self, name):
        del self.pods[name]
        return self.settle()

    def waiting(self):
        return sorted(name for name, one in self.pods.items() if not is_ready(decode(one, Workload)))

    def images(self):
        return sorted(one["spec"]["containers"][0]["image"] for one in self.pods.values())

    def revisions(self):
        key = "deployment.kubernetes.io/revision"
        return {
            one["spec"]["template"]["spec"]["containers"][0]["image"]: one["metadata"]["annotations"][key]
            for one in self.sets.values()
        }

    def condition(self, kind):
        found = self.deployment["status"]["conditions"]
        return next((one["status"], one["reason"]) for one in found if one["type"] == kind)
