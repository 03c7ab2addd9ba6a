"""The server of a base. In: what a server writes, in turn. Out: the writes that reach the socket."""

import asyncio
from typing import Any

import pytest

from arkwright.arklet.server import HELD_BYTES, _JoiningTransport

LARGE = b"x" * (HELD_BYTES + 1)


class Socket:
    """A transport that keeps what is written to it."""

    def __init__(self) -> None:
        self.said: list[Any] = []
        self.is_closing = lambda: False

    def write(self, data: bytes) -> None:
        self.said.append(data)

    def writelines(self, pieces: tuple[bytes, ...]) -> None:
        self.said.append(b"".join(pieces))

    def close(self) -> None:
        self.said.append("closed")

    def pause_reading(self) -> None:
        self.said.append("paused")


async def rest(transport: _JoiningTransport) -> None:
    await asyncio.sleep(0)


@pytest.mark.parametrize(
    ("acts", "said"),
    [
        ([b"head", b"body"], [b"headbody"]),
        ([b"head"], [b"head"]),
        ([b"head", rest, b"body"], [b"head", b"body"]),  # who has to wait for a body has its head meanwhile
        ([b"head", b"body", b"head", b"body"], [b"headbody", b"headbody"]),
        ([b"head", LARGE], [b"head" + LARGE]),
        ([LARGE, b"more"], [LARGE, b"more"]),
        ([b"head", b""], [b"head"]),
        ([b"last", "close"], [b"last", "closed"]),
        (["close"], ["closed"]),
        ([b"continue", "pause_reading", b"head", b"body"], [b"continue", "paused", b"headbody"]),
    ],
)
async def test_two_small_writes_that_follow_each_other_are_one(acts, said):
    socket = Socket()
    transport = _JoiningTransport(socket)
    for act in acts:
        if act is rest:
            await rest(transport)
        elif isinstance(act, str):
            getattr(transport, act)()
        else:
            transport.write(act)
    await asyncio.sleep(0)
    assert socket.said == said
