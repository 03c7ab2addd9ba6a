"""A whole cluster in one thread and in faked time: the real controller, an API in memory, bases with fake agents.

In: a seed. Out: the same story every time. After each write and each call the invariants are checked.
"""

import asyncio
import contextlib
import random
from datetime import UTC, datetime, timedelta

from arkwright.clients.errors import ApiRefused, ApiUnreachable, Conflict
from arkwright.controller.app import Controller, Settings
from arkwright.controller.realm import Looks
from arkwright.model.names import SERVES_PREFIX
from arkwright.model.resources import RESOURCES, Kind
from fakes import plans_that_ended
from fakes.arklet import FakeArklet
from fakes.base import FakeBase
from fakes.kube import FakeKube
from simulation import documents
from simulation.documents import BASE, NAMESPACE
from simulation.recount import figures_are_those_of_what_is_there, recounted

EPOCH = datetime(2026, 1, 1, tzinfo=UTC)
__all__ = ["BASE", "EPOCH", "NAMESPACE", "World"]


class World:
    """`chance`: probability of each kind of fault at each write and call; 0 for a world without any. `drift_seconds`: between two
    questions to a base what it holds. `forgetting`: probability that a watch is too old to go on, at each change; then all is listed anew, which
    takes a moment."""

    def __init__(self, seed=0, chance=0.0, drift_seconds=60.0, forgetting=0.0):
        self.random, self.chance = random.Random(seed), chance
        self._loop = asyncio.get_running_loop()
        self._loop.set_exception_handler(lambda loop, context: self.unheard.append(context))
        self.unheard = []  # what went wrong in a task that nobody waits for
        self._began = self._loop.time()
        lag = (lambda: self.random.uniform(0, 0.05)) if chance else (lambda: 0.001)
        self.kube = FakeKube(self.now, lag, self._refuse, self._wrote)
        if forgetting:
            self.kube.forgets = lambda: self.random.random() < forgetting
            self.kube.list_lag = lambda: self.random.uniform(0.05, 0.5)
        self.arklet = FakeArklet(self._latency, lambda: self.random.random() < self.chance, self._called)
        self.story, self.invariants, self.broken = [], [], None
        self.cap, self.promised, self.ever_planned, self.last_batch = None, 0, set(), None
        self.base_traits = {}  # what every new base is like
        self.forbidden = set()  # (verb, plural) of writes that the API server refuses, until they are taken out
        self.controller = self._controller = None
        self._pods = 0
        self.settings = Settings(terms=None, looks=Looks(drift_seconds=drift_seconds))
        self.kube.put(documents.base(BASE))

    # ── time, and what can go wrong ──

    def now(self):
        return EPOCH + timedelta(seconds=self._loop.time() - self._began)

    def _latency(self, command):
        slow = self.random.uniform(0, 2.0) if self.chance else 0.2
        return slow if command == "installBiz" else slow / 10

    def _refuse(self, verb, path):
        if any(verb == refused and f"/{plural}" in path for refused, plural in self.forbidden):
            raise ApiRefused(f"{verb} is forbidden: exceeded quota: tight", 403)
        if self.random.random() < self.chance and "/events" not in path:
            raise self.random.choice([ApiUnreachable("no answer"), Conflict("somebody wrote first", 409)])

    def stop_faults(self):
        self.chance = 0.0

    def _wrote(self, verb, path):
        self.tell(f"{verb} {path.partition(NAMESPACE + '/')[2]}")
        self.check()

    def _called(self, address, command, identity):
        self.tell(f"{command} {identity} on {address.partition(':')[0]}")
        self.check()

    def tell(self, line):
        self.story.append(f"{self._loop.time() - self._began:7.2f}  {line}")

    def check(self):
        """What does not hold ends the look in which it is seen; the first such is what the world fails by."""
        try:
            assert not self.kube.invalid, self.kube.invalid
            if self.controller:
                for realm in self.controller.realms:
                    recounted(realm.cache, self.now())
                    figures_are_those_of_what_is_there(realm.book, realm.cache)
            for holds in self.invariants:
                holds(self)
        except Exception as error:
            self.broken = self.broken or error
            raise

    def raise_broken(self):
        if self.broken:
            raise self.broken

    # ── the controller ──

    def start_controller(self):
        controller = Controller(self.kube, self.arklet, self.settings, self.now)
        self.controller = controller
        self._controller = asyncio.create_task(controller.run())

    async def kill_controller(self):
        """No goodbye: what it had begun in a base goes on there."""
        self._controller.cancel()
        await asyncio.gather(self._controller, return_exceptions=True)
        self.raise_broken()
        assert not plans_that_ended(self.controller, "bug") and not self.unheard, (self.unheard, self.told())

    @contextlib.asynccontextmanager
    async def running(self):
        self.start_controller()
        try:
            yield self
        finally:
            await self.kill_controller()

    # ── base pods ──

    def add_base(self, name):
        """Another base Deployment; its pods are added with `app=name`."""
        self.kube.put(documents.base(name))

    def add_pods(self, count, **labels):
        return [self.add_pod(**labels) for _ in range(count)]

    def add_pod(self, **labels):
        """A live base pod with an agent; returns its address."""
        self._pods += 1
        name, address = f"stock-{self._pods}", f"127.1.0.{self._pods}"
        self.arklet.bases[address] = FakeBase(**self.base_traits)
        self.kube.put(documents.pod(name, address, labels))
        self.tell(f"base pod {name} at {address} appears")
        return address

    def remove_pod(self, address):
        pod = next(one for one in self.kube.all(Kind.POD) if one["status"]["podIP"] == address)
        self.arklet.bases.pop(address, None)
        self.tell(f"base pod {pod['metadata']['name']} goes away")
        self.kube.remove(self.kube.path(pod))

    def pod_at(self, address):
        return next(one for one in self.kube.all(Kind.POD) if one["status"]["podIP"] == address)

    def address_of(self, module):
        """Of the pod that it is bound to; whoever changes its labels changes nothing of that."""
        bound = {one["uid"] for one in module["metadata"].get("ownerReferences", []) if one["kind"] == "Pod"}
        pods = (one for one in self.kube.all(Kind.POD) if one["metadata"]["uid"] in bound)
        return next((one["status"]["podIP"] for one in pods), "")

    def relabel(self, address, **labels):
        """A person changes a pod's labels; it goes on running."""
        pod = self.pod_at(address)
        self.tell(f"user labels base pod {pod['metadata']['name']}: {labels}")
        self.kube.change(self.kube.path(pod), {"metadata": {"labels": labels}})

    def give_to(self, address, kind, name, uid=""):
        """The pod belongs to somebody else from now on."""
        pod = self.pod_at(address)
        owner = {"apiVersion": "v1", "kind": kind, "name": name, "uid": uid or f"{name}-uid", "controller": True}
        self.tell(f"base pod {pod['metadata']['name']} belongs to {kind} {name}")
        self.kube.change(self.kube.path(pod), {"metadata": {"ownerReferences": [owner]}})

    def end_pod(self, address, phase):
        """Its containers have ended, as `phase` says; the object stays."""
        pod = self.pod_at(address)
        self.tell(f"base pod {pod['metadata']['name']} has {phase}")
        self.arklet.bases.get(address, FakeBase()).restart()
        self.kube.change(self.kube.path(pod) + "/status", {"status": pod["status"] | {"phase": phase}})

    def restart_base(self, address):
        """Its container is started anew, and is empty."""
        pod = next(one for one in self.kube.all(Kind.POD) if one["status"]["podIP"] == address)
        (container,) = pod["status"]["containerStatuses"]
        again = container["restartCount"] + 1
        name = pod["metadata"]["name"]
        container |= {"containerID": f"fake://{name}/{again}", "restartCount": again}
        self.arklet.bases[address].restart()
        self.tell(f"the container of base pod {name} is started anew")
        self.kube.change(
            self.kube.path(pod) + "/status", {"status": pod["status"] | {"containerStatuses": [container]}}
        )

    # ── what users do ──

    def apply(self, name="demo", **spec):
        """Create or change a ModuleDeployment; `version` is put where it belongs, the rest are fields of spec."""
        version = spec.pop("version", None)
        existing = self.kube.one(Kind.MODULE_DEPLOYMENT, NAMESPACE, name)
        if version:
            module = {"name": "provider", "version": version, "url": f"http://archives/provider-{version}.whl"}
            spec["template"] = {"spec": {"module": module}}
        self.tell(f"user applies {name}: {version or ''} { {k: v for k, v in spec.items() if k != 'template'} }")
        if existing is None:
            self.kube.put(documents.module_deployment(name, spec))
        else:
            self.kube.change(self.kube.path(existing), {"spec": spec})

    def patch(self, name="demo", **spec):
        path = RESOURCES[Kind.MODULE_DEPLOYMENT].path(NAMESPACE, name)
        self.tell(f"user sets {spec} of {name}")
        self.kube.change(path, {"spec": spec})

    def annotate(self, name="demo", **annotations):
        self.tell(f"user annotates {name}: {annotations}")
        path = RESOURCES[Kind.MODULE_DEPLOYMENT].path(NAMESPACE, name)
        self.kube.change(path, {"metadata": {"annotations": annotations}})

    def delete(self, kind=Kind.MODULE_DEPLOYMENT, name="demo"):
        self.tell(f"user deletes {kind} {name}")
        self.kube.remove(RESOURCES[kind].path(NAMESPACE, name))

    def delete_foreground(self, kind=Kind.MODULE_DEPLOYMENT, name="demo"):
        self.tell(f"user deletes {kind} {name} with --cascade=foreground")
        self.kube.remove_foreground(RESOURCES[kind].path(NAMESPACE, name))

    def orphan(self, kind=Kind.MODULE_DEPLOYMENT, name="demo"):
        self.tell(f"user deletes {kind} {name} with --cascade=orphan")
        self.kube.orphan(RESOURCES[kind].path(NAMESPACE, name))

    def put(self, kind, name, spec, **metadata):
        """Create any of our kinds by hand."""
        self.tell(f"user creates {kind} {name}")
        metadata = {"name": name, "namespace": NAMESPACE} | metadata
        api_version = RESOURCES[kind].api_version
        self.kube.put({"apiVersion": api_version, "kind": str(kind), "metadata": metadata, "spec": spec})

    # ── what can be seen ──

    def deployment(self, name="demo"):
        return self.kube.one(Kind.MODULE_DEPLOYMENT, NAMESPACE, name)

    def status(self, name="demo"):
        return (self.deployment(name) or {}).get("status", {})

    def progress(self, name="demo"):
        return self.status(name).get("releaseStatus", {}).get("progress")

    def batch(self, name="demo"):
        return self.status(name).get("releaseStatus", {}).get("currentBatch")

    def condition(self, kind, name="demo"):
        return next((one for one in self.status(name).get("conditions", []) if one["type"] == kind), {})

    def modules(self, version=None, live=True):
        found = self.kube.all(Kind.MODULE)
        return [
            one
            for one in found
            if version in (None, one["spec"]["module"]["version"])
            and not (live and "deletionTimestamp" in one["metadata"])
        ]

    def available(self, version=None):
        return [one for one in self.modules(version) if one.get("status", {}).get("status") == "Available"]

    def installed(self, version):
        """Bases that hold this version."""
        return [address for address, base in self.arklet.bases.items() if f"provider:{version}" in base.modules]

    def serving(self, version=None, module="provider"):
        """Addresses of bases where it (any version) is active."""
        actives = {address: base.active(module) for address, base in self.arklet.bases.items()}
        return sorted(one for one, active in actives.items() if active and version in (None, active))

    def calls(self, command):
        return sum(len(base.calls(command)) for base in self.arklet.bases.values())

    def serves_labels(self, module="provider"):
        """Addresses of pods whose label says that it serves there."""
        label = SERVES_PREFIX + module
        pods = [one for one in self.kube.all(Kind.POD) if one["metadata"]["labels"].get(label) == "true"]
        return sorted(one["status"]["podIP"] for one in pods)

    async def until(self, is_so, seconds=120):
        """Let time pass until it is so. Raises AssertionError with the story if that takes too long."""
        deadline = self._loop.time() + seconds
        while not is_so():
            assert self._loop.time() < deadline, "it does not come to that:\n" + self.told()
            await asyncio.sleep(0.2)

    async def settle(self, seconds=3.0):
        """Let time pass until nothing has been written for `seconds`."""
        seen = -1
        while seen != len(self.kube.writes):
            seen = len(self.kube.writes)
            await asyncio.sleep(seconds)

    def told(self, last=60):
        return "\n".join(self.story[-last:])
