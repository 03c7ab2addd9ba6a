"""Real Kubernetes parts for the tests, built from Go modules, once, into a per-user cache.

python tests/kubernetes/go_build.py      build the control plane, kubectl, two clients and Helm; prints where they are
python tests/kubernetes/go_build.py all  also Helm 4, which takes minutes more: tests with it run where it has been built
"""

import hashlib
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path

from building import CACHE, BuildFailed, once, run

HERE = Path(__file__).parent
KUBERNETES, HELM_VERSION, HELM_4_VERSION = "1.34.4", "3.19.5", "4.0.1"
_STAMP = "k8s.io/component-base/version.git"
_MAJOR, _MINOR = KUBERNETES.split(".")[:2]
_STAMPED = " ".join(
    ("-s -w", f"-X {_STAMP}Version=v{KUBERNETES}", f"-X {_STAMP}Major={_MAJOR}", f"-X {_STAMP}Minor={_MINOR}")
    + (f"-X {_STAMP}TreeState=clean",)
)


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
        return CACHE / f"{self.name}-{self.version}-{digest}"


CONTROL_PLANE = GoProgram(
    "controlplane",
    KUBERNETES,
    HERE / "controlplane",
    linker=_STAMPED,
)
INFORMER = GoProgram("informer", KUBERNETES, HERE / "informer")
GO_CLIENT = GoProgram("goclient", KUBERNETES, HERE / "goclient")
KUBECTL = GoProgram("kubectl", KUBERNETES, HERE / "kubectl", linker=_STAMPED)
_FOR = " ".join(
    f"-X helm.sh/helm/v3/pkg/{place}.k8sVersionMajor={_MAJOR} -X helm.sh/helm/v3/pkg/{place}.k8sVersionMinor={_MINOR}"
    for place in ("chartutil", "lint/rules")
)
HELM = GoProgram("helm", HELM_VERSION, HERE / "helm", "helm.sh/helm/v3/cmd/helm", linker=f"-s -w {_FOR}")

HELM_4 = GoProgram("helm", HELM_4_VERSION, HERE / "helm4", "helm.sh/helm/v4/cmd/helm")
USUAL = (CONTROL_PLANE, KUBECTL, INFORMER, GO_CLIENT, HELM)


def built(program: GoProgram) -> Path:
    """Where the program is; built if the cache has none. Raises BuildFailed."""
    return once(program.path, lambda half: _build(program, half))


def _build(program: GoProgram, half: Path) -> None:
    if shutil.which("go") is None:
        raise BuildFailed(
            f"{program.name} is built with Go 1.24 or newer, and there is no `go` on the PATH; install it from your"
            " system's packages, or set KUBECONFIG to a cluster of yours"
        )
    command = ["go", "build", "-trimpath", "-ldflags", program.linker, "-o", str(half), program.package]
    run(command, program.source, f"building {program.name} from Go modules (once, some minutes)")


if __name__ == "__main__":
    try:
        print(*map(built, (*USUAL, HELM_4) if sys.argv[1:] == ["all"] else USUAL), sep="\n")
    except BuildFailed as error:
        sys.exit(f"error: {error}")
