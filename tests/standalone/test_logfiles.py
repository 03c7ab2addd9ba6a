"""Logs are bounded while their processes write: some of what was said before stays, the newest always, and whoever reads goes on reading."""

import asyncio
import os
import sys
from datetime import UTC, datetime

import pytest

from arkwright.apiserver.loglines import Start, index_of, start_line, starts_in
from arkwright.apiserver.wire.podlogs import log_answer
from arkwright.standalone import logfiles
from arkwright.standalone.logfiles import KEPT, LogFiles, begin

NOW = datetime(2026, 1, 1, tzinfo=UTC)
LIMIT = 100_000
POD = {"metadata": {"name": "base", "uid": "u"}, "spec": {"containers": [{"name": "c"}]}}
WRITER = (
    "import sys\nfor n in range(60000):\n    sys.stdout.write(f'line {n:06} ' + 'x' * 40 + chr(10)); sys.stdout.flush()"
)


@pytest.fixture(autouse=True)
def small(monkeypatch):
    monkeypatch.setattr(logfiles, "LARGEST_BYTES", LIMIT)
    monkeypatch.setattr(logfiles, "LOOK_SECONDS", 0.005)


def sizes(directory):
    return {one.name: one.stat().st_size for one in directory.iterdir()}


async def test_a_process_that_writes_without_end_fills_no_disk(tmp_path):
    task = asyncio.create_task(LogFiles(tmp_path).keep_running())
    with (tmp_path / "base.log").open("ab") as output:
        process = await asyncio.create_subprocess_exec(sys.executable, "-c", WRITER, stdout=output)
    most = 0
    while process.returncode is None:
        await asyncio.sleep(0.01)
        most = max(most, sum(sizes(tmp_path).values()))
    await asyncio.sleep(0.1)
    task.cancel()
    assert len(sizes(tmp_path)) == KEPT + 1
    assert most < 60_000 * 53 / 1.5, "much less than all that was written"
    newest = (tmp_path / "base.log").read_bytes() or (tmp_path / "base.log.1").read_bytes()
    assert b"\0" not in newest, "it goes on at its beginning"
    assert max(size for name, size in sizes(tmp_path).items() if name != "base.log") <= LIMIT


async def test_who_follows_a_pod_goes_on_where_its_log_was_cut(tmp_path):
    log = tmp_path / "base.log"
    log.write_bytes(b"early\n" * 30_000)
    index_of(log).write_bytes(b"".join(start_line(Start(at, "u", NOW)) for at in (0, 6, 600)))
    is_over = []
    answer = log_answer(tmp_path, POD, {"follow": "true"}, lambda: bool(is_over), NOW)
    read = answer.body_iterator
    while await anext(read) and not read.ag_frame.f_locals["file"].tell() == log.stat().st_size:
        pass
    await logfiles.cut(log)
    assert log.stat().st_size == 0 and [one.offset for one in starts_in(index_of(log).read_bytes())] == [0, 0]
    with log.open("ab") as file:
        file.write(b"late\n")
    assert await asyncio.wait_for(anext(read), 5) == b"late\n"
    is_over.append(True)
    assert [one async for one in read] == []
    fresh = log_answer(tmp_path, POD, {}, lambda: True, NOW)
    assert b"".join([one async for one in fresh.body_iterator]) == b"late\n"


async def test_logs_of_pods_that_are_long_gone_go(tmp_path, monkeypatch):
    monkeypatch.setattr(logfiles, "MOST_LOGS", 3)
    for number in range(6):
        file = tmp_path / f"base-{number}.log"
        file.write_text("x")
        index_of(file).write_text("")
        os.utime(file, (number, number))
    await LogFiles(tmp_path)._look_at(tmp_path)
    assert {one.stem for one in tmp_path.iterdir()} == {"base-3", "base-4", "base-5"}


def test_a_log_that_begins_anew_keeps_what_it_was(tmp_path):
    log = tmp_path / "site.log"
    for number in range(7):
        begin(log)
        log.write_text(f"{number}")
    assert {one.name: one.read_text() for one in tmp_path.iterdir()} == {
        "site.log": "6", **{f"site.log.{number}": f"{6 - number}" for number in range(1, KEPT + 1)}
    }  # fmt: skip
