"""Makes wheels for tests. In: a source tree or texts. Out: a file url."""

import zipfile
from pathlib import Path

HERE = Path(__file__).parent


def write_wheel(directory, name, version, files, entry_points="", requires=(), told=None):
    """A wheel of `files` (path in it -> text or bytes); its path. `told`: (name, version) that its METADATA says, if others."""
    said = told or (name, version)
    about = [
        f"Metadata-Version: 2.1\nName: {said[0]}\nVersion: {said[1]}",
        *(f"Requires-Dist: {one}" for one in requires),
    ]
    info = f"{name}-{version}.dist-info"
    path = directory / f"{name}-{version}-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as wheel:
        for member, content in files.items():
            wheel.writestr(member, content)
        wheel.writestr(f"{info}/METADATA", "\n".join(about) + "\n")
        wheel.writestr(
            f"{info}/WHEEL", "Wheel-Version: 1.0\nGenerator: tests\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        )
        if entry_points:
            wheel.writestr(f"{info}/entry_points.txt", entry_points)
        wheel.writestr(f"{info}/RECORD", "")
    return path


def tree(name):
    """All files below tests/arklet/<name>, as they lie in a wheel."""
    root = HERE / name
    return {
        str(path.relative_to(root)): path.read_bytes()
        for path in sorted(root.rglob("*"))
        if path.is_file() and "__pycache__" not in path.parts
    }


def entry(web_path, application, isolation=""):
    group = "arkwright.module" + (f".{isolation}" if isolation else "")
    return f"[{group}]\n{web_path} = {application}\n"
