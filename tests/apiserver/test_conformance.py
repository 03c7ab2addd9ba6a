"""The embedded API answers like a real one: every case is asked of both, and every answer compared field by field.

What differs on purpose is in `differences`, with its reason: such a case is compared without the fields that are named
there, and fails as soon as these no longer differ.
"""

import itertools
import json

import pytest

from apiserver.asking import Ask, comparable
from apiserver.cases import CASES
from apiserver.cases_of_tools import TOOLS
from apiserver.differences import DIFFERENCES

ALL = CASES | TOOLS
_numbers = itertools.count(1)


def played(api, steps, namespace):
    """What is answered to each step that is to be shown."""
    api.ask(Ask("POST", "/api/v1/namespaces", {"metadata": {"name": namespace}}), namespace)
    shown, versions = [], []
    for one in steps:
        status, document, warnings = api.ask(one, namespace, versions)
        found = document.get("metadata", {}).get("resourceVersion", "") if isinstance(document, dict) else ""
        versions.append(found)
        if one.is_shown:
            shown.append({"status": status, "answer": comparable(document, namespace), "warnings": warnings})
    api.ask(Ask("DELETE", f"/api/v1/namespaces/{namespace}"), namespace)
    return shown


def without(value, fields):
    """All but some fields, at any depth."""
    if isinstance(value, dict):
        return {name: without(one, fields) for name, one in value.items() if name not in fields}
    return [without(one, fields) for one in value] if isinstance(value, list) else value


@pytest.mark.parametrize("name", ALL)
def test_answers_like_a_real_one(both, name, worker_number):
    namespace = f"case-{worker_number}-{next(_numbers)}"
    ours, theirs = (played(api, ALL[name], namespace) for api in both)
    if name in DIFFERENCES:
        fields, reason = DIFFERENCES[name]
        assert ours != theirs, f"it no longer differs: {reason}"
        ours, theirs = without(ours, fields), without(theirs, fields)
    ours, theirs = (json.dumps(one, indent=1).splitlines() for one in (ours, theirs))
    assert ours == theirs


def test_differences_are_of_cases():
    assert DIFFERENCES.keys() <= ALL.keys()


def test_there_are_cases_enough():
    assert len(ALL) >= 150
