"""docs/operations.md, line by line: every command is run, and shows what the page says, in English and in Chinese.

Between runs differ names that the cluster makes up, addresses, ports, ages: these are compared by shape. After a change,
pytest tests/scenarios/test_operations.py --rewrite-operations writes the outputs anew, in both languages.
"""

import asyncio
import os
import re
import shutil
import subprocess
from dataclasses import dataclass, field
from pathlib import Path

import pytest
import yaml

from arkwright.model.resources import Kind
from scenarios.kubectl import kubectl

ROOT = Path(__file__).parents[2]
ENGLISH, CHINESE = ROOT / "docs" / "operations.md", ROOT / "docs" / "operations.zh.md"
BLOCK = re.compile(r"```console\n(.*?)```", re.DOTALL)
SAID_BY_THE_EMBEDDED_API = {"Warning: roles are stored and not enforced: access to this API is by token"}
SHAPES = [
    (r"dynamic-stock-deployment-[0-9a-z]+-[0-9a-z]{5}", "dynamic-stock-deployment-POD"),
    (r"(replicas-\d+-provider)-[0-9a-f]{8}", r"\1-SUFFIX"),
    (r"\b127\.\d+\.\d+\.\d+\b", "ADDRESS"),
    (r"\b10\.\d+\.\d+\.\d+\b", "CLUSTER-ADDRESS"),
    (r"\b3[0-2]\d{3}/TCP", "NODE-PORT/TCP"),
    (r"\(for \d+ s\)", "(for SECONDS)"),
    (r"\d{4}-\d\d-\d\dT[\d:.]+Z", "TIME"),
    (r'"changeTime":\d+', '"changeTime":TIME'),
    (r'"requests":\{[^{}]*(\{[^{}]*\})?[^{}]*\}', '"requests":FIGURES'),
    (r'"(cpuSeconds|memoryMb|pid)":[\d.]+', r'"\1":FIGURE'),
    (r"the next in \d+ s", "the next in SECONDS"),
    (r"try \d+,", "try N,"),
    (r"(?m)(?<= )\d+(s|m|m\d+s)(?=\s|$)", "AGE"),
    (r"\b(created|configured|unchanged)\b", "applied"),
    (r"(?m) +(?=$)", ""),
    (r" {2,}", "  "),
]


@dataclass
class Step:
    """One command, and the lines that it printed when the page was written."""

    command: str
    output: list[str] = field(default_factory=list)


def steps(page):
    """All commands of a page, in order."""
    found = []
    for block in BLOCK.findall(page.read_text()):
        for line in block.splitlines():
            if line.startswith("$ "):
                found.append(Step(line[2:]))
            elif line.startswith("> "):
                found[-1].command += "\n" + line[2:]
            else:
                found[-1].output.append(line)
    return found


def shape(lines):
    text = "\n".join(lines)
    for pattern, instead in SHAPES:
        text = re.sub(pattern, instead, text)
    return text.strip().splitlines()


def rewritten(page, results):
    """The page with new outputs; `results`: lines of each command."""
    left = iter(results)

    def block(match):
        lines = []
        for line in match[1].splitlines():
            if line.startswith("$ "):
                lines += [line]
            elif line.startswith("> "):
                lines += [line]
            else:
                continue
        return "```console\n" + "\n".join(_with_outputs(lines, left)) + "\n```"

    return BLOCK.sub(block, page.read_text())


def _with_outputs(commands, left):
    for number, line in enumerate(commands):
        yield line
        is_last_of_command = number + 1 == len(commands) or commands[number + 1].startswith("$ ")
        if is_last_of_command:
            yield from next(left)


def test_both_languages_run_the_same_commands_and_show_the_same_outputs():
    assert [(one.command, one.output) for one in steps(ENGLISH)] == [
        (one.command, one.output) for one in steps(CHINESE)
    ]


@pytest.fixture
def desk(site, bases, tmp_path):
    """Where the reader of the page sits: a copy of the repository's files, and kubectl set to the namespace."""
    directory = tmp_path / "desk"
    for name in ("samples", "examples", "deploy"):
        shutil.copytree(ROOT / name, directory / name)
    config = yaml.safe_load(Path(os.environ["KUBECONFIG"]).read_text())
    for context in config["contexts"]:
        context["context"]["namespace"] = site.namespace
    (directory / "kubeconfig").write_text(yaml.safe_dump(config))
    is_installed = "arkwright" in kubectl("get", "deployments", "-n", "default", "-o", "name")
    yield directory
    if not is_installed:  # the page installs a controller that is not to stay, on a cluster that may be somebody's
        files = [word for number in range(5, 9) for word in ("-f", next((ROOT / "deploy").glob(f"0{number}-*")))]
        kubectl("delete", "--ignore-not-found", *files)


def run(command, directory):
    """Its output, standard error included, as a terminal shows it."""
    environment = os.environ | {"KUBECONFIG": str(directory / "kubeconfig"), "COLUMNS": "120"}
    done = subprocess.run(
        ["bash", "-c", command],
        cwd=directory,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=120,
    )
    return [line for line in done.stdout.splitlines() if line not in SAID_BY_THE_EMBEDDED_API]


@pytest.mark.timeout(400)
async def test_the_page_shows_what_happens(site, bases, desk, request):
    await site.until(lambda: _are_ready(site))
    results = []
    for step in steps(ENGLISH):
        await site.until(lambda: _is_nobody_leaving(site))
        await site.is_calm(0.25)
        printed = [_told_anywhere(line, site, desk) for line in await asyncio.to_thread(run, step.command, desk)]
        results.append(printed)
        if not request.config.getoption("--rewrite-operations"):
            assert shape(printed) == shape(step.output), f"$ {step.command}"
    if request.config.getoption("--rewrite-operations"):
        for page in (ENGLISH, CHINESE):
            page.write_text(rewritten(page, results))


def _told_anywhere(line, site, desk):
    """Without the names of this very run."""
    return line.replace(str(desk), "/home/you/arkwright").replace(site.namespace, "default").rstrip()


async def _is_nobody_leaving(site):
    """A base pod that leaves serves on for a moment, in which nothing is written."""
    return not any("deletionTimestamp" in one["metadata"] for one in await site.all(Kind.POD))


async def _are_ready(site):
    pods = await site.all(Kind.POD)
    return len(pods) == 2 and all(one["status"].get("phase") == "Running" for one in pods)
