"""Values that cross between processes. In: Python values. Out: bytes, and equal values of the same types.

By value: numbers, text, bytes, dates, decimals, UUIDs, and lists, tuples, sets and dicts of them, each as exactly what it is. Anything else
would be something else on the other side, and is refused by name. Nothing that arrives can run code here.
"""

import datetime
import decimal
import uuid
from collections.abc import Callable
from typing import Any

import msgspec

SMALLEST, LARGEST = -(1 << 63), (1 << 64) - 1  # integers as MessagePack has them
PLAIN = (type(None), bool, float, str, bytes)


class CannotCross(TypeError):
    """A value that another process cannot be given; the message says which, and what can."""


# type: its number on the wire, what it is made of, and how it is made of that again
TAGGED: dict[type, tuple[int, Callable[[Any], Any], Callable[[Any], Any]]] = {
    tuple: (1, list, tuple),
    set: (2, list, set),
    frozenset: (3, list, frozenset),
    bytearray: (4, bytes, bytearray),
    datetime.datetime: (5, datetime.datetime.isoformat, datetime.datetime.fromisoformat),
    datetime.date: (6, datetime.date.isoformat, datetime.date.fromisoformat),
    datetime.time: (7, datetime.time.isoformat, datetime.time.fromisoformat),
    datetime.timedelta: (8, lambda one: [one.days, one.seconds, one.microseconds], lambda it: datetime.timedelta(*it)),
    decimal.Decimal: (9, str, decimal.Decimal),
    uuid.UUID: (10, str, uuid.UUID),
    complex: (11, lambda one: [one.real, one.imag], lambda it: complex(*it)),
}
LARGE_INTEGER, PAIRS = 12, 13
MADE_OF = {number: make for number, _, make in TAGGED.values()} | {LARGE_INTEGER: int, PAIRS: dict}
KEYS = (str, bytes, float)  # of a dict that MessagePack has as it is


def packed(value: Any, what: str) -> bytes:
    """`what` it is called where it cannot cross. Raises CannotCross."""
    try:
        return msgspec.msgpack.encode(_plain(value, what))
    except RecursionError:
        raise CannotCross(f"{what} is nested too deeply, or in itself") from None


def unpacked(data: bytes) -> Any:
    """Raises ValueError for what `packed` has not made."""
    try:
        return msgspec.msgpack.decode(data, ext_hook=_made)
    except (msgspec.DecodeError, ArithmeticError, TypeError, KeyError, RecursionError) as error:
        raise ValueError(f"no value: {error}") from error


def _plain(value: Any, what: str) -> Any:
    """As MessagePack says it. Exact types only: what is derived from them would arrive as something else."""
    kind = type(value)
    if kind in PLAIN:
        return value
    if kind is int:
        return value if SMALLEST <= value <= LARGEST else _tagged(LARGE_INTEGER, str(value), what)
    if kind is list:
        return [_plain(one, what) for one in value]
    if kind is dict and all(type(key) in KEYS for key in value):
        return {key: _plain(one, what) for key, one in value.items()}
    if kind is dict:
        return _tagged(PAIRS, [[key, one] for key, one in value.items()], what)
    if kind in TAGGED:
        number, parts, _ = TAGGED[kind]
        return _tagged(number, parts(value), what)
    raise CannotCross(
        f"{what} has a {kind.__module__}.{kind.__qualname__} in it, which cannot cross to another process: numbers, text, bytes, dates, "
        "decimals, UUIDs, and lists, tuples, sets and dicts of them can"
    )


def _tagged(number: int, parts: Any, what: str) -> msgspec.msgpack.Ext:
    return msgspec.msgpack.Ext(number, msgspec.msgpack.encode(_plain(parts, what)))


def _made(number: int, data: memoryview) -> Any:
    return MADE_OF[number](msgspec.msgpack.decode(data, ext_hook=_made))
