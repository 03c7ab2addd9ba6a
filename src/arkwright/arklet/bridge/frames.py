"""Frames between a base and the process of a module. In: Structs. Out: bytes, and Structs again.

A frame is four bytes of length, big-endian, and an array in MessagePack, whose first element tells what it is. Requests are told apart by
a number that the base gives them. ASGI messages cross as they are; the two that nearly every answer consists of have a frame of their own.
"""

import struct
from typing import Any, TypeVar

import msgspec

LENGTH_BYTES = 4
_length_at = struct.Struct(">I").unpack_from
MESSAGE_BYTES = 64 << 20  # the largest message, as WebSockets may send one; bodies are sent in pieces
OVERHEAD_BYTES = 1 << 20  # what may come on top of it: names, headers

Headers = list[tuple[bytes, bytes]]
Address = tuple[str, int | None]


class BadFrame(Exception):
    """The other side has said what cannot be; the message says what."""


class Frame(msgspec.Struct, frozen=True, array_like=True, tag_field="frame"):
    """One thing that is said."""


class Open(Frame, frozen=True, tag=1):
    """A request or WebSocket begins: its scope, in the order of SCOPE; `body`: one of the words below."""

    id: int
    type: str
    http_version: str
    method: str
    scheme: str
    path: str
    raw_path: bytes | None
    query_string: bytes
    root_path: str
    headers: Headers
    client: Address | None
    server: Address | None
    asgi: dict[str, str]
    body: int
    more: dict[str, Any]


NO_BODY, BODY_COMES, BODY_ON_DEMAND = 0, 1, 2


class Event(Frame, frozen=True, tag=2):
    """An ASGI message, either way."""

    id: int
    message: dict[str, Any]


class Credit(Frame, frozen=True, tag=3):
    """So many bytes of a request's messages have been used up: as many more may come."""

    id: int
    bytes: int


class Cancel(Frame, frozen=True, tag=4):
    """The base gives a request up."""

    id: int


class SendFailed(Frame, frozen=True, tag=5):
    """What was sent last for a request could not be passed on; `error` says why."""

    id: int
    error: str


class Shutdown(Frame, frozen=True, tag=6):
    """No more requests come: the application's shutdown may begin."""


FromBase = Open | Event | Credit | Cancel | SendFailed | Shutdown


class Started(Frame, frozen=True, tag=1):
    """How the start went; `error` is empty if it went well, `cause` is the root of it. `imported`: what the base's environment gave
    for it, in order."""

    error: str = ""
    trace: str = ""
    cause: str = ""
    pid: int = 0
    imported: list[str] = []


class Done(Frame, frozen=True, tag=4):
    """The application has returned from a request, or raised."""

    id: int
    error: str = ""
    trace: str = ""


class Pull(Frame, frozen=True, tag=5):
    """The application waits for the next message of a request, which nobody would send unasked."""

    id: int


class Response(Frame, frozen=True, tag=6):
    """The start of a response and its first piece of body; `is_done`: the application has returned besides."""

    id: int
    status: int
    headers: Headers
    body: bytes
    more_body: bool
    is_done: bool


class Body(Frame, frozen=True, tag=7):
    """A further piece of a response's body."""

    id: int
    body: bytes
    more_body: bool


class Ended(Frame, frozen=True, tag=8):
    """The application's shutdown is over; `error` is empty if it went well."""

    error: str = ""


FromModule = Started | Event | Credit | Done | Pull | Response | Body | Ended

FrameType = TypeVar("FrameType")
_encode = msgspec.msgpack.Encoder().encode


def encoded(frame: msgspec.Struct) -> bytes:
    """Raises TypeError or OverflowError where a message holds what MessagePack cannot say."""
    said = _encode(frame)
    return len(said).to_bytes(LENGTH_BYTES, "big") + said


class Frames:
    """Bytes as they arrive, in; whole frames out. `kinds`: a union of Frames."""

    def __init__(self, kinds: Any, limit_bytes: int = MESSAGE_BYTES + OVERHEAD_BYTES) -> None:
        self._decode = msgspec.msgpack.Decoder(kinds).decode
        self._limit = limit_bytes
        self._left = bytearray()

    def feed(self, data: bytes) -> list[bytes]:
        """The payloads that are complete now. Raises BadFrame."""
        if self._left:
            self._left += data
            data = self._left  # type: ignore[assignment]
        found, at, end = [], 0, len(data)
        while end - at >= LENGTH_BYTES:
            (size,) = _length_at(data, at)
            if size > self._limit:
                raise BadFrame(f"a frame of {size} bytes")
            if end - at - LENGTH_BYTES < size:
                break
            at += LENGTH_BYTES
            found.append(bytes(data[at : at + size]))
            at += size
        if data is self._left:
            del self._left[:at]
        elif at < end:
            self._left += data[at:]
        return found

    def decoded(self, payload: bytes) -> Any:
        """Raises BadFrame."""
        try:
            return self._decode(payload)
        except msgspec.DecodeError as error:
            raise BadFrame(str(error)) from error


def request_of(payload: bytes) -> int | None:
    """Which request a frame that cannot be decoded is about; None if not even that is to be seen."""
    try:
        said = msgspec.msgpack.decode(payload)
    except (msgspec.DecodeError, ValueError, RecursionError):
        return None
    is_about_one = isinstance(said, list) and len(said) > 1 and type(said[1]) is int
    return said[1] if is_about_one else None
