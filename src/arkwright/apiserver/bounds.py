"""How much one request may be, or become: a small body must not grow into a large answer. In: values. Out: a refusal, or nothing. Pure.

The figures are those of Kubernetes and etcd, where these have any.
"""

from typing import Any

import msgspec
import yaml

from arkwright.apiserver.errors import BadRequest, TooLarge

LARGEST_BODY_BYTES = 3 << 20
LARGEST_OBJECT_BYTES = 3 << 19  # etcd's 1.5 MiB
MOST_PATCH_OPERATIONS = 10_000
MOST_LEVELS = 100  # of lists and maps within each other
UNREADABLE = (TypeError, ValueError, KeyError, IndexError, AttributeError, OverflowError, RecursionError)
Node = yaml.nodes.Node


def require_shallow(value: Any) -> None:
    """Raises BadRequest for what everything that looks through it could be lost in."""
    level = [value]
    for _ in range(MOST_LEVELS + 1):
        level = [
            inner
            for one in level
            if isinstance(one, dict | list)
            for inner in (one.values() if isinstance(one, dict) else one)
        ]
        if not level:
            return
    raise BadRequest(f"the object is too deep: no more than {MOST_LEVELS} levels are taken")


def require_shallow_text(body: bytes, value: Any) -> None:
    """The same of what a body in JSON says; most have too few brackets to be deep."""
    if body.count(b"{") + body.count(b"[") > MOST_LEVELS:
        require_shallow(value)


def require_plain_yaml(node: Node | None) -> None:
    """Raises BadRequest for aliases that stand for more than a body may hold, or for themselves. Nothing has been put in their places yet."""
    if node is not None:
        _weigh(node, {}, 0)


def _weigh(node: Node, known: dict[int, tuple[int, int]], above: int) -> tuple[int, int]:
    """(bytes, levels), as if every alias were written out. Who is within itself is deeper than anything may be."""
    bytes_, levels = known.get(id(node)) or (0, 0)
    if not levels:
        if above > MOST_LEVELS:
            raise BadRequest(f"error converting YAML to JSON: more than {MOST_LEVELS} levels")
        if isinstance(node, yaml.ScalarNode):
            bytes_, levels = 1 + len(node.value), 1
        else:
            inner = [_weigh(one, known, above + 1) for one in _below(node)]
            bytes_, levels = 1 + sum(one[0] for one in inner), 1 + max((one[1] for one in inner), default=0)
        known[id(node)] = bytes_, levels
    if bytes_ > LARGEST_BODY_BYTES or above + levels > MOST_LEVELS + 1:
        raise BadRequest("error converting YAML to JSON: yaml: document contains excessive aliasing")
    return bytes_, levels


def _below(node: Node) -> list[Node]:
    if isinstance(node, yaml.MappingNode):
        return [one for pair in node.value for one in pair]
    return list(node.value)


def require_few(operations: Any) -> None:
    """Of a JSON patch. Raises TooLarge."""
    if isinstance(operations, list) and len(operations) > MOST_PATCH_OPERATIONS:
        raise TooLarge(
            f"The allowed maximum operations in a JSON patch is {MOST_PATCH_OPERATIONS}, got {len(operations)}"
        )


def encoded(document: Any) -> bytes:
    """As JSON. Raises BadRequest for what no JSON can say: it was in the body that brought it."""
    try:
        return msgspec.json.encode(document)
    except UNREADABLE as error:
        raise BadRequest(f"the object cannot be written as JSON: {error}") from error


def require_storable(body: bytes) -> None:
    """Raises TooLarge for an object that etcd would not take either."""
    if len(body) > LARGEST_OBJECT_BYTES:
        said = f"the object would have {len(body)} bytes, its managedFields among them"
        raise TooLarge(f"Request entity too large: limit is {LARGEST_OBJECT_BYTES}: {said}")
