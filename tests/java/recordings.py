"""What a real Java base answered, as it was recorded. In: a name. Out: exchanges in comparable words; or they are written anew."""

import json
from pathlib import Path

HERE = Path(__file__).parent / "recordings"


def recorded(name):
    """step -> answer"""
    return json.loads((HERE / f"{name}.json").read_text())


def record(name, exchanges):
    HERE.mkdir(exist_ok=True)
    (HERE / f"{name}.json").write_text(json.dumps(exchanges, indent=1, ensure_ascii=False, sort_keys=True) + "\n")
