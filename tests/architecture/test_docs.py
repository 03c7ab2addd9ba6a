"""The documentation names every field, flag, Event, reason and metric, and its links lead somewhere."""

import re
from datetime import UTC, datetime
from pathlib import Path

import pytest
import typer.main
import yaml

from arkwright.cli import application
from arkwright.controller.figures import Figures
from arkwright.controller.metrics import Metrics
from arkwright.model.outcomes import EventReason, Reason

ROOT = Path(__file__).parents[2]
REFERENCE = (ROOT / "docs" / "reference.md").read_text()
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]


def fields(schema, path):
    for name, one in schema.get("properties", {}).items():
        yield f"{path}.{name}", one
        yield from fields(one, f"{path}.{name}")
        yield from fields(one.get("items", {}), f"{path}.{name}[]")


def documented_fields():
    for file in ("01-moduledeployment-crd.yaml", "04-module-crd.yaml"):
        kind = yaml.safe_load((ROOT / "deploy" / file).read_text())["spec"]
        properties = kind["versions"][0]["schema"]["openAPIV3Schema"]["properties"]
        for part in ("spec", "status"):
            yield from (path for path, one in fields(properties[part], part) if not one.get("properties"))


@pytest.mark.parametrize("field", sorted(set(documented_fields())))
def test_every_field_is_in_the_reference(field):
    assert f"`{field}`" in REFERENCE


def test_every_field_a_user_sets_has_a_description():
    kind = yaml.safe_load((ROOT / "deploy" / "01-moduledeployment-crd.yaml").read_text())["spec"]
    spec = kind["versions"][0]["schema"]["openAPIV3Schema"]["properties"]["spec"]
    plain = {"spec.template.metadata.labels", "spec.template.metadata.annotations", "spec.template.spec"}
    assert {path for path, one in fields(spec, "spec") if "description" not in one} <= plain


FLAGS = [
    (name, flag)
    for name in ("controller", "base", "pods", "dashboard")
    for parameter in typer.main.get_command(application()).commands[name].params
    for flag in parameter.opts
    if flag != "--help"
]


@pytest.mark.parametrize("command, flag", FLAGS)
def test_every_flag_is_in_the_reference(command, flag):
    section = REFERENCE.partition(f"## `arkwright {command}`")[2].partition("\n## ")[0]
    assert f"`{flag}`" in section


@pytest.mark.parametrize("reason", [*EventReason, *Reason])
def test_every_reason_is_in_the_reference(reason):
    assert f"`{reason}`" in REFERENCE


def test_every_reason_of_a_module_has_a_way_out():
    stuck = (ROOT / "docs" / "stuck.md").read_text()
    assert not [reason for reason in Reason if f"`{reason}`" not in stuck]


def test_every_metric_is_in_the_reference():
    registry = Metrics().registry
    Figures(registry, lambda: datetime(2026, 1, 1, tzinfo=UTC))
    names = {metric.name for metric in registry.collect()}
    assert not [name for name in names if f"`{name}" not in REFERENCE]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page):
    targets = re.findall(r"\]\(([^)#]+)\)", page.read_text())
    assert not [one for one in targets if "://" not in one and not (page.parent / one).exists()]


def test_every_scenario_that_the_semantics_name_exists():
    rooms = ("scenarios", "simulation")
    text = "".join(path.read_text() for room in rooms for path in (ROOT / "tests" / room).glob("test_*.py"))
    named = scenarios_of("semantics.md")
    assert len(named) > 40 and not [name for name in named if f"def {name}(" not in text]


def test_both_languages_have_the_same_rules_and_ways_out():
    assert scenarios_of("semantics.md") == scenarios_of("semantics.zh.md")
    assert causes_of("stuck.md") == causes_of("stuck.zh.md")


def scenarios_of(page):
    return re.findall(r"`(test_\w+)`", (ROOT / "docs" / page).read_text())


def causes_of(page):
    """What stands in code in the first column, row by row."""
    rows = [line for line in (ROOT / "docs" / page).read_text().splitlines() if line.startswith("| ")]
    return [re.findall(r"`([^`]+)`", row.split(" | ")[0]) for row in rows]
