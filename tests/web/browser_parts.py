"""What the tests of the dashboard need besides Python: Debian's Chromium, and axe-core, once, into a per-user cache.

python tests/web/browser_parts.py      fetch what is missing; says what it could not, and does not fail for it: those tests are skipped then
"""

import io
import os
import shutil
import subprocess
import sys
import tarfile
from pathlib import Path

sys.path.append(str(Path(__file__).parents[1] / "kubernetes"))
from building import CACHE  # noqa: E402

AXE = "4.14.1"
COMMAND = "make browser-parts"


def chromium():
    """Its path; "" where there is none."""
    return shutil.which("chromium") or shutil.which("chromium-browser") or ""


def axe():
    """The path of axe-core's script, whether it is there or not."""
    return CACHE / f"axe-core-{AXE}" / "axe.min.js"


def fetch_chromium():
    """From Debian, where we may install."""
    if chromium():
        return ""
    if os.geteuid() or not shutil.which("apt-get"):
        return "no Chromium: apt-get install chromium"
    environment = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
    words = ["apt-get", "install", "-y", "--no-install-recommends", "chromium", "fonts-noto-cjk", "fonts-dejavu-core"]
    for command in (["apt-get", "update"], words):
        done = subprocess.run(command, env=environment, capture_output=True, text=True)
        if done.returncode:
            return f"no Chromium: {' '.join(command)}: {done.stderr.strip()[-300:]}"
    return ""


def fetch_axe():
    """From the npm registry."""
    if axe().exists():
        return ""
    if not shutil.which("npm"):
        return "no axe-core: npm is not here"
    CACHE.mkdir(parents=True, exist_ok=True)
    packed = subprocess.run(["npm", "pack", f"axe-core@{AXE}"], cwd=CACHE, capture_output=True, text=True)
    if packed.returncode:
        return f"no axe-core: {packed.stderr.strip()[-300:]}"
    archive = CACHE / packed.stdout.strip().splitlines()[-1]
    with tarfile.open(fileobj=io.BytesIO(archive.read_bytes())) as found:
        script = found.extractfile("package/axe.min.js").read()
    archive.unlink()
    axe().parent.mkdir(exist_ok=True)
    half = axe().with_suffix(".new")
    half.write_bytes(script)
    half.replace(axe())
    return ""


def main():
    for wrong in (fetch_chromium(), fetch_axe()):
        if wrong:
            print(f"warning: {wrong}", file=sys.stderr)


if __name__ == "__main__":
    main()
