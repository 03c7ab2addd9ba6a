"""Names, labels and addresses at their limits: no input may produce an object that the API server rejects for ever."""

import asyncio

from arkwright.model.resources import Kind
from scenarios.site import module


def longest(letter, length):
    return letter * length


async def test_a_name_of_253_characters_with_a_module_of_63(site):
    await site.add_pods(1)
    name, wanted = longest("d", 253), module("1.0.2", name=longest("M", 63))
    await site.apply(name=name, replicas=1, template={"spec": {"module": wanted}})
    await site.until_progress("Completed", 1, 1, name=name)
    await site.apply(name=name, template={"spec": {"module": wanted | {"version": "2.0.0"}}})
    await site.until_progress("Completed", 1, 1, name=name)
    assert len(site.serving("2.0.0", name=longest("M", 63))) == 1
    await site.delete(name=name)
    await site.until(lambda: _is_gone(site, name))


async def _is_gone(site, name):
    return await site.deployment(name) is None and not await site.modules()


async def test_two_long_names_that_share_their_beginning_are_told_apart(site):
    await site.add_pods(2)
    for end, version in (("a", "1"), ("b", "2")):
        wanted = module(version, name=f"provider-{end}")
        await site.apply(name=longest("d", 252) + end, replicas=2, template={"spec": {"module": wanted}})
    for end in "ab":
        await site.until_progress("Completed", 1, 2, name=longest("d", 252) + end)
    assert len(await site.all(Kind.MODULE)) == 4


async def test_versions_are_any_string_on_the_wire_and_clean_as_a_label(site):
    (agent,) = await site.add_pods(1)
    for version in ("1.0.2+build.7", "1.0 beta/ü", longest("v", 128)):
        await site.apply(version=version, replicas=1)
        await site.until_progress("Completed", 1, 1)
        await site.until(lambda version=version: agent.base.modules == {f"provider:{version}": "activated"})


async def test_a_base_that_does_not_exist_is_named_and_waited_for(site):
    await site.add_pods(1)
    await site.delete(Kind.DEPLOYMENT, "stock")
    await site.apply(version="1", replicas=1)
    await site.until(lambda: _says_there_is_no_base(site))
    await site.until(lambda: site.events("BaseNotFound"))
    await site.create_base()
    await site.until_progress("Completed", 1, 1)


async def _says_there_is_no_base(site):
    failure = await site.condition("ReplicaFailure")
    said = f'Deployment "stock" does not exist in namespace "{site.namespace}"'
    return failure.get("reason") == "BaseNotFound" and said in failure["message"]


async def test_a_url_is_passed_on_as_it_is(site):
    (agent,) = await site.add_pods(1)
    urls, answer = [], agent.base.answer
    agent.base.answer = lambda command, body: urls.append(body.get("bizUrl")) or answer(command, body)
    url = "http://archives/%E6%A8%A1%E5%9D%97/a.whl?token=x%2By#sha256=" + "ab" * 32
    await site.apply(replicas=1, template={"spec": {"module": module("1") | {"url": url}}})
    await site.until_progress("Completed", 1, 1)
    assert url in urls


async def test_labels_of_the_module_deployment_reach_its_modules_and_none_are_needed(site):
    await site.add_pods(1)
    await site.apply(version="1", replicas=1)
    await site.until_progress("Completed", 1, 1)
    labelled = {"labels": {"team": "stock"}, "annotations": {"note": "from the template"}}
    await site.apply(template={"metadata": labelled, "spec": {"module": module("2")}})
    await site.until_progress("Completed", 1, 1)
    (only,) = await site.all(Kind.MODULE)
    assert (only["metadata"]["labels"]["team"], only["metadata"]["annotations"]["note"]) == (
        "stock",
        "from the template",
    )


async def test_an_agent_on_another_port_and_at_an_ipv6_address(site, worker_number):
    agent = await site.add_pod_at("::1", 23800 + worker_number)
    await site.apply(version="1", replicas=1)
    await site.until_progress("Completed", 1, 1)
    (only,) = await site.all(Kind.MODULE)
    assert only["metadata"]["labels"]["serverless.alipay.com/base-instance-ip"] == "1"
    assert agent.base.modules == {"provider:1": "activated"}


async def test_a_base_gets_at_most_four_calls_at_once(site):
    (agent,) = await site.add_pods(1)
    gate = agent.gates["installBiz"] = asyncio.Event()
    for number in range(6):
        wanted = module("1", name=f"module-{number}")
        await site.apply(name=f"demo-{number}", replicas=1, template={"spec": {"module": wanted}})
    await site.until(lambda: len(agent.base.busy) == 4)
    await site.is_calm()
    assert len(agent.base.busy) == 4
    gate.set()
    await site.until(lambda: len(agent.base.modules) == 6)


async def test_two_module_deployments_at_once_never_exceed_a_cap(site):
    agents = await site.add_pods(4, **{"serverless.alipay.com/max-module-count": "1"})
    for name in ("one", "two", "three"):
        await site.apply(name=name, replicas=4, template={"spec": {"module": module("1", name=name)}})
    await site.until(lambda: sum(len(agent.base.modules) for agent in agents) == 4)
    await site.is_calm(0.3)
    assert [len(agent.base.modules) for agent in agents] == [1] * 4 and len(await site.all(Kind.MODULE)) == 4
