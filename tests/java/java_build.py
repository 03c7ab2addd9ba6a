"""A real Java base and modules for it, built with Maven, once, into a per-user cache.

python tests/java/java_build.py      build them; prints where they are
"""

import hashlib
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).parent
sys.path.append(str(HERE.parent / "kubernetes"))
from building import CACHE, BuildFailed, once, run  # noqa: E402

SOURCES = ("pom.xml", "base", "provider", "broken")
# version -> web path: 2.0.0 cannot be in one base beside 1.0.2, 3.0.0 can
PROVIDERS = {"1.0.2": "provider", "2.0.0": "provider", "3.0.0": "provider3"}


@dataclass(frozen=True)
class JavaParts:
    """`directory`: of all that was built."""

    directory: Path

    @property
    def base(self) -> Path:
        return self.directory / "base.jar"

    @property
    def archives(self) -> dict[str, str]:
        """name-version -> url of the module's archive."""
        modules = [("broken", "0.9.0"), *(("provider", version) for version in PROVIDERS)]
        names = [f"{name}-{version}" for name, version in modules]
        return {name: (self.directory / f"{name}.jar").as_uri() for name in names}


def built() -> JavaParts:
    """Raises BuildFailed."""
    files = sorted(file for one in SOURCES for file in [HERE / one, *(HERE / one).rglob("*")] if file.is_file())
    digest = hashlib.sha256(b"".join(file.read_bytes() for file in files)).hexdigest()[:12]
    return JavaParts(once(CACHE / f"java-{digest}", _build))


def _build(half: Path) -> None:
    if shutil.which("mvn") is None:
        raise BuildFailed(
            "the Java base is built with Java 17 and Maven, and there is no `mvn` on the PATH; install them"
        )
    work = half / "work"
    work.mkdir(parents=True)
    for one in SOURCES:
        (shutil.copytree if (HERE / one).is_dir() else shutil.copy)(HERE / one, work / one)
    _package(work, "the Java base and its modules")
    shutil.move(work / "base" / "target" / "base.jar", half)
    _keep(work, half, "broken", "0.9.0")
    for version, path in PROVIDERS.items():
        _package(work, f"module {version}", "-pl", "provider", f"-Dmodule.version={version}", f"-Dweb.path={path}")
        _keep(work, half, "provider", version)
    shutil.rmtree(work)


def _package(work: Path, what: str, *options: str) -> None:
    run(["mvn", "-B", "-q", "package", *options], work, f"building {what} with Maven (once)")


def _keep(work: Path, half: Path, name: str, version: str) -> None:
    shutil.move(work / name / "target" / f"{name}-{version}-ark-biz.jar", half / f"{name}-{version}.jar")


if __name__ == "__main__":
    try:
        print(built().directory)
    except BuildFailed as error:
        sys.exit(f"error: {error}")
