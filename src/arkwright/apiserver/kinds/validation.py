"""Whether an object's values are allowed: its JSON schema and its CEL rules, told in Kubernetes' words.

In: a schema, once; then documents. Out: one FieldError for each thing that is wrong. The checking itself is done by
libraries (jsonschema-rs, common-expression-language).
"""

import json
import re
from collections.abc import Iterator
from typing import Any

import jsonschema_rs

from arkwright.apiserver.bounds import UNREADABLE
from arkwright.apiserver.errors import (
    DUPLICATE,
    INVALID,
    NOT_SUPPORTED,
    REQUIRED,
    TOO_LONG,
    TOO_MANY,
    TYPE_INVALID,
    FieldError,
)
from arkwright.apiserver.kinds.costs import MOST_OF_A_RULE, MOST_OF_A_WRITE, cost_of, require_bearable
from arkwright.apiserver.kinds.costs import rule as rule_of
from arkwright.apiserver.kinds.fieldsets import is_associative, step_to
from arkwright.apiserver.kinds.shapes import Shape

Document = dict[str, Any]
BOUNDS = {"int32": (-(2**31), 2**31 - 1), "int64": (-(2**63), 2**63 - 1)}
FORMATS = frozenset({"date-time", "date", "email", "hostname", "ipv4", "ipv6", "uri", "uuid"})
# After these, rules might meet values that they cannot work with.
UNCHECKABLE = frozenset({REQUIRED, TOO_LONG, TOO_MANY, TYPE_INVALID, NOT_SUPPORTED})
NOT_CHECKED = "some validation rules were not checked because the object was invalid; correct the existing errors to complete validation"
PASSED_ON = (
    "required minItems maxItems minLength maxLength pattern enum minimum maximum exclusiveMinimum exclusiveMaximum"
    " multipleOf minProperties maxProperties uniqueItems"
).split()


class Validator:
    """For one version of one custom kind."""

    def __init__(self, schema: Document, shape: Shape) -> None:
        """Raises ValueError if the schema or one of its rules is wrong."""
        require_bearable(schema)
        self._check = jsonschema_rs.validator_for(standard(schema), validate_formats=True, formats={"uri": _is_uri})
        self._rules = _compiled_rules(shape)
        self._shape = shape

    def errors(self, document: Document, old: Document | None = None) -> list[FieldError]:
        """All that is wrong. `old`: what stands there now; rules about a change see it."""
        wrong: list[FieldError] = []
        if not self._check.is_valid(document):
            wrong = [one for error in self._check.iter_errors(document) for one in _translated(error)]
        wrong += _duplicates(self._shape, document, "")
        if not self._shape.has_rules:
            return sorted(wrong, key=_path)
        if any(one.reason in UNCHECKABLE for one in wrong):
            return [*sorted(wrong, key=_path), FieldError("<nil>", INVALID, f"Invalid value: null: {NOT_CHECKED}")]
        return sorted([*wrong, *self._broken(self._shape, (document, old), "", Budget())], key=_path)

    def _broken(self, shape: Shape, pair: tuple[Any, Any], path: str, budget: "Budget") -> Iterator[FieldError]:
        """Rules of this node and of all below it. A rule about `oldSelf` is asked only where there is an old value."""
        value, old = pair
        for rule in shape.rules:
            if ("oldSelf" in rule["rule"] and old is None) or budget.is_spent:
                continue
            if said := budget.refusal(shape, rule, pair) or self._complaint(rule, value, old):
                yield FieldError(path, INVALID, f"Invalid value: {json.dumps(shape.type)}: {said}")
        for child, inner, before, where in _below(shape, value, old, path):
            if child.has_rules:
                yield from self._broken(child, (inner, before), where, budget)

    def _complaint(self, rule: Document, value: Any, old: Any) -> str:
        variables = {"self": value} | ({"oldSelf": old} if old is not None else {})
        said = _said(rule)
        try:
            return "" if self._rules[rule["rule"]].execute(variables) else said
        except (RuntimeError, *UNREADABLE) as error:
            return f"rule evaluation error: {error}: {said}"


