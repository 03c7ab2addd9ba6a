"""Makes archives from sources. In: a directory with a pyproject.toml. Out: a wheel, or a BuildFailed."""

import asyncio
import base64
import hashlib
import shutil
import tempfile
import zipfile
from email.parser import HeaderParser
from pathlib import Path

import build
import tomlkit
from tomlkit.exceptions import TOMLKitError

from arkwright.arklet.archives import LOCK_FILE, Locked, PackageError, resolved

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


def lock_wheel(wheel: Path) -> list[str]:
    """Write into the archive what it needs, by hash, as pip resolves it here and now; the names of that. Raises BuildFailed."""
    with zipfile.ZipFile(wheel) as archive:
        (metadata,) = (one for one in archive.namelist() if one.endswith(".dist-info/METADATA"))
        told = HeaderParser().parsestr(archive.read(metadata).decode())
    locked = _resolved([one for one in told.get_all("Requires-Dist", []) if "extra ==" not in one])
    text = "".join(f"{one.line()}\n" for one in locked)
    _add(wheel, f"{metadata.partition('/')[0]}/{LOCK_FILE}", text.encode())
    return [one.name for one in locked]


def _resolved(requirements: list[str]) -> list[Locked]:
    try:
        return asyncio.run(resolved(requirements))
    except TimeoutError as error:
        raise BuildFailed(f"pip does not come to an end with {', '.join(requirements)}", "is its index up?") from error
    except PackageError as error:
        raise BuildFailed(str(error), "correct what the module needs") from error


def _add(wheel: Path, name: str, content: bytes) -> None:
    """One file more, and its line in RECORD; the others as they are."""
    digest = base64.urlsafe_b64encode(hashlib.sha256(content).digest()).rstrip(b"=").decode()
    line = f"{name},sha256={digest},{len(content)}\n"
    half = wheel.with_suffix(".half")
    with zipfile.ZipFile(wheel) as had, zipfile.ZipFile(half, "w", zipfile.ZIP_DEFLATED) as new:
        for one in had.infolist():
            body = had.read(one)
            if one.filename.endswith(".dist-info/RECORD"):
                new.writestr(zipfile.ZipInfo(name), content)
                body = line.encode() + body
            new.writestr(one, body)
    half.replace(wheel)


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
