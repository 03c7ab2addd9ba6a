"""Status alone answers: what is it waiting for, since when, what do I do. Readers of conditions agree with the truth (contract 3)."""

import asyncio
import contextlib

import pytest

from arkwright.model.resources import Kind
from scenarios.kubectl import Refused, kubectl
from scenarios.site import Site

CONFIRMED = {"batchCount": 2, "needConfirm": True}


def kstatus(found):
    """What Flux, Helm and `kstatus` make of an object: the published rules, in their order."""
    conditions = {one["type"]: one["status"] for one in found.get("status", {}).get("conditions", [])}
    if "deletionTimestamp" in found["metadata"]:
        return "Terminating"
    if found.get("status", {}).get("observedGeneration") != found["metadata"]["generation"]:
        return "InProgress"
    if conditions.get("Reconciling") == "True":
        return "InProgress"
    if conditions.get("Stalled") == "True":
        return "Failed"
    return "Current" if conditions.get("Ready", "True") == "True" else "InProgress"


def is_available(found):
    conditions = {one["type"]: one["status"] for one in found.get("status", {}).get("conditions", [])}
    return conditions.get("Available") == "True"


class WatchedSite(Site):
    """Looks at the ModuleDeployment all the time: what its conditions say must be so at that moment."""

    def __init__(self, *arguments):
        super().__init__(*arguments)
        self.lies, self.is_watched = [], True

    @contextlib.asynccontextmanager
    async def unwatched(self):
        self.is_watched = False
        yield
        self.is_watched = True

    async def look(self):
        while True:
            before, was_watched = len(self.serving()), self.is_watched
            found = await self.deployment()
            if found and was_watched and self.is_watched:
                self._compare(found, before)
            await asyncio.sleep(0.01)

    def _compare(self, found, before):
        if "status" not in found:
            return
        version, replicas = found["spec"]["template"]["spec"]["module"]["version"], found["status"].get("replicas", 0)
        if kstatus(found) == "Current" and len(self.serving(version)) != replicas:
            self.lies.append(("Current", found["status"], self.serving()))
        if is_available(found) and max(before, len(self.serving())) < replicas:
            self.lies.append(("Available", found["status"], self.serving()))


@pytest.fixture
def site_class():
    return WatchedSite


@pytest.fixture
async def sampled(site):
    looking = asyncio.create_task(site.look())
    yield site
    looking.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await looking
    assert not site.lies


async def _phase(site, kstatus_says, available, words):
    """Until status says all of it; and it says since when."""

    async def is_so():
        found = await site.deployment()
        said = " | ".join(one.get("message", "") for one in found.get("status", {}).get("conditions", []))
        return (kstatus(found), is_available(found)) == (kstatus_says, available) and words in said

    await site.until(is_so)
    found = await site.status()
    assert found["releaseStatus"]["lastTransitionTime"]
    assert all(one["lastTransitionTime"] for one in found["conditions"])


async def test_conditions_agree_with_the_truth_while_a_module_goes_online_and_is_released(sampled):
    site = sampled
    for agent in await site.add_pods(2):
        agent.delays["installBiz"] = 0.5
    await site.apply(version="1.0.2", replicas=2, operationStrategy=CONFIRMED)
    await _phase(site, "InProgress", False, "batch 1/2: 0 out of 2 new replicas are available")
    await _phase(site, "InProgress", False, "batch 1/2 is complete and waits for a person; to go on: set spec.pause")
    await site.apply(pause=False)
    await _phase(site, "Current", True, "2 of 2 replicas are available")
    await site.apply(version="2.0.0", operationStrategy={"needConfirm": False, "grayTimeBetweenBatchSeconds": 2})
    await _phase(site, "InProgress", True, "batch 1/2: ")
    await _phase(site, "InProgress", True, "batch 1/2 is complete; gray time until ")
    await _phase(site, "Current", True, "has successfully progressed")


@pytest.fixture
async def online(sampled):
    """1.0.2 on two base pods."""
    await sampled.add_pods(2)
    await sampled.apply(version="1.0.2", replicas=2, operationStrategy={"batchCount": 2})
    await _phase(sampled, "Current", True, "has successfully progressed")
    return sampled


async def test_conditions_agree_with_the_truth_while_a_version_fails_and_recovers(online):
    bases = [agent.base for agent in online.agents.values()]
    for base in bases:
        base.broken_versions.add("2.0.0")
    await online.apply(version="2.0.0", progressDeadlineSeconds=2)
    await _phase(online, "InProgress", True, "java.lang.IllegalStateException: this module never starts")
    await _phase(
        online, "Failed", True, 'ReplicaSet "demo-replicas-2" has timed out progressing; batch 1/2: 0 out of 2'
    )
    for base in bases:
        base.broken_versions.clear()
    await _phase(online, "Current", True, "has successfully progressed")


async def test_conditions_agree_with_the_truth_while_a_release_is_paused_and_aborted(online):
    await online.apply(pause=True, version="2.0.0")
    await _phase(online, "InProgress", True, "batch 1/2 is paused; to go on: set spec.pause to false")
    await online.annotate(Kind.MODULE_DEPLOYMENT, "demo", **{"serverless.alipay.com/abort": "demo-replicas-2"})
    await _phase(online, "Failed", True, "demo-replicas-2 was aborted, 1.0.2 serves; to go on: set another version")
    await online.apply(version="1.0.2")
    await _phase(online, "Current", True, "has successfully progressed")


async def test_conditions_agree_with_the_truth_while_a_base_restarts(online):
    agent = next(iter(online.agents.values()))
    agent.delays["installBiz"] = 1
    async with online.unwatched():  # for a moment nobody can know
        await online.restart_base(agent)
        await _phase(online, "InProgress", False, "1 of 2 replicas are available")
    await _phase(online, "Current", True, "2 of 2 replicas are available")


async def test_conditions_agree_with_the_truth_while_a_deletion_is_refused(online):
    bases = [agent.base for agent in online.agents.values()]
    for base in bases:
        base.failures["uninstallBiz"] = 99
    await online.delete()
    await _phase(online, "Terminating", False, "delete-module-directly=true or delete the base pod")
    for base in bases:
        base.failures["uninstallBiz"] = 0
    await online.until(lambda: _is_gone(online))


async def _is_gone(site):
    return await site.deployment() is None


async def test_kubectl_wait_ends_when_it_is_true_and_not_before(site):
    (agent,) = await site.add_pods(1)
    agent.delays["installBiz"] = 1.5
    await site.apply(version="1.0.2", replicas=1)
    wait = ("wait", "-n", site.namespace, "mddeploy/demo")
    with pytest.raises(Refused, match="timed out"):
        await asyncio.to_thread(kubectl, *wait, "--for=condition=Available", "--timeout=0.5s")
    await asyncio.to_thread(kubectl, *wait, "--for=condition=Available", "--timeout=20s")
    assert site.serving("1.0.2")
    await asyncio.to_thread(kubectl, *wait, "--for=condition=Ready", "--timeout=20s")
    await site.apply(version="2.0.0")
    await asyncio.to_thread(kubectl, *wait, "--for=jsonpath={.status.updatedAvailableReplicas}=1", "--timeout=20s")
    await asyncio.to_thread(kubectl, *wait, "--for=condition=Ready", "--timeout=20s")
    assert site.serving("2.0.0")
