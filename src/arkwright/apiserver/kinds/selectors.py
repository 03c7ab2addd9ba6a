"""Label and field selectors. In: a selector as it stands in a query. Out: a predicate. Raises BadRequest."""

import re
from collections.abc import Callable, Iterator
from typing import Any

from arkwright.apiserver.errors import BadRequest

Document = dict[str, Any]
Predicate = Callable[[Document], bool]
COMMON_FIELDS = frozenset({"metadata.name", "metadata.namespace"})
_SET = re.compile(r"^(?P<key>\S+)\s+(?P<operator>in|notin)\s*\((?P<values>[^()]*)\)$")
_EQUAL = re.compile(r"^(?P<key>[^=!\s]+)\s*(?P<operator>==|=|!=)\s*(?P<value>[^=!\s]*)$")
_EXISTS = re.compile(r"^(?P<operator>!?)\s*(?P<key>[^=!\s()]+)$")
_KEY = re.compile(r"^([a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?/)?[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?$")


def label_selector(text: str) -> Predicate:
    """A predicate on labels, a flat dict.

    >>> label_selector("app=a,tier in (x, y),!old")({"app": "a", "tier": "y"})
    True
    """
    terms = [_term(one) for one in _split(text)]
    return lambda labels: all(is_met(labels) for is_met in terms)


def _split(text: str) -> Iterator[str]:
    """At commas, but not within parentheses."""
    for term in re.split(r",(?![^(]*\))", text):
        if term.strip():
            yield term.strip()


def _term(text: str) -> Predicate:
    if found := _SET.match(text):
        key, values = found["key"], {one.strip() for one in found["values"].split(",")}
        is_in = found["operator"] == "in"
        return _checked(
            key,
            text,
            (lambda labels: labels.get(key) in values) if is_in else (lambda labels: labels.get(key) not in values),
        )
    if found := _EQUAL.match(text):
        key, value = found["key"], found["value"]
        is_equal = found["operator"] != "!="
        return _checked(key, text, lambda labels: (labels.get(key) == value) is is_equal)
    if found := _EXISTS.match(text):
        key, is_wanted = found["key"], not found["operator"]
        return _checked(key, text, lambda labels: (key in labels) is is_wanted)
    raise BadRequest(f"unable to parse requirement: {text!r} is no requirement of a label selector")


def _checked(key: str, text: str, predicate: Predicate) -> Predicate:
    if not _KEY.match(key):
        raise BadRequest(f"unable to parse requirement: {key!r} in {text!r} is no label key")
    return predicate


def matches(selector: Document, labels: Document) -> bool:
    """Whether labels meet a LabelSelector as objects carry it: matchLabels and matchExpressions; an empty one matches all."""
    if any(labels.get(key) != value for key, value in (selector.get("matchLabels") or {}).items()):
        return False
    return all(_meets(one, labels) for one in selector.get("matchExpressions") or ())


def _meets(expression: Document, labels: Document) -> bool:
    key, values = expression["key"], expression.get("values") or ()
    match expression["operator"]:
        case "In":
            return labels.get(key) in values
        case "NotIn":
            return labels.get(key) not in values
        case "Exists":
            return key in labels
        case _:
            return key not in labels


def field_selector(text: str, known: frozenset[str], *, is_custom: bool) -> Predicate:
    """A predicate on whole documents; only `known` fields may be asked about."""
    terms = [_field_term(one, known, is_custom=is_custom) for one in _split(text)]
    return lambda document: all(is_met(document) for is_met in terms)


def _field_term(text: str, known: frozenset[str], *, is_custom: bool) -> Predicate:
    found = _EQUAL.match(text)
    if not found:
        raise BadRequest(f"invalid selector: '{text}'; can't understand '{text}'")
    field, value, is_equal = found["key"], found["value"], found["operator"] != "!="
    if field not in known:
        raise _unknown_field(field, known, is_custom=is_custom)
    path = field.split(".")
    return lambda document: (_text(document, path) == value) is is_equal


def _unknown_field(field: str, known: frozenset[str], *, is_custom: bool) -> BadRequest:
    if is_custom or known != COMMON_FIELDS:
        return BadRequest(f"field label not supported: {field}")
    names = ", ".join(f'"{one}"' for one in sorted(known))
    return BadRequest(f'"{field}" is not a known field selector: only {names}')


def _text(document: Document, path: list[str]) -> str:
    value: Any = document
    for name in path:
        value = value.get(name) if isinstance(value, dict) else None
    return "" if value is None else str(value)
