"""What people change by hand in objects that are ours (semantics 7)."""

import pytest

from arkwright.model.names import SERVES_PREFIX
from arkwright.model.resources import Kind

SERVICE = {"serviceStrategy": {"enableModuleService": True, "port": 80, "drainSeconds": 0}}
ACTS = [
    pytest.param(Kind.POD, {"metadata": {"labels": {SERVES_PREFIX + "provider": None}}}, id="the pod's label is gone"),
    pytest.param(Kind.POD, {"metadata": {"labels": {SERVES_PREFIX + "provider": "false"}}}, id="it says false"),
    pytest.param(Kind.MODULE, {"metadata": {"finalizers": None}}, id="the Module's finalizer is gone"),
    pytest.param(Kind.SERVICE, {"spec": {"selector": {"mine": "yes"}}}, id="the Service leads elsewhere"),
]


async def online(site):
    await site.add_pods(1)
    await site.apply(version="1.0.2", replicas=1, operationStrategy=SERVICE)
    await site.until_progress("Completed", 1, 1)
    (module,) = await site.modules()
    return {Kind.POD: "stock-1", Kind.MODULE: module["metadata"]["name"], Kind.SERVICE: "provider-service"}


async def is_right(site):
    service, (module,) = await site.get(Kind.SERVICE, "provider-service"), await site.modules()
    pod = await site.get(Kind.POD, "stock-1")
    return (
        service["spec"]["selector"].get(SERVES_PREFIX + "provider") == "true"
        and "mine" not in service["spec"]["selector"]
        and bool(module["metadata"].get("finalizers"))
        and pod["metadata"]["labels"].get(SERVES_PREFIX + "provider") == "true"
    )


@pytest.mark.parametrize("kind, patch", ACTS)
async def test_what_somebody_changes_by_hand_is_put_right_and_told(site, kind, patch):
    names = await online(site)
    await site.patch(kind, names[kind], patch)
    await site.until(lambda: site.events("PutRight"))
    await site.until(lambda: is_right(site))
    assert (site.calls("installBiz"), site.calls("uninstallBiz")) == (1, 0)


async def test_another_version_of_a_module_is_put_right_and_calls_nobody(site):
    names = await online(site)
    await site.patch(Kind.MODULE, names[Kind.MODULE], {"spec": {"module": {"version": "9.9"}}})
    await site.until(lambda: site.events("PutRight"))
    await site.until(lambda: _has_version(site, "1.0.2"))
    await site.is_calm()
    assert (site.calls("installBiz"), site.calls("uninstallBiz")) == (1, 0) and site.serving("1.0.2")


async def _has_version(site, version):
    (module,) = await site.modules()
    return module["spec"]["module"]["version"] == version
