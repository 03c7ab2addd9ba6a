"""What a CEL rule may cost: loops within loops over long lists would hold up everybody. In: a rule, its schema or its values. Out: figures. Pure.

A rule is not looked into further than to see its loops: the figure is the most that it can cost, in steps of which ten million take
a second or so. Kubernetes counts while it goes, and refuses at a tenth of that.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from arkwright.apiserver.bounds import LARGEST_BODY_BYTES, encoded
from arkwright.apiserver.kinds.shapes import ANYTHING, Shape

Document = dict[str, Any]
LONGEST_RULE = 8192  # characters: what reads it recurses
MOST_OF_A_RULE, MOST_OF_A_WRITE = 3_000_000, 10_000_000
MOST_ESTIMATED = 10_000_000  # Kubernetes' own, for a rule whose lists are as long as its schema lets them be
SMALL_BYTES = 4096
PATTERN_COST = 100  # to read a regular expression
TEXT_BYTES_A_STEP = 100
TEXTS = re.compile(r'"(?:[^"\\]|\\.)*"|\'(?:[^\'\\]|\\.)*\'')
TOKENS = re.compile(r"\.\s*(?:all|exists|exists_one|existsOne|map|filter)\s*\(|\(|\)")
LEAST_BYTES = {"string": 3, "integer": 2, "number": 2, "boolean": 5, "object": 3, "array": 3}  # each with its comma


@dataclass(frozen=True)
class Rule:
    """What can be seen of one. `loops`: within each other; `words`: steps of one turn; `factor`: how much longer than its
    values it can make a list."""

    loops: int
    words: int
    names: frozenset[str]
    factor: int
    more: int
    splits: bool


@lru_cache(maxsize=4096)
def rule(text: str) -> Rule:
    """
    >>> one = rule("self.a.all(x, self.b.exists(y, x == y + '.all('))")
    >>> one.loops, sorted(one.names)
    (2, ['a', 'all', 'b', 'exists', 'self', 'x', 'y'])
    """
    bare = TEXTS.sub("''", text)
    open_: list[bool] = []
    deepest = 0
    for token in TOKENS.findall(bare):
        if token == ")":
            del open_[-1:]
        else:
            open_.append(token != "(")
            deepest = max(deepest, sum(open_))
    words = re.findall(r"\w+", bare)
    cost = len(words) + PATTERN_COST * words.count("matches")
    splits = "split" in words or "findAll" in words
    names = frozenset(re.findall(r"\w+", text))
    return Rule(deepest, cost, names, 1 + bare.count("+"), bare.count(","), splits)


@dataclass(frozen=True)
class Extent:
    """Of a value: all that is in it, its longest list or map, its longest text."""

    values: int = 1
    longest: int = 0
    text: int = 0


def extent(shape: Shape, value: Any, names: frozenset[str]) -> Extent:
    """Of lists and texts only those that a rule with these words can reach."""
    values = longest = text = 0
    left = [(shape, value, True)]
    while left:
        kind, one, is_reached = left.pop()
        values += 1
        if isinstance(one, dict | list):
            longest = max(longest, len(one)) if is_reached else longest
            left += [(child, inner, is_reached and known) for child, inner, known in _below(kind, one, names)]
        elif isinstance(one, str) and is_reached:
            text = max(text, len(one))
    return Extent(values, longest, text)


def _below(shape: Shape, value: Any, names: frozenset[str]) -> Iterator[tuple[Shape, Any, bool]]:
    """Values, and whether these words reach them: those of a map by any, fields by their names."""
    if isinstance(value, list):
        for inner in value:
            yield shape.items or ANYTHING, inner, True
        return
    for name, inner in value.items():
        is_of_map = shape.values is not None and name not in shape.fields
        yield shape.child(name) or ANYTHING, inner, is_of_map or name in names


def cost(one: Rule, found: Extent) -> int:
    """The most that it can be.

    >>> cost(rule("self.all(x, self.all(y, x != y))"), Extent(10, 9))
    1010
    """
    longest = (found.longest + one.more + (found.text if one.splits else 0)) * one.factor
    turns: int = min(longest, 1 << 32) ** min(one.loops, 8)
    return found.values + one.words * turns * (1 + found.text // TEXT_BYTES_A_STEP)


def cost_of(one: Rule, shape: Shape, value: Any) -> int:
    """Of a rule that is asked of this value; most are small, and have no loop within a loop: then their size says enough."""
    if one.loops < 2 and (size := len(encoded(value))) <= SMALL_BYTES:
        return one.words * size // 2
    return cost(one, extent(shape, value, one.names))


def require_bearable(schema: Document) -> None:
    """Of a CRD. Raises ValueError for rules that are too long, or whose loops no budget would be enough for, however short
    the shortest of their lists."""
    for one, within in _rules(schema):
        text = str(one.get("rule", ""))
        if len(text) > LONGEST_RULE:
            raise ValueError(f"a rule is too long: no more than {LONGEST_RULE} characters are taken")
        seen = rule(text)
        lengths = list(_lengths(within, seen.names, ""))
        if seen.loops > 1 and lengths and (times := min(lengths) ** seen.loops / MOST_ESTIMATED) > 1:
            factor = f"{times:.1f}x" if times < 100 else "more than 100x"
            way = "(try simplifying the rule, or adding maxItems, maxProperties, and maxLength where arrays, maps, and strings are used)"
            raise ValueError(f"estimated rule cost exceeds budget by factor of {factor} {way}")


def _rules(schema: Any) -> Iterator[tuple[Document, Document]]:
    """Each with the schema that it is about."""
    if not isinstance(schema, dict):
        return
    for one in schema.get("x-kubernetes-validations") or ():
        yield one, schema
    for inner in (*(schema.get("properties") or {}).values(), schema.get("items"), schema.get("additionalProperties")):
        yield from _rules(inner)


def _lengths(schema: Any, names: frozenset[str], name: str) -> Iterator[int]:
    """How long each list and map can be that these words reach."""
    if not isinstance(schema, dict) or (name and name not in names):
        return
    items, values = schema.get("items"), schema.get("additionalProperties")
    if isinstance(items, dict):
        yield schema.get("maxItems", _most(items))
        yield from _lengths(items, names, "")
    if isinstance(values, dict):
        yield schema.get("maxProperties", _most(values))
        yield from _lengths(values, names, "")
    for field, inner in (schema.get("properties") or {}).items():
        yield from _lengths(inner, names, field)


def _most(items: Document) -> int:
    """As many as fit into one request; an object has at least what it must have."""
    needed = sum(3 + len(one) for one in items.get("required") or ())
    return LARGEST_BODY_BYTES // (LEAST_BYTES.get(str(items.get("type")), 2) + needed)
