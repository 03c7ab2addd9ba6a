"""What is wrong with one field, in Kubernetes' words. In: a path, a value. Out: FieldErrors. Pure."""

import json
from collections.abc import Iterable, Sequence
from typing import Any

from arkwright.apiserver.errors import DUPLICATE, FORBIDDEN, INVALID, NOT_SUPPORTED, REQUIRED, FieldError
from arkwright.apiserver.kinds import formats
from arkwright.apiserver.kinds.validation import shown

Document = dict[str, Any]
Errors = list[FieldError]
SAYS_NOT_NEGATIVE = "must be greater than or equal to 0"


def wrong(path: str, value: Any, said: str | Iterable[str]) -> Errors:
    """One for each thing that is said."""
    words = [said] if isinstance(said, str) else said
    return [FieldError(path, INVALID, f"Invalid value: {shown(value)}: {one}") for one in words]


def required(path: str, said: str = "") -> Errors:
    return [FieldError(path, REQUIRED, f"Required value: {said}" if said else "Required value")]


def forbidden(path: str, said: str) -> Errors:
    return [FieldError(path, FORBIDDEN, f"Forbidden: {said}")]


def as_go_writes_it(value: Any) -> str:
    """A struct: its fields in their own order, as opposed to a map's."""
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False)


def not_one_of(path: str, value: Any, known: Sequence[str]) -> Errors:
    """Unless it is one, or there is none."""
    if value is None or value in known:
        return []
    names = ", ".join(f'"{one}"' for one in known)
    said = as_go_writes_it(value)
    return [FieldError(path, NOT_SUPPORTED, f"Unsupported value: {said}: supported values: {names}")]


def repeated(path: str, values: Iterable[Any], field: str = "") -> Errors:
    """Those that were there before."""
    seen: set[Any] = set()
    found: Errors = []
    for number, one in enumerate(values):
        if one and one in seen:
            found.append(FieldError(f"{path}[{number}]{field}", DUPLICATE, f"Duplicate value: {shown(one)}"))
        seen.add(one)
    return found


def negative(path: str, value: int | None) -> Errors:
    return wrong(path, value, SAYS_NOT_NEGATIVE) if value is not None and value < 0 else []


def no_port(path: str, value: int | None) -> Errors:
    return [] if value is not None and 1 <= value <= 65535 else wrong(path, value or 0, formats.SAYS_PORT)


def no_port_or_name(path: str, value: Any) -> Errors:
    return wrong(path, value, formats.port_name(value)) if isinstance(value, str) else no_port(path, value)


def label_errors(path: str, labels: Document) -> Errors:
    """Keys and values."""
    return key_errors(path, labels) + [
        one for value in labels.values() for one in wrong(path, value, formats.value(value))
    ]


def key_errors(path: str, keys: Iterable[str]) -> Errors:
    return [one for key in keys for one in wrong(path, key, formats.key(key))]
