"""The rules of Deployments and ReplicaSets. In: one, and what stands there now. Out: FieldErrors. Pure."""

from typing import Any

from arkwright.apiserver.kinds import formats
from arkwright.apiserver.kinds.rules.pods import template_errors
from arkwright.apiserver.kinds.rules.selecting import selector_errors
from arkwright.apiserver.kinds.rules.wrongs import Errors, forbidden, negative, not_one_of, wrong

Document = dict[str, Any]
TYPES = ("Recreate", "RollingUpdate")


def replica_set_errors(document: Document, old: Document | None) -> Errors:
    spec = document["spec"]
    template = spec.get("template") or {}
    found = selector_errors(spec.get("selector"), (template.get("metadata") or {}).get("labels"), "spec")
    if old and old["spec"].get("selector") != spec.get("selector"):
        found += wrong("spec.selector", spec.get("selector"), "field is immutable")
    for name in ("replicas", "minReadySeconds"):
        found += negative(f"spec.{name}", spec.get(name))
    return found + template_errors(template, "spec.template")


def deployment_errors(document: Document, old: Document | None) -> Errors:
    spec = document["spec"]
    found = replica_set_errors(document, old) + negative("spec.revisionHistoryLimit", spec.get("revisionHistoryLimit"))
    deadline = spec.get("progressDeadlineSeconds")
    found += negative("spec.progressDeadlineSeconds", deadline)
    if deadline is not None and deadline <= (spec.get("minReadySeconds") or 0):
        found += wrong("spec.progressDeadlineSeconds", deadline, "must be greater than minReadySeconds")
    return found + _strategy_errors(spec.get("strategy") or {}, "spec.strategy")


def _strategy_errors(strategy: Document, path: str) -> Errors:
    kind, rolling = strategy.get("type"), strategy.get("rollingUpdate")
    if kind == "Recreate":
        said = "may not be specified when strategy `type` is 'Recreate'"
        return forbidden(f"{path}.rollingUpdate", said) if rolling else []
    if kind != "RollingUpdate":
        return not_one_of(path, {"Type": kind or "", "RollingUpdate": None}, TYPES)
    rolling = rolling or {}
    found = [
        one
        for name in ("maxUnavailable", "maxSurge")
        for one in _share_errors(f"{path}.rollingUpdate.{name}", rolling.get(name))
    ]
    unavailable = rolling.get("maxUnavailable")
    if _is_nothing(unavailable) and _is_nothing(rolling.get("maxSurge")):
        found += wrong(f"{path}.rollingUpdate.maxUnavailable", unavailable, "may not be 0 when `maxSurge` is 0")
    most = unavailable if isinstance(unavailable, str) and formats.IS_PERCENT(unavailable) else "0%"
    if int(most[:-1]) > 100:
        found += wrong(f"{path}.rollingUpdate.maxUnavailable", unavailable, "must not be greater than 100%")
    return found


def _share_errors(path: str, value: Any) -> Errors:
    return wrong(path, value, formats.percent(value)) if isinstance(value, str) else negative(path, value)


def _is_nothing(value: Any) -> bool:
    return value == 0 or (isinstance(value, str) and bool(formats.IS_PERCENT(value)) and int(value[:-1]) == 0)
