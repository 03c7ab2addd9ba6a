"""Makes archives from sources. In: a directory with a pyproject.toml. Out: a wheel, or a BuildFailed."""

import shutil
import tempfile
from pathlib import Path

import build
import tomlkit
from tomlkit.exceptions import TOMLKitError

LEFT_OUT = shutil.ignore_patterns("dist", "build", "__pycache__", ".*", "*.egg-info")


class BuildFailed(Exception):
    """The source is no module, or its build back end refuses it; the message says which, `way_out` what to do."""

    def __init__(self, message: str, way_out: str) -> None:
        super().__init__(message)
        self.way_out = way_out


def build_wheel(source: Path, out: Path, version: str = "") -> Path:
    """As `version` instead of the project's own, if it is given. Raises BuildFailed."""
    if not (source / "pyproject.toml").is_file():
        raise BuildFailed(f"{source} has no pyproject.toml", "name the directory that holds the module's source")
    with tempfile.TemporaryDirectory() as scratch:
        tree = Path(scratch) / "source"
        shutil.copytree(source, tree, ignore=LEFT_OUT)
        try:
            if version:
                _set_version(tree / "pyproject.toml", version)
            return Path(build.ProjectBuilder(tree).build("wheel", out.resolve()))
        except TOMLKitError as error:
            raise BuildFailed(f"{source}/pyproject.toml: {error}", "correct it") from error
        except (build.BuildBackendException, build.BuildException) as error:
            way_out = "install the build backend that its pyproject.toml names"
            raise BuildFailed(f"{source} cannot be built: {error}", way_out) from error


def project_version(source: Path) -> str:
    """What pyproject.toml says; "0" if it leaves the version to the build back end."""
    try:
        document = tomlkit.parse((source / "pyproject.toml").read_text(encoding="utf-8"))
    except (OSError, TOMLKitError):
        return "0"
    return str(document.get("project", {}).get("version", "0"))


def _set_version(path: Path, version: str) -> None:
    document = tomlkit.parse(path.read_text(encoding="utf-8"))
    project = document.setdefault("project", {})
    project["version"] = version
    if "version" in project.get("dynamic", []):
        project["dynamic"].remove("version")
    path.write_text(tomlkit.dumps(document), encoding="utf-8")