def _said(rule: Document) -> str:
    return str(rule.get("message") or f"failed rule: {rule['rule']}")


class Budget:
    """For all rules that one write asks; `is_spent`: the others are not asked."""

    def __init__(self) -> None:
        self._left, self.is_spent = MOST_OF_A_WRITE, False

    def refusal(self, shape: Shape, rule: Document, pair: tuple[Any, Any]) -> str:
        """Why the rule cannot be asked of these values; "" where it can."""
        seen = rule_of(rule["rule"])
        found = max(cost_of(seen, shape, one) for one in pair if one is not None)
        self._left -= found
        if found <= MOST_OF_A_RULE and self._left >= 0:
            return ""
        self.is_spent = True
        if found > MOST_OF_A_RULE:
            said = "call cost exceeds limit for rule: " + _said(rule)
            return f"operation cancelled: actual cost limit exceeded: no further validation rules will be run due to {said}"
        return "validation failed due to running out of cost budget, no further validation rules will be run"


def _path(error: FieldError) -> str:
    return error.path


def _duplicates(shape: Shape, value: Any, path: str) -> list[FieldError]:
    """Items of sets and of lists of type map that are there twice."""
    found: list[FieldError] = []
    if isinstance(value, list) and is_associative(shape):
        seen = set()
        for number, one in enumerate(value):
            step = step_to(shape, one)
            if step in seen:
                found.append(FieldError(f"{path}[{number}]", DUPLICATE, f"Duplicate value: {step[2:]}"))
            seen.add(step)
    for child, inner, _, where in _below(shape, value, None, path):
        if child.has_associative:
            found += _duplicates(child, inner, where)
    return found


def _below(shape: Shape, value: Any, old: Any, path: str) -> Iterator[tuple[Shape, Any, Any, str]]:
    """Fields or items of a value, with what stood there before."""
    if isinstance(value, dict):
        for name, inner in value.items():
            if child := shape.child(name):
                yield child, inner, old.get(name) if isinstance(old, dict) else None, f"{path}.{name}".removeprefix(".")
    elif isinstance(value, list) and shape.items:
        for number, inner in enumerate(value):
            yield shape.items, inner, None, f"{path}[{number}]"


def standard(schema: Document) -> Document:
    """A structural schema as JSON schema: Kubernetes' own words for null, numbers and int-or-string are put in standard ones."""
    made: Document = {name: schema[name] for name in PASSED_ON if name in schema}
    if schema.get("x-kubernetes-int-or-string"):
        made["type"] = ["integer", "string"]
    elif kind := schema.get("type"):
        made["type"] = [kind, "null"] if schema.get("nullable") else kind
    form = schema.get("format")
    if form in BOUNDS:
        lowest, highest = BOUNDS[form]
        made = {"minimum": lowest, "maximum": highest} | made
    elif form in FORMATS:
        made["format"] = form
    made = _with_open_limits(made)
    for name in ("allOf", "anyOf", "oneOf"):
        if name in schema:
            made[name] = [standard(one) for one in schema[name]]
    return made | ({"not": standard(schema["not"])} if "not" in schema else {}) | _children(schema)


def _with_open_limits(schema: Document) -> Document:
    """OpenAPI says beside a limit that it is open; JSON schema has the open limit itself."""
    made = {name: value for name, value in schema.items() if not isinstance(value, bool) or name == "uniqueItems"}
    for limit, name in (("minimum", "exclusiveMinimum"), ("maximum", "exclusiveMaximum")):
        if schema.get(name) is True and limit in made:
            made[name] = made.pop(limit)
    return made


def _children(schema: Document) -> Document:
    made: Document = {}
    if "properties" in schema:
        made["properties"] = {name: standard(one) for name, one in schema["properties"].items()}
    if isinstance(schema.get("items"), dict):
        made["items"] = standard(schema["items"])
    if isinstance(schema.get("additionalProperties"), dict):
        made["additionalProperties"] = standard(schema["additionalProperties"])
    return made


