"""docs/sessions.md is what a terminal shows: run, recorded, and compared. Times, and what is made up anew each time, are made alike.

Record it anew after a change that is meant: pytest tests/scenarios/test_sessions.py --api embedded --rewrite-sessions, then read the diff.
"""

import asyncio
import os
import re
import shlex
import subprocess
from pathlib import Path

from scenarios.commands import ARKWRIGHT

PAGE = Path(__file__).parents[2] / "docs" / "sessions.md"
HEAD = """# Sessions

What a terminal shows, from the first look at a release to the way back of one that fails. This page is written by a test that runs each line
(`tests/scenarios/test_sessions.py`). What the words mean: [operations](operations.md#the-same-in-words).
"""
ALIKE = (
    (r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z", "2026-01-02T03:04:05Z"),
    (r"\b\d+ s(?= ago|\))", "3 s"),
    (r"for \d+ (?:s|min \d+ s)\)", "for 3 s)"),
    (r"(?<=  )\d+s(?=  )", "3s"),
    (r"\b\d+s ago", "3s ago"),
    (r"(?<=\(try )\d+, the next in \d+ s", "2, the next in 3 s"),
    (r"\bby (?:admin|system:\S+|kubernetes-admin|scenarios\S*)", "by ada"),
    (r"-provider-[0-9a-f]{8}\b", "-provider-1a2b3c4d"),
    (r"1a2b3c4d on stock-[12]", "1a2b3c4d on stock-1"),
    (r"^site .*\n", ""),
    (r" -n shop$", ""),
)


async def typed(site, line):
    """The line and what it shows, as both streams come together on a terminal."""
    program, *words = shlex.split(line)
    assert program == "arkwright"
    command = [ARKWRIGHT, *words, "-n", site.namespace]
    done = await asyncio.to_thread(
        subprocess.run,
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=90,
        env=os.environ | {"COLUMNS": "160"},
    )
    shown = done.stdout.replace(site.namespace, "shop")
    for pattern, alike in ALIKE:
        shown = re.sub(pattern, alike, shown, flags=re.MULTILINE)
    lines = [one.rstrip() for one in shown.splitlines()]
    status = [f"(status {done.returncode})"] if done.returncode else []
    return "\n".join((f"$ {line}", *lines, *status))


def loosened(page):
    """A column is as wide as the longest of its words, and names of people differ."""
    return [re.sub(" +", " ", line) for line in page.splitlines()]


def section(title, words, *shown):
    return f"\n## {title}\n\n{words}\n\n```console\n" + "\n".join(shown) + "\n```\n"


async def fails(site):
    """The first batch has failed, and says so."""

    async def is_so():
        failure = await site.condition("ReplicaFailure")
        return failure.get("status") == "True" and len(await site.modules(status="Failed")) == 2

    await site.until(is_so)


async def recorded(site):
    await site.add_pods(4)
    strategy = {"batchCount": 2, "needConfirm": True}
    await site.apply(version="1.0.2", replicas=-1, operationStrategy=strategy)
    await site.until_progress("Paused")
    yield section(
        "A batch waits for a person",
        "What waits for whom, why, and what to type next.",
        await typed(site, "arkwright get"),
        await typed(site, "arkwright status demo"),
        await typed(site, "arkwright confirm demo --dry-run"),
        await typed(site, "arkwright confirm demo"),
    )
    await site.until_progress("Completed", 2, 4)
    yield section(
        "What a release would do",
        "Asked before it is done; nothing is written.",
        await typed(site, "arkwright plan demo --version 2.0.0"),
    )
    yield section(
        "What a deletion would do",
        "The same, of what `kubectl delete` would take away.",
        await typed(site, "arkwright plan demo --delete"),
    )
    for agent in site.agents.values():
        agent.base.broken_versions.add("2.0.0")
    yield section(
        "A version that does not start",
        "The reason is the agent's own; the version before serves all the while.",
        await typed(
            site,
            "arkwright set demo --version 2.0.0 --url http://archives/provider-2.0.0.whl --cause 'cheaper rounding'",
        ),
    )
    await fails(site)
    yield section(
        "Why it fails, and back",
        "Giving up goes back at once; the release can be tried again.",
        await typed(site, "arkwright status demo"),
        await typed(site, "arkwright abort demo"),
    )
    await site.until_progress("Aborted")
    yield section(
        "What was",
        "Revisions with their causes, and who decided.",
        await typed(site, "arkwright history demo"),
        await typed(site, "arkwright history demo --revision 2"),
        await typed(site, "arkwright rollout undo demo"),
    )


async def test_the_page_of_sessions_is_what_a_terminal_shows(site, request):
    page = HEAD + "".join([one async for one in recorded(site)])
    if request.config.getoption("--rewrite-sessions"):
        PAGE.write_text(page)
    assert loosened(page) == loosened(PAGE.read_text())
