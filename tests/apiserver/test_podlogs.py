"""What a pod has said, over the API; and what cannot be asked of a process, in words that name what works instead."""

import asyncio
import io
from datetime import UTC, datetime

import pytest

from arkwright.apiserver.errors import BadRequest
from arkwright.apiserver.loglines import Start, start_line, starts_in
from arkwright.apiserver.wire.podlogs import INSTEAD, log_answer, refused, start_of_tail

POD = {
    "metadata": {"name": "p", "uid": "u"},
    "spec": {"containers": [{"name": "base"}]},
    "status": {
        "phase": "Pending",
        "podIP": "127.8.0.1",
        "conditions": [{"type": "PodScheduled", "message": "no node"}],
    },
}
TEXT = b"one\ntwo\nthree\n"
NOW = datetime(2026, 1, 1, 12, 0, tzinfo=UTC)
# Two processes of the pod after one of another pod of that name; the second says once what time it is.
FOREIGN, FIRST = b"of another pod\n", b"first\nends\n"
SECOND = b"begins\n2026-01-01T11:59:00Z ready\n  to serve\n2026-01-01T11:59:58.5Z late\nhalf"
STARTS = [
    Start(0, "other", datetime(2026, 1, 1, 8, 0, tzinfo=UTC)),
    Start(len(FOREIGN), "u", datetime(2026, 1, 1, 9, 0, tzinfo=UTC)),
    Start(len(FOREIGN + FIRST), "u", datetime(2026, 1, 1, 10, 0, tzinfo=UTC)),
]


async def said(directory, query, is_over=lambda: True, enough=1 << 30):
    """What is answered, until its end or so many bytes."""
    found = b""
    async for chunk in log_answer(directory, POD, query, is_over, NOW).body_iterator:
        found += chunk
        if len(found) >= enough:
            break
    return found


@pytest.fixture
def directory(tmp_path):
    (tmp_path / "p.log").write_bytes(TEXT)
    return tmp_path


@pytest.mark.parametrize(
    "query, text",
    [
        ({}, TEXT),
        ({"container": "base"}, TEXT),
        ({"tailLines": "1"}, b"three\n"),
        ({"tailLines": "2"}, b"two\nthree\n"),
        ({"tailLines": "9"}, TEXT),
        ({"tailLines": "0"}, b""),
        ({"limitBytes": "5"}, b"one\nt"),
        ({"limitBytes": "0"}, b""),
        ({"previous": "false", "follow": "false"}, TEXT),
    ],
)
async def test_as_much_is_shown_as_was_asked_for(directory, query, text):
    assert await said(directory, query) == text


@pytest.mark.parametrize(
    "query, words",
    [
        ({"container": "other"}, "container other is not valid for pod p"),
        ({"previous": "true"}, 'previous terminated container "base" in pod "p" not found'),
        ({"sinceTime": "yesterday"}, "sinceTime: 'yesterday' is no time"),
        ({"sinceSeconds": "1h"}, "sinceSeconds: '1h' is no number"),
        ({"tailLines": "few"}, "tailLines: 'few' is no number"),
        ({"tailLines": "-1"}, "tailLines: '-1' is no number"),
    ],
)
def test_what_cannot_be_shown_is_refused_in_words(directory, query, words):
    with pytest.raises(BadRequest, match=words):
        log_answer(directory, POD, query, lambda: True, NOW)


@pytest.fixture
def restarted(tmp_path):
    (tmp_path / "p.log").write_bytes(FOREIGN + FIRST + SECOND)
    (tmp_path / "p.starts").write_bytes(
        b"torn".join([b"", *map(start_line, STARTS[:1])]) + b"\n" + b"".join(map(start_line, STARTS[1:]))
    )
    return tmp_path


BEGINS, READY, SERVE, LATE = (
    f"2026-01-01T{time}000Z ".encode()
    for time in ("10:00:00.000000", "11:59:00.000000", "11:59:00.000000", "11:59:58.500000")
)
DATED = BEGINS + b"begins\n" + READY + b"2026-01-01T11:59:00Z ready\n" + SERVE + b"  to serve\n"
DATED += LATE + b"2026-01-01T11:59:58.5Z late\n" + LATE + b"half"


@pytest.mark.parametrize(
    "query, text",
    [
        ({}, SECOND),
        ({"tailLines": "1"}, b"half"),
        ({"tailLines": "99"}, SECOND),
        ({"previous": "true"}, FIRST),
        ({"previous": "true", "tailLines": "1"}, b"ends\n"),
        ({"previous": "true", "tailLines": "99"}, FIRST),
        ({"previous": "true", "follow": "true"}, FIRST),
        ({"sinceSeconds": "10"}, b"2026-01-01T11:59:58.5Z late\nhalf"),
        ({"sinceSeconds": "3600"}, SECOND.removeprefix(b"begins\n")),
        ({"sinceSeconds": "36000"}, SECOND),
        ({"sinceSeconds": "1"}, b""),
        ({"sinceTime": "2026-01-01T11:59:30Z"}, b"2026-01-01T11:59:58.5Z late\nhalf"),
        ({"sinceTime": "2026-01-01T19:59:30+08:00"}, b"2026-01-01T11:59:58.5Z late\nhalf"),
        ({"timestamps": "true"}, DATED),
        ({"timestamps": "true", "sinceSeconds": "10", "limitBytes": str(len(LATE) + 1)}, LATE + b"2"),
    ],
)
async def test_each_process_has_its_part_and_each_line_its_time(restarted, query, text):
    assert await said(restarted, query) == text


def test_a_log_without_an_index_is_shown_whole(directory):
    assert starts_in(b'not json\n{"offset": "x"}\n') == []


def test_a_pod_that_has_not_said_anything_says_why_it_does_not_run(tmp_path):
    with pytest.raises(BadRequest, match='container "base" in pod "p" is waiting to start: no node'):
        log_answer(tmp_path, POD, {}, lambda: True, NOW)


async def test_a_log_that_is_followed_goes_on_until_its_pod_is_gone(directory):
    is_gone = asyncio.Event()
    task = asyncio.create_task(said(directory, {"follow": "true"}, is_gone.is_set))
    await asyncio.sleep(0)
    with (directory / "p.log").open("ab") as file:
        file.write(b"four\n")
    is_gone.set()
    assert await asyncio.wait_for(task, 5) == TEXT + b"four\n"


@pytest.mark.parametrize("size", [1, 100, 65536, 65537, 200_000])
def test_the_end_of_a_large_log_is_found_from_its_end(size):
    text = b"x" * size + b"\n" + b"last\n"
    assert text[start_of_tail(io.BytesIO(text), 1) :] == b"last\n"
    assert start_of_tail(io.BytesIO(text), 2) == 0


@pytest.mark.parametrize("part", INSTEAD)
def test_what_a_process_has_not_is_refused_with_what_works(part):
    said = str(refused(part, POD))
    assert any(words in said for words in ("kubectl logs", "127.8.0.1", "containerID"))
