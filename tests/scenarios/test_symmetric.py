"""Symmetric mode, replicas -1: a module on every live base pod (semantics 9)."""

from arkwright.model.resources import Kind


async def test_it_follows_the_base_and_never_writes_replicas(site):
    first, _ = await site.add_pods(2)
    await site.apply(version="1.0.2", replicas=-1)
    await site.until_progress("Completed", 1, 2)
    await site.add_pods(1)
    await site.until(lambda: len(site.serving("1.0.2")) == 3)
    await site.delete_pod(first)
    await site.until(lambda: _has_modules(site, 2))
    await site.until(lambda: _is_desired(site, 2))
    assert (await site.deployment())["spec"]["replicas"] == -1


async def _has_modules(site, count):
    return len(await site.modules(status="Available")) == count


async def _is_desired(site, count):
    status = await site.status()
    return (status["replicas"], status["availableReplicas"]) == (count, count)


async def test_a_new_version_goes_in_batches_with_every_pod_occupied(site):
    await site.add_pods(4)
    strategy = {"batchCount": 2, "needConfirm": True}
    await site.apply(version="1.0.2", replicas=-1)
    await site.until_progress("Completed", 1, 4)
    await site.apply(version="2.0.0", operationStrategy=strategy)
    await site.until_progress("Paused", 1, 2)
    await site.until(lambda: (len(site.serving("1.0.2")), len(site.serving("2.0.0"))) == (2, 2))
    await site.apply(pause=False)
    await site.until_progress("Completed", 2, 4)
    assert len(site.serving("2.0.0")) == 4


async def test_a_pod_that_appears_in_the_middle_of_a_release_gets_the_stable_version_at_once(site):
    await site.add_pods(2)
    await site.apply(version="1.0.2", replicas=-1)
    await site.until_progress("Completed", 1, 2)
    await site.apply(version="2.0.0", operationStrategy={"batchCount": 2, "needConfirm": True})
    await site.until_progress("Paused", 1, 1)
    (newcomer,) = await site.add_pods(1)
    await site.until(lambda: newcomer.base.active("provider") == "1.0.2")
    await site.apply(pause=False)
    await site.until_progress("Paused", 1, 2)  # three moves in two batches are 2 and 1: the plan was made anew
    await site.apply(pause=False)
    await site.until_progress("Completed", 2, 3)
    await site.until(lambda: len(site.serving("2.0.0")) == 3 and not site.serving("1.0.2"))


async def test_a_pods_readiness_causes_no_call(site):
    (agent,) = await site.add_pods(1)
    await site.apply(version="1.0.2", replicas=-1)
    await site.until_progress("Completed", 1, 1)
    before = list(agent.base.log)
    for is_ready in (False, True):
        await site.set_pod_ready("stock-1", is_ready)
        await site.is_calm()
    assert agent.base.log == before and len(await site.all(Kind.MODULE)) == 1
