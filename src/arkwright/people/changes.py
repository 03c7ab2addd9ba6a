"""What differs between two of the same kind, field by field, in words. In: documents. Out: paths with what stood there before and after. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from arkwright.model.urls import without_secrets


@dataclass(frozen=True)
class Changed:
    """One field; "" where there was or is none."""

    field: str
    before: str
    after: str


def changed_fields(before: Mapping[str, str], after: Mapping[str, str]) -> tuple[Changed, ...]:
    """
    >>> changed_fields(flat("spec", {"replicas": 2, "pause": True}), flat("spec", {"replicas": 3}))
    (Changed(field='spec.pause', before='True', after=''), Changed(field='spec.replicas', before='2', after='3'))
    """
    names = sorted(before.keys() | after.keys())
    found = (Changed(name, before.get(name, ""), after.get(name, "")) for name in names)
    return tuple(one for one in found if one.before != one.after)


def flat(name: str, value: Any) -> dict[str, str]:
    """By path, a url without what gives access to it."""
    if not isinstance(value, dict):
        text = str(value)
        return {name: without_secrets(text) if name.endswith(".url") else text}
    return {path: text for key, each in value.items() for path, text in flat(f"{name}.{key}", each).items()}
