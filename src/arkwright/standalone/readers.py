"""What people and programs wrote by hand, read so that no value of it is a mistake of ours. Pure.

In: values of annotations, specs and statuses, of whatever kind they are. Out: numbers, moments, conditions; what cannot
be meant is as if it were not there, and `oddities` says so in words.
"""

import math
import re
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from arkwright.model.cluster import Document, Workload
from arkwright.model.names import PORT

REVISION = "deployment.kubernetes.io/revision"
HIGHEST_PORT = 65535
LONGEST_SECONDS = 366 * 24 * 3600
USUAL_SHARE = "25%"
BEGINNING, END = datetime(1970, 1, 1, tzinfo=UTC), datetime(9000, 1, 1, tzinfo=UTC)


def count(value: Any, otherwise: int = 0) -> int:
    """A number of things, 0 at least.

    >>> count(3), count("7"), count("test", 1), count(-4, 1), count(True, 1), count(None)
    (3, 7, 1, 1, 1, 0)
    """
    if isinstance(value, int) and not isinstance(value, bool):
        return value if value >= 0 else otherwise
    return int(value) if isinstance(value, str) and re.fullmatch("[0-9]{1,18}", value) else otherwise


def seconds(value: Any, otherwise: int = 0) -> int:
    """A time to wait; nobody waits longer than a year.

    >>> seconds(30), seconds(10**30), seconds(-1, 10)
    (30, 31622400, 10)
    """
    return min(count(value, otherwise), LONGEST_SECONDS)


def port(value: Any) -> int:
    """Where one can listen; 0 for what is no port.

    >>> port("8080"), port("http"), port(99999), port("-1")
    (8080, 0, 0, 0)
    """
    number = count(value)
    return number if number <= HIGHEST_PORT else 0


def share(value: Any, total: int, *, round_up: bool) -> int:
    """A number, or so many percent of `total`; a quarter for what is neither.

    >>> [share(one, 10, round_up=True) for one in (3, "3", "25%", "25.5%", "abc", None)]
    [3, 3, 3, 3, 3, 3]
    """
    text = str(value)
    if (number := count(value, -1)) >= 0:
        return number
    percent = text[:-1] if re.fullmatch("[0-9]{1,9}%", text) else USUAL_SHARE[:-1]
    exact = int(percent) * total / 100
    return math.ceil(exact) if round_up else math.floor(exact)


def moment(value: Any) -> datetime:
    """A time as Kubernetes writes it; the beginning of time for what is none.

    >>> moment("2026-01-01T00:00:00Z").year, moment("yesterday").year, moment(None).year
    (2026, 1970, 1970)
    """
    try:
        found = datetime.fromisoformat(value)
    except (TypeError, ValueError):
        return BEGINNING
    found = found if found.tzinfo else found.replace(tzinfo=UTC)
    return found if BEGINNING < found < END else BEGINNING


def condition(one: Workload, kind: str) -> Document:
    """Of that type, with all its words; {} for none."""
    found = next((each for each in documents(one.status.get("conditions")) if each.get("type") == kind), None)
    return {} if found is None else {"status": "", "reason": "", "message": ""} | found


def counted(one: Workload, name: str) -> int:
    """A count in its status."""
    return count(one.status.get(name))


def wanted(one: Workload) -> int:
    """How many pods it asks for."""
    return count(one.spec.get("replicas"), 1)


def revision(one: Workload) -> int:
    """Its number among its Deployment's; 0 for none, or what is none."""
    return count(one.metadata.annotations.get(REVISION))


def inside(document: Document, *names: str) -> Document:
    """What lies there; {} for nothing, or something else than fields.

    >>> inside({"strategy": {"rollingUpdate": {"maxSurge": 1}}}, "strategy", "rollingUpdate"), inside({"strategy": 7}, "strategy")
    ({'maxSurge': 1}, {})
    """
    for name in names:
        found = document.get(name)
        document = found if isinstance(found, dict) else {}
    return document


def ports(service: Workload) -> list[Document]:
    """Of a Service."""
    return documents(service.spec.get("ports"))


def containers(pod: Workload) -> list[Document]:
    return documents(pod.spec.get("containers"))


def documents(value: Any) -> list[Document]:
    """What of a list can have fields."""
    return [one for one in value if isinstance(one, dict)] if isinstance(value, list) else []


NUMBERS: dict[str, tuple[Callable[[Any], bool], str]] = {
    REVISION: (lambda value: count(value, -1) >= 0, "is no number: it is numbered anew"),
    PORT: (lambda value: port(value) > 0, "is no port (1 to 65535): the Service's own targetPort is used"),
}


def oddities(one: Workload) -> list[str]:
    """What it says and cannot mean, for those who look at it."""
    said = [
        f"annotation {name}: {one.metadata.annotations[name]!r} {words}"
        for name, (is_fine, words) in NUMBERS.items()
        if name in one.metadata.annotations and not is_fine(one.metadata.annotations[name])
    ]
    return said + [
        f"spec.strategy.rollingUpdate.{name}: {value!r} is neither a number nor a percentage: {USUAL_SHARE} is used"
        for name, value in inside(one.spec, "strategy", "rollingUpdate").items()
        if count(value, -1) < 0 and not re.fullmatch("[0-9]{1,9}%", str(value))
    ]
