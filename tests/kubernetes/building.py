"""Real parts for the tests are built once, into a per-user cache. In: commands. Out: files that stay; progress on stderr."""

import contextlib
import fcntl
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

CACHE = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "arkwright"


class BuildFailed(Exception):
    """The message says what to install, or has the compiler's words."""


def once(target: Path, build: Callable[[Path], None]) -> Path:
    """`target`; if it is not there yet, `build` makes it under another name first. Two that need it at once build it once."""
    if target.exists():
        return target
    target.parent.mkdir(parents=True, exist_ok=True)
    with (target.parent / "building").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not target.exists():
            half = target.with_name(f"{target.name}.{os.getpid()}")
            build(half)
            half.rename(target)
    return target


def run(command: list[str], directory: Path, saying: str) -> None:
    """Raises BuildFailed."""
    out = subprocess.PIPE
    with subprocess.Popen(command, cwd=directory, stdout=out, stderr=subprocess.STDOUT, text=True) as process:
        began, printed = time.monotonic(), ""
        while process.returncode is None:
            _progress(f"{saying}: {time.monotonic() - began:4.0f} s")
            with contextlib.suppress(subprocess.TimeoutExpired):
                printed, _ = process.communicate(timeout=1 if sys.stderr.isatty() else 30)
        if process.returncode:
            raise BuildFailed(f"{' '.join(command[:2])} failed:\n{printed[-5000:]}")
    print(f"\n{saying}: done in {time.monotonic() - began:.0f} s", file=sys.stderr, flush=True)


def _progress(line: str) -> None:
    is_terminal = sys.stderr.isatty()
    print(f"\r{line}" if is_terminal else line, end="" if is_terminal else "\n", file=sys.stderr, flush=True)
