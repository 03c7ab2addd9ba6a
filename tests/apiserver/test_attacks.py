"""Nothing that a small request can say takes much memory or time, and each is answered: what is refused is refused as the client's mistake."""

import asyncio
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from apiserver.attacks import ATTACKS, RULES
from apiserver.inside import Inside
from arkwright.apiserver.kinds.costs import require_bearable
from arkwright.apiserver.store import Key, StoreFailed

HERE = Path(__file__).parent
MEGABYTES, SECONDS = 1000, 5
CONFIGMAPS = "/api/v1/namespaces/default/configmaps"


@pytest.fixture(scope="module")
def answers():
    """By name; all in one process with a bound on its memory."""
    done = subprocess.run(
        [sys.executable, str(HERE / "attacks.py"), str(MEGABYTES)], capture_output=True, text=True, timeout=100
    )
    found = {one["name"]: one for one in map(json.loads, done.stdout.splitlines())}
    assert done.returncode == 0, f"after {[*found][-1:]}: {done.stderr[-2000:]}"
    return found


@pytest.mark.parametrize("name", [*ATTACKS, *(f"rule: {one}" for one in RULES)])
def test_it_is_borne(answers, name):
    assert answers[name]["status"] in answers[name]["wanted"], answers[name]
    assert answers[name]["seconds"] < SECONDS


@pytest.mark.timeout(4000)
@pytest.mark.parametrize(
    "target", "json yaml protobuf json-patch merge-patch strategic-patch apply-patch options".split()
)
def test_nothing_but_answers_come_of_any_body(target, tmp_path, pytestconfig):
    pytest.importorskip("atheris", reason="no wheel of atheris for this Python or system")
    seconds = max(1, pytestconfig.getoption("--fuzz-seconds") // 2)
    command = [sys.executable, str(HERE / "fuzzing.py"), target, f"-max_total_time={seconds}"]
    done = subprocess.run(
        [*command, f"-artifact_prefix={tmp_path}/"],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        env={**os.environ, "TMPDIR": str(tmp_path)},
    )
    print(done.stderr.strip().splitlines()[-1])
    assert done.returncode == 0, done.stderr[-3000:]
    assert "DONE" in done.stderr


LISTS = {"type": "array", "items": {"type": "integer"}}
TWO = "self.a.all(x, self.b.all(y, x != y))"
SCHEMAS = {
    "two loops over lists without end": (TWO, {"a": LISTS, "b": LISTS}, False),
    "two loops, one list bounded": (TWO, {"a": LISTS, "b": {**LISTS, "maxItems": 5}}, True),
    "one loop": ("self.a.all(x, x > 0)", {"a": LISTS}, True),
    "one loop after another": ("self.a.all(x, x > 0) && self.a.exists(x, x > 0)", {"a": LISTS}, True),
    "loops in a text": ("self.a.all(x, x != 1) || '.all( .all(' == ''", {"a": LISTS}, True),
    "a long rule": ("1" + "+1" * 5000 + " > 0", {"a": LISTS}, False),
}


@pytest.mark.parametrize("name", SCHEMAS)
def test_a_rule_that_no_budget_is_enough_for_is_refused_with_its_schema(name):
    rule, properties, is_fine = SCHEMAS[name]
    schema = {"type": "object", "properties": properties, "x-kubernetes-validations": [{"rule": rule}]}
    if is_fine:
        require_bearable({"type": "object", "properties": {"spec": schema}})
    else:
        with pytest.raises(ValueError, match="exceeds budget|too long"):
            require_bearable({"type": "object", "properties": {"spec": schema}})


@pytest.mark.parametrize("error", [OverflowError("BLOB longer than INT_MAX"), MemoryError(), RuntimeError("odd")])
async def test_whatever_keeps_a_write_from_the_disk_is_an_answer(tmp_path, error):
    inside = Inside(tmp_path)

    def fail(rows):
        raise error

    inside.store._commit = fail
    with pytest.raises(StoreFailed):
        async with asyncio.timeout(5):
            await inside.store.put(Key("configmaps", "default", "c"), b"{}")
    del inside.store._commit
    await inside.store.put(Key("configmaps", "default", "c"), b"{}")
    await inside.store.close()


async def test_who_hears_of_changes_and_fails_keeps_no_writer_waiting(tmp_path):
    inside = Inside(tmp_path)
    inside.store._on_change = None
    async with asyncio.timeout(5):
        await inside.store.put(Key("configmaps", "default", "c"), b"{}")
    await inside.store.close()


@pytest.mark.parametrize(
    "path", ["/api/v1/namespaces//configmaps", "/api/v1//configmaps", "/api/v1/namespaces/default//c"]
)
async def test_an_empty_part_of_a_path_names_nothing(tmp_path, path):
    inside = Inside(tmp_path)
    await inside.ask("POST", "/api/v1/namespaces", b'{"metadata":{"name":"default"}}')
    await inside.ask("POST", CONFIGMAPS, b'{"metadata":{"name":"c"}}')
    assert [(await inside.ask(one, path, b"{}"))[0] for one in ("GET", "DELETE", "POST")] == [404] * 3
    assert (await inside.ask("GET", f"{CONFIGMAPS}/c"))[0] == 200
    await inside.store.close()