def _is_uri(text: str) -> bool:
    """As Kubernetes takes it: a scheme, or an absolute path; what follows may be any text."""
    return bool(re.match(r"^([A-Za-z][A-Za-z0-9+.-]*:|/)[^\x00-\x1f]*$", text))


def _compiled_rules(shape: Shape) -> dict[str, Any]:
    """CEL programs, by their text."""
    if not shape.has_rules:
        return {}
    import cel  # takes a tenth of a second to load: not before the first object comes that has rules

    found = {rule["rule"]: cel.compile(rule["rule"]) for rule in shape.rules}
    for child in (*shape.fields.values(), shape.values, shape.items):
        if child and child.has_rules:
            found |= _compiled_rules(child)
    return found


def dotted(path: list[str | int]) -> str:
    """
    >>> dotted(["spec", "ports", 0, "name"])
    'spec.ports[0].name'
    """
    text = "".join(f"[{one}]" if isinstance(one, int) else f".{one}" for one in path)
    return text.removeprefix(".")


def shown(value: Any) -> str:
    """As Kubernetes shows a value that it complains about."""
    if isinstance(value, dict | list):
        return json.dumps(value, separators=(",", ":"), sort_keys=True, ensure_ascii=False)
    return json.dumps(value, ensure_ascii=False)


def _type_name(value: Any) -> str:
    """A value that has the wrong type is shown by its own."""
    for kind, name in (
        (bool, "boolean"),
        (str, "string"),
        (dict, "object"),
        (list, "array"),
        (int, "integer"),
        (float, "number"),
    ):
        if isinstance(value, kind):
            return json.dumps(name)
    return '"null"'


def _translated(error: jsonschema_rs.ValidationError) -> Iterator[FieldError]:
    """Errors of a library, in the words of Kubernetes."""
    path = dotted(list(error.instance_path))
    value: Any = error.instance
    kind: Any = error.kind
    match kind.name:
        case "required":
            yield FieldError(f"{path}.{kind.property}".removeprefix("."), REQUIRED, "Required value")
        case "type":
            wanted = ",".join(one for one in kind.types if one != "null")
            said = f"{path} in body must be of type {wanted}: {_type_name(value)}"
            yield FieldError(path, TYPE_INVALID, f"Invalid value: {_type_name(value)}: {said}")
        case "format":
            yield FieldError(path, TYPE_INVALID, f"Invalid value: {shown(value)}: {path} {_unmet(error)}")
        case "enum":
            choices = ", ".join(shown(one) for one in kind.options)
            yield FieldError(path, NOT_SUPPORTED, f"Unsupported value: {shown(value)}: supported values: {choices}")
        case "maxLength":
            yield FieldError(path, TOO_LONG, f"Too long: may not be more than {kind.limit} bytes")
        case "maxItems" | "maxProperties":
            yield FieldError(path, TOO_MANY, f"Too many: {len(value)}: must have at most {kind.limit} items")
        case _:
            yield FieldError(path, INVALID, f"Invalid value: {_offender(value)}: {path} {_unmet(error)}")


def _offender(value: Any) -> str:
    return str(len(value)) if isinstance(value, list | dict) else shown(value)


LIMITS = {
    "minimum": "should be greater than or equal to {}",
    "maximum": "should be less than or equal to {}",
    "exclusiveMinimum": "should be greater than {}",
    "exclusiveMaximum": "should be less than {}",
    "minLength": "should be at least {} chars long",
    "minItems": "should have at least {} items",
    "minProperties": "should have at least {} properties",
}


def _unmet(error: jsonschema_rs.ValidationError) -> str:
    """What a value should be."""
    kind: Any = error.kind
    if kind.name in LIMITS:
        return "in body " + LIMITS[kind.name].format(_number(kind.limit))
    match kind.name:
        case "pattern":
            return f"in body should match '{kind.pattern}'"
        case "format":
            return f"in body must be of type {kind.format}: {shown(error.instance)}"
        case "multipleOf":
            return f"in body should be a multiple of {_number(kind.multiple_of)}"
        case _:
            return f"in body is not valid: {error.message}"


def _number(limit: float) -> str:
    return str(int(limit)) if limit == int(limit) else str(limit)
