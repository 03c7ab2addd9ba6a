"""The embedded Kubernetes API with what plays a cluster beside it: Deployments, a node. In: a directory. Out: a kubeconfig."""

import contextlib
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path


@contextlib.contextmanager
def running(directory: Path, bases: Path | None = None) -> Iterator[Path]:
    """For as long as the block lasts. `bases`: the directory that base processes start in."""
    words = ["up", "--foreground", "--no-controller", "--data-dir", str(directory), "--port", "0"]
    log = directory / "up.log"
    directory.mkdir(parents=True, exist_ok=True)
    with log.open("wb") as output:
        process = subprocess.Popen([sys.executable, "-m", "arkwright", *words], stdout=output, stderr=output, cwd=bases)
    try:
        _wait(process, directory / "site.json", log)
        yield directory / "kubeconfig"
    finally:
        process.terminate()
        process.wait(30)


def _wait(process: subprocess.Popen[bytes], sign: Path, log: Path) -> None:
    deadline = time.monotonic() + 60
    while not sign.exists():
        if process.poll() is not None or time.monotonic() > deadline:
            raise RuntimeError(f"the embedded API does not come up: {log.read_text(errors='replace')[-2000:]}")
        time.sleep(0.02)
