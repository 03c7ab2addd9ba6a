"""A session with kubectl: commands in, a transcript out, with what no two servers have in common taken away."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "kubernetes"))
from go_build import KUBECTL, built  # noqa: E402

HERE = Path(__file__).parent / "kubectl"
DEPLOY = Path(__file__).parents[2] / "deploy"
COMMANDS = [line for line in (HERE / "commands.txt").read_text().splitlines() if line and line[0] != "#"]
VERSIONS = [f"1.{minor}" for minor in range(27, 35)]


def kubectl_of(version):
    """The program; None where this machine has none of that version."""
    if KUBECTL.version.startswith(f"{version}."):
        return built(KUBECTL)
    places = (Path(place, "kubectl").resolve().parent for place in os.environ["PATH"].split(os.pathsep))
    return next((found for place in places if (found := place / f"kubectl.{version}").is_file()), None)


class Session:
    """`kubectl`: the program; `directory`: an empty one, for its files and its home."""

    def __init__(self, kubectl, kubeconfig, directory):
        self._kubectl, self._directory = kubectl, directory
        for file in HERE.glob("*.yaml"):
            shutil.copy(file, directory)
        shutil.copytree(DEPLOY, directory / "deploy", ignore=shutil.ignore_patterns("helm", "kustomize"))
        mine = directory / "kubeconfig"
        shutil.copy(kubeconfig, mine)
        self._environment = os.environ | {"KUBECONFIG": str(mine), "HOME": str(directory), "LC_ALL": "C.UTF-8"}
        self._environment["KUBECTL_APPLYSET"] = "true"

    def transcript(self):
        """All commands, each with what it said and its exit code if that is not 0."""
        return "".join(f"$ kubectl {line}\n{self._said(line)}\n" for line in COMMANDS)

    def _said(self, line):
        words, _, filter_ = line.partition(" | ")
        is_endless = words.endswith(" …")
        command = [str(self._kubectl), *words.removesuffix(" …").split(" ")]
        try:
            done = subprocess.run(
                _joined(command),
                cwd=self._directory,
                env=self._environment,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                timeout=1.5 if is_endless else 90,
            )
            output, code = done.stdout, done.returncode
        except subprocess.TimeoutExpired as expired:
            assert is_endless, f"kubectl {line} does not end: {expired.stdout}"
            output, code = (expired.stdout or b"").decode(), 0
        if filter_:
            output = subprocess.run(filter_.split(), input=output, capture_output=True, text=True).stdout
        return comparable(output, words) + (f"(exit code {code})\n" if code else "")


def _joined(words):
    """A JSON or JSONPath argument may hold spaces."""
    joined = []
    for word in words:
        if joined and joined[-1].count("{") > joined[-1].count("}"):
            joined[-1] += f" {word}"
        else:
            joined.append(word)
    return joined


RULES = [
    (r"\x1b\[[\d;]*m", ""),
    (r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}", "UID"),
    (r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(\.\d+)?( [+-]\d{4}( \w+)?|Z|[+-]\d\d:\d\d)?", "TIME"),
    (r"\w{3}, \d\d \w{3} \d{4} \d\d:\d\d:\d\d [+-]\d{4}", "TIME"),
    (r'(resourceVersion"?: )"?\d+"?', r"\1VERSION"),
    (r"(Resource Version: +)\d+", r"\1VERSION"),
    (r"/tmp/(LIVE|MERGED)-\d+", r"/tmp/\1-N"),
    (r"\bbase-[a-z0-9]{8,10}(-[a-z0-9]{5})?\b", lambda found: "base-HASH-POD" if found[1] else "base-HASH"),
    (r"pod-template-hash=\w+", "pod-template-hash=HASH"),
    (r"\b10\.\d+\.\d+\.\d+\b", "CLUSTERIP"),
    (r"\b127\.\d+\.\d+\.\d+\b", "ADDRESS"),
    (r":3\d{4}/TCP", ":NODEPORT/TCP"),
    (r"(NodePort: .*?)\d{5}", r"\1NODEPORT"),
    (r"(?<= )(\d+[smh]){1,2}(?=\s|$)", "AGE"),
    (r"^Endpoints: .*", "Endpoints: PODS"),  # a real one takes none that are on loopback
    (r"^[WI]\d{4} .*\n", ""),  # what the program says of itself
    (r"^Warning: v1 Endpoints is deprecated.*\n", ""),
    (r"^Warning: roles are stored and not enforced.*\n", ""),
    (r'"\{(\\.|[^"\\])*\}": (strict decoding)', r"\2"),
    (r"(due to an error in our request).*", r"\1"),
    (r"(  (?:apiVersion|kind|metadata)\t<\w+>\n)(    .*\n)+", r"\1"),
    (r" +$", ""),
    (r"(?<=\S) {2,}", "  "),
]


def comparable(output, words):
    for pattern, instead in RULES:
        output = re.sub(pattern, instead, output, flags=re.MULTILINE)
    if words.startswith("rollout status"):
        output = output.strip().rpartition("\n")[2] + "\n"  # how far it has come at each moment is chance
    return output
