"""Whether a LabelSelector can be used. In: one, as objects carry it. Out: FieldErrors. Pure."""

from typing import Any

from arkwright.apiserver.kinds import formats
from arkwright.apiserver.kinds.rules.wrongs import Errors, forbidden, label_errors, required, wrong
from arkwright.apiserver.kinds.selectors import matches

Document = dict[str, Any]


def selector_errors(selector: Document | None, labels: Document | None, path: str) -> Errors:
    """`labels`: of the template, which it has to match; `path`: of the spec."""
    mismatch = wrong(f"{path}.template.metadata.labels", labels or None, "`selector` does not match template `labels`")
    if selector is None:
        return required(f"{path}.selector") + mismatch
    if not selector:
        return wrong(f"{path}.selector", {}, "empty selector is invalid for deployment")
    found = unusable(selector, f"{path}.selector")
    if found:
        return found + wrong(f"{path}.selector", _as_go_writes_it(selector), "invalid label selector")
    return [] if matches(selector, labels or {}) else mismatch


def unusable(selector: Document, path: str) -> Errors:
    """What is wrong with its labels and expressions."""
    found = label_errors(f"{path}.matchLabels", selector.get("matchLabels") or {})
    for number, one in enumerate(selector.get("matchExpressions") or ()):
        found += _expression_errors(one, f"{path}.matchExpressions[{number}]")
    return found


def _expression_errors(one: Document, path: str) -> Errors:
    operator, values, found = one.get("operator", ""), one.get("values") or [], []
    if operator in ("In", "NotIn"):
        if not values:
            found += required(f"{path}.values", "must be specified when `operator` is 'In' or 'NotIn'")
    elif operator in ("Exists", "DoesNotExist"):
        if values:
            said = "may not be specified when `operator` is 'Exists' or 'DoesNotExist'"
            found += forbidden(f"{path}.values", said)
    else:
        found += wrong(f"{path}.operator", operator, "not a valid selector operator")
    found += wrong(f"{path}.key", one.get("key", ""), formats.key(one.get("key", "")))
    return found + [each for value in values for each in wrong(f"{path}.values", value, formats.value(value))]


def _as_go_writes_it(selector: Document) -> Document:
    expressions = [{"key": "", "operator": ""} | one for one in selector.get("matchExpressions") or ()]
    return selector | ({"matchExpressions": expressions} if expressions else {})
