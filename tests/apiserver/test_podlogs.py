"""What a pod has said, over the API; and what cannot be asked of a process, in words that name what works instead."""

import asyncio
import io

import pytest

from arkwright.apiserver.errors import BadRequest
from arkwright.apiserver.wire.podlogs import INSTEAD, log_answer, refused, start_of_tail

POD = {
    "metadata": {"name": "p"},
    "spec": {"containers": [{"name": "base"}]},
    "status": {
        "phase": "Pending",
        "podIP": "127.8.0.1",
        "conditions": [{"type": "PodScheduled", "message": "no node"}],
    },
}
TEXT = b"one\ntwo\nthree\n"


async def said(directory, query, is_over=lambda: True, enough=1 << 30):
    """What is answered, until its end or so many bytes."""
    found = b""
    async for chunk in log_answer(directory, POD, query, is_over).body_iterator:
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
        ({"previous": "true"}, "further up in the same log"),
        ({"tailLines": "few"}, "tailLines: 'few' is no number"),
        ({"tailLines": "-1"}, "tailLines: '-1' is no number"),
    ],
)
def test_what_cannot_be_shown_is_refused_in_words(directory, query, words):
    with pytest.raises(BadRequest, match=words):
        log_answer(directory, POD, query, lambda: True)


def test_a_pod_that_has_not_said_anything_says_why_it_does_not_run(tmp_path):
    with pytest.raises(BadRequest, match='container "base" in pod "p" is waiting to start: no node'):
        log_answer(tmp_path, POD, {}, lambda: True)


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
    assert "kubectl logs" in str(refused(part, POD)) or "127.8.0.1" in str(refused(part, POD))
