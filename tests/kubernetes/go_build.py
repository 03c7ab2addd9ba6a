"""Real Kubernetes parts for the tests, built from Go modules, once, into a per-user cache.

python tests/kubernetes/go_build.py      build the control plane, kubectl, an informer and Helm; prints where they are
"""

import contextlib
import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).parent
KUBERNETES, HELM_VERSION = "1.34.4", "3.19.5"
_STAMP = "k8s.io/component-base/version.git"
_MAJOR, _MINOR = KUBERNETES.split(".")[:2]
_STAMPED = " ".join(
    ("-s -w", f"-X {_STAMP}Version=v{KUBERNETES}", f"-X {_STAMP}Major={_MAJOR}", f"-X {_STAMP}Minor={_MINOR}")
    + (f"-X {_STAMP}TreeState=clean",)
)


class GoBuildFailed(Exception):
    """The message says what to install, or has the compiler's words."""


@dataclass(frozen=True)
class GoProgram:
    """`source`: the directory with its go.mod; `package`: what is built; `linker`: flags for the linker."""

    name: str
    version: str
    source: Path
    package: str = "."
    linker: str = "-s -w"

    @property
    def path(self) -> Path:
        digest = hashlib.sha256(b"".join(file.read_bytes() for file in sorted(self.source.iterdir()))).hexdigest()[:12]
        cache = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "arkwright"
        return cache / f"{self.name}-{self.version}-{digest}"


CONTROL_PLANE = GoProgram(
    "controlplane",
    KUBERNETES,
    HERE / "controlplane",
    linker=_STAMPED,
)
INFORMER = GoProgram("informer", KUBERNETES, HERE / "informer")
KUBECTL = GoProgram("kubectl", KUBERNETES, HERE / "kubectl", linker=_STAMPED)
_FOR = " ".join(
    f"-X helm.sh/helm/v3/pkg/{place}.k8sVersionMajor={_MAJOR} -X helm.sh/helm/v3/pkg/{place}.k8sVersionMinor={_MINOR}"
    for place in ("chartutil", "lint/rules")
)
HELM = GoProgram("helm", HELM_VERSION, HERE / "helm", "helm.sh/helm/v3/cmd/helm", linker=f"-s -w {_FOR}")


def built(program: GoProgram) -> Path:
    """Where the program is; built if the cache has none. Raises GoBuildFailed."""
    target = program.path
    if target.exists():
        return target
    target.parent.mkdir(parents=True, exist_ok=True)
    with (target.parent / "building").open("w") as lock:  # two that need it at once build it once
        fcntl.flock(lock, fcntl.LOCK_EX)
        return target if target.exists() else _build(program, target)


def _build(program: GoProgram, target: Path) -> Path:
    if shutil.which("go") is None:
        raise GoBuildFailed(
            f"{program.name} is built with Go 1.24 or newer, and there is no `go` on the PATH; install it from your"
            " system's packages, or set KUBECONFIG to a cluster of yours"
        )
    half = target.with_suffix(f".{os.getpid()}")
    command = ["go", "build", "-trimpath", "-ldflags", program.linker, "-o", str(half), program.package]
    with subprocess.Popen(command, cwd=program.source, stderr=subprocess.PIPE, text=True) as process:
        began = time.monotonic()
        while process.poll() is None:
            passed = time.monotonic() - began
            _progress(f"building {program.name} from Go modules (once, some minutes): {passed:4.0f} s")
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(1 if sys.stderr.isatty() else 30)
        if process.returncode:
            raise GoBuildFailed(f"go build failed:\n{process.stderr.read() if process.stderr else ''}")
    half.rename(target)
    print(f"\nbuilt {target.name} in {time.monotonic() - began:.0f} s", file=sys.stderr, flush=True)
    return target


def _progress(line: str) -> None:
    is_terminal = sys.stderr.isatty()
    print(f"\r{line}" if is_terminal else line, end="" if is_terminal else "\n", file=sys.stderr, flush=True)


if __name__ == "__main__":
    try:
        print(*map(built, (CONTROL_PLANE, KUBECTL, INFORMER, HELM)), sep="\n")
    except GoBuildFailed as error:
        sys.exit(f"error: {error}")
