"""`bench/chaos` for some seconds: it comes up, makes a fault, sees all whole again, and tells."""

import importlib.util
import os
import subprocess
import sys
from pathlib import Path

import pytest

CHAOS = Path(__file__).parents[2] / "bench" / "chaos"


def lacking():
    """What keeps it from being played here; "" for nothing."""
    spec = importlib.util.spec_from_file_location("chaos_place", CHAOS / "place.py")
    place = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(place)
    if os.geteuid():
        return "chaos needs root"
    packages = " ".join(place.lacks())
    return f"apt-get install {packages}" if packages else ""


@pytest.mark.skipif(bool(lacking()), reason=lacking())
def test_a_little_chaos_loses_nothing(tmp_path):
    words = [sys.executable, str(CHAOS), "--minutes", "0.1", "--seed", "2", "--keep", str(tmp_path / "kept")]
    done = subprocess.run(words, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0 and "what did not hold: 0" in done.stdout, done.stdout + done.stderr
