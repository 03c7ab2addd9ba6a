"""`arkwright release`: a version, followed to its end, on both APIs: status 0 once it serves, 1 and the reason where it does not get there."""

import asyncio

from scenarios.commands import run


async def _serves(site, version, count):
    await site.until(lambda: len(site.serving(version)) == count)
    await site.until_progress("Completed")


async def test_a_release_is_followed_to_its_end(site):
    agents = await site.add_pods(2)
    await site.apply(version="1.0.2", replicas=2, operationStrategy={"batchCount": 2})
    await _serves(site, "1.0.2", 2)
    code, _, said = await run(site, "release", "demo", "--version", "2.0.0", "--wait", "--timeout", "40")
    assert code == 0 and "Completed: batch 2/2, 2 of 2 base pods; " in said and said.endswith("demo: 2.0.0 serves\n")
    code, _, said = await run(site, "release", "demo", "--version", "2.0.0", "--wait")
    assert code == 0 and "2.0.0 is asked for already" in said
    for agent in agents:
        agent.base.broken_versions |= {"3.0.0", "3.1.0"}
    await _given_up(site)
    await _tried_again(site, agents)
    await _superseded(site)


async def _given_up(site):
    words = "release", "demo", "--version", "3.0.0", "--wait", "--timeout", "3", "--abort-on-failure"
    code, _, said = await run(site, *words)
    assert code == 1 and "not complete after 3 s: InstallFailed: " in said and "2.0.0 comes back" in said
    assert "it was aborted; the version that served before serves" in said
    assert len(site.serving("2.0.0")) == 2


async def _tried_again(site, agents):
    """Whoever releases what was given up means it."""
    for agent in agents:
        agent.base.broken_versions.discard("3.0.0")
    code, _, said = await run(site, "release", "demo", "--version", "3.0.0", "--wait", "--timeout", "40")
    assert code == 0 and "The release of 3.0.0 begins anew" in said and len(site.serving("3.0.0")) == 2


async def _superseded(site):
    """By somebody else, while it is followed."""
    followed = asyncio.create_task(run(site, "release", "demo", "--version", "3.1.0", "--wait"))

    async def is_asked_for():
        return (await site.deployment())["spec"]["template"]["spec"]["module"]["version"] == "3.1.0"

    await site.until(is_asked_for)
    await site.apply(version="4.0.0")
    code, _, said = await followed
    assert code == 1 and "it is superseded: version 4.0.0 is asked for now" in said
    await _serves(site, "4.0.0", 2)


async def test_options_of_a_release_that_is_not_waited_for_are_refused(site):
    await site.apply(version="1.0.2", replicas=0)
    code, _, said = await run(site, "release", "demo", "--version", "2.0.0", "--timeout", "3")
    assert code == 1 and "say --wait as well" in said
    code, _, said = await run(site, "release", "demo", "--version", "2.0.0")
    assert code == 0 and (await site.deployment())["spec"]["template"]["spec"]["module"]["version"] == "2.0.0"
