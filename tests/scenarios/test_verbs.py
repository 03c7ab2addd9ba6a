"""What a person decides about one release on the command line: said first, done, signed, or refused with the reason. One release for all of it."""

import asyncio
import json

from arkwright.model.resources import Kind
from scenarios.commands import following, run

SIGNED = ("scaled", "version-set", "restarted", "undone", "paused", "resumed", "aborted", "retried")


async def decided(site, *words):
    code, out, said = await run(site, *words)
    assert (code, out) == (0, ""), said
    return said


async def refused(site, *words):
    code, out, said = await run(site, *words)
    assert (code, out) == (1, ""), said
    return said


async def _serves(site, version, count):
    await site.until(lambda: len(site.serving(version)) == count)
    await site.until_progress("Completed", 1, count)


async def test_a_release_is_led_by_words_alone(site):
    agents = await site.add_pods(2)
    await site.apply(version="1.0.2", replicas=2)
    await _serves(site, "1.0.2", 2)
    await _scaled_and_another_version_set(site)
    await _restarted_and_undone(site)
    await _paused_resumed_aborted_and_retried(site, agents)
    await _signed(site)


async def _scaled_and_another_version_set(site):
    said = await decided(site, "scale", "demo", "--replicas", "1", "--dry-run")
    assert "demo: replicas 2 → 1: the module is to be on 1 base pod" in said and "nothing is written" in said
    assert "replicas is 2 already" in await refused(site, "scale", "demo", "--replicas", "2")
    assert "arkwright status demo --watch" in await decided(site, "scale", "demo", "--replicas", "1")
    await _serves(site, "1.0.2", 1)
    assert "demo: provider 1.0.2 → 2.0.0: a release of 1 batch." in await decided(
        site, "set", "demo", "--version", "2.0.0"
    )
    await _serves(site, "2.0.0", 1)
    assert "demo: say another version or another url" in await refused(site, "set", "demo", "--version", "2.0.0")


async def _restarted_and_undone(site):
    before = site.calls("installBiz")
    assert "is uninstalled and installed again" in await decided(site, "restart", "mddeploy/demo")
    await site.until(lambda: site.calls("installBiz") == before + 1)
    await _serves(site, "2.0.0", 1)
    assert "there is no revision 9 to go back to" in await refused(site, "undo", "demo", "--to-revision", "9")
    assert "provider:1.0.2 of revision" in await decided(site, "undo", "demo", "--to-revision", "1")
    await _serves(site, "1.0.2", 1)


async def _paused_resumed_aborted_and_retried(site, agents):
    assert "there is nothing to pause: Completed" in await refused(site, "pause", "demo")
    for agent in agents:
        agent.base.broken_versions.add("3.0.0")
    await decided(site, "set", "demo", "--version", "3.0.0")
    await decided(site, "pause", "demo")
    await site.until_progress("Paused")
    assert "it is paused within a batch; resume it" in await refused(site, "confirm", "demo")
    assert "demo: The release goes on in batch 1/1." in await decided(site, "resume", "demo")
    assert "3.0.0 is given up; 1.0.2 comes back" in await decided(site, "abort", "demo")
    await site.until_progress("Aborted")
    for agent in agents:
        agent.base.broken_versions.clear()
    assert "The release of 3.0.0 begins anew" in await decided(site, "retry", "demo")
    await _serves(site, "3.0.0", 1)


async def _signed(site):
    notes = (await site.deployment())["metadata"]["annotations"]
    who = {notes[f"arkwright.dev/{verb}-by"].rpartition(" ")[0] for verb in SIGNED}
    assert len(who) == 1
    told = [one["message"] for one in await site.all(Kind.EVENT) if one["reason"] == "AskedFor"]
    (name,) = who
    assert f"{name} scales it from 2 to 1, by arkwright" in told and len(told) == len(SIGNED) + 1


async def test_what_became_of_a_release_is_told(site):
    await site.add_pods(2)
    await site.apply(version="1.0.2", replicas=1)
    await _serves(site, "1.0.2", 1)
    await decided(site, "set", "demo", "--version", "3.0.0")
    await _serves(site, "3.0.0", 1)
    await _told(site)
    await _followed(site)


async def _told(site):
    await site.annotate(Kind.MODULE_DEPLOYMENT, "demo", **{"kubernetes.io/change-cause": "a better one"})
    code, out, _ = await run(site, "history", "demo")
    first = out.splitlines()[1].split()
    assert code == 0 and first[2:4] == ["3.0.0", "1/1"] and "a better one  version-set by" in out
    _, out, _ = await run(site, "history", "demo", "--revision", first[0], "-o", "json")
    (one,) = json.loads(out)
    assert {"field": "module.version", "before": "1.0.2", "after": "3.0.0"} in one["changed"]
    _, out, _ = await run(site, "history", "demo", "--revision", first[0])
    assert "1.0.2 → 3.0.0" in out
    assert f"demo has no revision 77\n  there: {first[0]}, " in await refused(
        site, "history", "demo", "--revision", "77"
    )


async def _followed(site):
    code, out, _ = await run(site, "events", "demo", "-o", "json")
    told = json.loads(out)
    assert code == 0 and {"AskedFor"} < {one["reason"] for one in told}
    with following(site, "events", "mddeploy/demo", "--follow", "-o", "json") as lines:
        await _comes(lines, "sets version 3.0.0")
        await decided(site, "scale", "demo", "--replicas", "2")
        await _comes(lines, "scales it from 1 to 2, by arkwright")


async def _comes(lines, words):
    async with asyncio.timeout(20):
        await asyncio.to_thread(lines.until, words)


async def test_an_undo_goes_back_from_a_release_that_fails_and_is_paused(site):
    (agent,) = await site.add_pods(1)
    await site.apply(version="1.0.2", replicas=1)
    await _serves(site, "1.0.2", 1)
    agent.base.broken_versions.add("2.0.0")
    await decided(site, "set", "demo", "--version", "2.0.0")
    await decided(site, "pause", "demo")
    await site.until_progress("Paused")
    await decided(site, "undo", "demo")
    await _serves(site, "1.0.2", 1)
