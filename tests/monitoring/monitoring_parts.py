"""What the tests of figures need besides Python: Debian's Prometheus, unpacked and not installed, once, into a per-user cache.

python tests/monitoring/monitoring_parts.py      fetch it; says if it could not, and does not fail for it: those tests are skipped then
"""

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

sys.path.append(str(Path(__file__).parents[1] / "kubernetes"))
from building import CACHE, once  # noqa: E402

COMMAND = "make monitoring-parts"


def promtool():
    """Its path, whether it is there or not."""
    found = shutil.which("promtool")
    return Path(found) if found else CACHE / "prometheus" / "usr" / "bin" / "promtool"


def fetch(target):
    """From Debian. Raises CalledProcessError."""
    with tempfile.TemporaryDirectory() as scratch:
        asked = ["apt-get", "-o", "APT::Sandbox::User=root", "download", "prometheus"]
        if subprocess.run(asked, cwd=scratch, capture_output=True).returncode:
            subprocess.run(["apt-get", "update"], check=True, capture_output=True)
            subprocess.run(asked, cwd=scratch, check=True, capture_output=True)
        (package,) = Path(scratch).glob("prometheus_*.deb")
        subprocess.run(["dpkg-deb", "--extract", package, target], check=True, capture_output=True)


def main():
    try:
        if not promtool().exists():
            once(CACHE / "prometheus", fetch)
    except (OSError, subprocess.CalledProcessError) as error:
        print(f"warning: no Prometheus: {error}", file=sys.stderr)


if __name__ == "__main__":
    main()
