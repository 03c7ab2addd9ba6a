"""What people hang on the wall: each figure that a panel or rule asks for is told, rules are Prometheus's, and say what is meant when it is."""

import json
import re
import shutil
import subprocess
from datetime import UTC, datetime
from pathlib import Path

import pytest
import yaml
from prometheus_client import generate_latest

from arkwright.controller.figures import Book, Figures
from arkwright.controller.metrics import Metrics
from monitoring.monitoring_parts import COMMAND, promtool

MONITORING = Path(__file__).parents[2] / "deploy" / "monitoring"
DASHBOARD = json.loads((MONITORING / "grafana-dashboard.json").read_text())
RULES = [rule for group in yaml.safe_load((MONITORING / "rules.yaml").read_text())["groups"] for rule in group["rules"]]
CRDS = Path(__file__).parents[2] / "deploy"


def exposed():
    """What a controller tells, as text."""
    metrics = Metrics()
    figures = Figures(metrics.registry, lambda: datetime(2026, 1, 1, tzinfo=UTC))
    with Book(figures, lambda: datetime(2026, 1, 1, tzinfo=UTC), list).opened():
        return generate_latest(metrics.registry).decode()


def checked(*words, **more):
    if not promtool().exists():
        pytest.skip(f"needs Prometheus: {COMMAND}")
    done = subprocess.run([promtool(), *map(str, words)], capture_output=True, text=True, timeout=60, **more)
    assert done.returncode == 0, done.stdout + done.stderr


def asked():
    """Where -> expression."""
    panels = ((one["title"], target["expr"]) for one in DASHBOARD["panels"] for target in one.get("targets", ()))
    return [*panels, *((one.get("alert") or one["record"], one["expr"]) for one in RULES)]


@pytest.mark.parametrize(("where", "expression"), asked())
def test_each_figure_that_is_asked_for_is_told(where, expression):
    told = set(re.findall(r"^# TYPE (\w+)", exposed(), re.MULTILINE))
    names = {re.sub(r"_(bucket|sum|count)$", "", one) for one in re.findall(r"\b(?:arkwright|process)_\w+", expression)}
    assert names - told == set()


def test_each_panel_has_a_place_of_its_own_and_a_unit():
    for one in DASHBOARD["panels"]:
        at = one["gridPos"]
        assert at["x"] + at["w"] <= 24
        assert one["type"] == "row" or one["fieldConfig"]["defaults"]["unit"]
    assert len({one["id"] for one in DASHBOARD["panels"]}) == len(DASHBOARD["panels"])
    assert len({(one["gridPos"]["x"], one["gridPos"]["y"]) for one in DASHBOARD["panels"]}) == len(DASHBOARD["panels"])


@pytest.mark.parametrize("rule", [one for one in RULES if "alert" in one], ids=lambda one: one["alert"])
def test_each_alert_says_what_to_do_next(rule):
    assert rule["labels"]["severity"] in ("critical", "warning", "info")
    assert rule["annotations"]["summary"].endswith(".") and rule["annotations"]["action"].endswith(".")


def test_prometheus_takes_the_figures_and_the_rules():
    checked("check", "metrics", input=exposed())
    checked("check", "rules", MONITORING / "rules.yaml")


def test_each_alert_is_told_when_it_is_meant_and_not_before(tmp_path):
    shutil.copy(MONITORING / "rules.yaml", tmp_path)
    shutil.copy(Path(__file__).parent / "rules_test.yaml", tmp_path)
    checked("test", "rules", tmp_path / "rules_test.yaml")


def test_each_alert_has_a_case():
    cases = (Path(__file__).parent / "rules_test.yaml").read_text()
    assert [one["alert"] for one in RULES if "alert" in one and cases.count(f"alertname: {one['alert']}") < 2] == []


# ── kube-state-metrics ──


def fields_of(kind):
    """The schema of a kind's fields."""
    documents = (yaml.safe_load(path.read_text()) for path in sorted(CRDS.glob("*-crd.yaml")))
    (found,) = (one["spec"] for one in documents if one["spec"]["names"]["kind"] == kind)
    return found["versions"][0]["schema"]["openAPIV3Schema"]


def follow(schema, path):
    """The schema below; None where there is none."""
    for word in path:
        schema = schema.get("items", schema)
        schema = schema.get("properties", {}).get(word)
        if schema is None:
            return None
    return schema


def told_of_each_object():
    resources = yaml.safe_load((MONITORING / "kube-state-metrics.yaml").read_text())["spec"]["resources"]
    return [
        pytest.param(resource, metric, id=f"{resource['groupVersionKind']['kind']} {metric['name']}")
        for resource in resources
        for metric in resource["metrics"]
    ]


@pytest.mark.parametrize(("resource", "metric"), told_of_each_object())
def test_what_is_told_of_each_object_is_a_field_of_it(resource, metric):
    schema = fields_of(resource["groupVersionKind"]["kind"])
    ((_, about),) = ((key, value) for key, value in metric["each"].items() if key != "type")
    here = follow(schema, about.get("path", ()))
    assert here is not None, about
    for path in (*about.get("labelsFromPath", {}).values(), about.get("valueFrom", ())):
        assert follow(here, path) is not None, path
    if "list" in about:
        assert set(here.get("enum", about["list"])) <= set(about["list"])
