"""What a scenario sees and does: objects as kubectl shows them, base pods with scripted agents, one controller."""

import asyncio
import contextlib
import json
import time

from arkwright.clients.arklet import ArkletClient, Timeouts
from arkwright.clients.errors import ApiRefused, NotFound
from arkwright.controller.app import Controller, Settings
from arkwright.controller.realm import Looks
from arkwright.model.names import SERVES_PREFIX
from arkwright.model.resources import RESOURCES, Kind
from fakes import plans_that_ended
from fakes.agent_server import FakeAgent
from scenarios.rights import acting

BASE = "stock"
TIMEOUTS = Timeouts(connect=1, install=20, uninstall=20, query=4)


class Site:
    """One namespace of a real cluster. `agents`: by address. `drift_seconds`: the controller's, from its next start on.
    `access`: how the controller calls agents, if not plainly."""

    drift_seconds = 60.0
    access = None
    settings = {}  # of the controller, besides

    is_real = False  # whether the API server knows roles

    def __init__(self, kube, stack, namespace, network):
        self._kube, self._stack, self.namespace, self.network = kube, stack, namespace, network
        self.agents = {}
        self._controller = None

    async def begin(self, timeouts=TIMEOUTS):
        await self._post("/api/v1/namespaces", {"metadata": {"name": self.namespace}})
        await self.create_base()
        self._acting = await self._stack.enter_async_context(acting(self._kube, self.namespace, self.is_real))
        self._arklet = await self._stack.enter_async_context(ArkletClient(timeouts, self.access))
        self.start_controller()

    @property
    def acting(self):
        """The API as the controller has it."""
        return self._acting

    async def end(self):
        await self.stop_controller()
        for kind in (Kind.MODULE_DEPLOYMENT, Kind.MODULE_REPLICASET, Kind.MODULE):  # nobody is left to finalize them
            for one in await self.all(kind):
                path = RESOURCES[kind].path(self.namespace, one["metadata"]["name"])
                with contextlib.suppress(NotFound):
                    await self._patch(path, {"metadata": {"finalizers": None}})
        await self._kube.request("DELETE", f"/api/v1/namespaces/{self.namespace}")

    def start_controller(self):
        looks = Looks(drift_seconds=self.drift_seconds)
        settings = Settings(namespace=self.namespace, terms=None, looks=looks, **self.settings)
        self.controller = Controller(self._acting, self._arklet, settings)
        self._controller = asyncio.create_task(self.controller.run())

    async def stop_controller(self):
        if self._controller:
            self._controller.cancel()
            await asyncio.gather(self._controller, return_exceptions=True)
            self._controller = None
            assert not plans_that_ended(self.controller, "bug", "error"), "see the log"

    # ── base pods ──

    async def add_pods(self, count, **labels):
        """Live base pods with scripted agents; returns the agents."""
        numbers = range(len(self.agents) + 1, len(self.agents) + 1 + count)
        return [await self._add_pod(number, labels) for number in numbers]

    async def create_base(self):
        await self.create(Kind.DEPLOYMENT, _base())

    async def _add_pod(self, number, labels):
        return await self._add(
            f"stock-{number}", FakeAgent(f"{self.network}.{number}"), _pod(f"stock-{number}", labels)
        )

    async def add_pod_at(self, address, port):
        """A live base pod at any address, whose agent listens on any port."""
        pod = _pod("stock-elsewhere", {})
        pod["metadata"]["annotations"] = {"serverless.alipay.com/arklet-port": str(port)}
        return await self._add("stock-elsewhere", FakeAgent(address, port), pod)

    async def add_silent_pod(self, name):
        """A pod with the base's labels where no agent listens, and which says that it is not ready."""
        await self._post(RESOURCES[Kind.POD].path(self.namespace), _pod(name, {}))
        await self.set_pod_status(name, f"{self.network}.250")
        await self.set_pod_ready(name, False)

    async def add_pod_with(self, make_agent):
        """A live base pod whose agent somebody else makes for its address."""
        number = len(self.agents) + 1
        return await self._add(f"stock-{number}", make_agent(f"{self.network}.{number}"), _pod(f"stock-{number}", {}))

    async def _add(self, name, agent, pod):
        await self._stack.enter_async_context(agent)
        self.agents[agent.address] = agent
        await self._post(RESOURCES[Kind.POD].path(self.namespace), pod)
        await self.set_pod_status(name, agent.address)
        return agent

    async def set_pod_status(self, name, address, restarts=0, phase="Running"):
        container = {"name": "base", "image": "x", "imageID": "", "ready": True, "restartCount": restarts}
        container["containerID"] = f"fake://{name}/{restarts}"
        status = {"phase": phase, "podIP": address, "containerStatuses": [container]}
        await self._patch(RESOURCES[Kind.POD].path(self.namespace, name, "status"), {"status": status})

    async def set_pod_ready(self, name, is_ready):
        condition = {"type": "Ready", "status": "True" if is_ready else "False"}
        path = RESOURCES[Kind.POD].path(self.namespace, name, "status")
        await self._patch(path, {"status": {"conditions": [condition]}})

    async def restart_base(self, agent):
        name = f"stock-{agent.address.rpartition('.')[2]}"
        agent.base.restart()
        await self.set_pod_status(name, agent.address, restarts=1)

    async def delete_pod(self, agent, seconds=0):
        """`seconds`: how long it stays, terminating, where no kubelet confirms that it has ended."""
        name = f"stock-{agent.address.rpartition('.')[2]}"
        body = {"gracePeriodSeconds": seconds}
        await self._kube.request("DELETE", RESOURCES[Kind.POD].path(self.namespace, name), body=body)

    # ── what users do ──

    async def apply(self, name="demo", version=None, **spec):
        """Create or change a ModuleDeployment."""
        if version:
            spec["template"] = {"spec": {"module": module(version)}}
        path = RESOURCES[Kind.MODULE_DEPLOYMENT].path(self.namespace, name)
        try:
            await self._patch(path, {"spec": spec})
        except NotFound:
            await self._post(RESOURCES[Kind.MODULE_DEPLOYMENT].path(self.namespace), _wish(name, spec))

    async def label(self, kind, name, **labels):
        changes = {f"serverless.alipay.com/{key.replace('_', '-')}": value for key, value in labels.items()}
        await self._patch(RESOURCES[kind].path(self.namespace, name), {"metadata": {"labels": changes}})

    async def annotate(self, kind, name, **annotations):
        await self.patch(kind, name, {"metadata": {"annotations": annotations}})

    async def patch(self, kind, name, patch):
        await self._patch(RESOURCES[kind].path(self.namespace, name), patch)

    async def delete(self, kind=Kind.MODULE_DEPLOYMENT, name="demo"):
        await self._kube.request("DELETE", RESOURCES[kind].path(self.namespace, name))

    async def orphan(self, kind=Kind.MODULE_DEPLOYMENT, name="demo"):
        """As `kubectl delete --cascade=orphan` does."""
        body = {"propagationPolicy": "Orphan"}
        await self._kube.request("DELETE", RESOURCES[kind].path(self.namespace, name), body=body)

    async def create(self, kind, document):
        await self._post(RESOURCES[kind].path(self.namespace), document)

    # ── what can be seen ──

    async def get(self, kind, name):
        """The object, or None."""
        try:
            return await self._read(RESOURCES[kind].path(self.namespace, name))
        except NotFound:
            return None

    async def all(self, kind):
        return (await self._read(RESOURCES[kind].path(self.namespace)))["items"]

    async def _read(self, path):
        """Again where the API server says that it is not ready yet, as it does after a CRD was applied."""
        while True:
            try:
                return json.loads(await self._kube.request("GET", path))
            except ApiRefused as error:
                if error.status != 429:
                    raise
                await asyncio.sleep(0.1)

    async def deployment(self, name="demo"):
        return await self.get(Kind.MODULE_DEPLOYMENT, name)

    async def status(self, name="demo"):
        return (await self.deployment(name) or {}).get("status", {})

    async def progress(self, name="demo"):
        """(progress, batch, available replicas of the new version)"""
        status = await self.status(name)
        release = status.get("releaseStatus", {})
        return release.get("progress"), release.get("currentBatch"), status.get("updatedAvailableReplicas")

    async def condition(self, kind, name="demo"):
        conditions = (await self.status(name)).get("conditions", [])
        return next((one for one in conditions if one["type"] == kind), {})

    async def modules(self, **status):
        """All Modules whose status has these values."""
        found = await self.all(Kind.MODULE)
        return [one for one in found if all(one.get("status", {}).get(key) == value for key, value in status.items())]

    async def serves_labels(self, name="provider"):
        """Addresses of pods whose label says that the module serves there."""
        pods = await self.all(Kind.POD)
        return sorted(one["status"]["podIP"] for one in pods if SERVES_PREFIX + name in one["metadata"]["labels"])

    async def events(self, reason):
        return [one for one in await self.all(Kind.EVENT) if one["reason"] == reason]

    async def until_told(self, expected):
        """Until the events are exactly these: reason -> their messages, sorted. They are told after the fact."""

        async def are_told():
            told = {reason: sorted(one["message"] for one in await self.events(reason)) for reason in expected}
            return told == expected

        await self.until(are_told)

    def serving(self, version=None, name="provider"):
        actives = {address: agent.base.active(name) for address, agent in self.agents.items()}
        return sorted(one for one, active in actives.items() if active and version in (None, active))

    def calls(self, command):
        return sum(len(agent.base.calls(command)) for agent in self.agents.values())

    async def until(self, is_so, seconds=20):
        """Ask again and again (an async function or a plain one) until it is so. Raises AssertionError with the last status."""
        deadline = time.monotonic() + seconds
        while True:
            if await _answered(is_so):
                return
            if time.monotonic() > deadline:
                raise AssertionError(f"not within {seconds} s: {json.dumps(await self._picture(), indent=1)}")
            await asyncio.sleep(0.03)

    async def fewest_serving_until(self, is_so):
        """On how few base pods the module served at any moment until it is so."""
        fewest = len(self.agents)

        async def look():
            nonlocal fewest
            fewest = min(fewest, len(self.serving()))
            return await _answered(is_so)

        await self.until(look)
        return fewest

    async def until_progress(self, *wanted, name="demo"):
        """Until (progress, batch, available replicas of the new version) is as said; fewer values ask for less."""

        async def is_so():
            return await self._is_observed(name) and (await self.progress(name))[: len(wanted)] == wanted

        await self.until(is_so)

    async def _is_observed(self, name):
        """Whether the status speaks of the spec as it is."""
        found = await self.deployment(name) or {}
        return found.get("status", {}).get("observedGeneration") == found["metadata"]["generation"]

    async def is_calm(self, seconds=0.6):
        """Nothing is written for a while: what has not happened by then does not happen by itself."""
        seen = None
        while seen != (now := await self._versions()):
            seen = now
            await asyncio.sleep(seconds)

    async def _versions(self):
        kinds = (Kind.MODULE_DEPLOYMENT, Kind.MODULE_REPLICASET, Kind.MODULE, Kind.POD)
        return [one["metadata"]["resourceVersion"] for kind in kinds for one in await self.all(kind)]

    async def _picture(self):
        return {
            "deployments": [one.get("status") for one in await self.all(Kind.MODULE_DEPLOYMENT)],
            "modules": {one["metadata"]["name"]: one.get("status") for one in await self.all(Kind.MODULE)},
            "bases": {address: agent.base.modules for address, agent in self.agents.items()},
        }

    async def _post(self, path, document):
        return await self._kube.request("POST", path, body=document)

    async def _patch(self, path, patch):
        return await self._kube.request("PATCH", path, body=patch)


async def _answered(is_so):
    answer = is_so()
    return (await answer) if asyncio.iscoroutine(answer) else answer


def module(version, name="provider"):
    return {"name": name, "version": version, "url": f"http://archives/{name}-{version}.whl"}


def _wish(name, spec):
    return {
        "apiVersion": "serverless.alipay.com/v1alpha1",
        "kind": "ModuleDeployment",
        "metadata": {"name": name},
        "spec": {"baseDeploymentName": BASE, **spec},
    }


def _base():
    container = {"name": "base", "image": "x"}
    template = {"metadata": {"labels": {"app": BASE}}, "spec": {"containers": [container]}}
    spec = {"replicas": 0, "selector": {"matchLabels": {"app": BASE}}, "template": template}
    return {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": BASE}, "spec": spec}


def _pod(name, labels):
    container = {"name": "base", "image": "x", "ports": [{"containerPort": 1238}]}
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name, "labels": {"app": BASE, **labels}},
        "spec": {"nodeName": "nowhere", "containers": [container]},
    }
