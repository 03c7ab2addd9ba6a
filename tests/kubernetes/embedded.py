"""The embedded Kubernetes API, alone or with what plays a cluster beside it. In: a directory. Out: a kubeconfig."""

import contextlib
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager
from pathlib import Path


def running(directory: Path, bases: Path | None = None) -> AbstractContextManager[Path]:
    """API, Deployments and a node, for as long as the block lasts. `bases`: the directory that base processes start in."""
    words = ["up", "--foreground", "--no-controller", "--no-dashboard", "--data-dir", str(directory), "--port", "0"]
    return _process(words, directory, directory / "site.json", bases)


def alone(directory: Path) -> AbstractContextManager[Path]:
    """Nothing but the API, for as long as the block lasts: nobody else writes to what a test has there."""
    words = ["api", "--data-dir", str(directory), "--port", "0"]
    return _process(words, directory, directory / "reader.kubeconfig")


@contextlib.contextmanager
def _process(words: list[str], directory: Path, sign: Path, folder: Path | None = None) -> Iterator[Path]:
    """`sign`: a file that is there once all works."""
    log = directory / "output.log"
    directory.mkdir(parents=True, exist_ok=True)
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "arkwright", *words], stdout=output, stderr=output, cwd=folder
        )
    try:
        _wait(process, sign, log)
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
