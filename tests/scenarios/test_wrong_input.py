"""Wrong input of every field of every kind is refused, and the message names the field: by kubectl, in each of its ways."""

import json
import re
from pathlib import Path

import pytest
import yaml

from scenarios.kubectl import Refused, kubectl

ROOT = Path(__file__).parents[2]
FILES = {
    "ModuleDeployment": "01-moduledeployment-crd.yaml",
    "ModuleReplicaSet": "02-modulereplicaset-crd.yaml",
    "ModuleTemplate": "03-moduletemplate-crd.yaml",
    "Module": "04-module-crd.yaml",
}
MODULE = {"name": "provider", "version": "1", "url": "http://a/b.whl"}
TEMPLATE = {"spec": {"module": MODULE}}
RIGHT = {
    "ModuleDeployment": {"spec": {"baseDeploymentName": "stock", "template": TEMPLATE}},
    "ModuleReplicaSet": {"spec": {"template": TEMPLATE}},
    "ModuleTemplate": {"template": TEMPLATE},
    "Module": {"spec": {"module": MODULE}},
}
WAYS = [
    ("apply",),
    ("apply", "--dry-run=server"),
    ("apply", "--server-side", "--dry-run=server"),
]
COUNTS = [-1, 1.5, "many", 2**31]
# By the last part of a field's path, wherever it stands.
WRONG = {
    "baseDeploymentName": ["", "No_Name", "x" * 254, 7, None],
    "name": ["", "-x", "x" * 64, "a b", 7, None],
    "version": ["", "v" * 129, 2.0, None],
    "url": ["", "no uri", "ftp://a/b", "http://" + "x" * 2048, None],
    "type": ["t" * 64, 7],
    "md5": ["xyz", "0" * 31],
    "creationTimestamp": ["yesterday", 7],
    "labels": [{"team": "no value!"}, {"team": "x" * 64}, {"no key!": "x"}, "team"],
    "annotations": [{"no key!": "x"}, {"note": 7}],
    "matchLabels": [{"app": 7}, "app"],
    "replicas": [-2, 1.5, "all", 2**31],
    "batchCount": COUNTS,
    "useBeta": ["perhaps", 1],
    "needConfirm": ["perhaps", 1],
    "grayTimeBetweenBatchSeconds": COUNTS,
    "grayTime": COUNTS,
    "upgradePolicy": ["foo", 1],
    "maxUnavailable": [-1, "half", "101%", "-5%", "1.5", True],
    "enableModuleService": ["perhaps", True],  # true needs a port
    "port": [-1, 70000, "http"],
    "targetPort": [-1, 70000, "No_Port", "-http", "80", "x" * 16],
    "drainSeconds": COUNTS,
    "schedulingPolicy": ["foo", 1],
    "pause": ["maybe", 1],
    "confirmBatchNum": COUNTS,
    "revisionHistoryLimit": COUNTS,
    "progressDeadlineSeconds": [-1, "long"],
    "minReadySeconds": COUNTS,
}
NAMED_OTHERWISE = {"enableModuleService": "port is needed where enableModuleService is true"}


def _leaves(schema, path=()):
    for name, one in schema.get("properties", {}).items():
        if one.get("properties"):
            yield from _leaves(one, (*path, name))
        else:
            yield (*path, name)


def fields(kind):
    """Paths of all fields that a user may set."""
    definition = yaml.safe_load((ROOT / "deploy" / FILES[kind]).read_text())
    schema = definition["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"]
    roots = {name: one for name, one in schema.items() if name in ("spec", "template")}
    return list(_leaves({"properties": roots}))


def _with(kind, name, path, value):
    document = json.loads(json.dumps(RIGHT[kind]))
    place = document
    for part in path[:-1]:
        place = place.setdefault(part, {})
    place[path[-1]] = value
    if value is None:
        del place[path[-1]]
    head = {"apiVersion": "serverless.alipay.com/v1alpha1", "kind": kind}
    return head | {"metadata": {"name": name, "namespace": "default"}} | document


@pytest.mark.parametrize("kind", FILES)
def test_every_field_has_wrong_values_in_the_table(kind):
    assert not [path for path in fields(kind) if not WRONG.get(path[-1])]


@pytest.mark.parametrize("way", WAYS, ids=" ".join)
@pytest.mark.parametrize("kind", FILES)
def test_wrong_values_of_every_field_are_refused_by_name(cluster, kind, way):
    cases = [
        (path, value)
        for path in fields(kind)
        for value in WRONG[path[-1]]
        if kind == "ModuleDeployment" or value != -1 or path[-1] != "replicas"
    ]
    documents = [_with(kind, f"wrong-{number}-", path, value) for number, (path, value) in enumerate(cases)]
    text = "\n---\n".join(json.dumps(one) for one in documents)
    with pytest.raises(Refused) as refused:
        kubectl(*way, "-f", "-", text=text)
    said = {
        int(number): line for line in str(refused.value).splitlines() for number in re.findall(r"wrong-(\d+)-", line)
    }
    silent = [
        (".".join(path), value) for number, (path, value) in enumerate(cases) if not _names(said.get(number, ""), path)
    ]
    assert not silent


def _names(line, path):
    field = ".".join(path)
    return field in line or NAMED_OTHERWISE.get(path[-1], field) in line


@pytest.mark.parametrize("kind", FILES)
def test_a_misspelled_field_is_refused_by_name(cluster, kind):
    root = "template" if kind == "ModuleTemplate" else "spec"
    with pytest.raises(Refused, match=f'unknown field "{root}.puase"'):
        kubectl("apply", "-f", "-", text=json.dumps(_with(kind, "wrong", (root, "puase"), True)))


RIGHT_ONES = [
    (("spec", "operationStrategy", "upgradePolicy"), ""),
    (("spec", "schedulingStrategy", "schedulingPolicy"), ""),
    (("spec", "operationStrategy", "serviceStrategy"), {"port": 0, "targetPort": 0}),
    (("spec", "progressDeadlineSeconds"), 0),
    (("spec", "template", "metadata", "creationTimestamp"), None),
    (("spec", "replicas"), -1),
    (("spec", "operationStrategy", "upgradePolicy"), "scaleUpThenScaleDown"),
    (("spec", "schedulingStrategy", "schedulingPolicy"), "Stacking"),
    (("spec", "operationStrategy", "maxUnavailable"), "50%"),
    (("spec", "maxUnavailable"), "100%"),
    (("spec", "operationStrategy", "serviceStrategy", "targetPort"), "http-8080"),
    (("spec", "template", "metadata", "labels"), {"example.com/team": "stock", "empty": ""}),
    (("spec", "template", "metadata", "annotations"), {"serverless.alipay.com/restartedAt": "2026-01-01 12:00 ü"}),
]


@pytest.mark.parametrize("path, value", RIGHT_ONES, ids=lambda one: str(one)[-30:])
def test_symmetric_mode_every_old_spelling_and_what_is_at_the_limit_are_accepted(cluster, path, value):
    kubectl("apply", "--dry-run=server", "-f", "-", text=json.dumps(_with("ModuleDeployment", "right", path, value)))
