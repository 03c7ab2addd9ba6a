"""The parts of the architecture that import-linter and ruff cannot see."""

import ast
from pathlib import Path

import pytest

SRC = Path(__file__).parents[2] / "src" / "arkwright"
FILES = sorted(SRC.rglob("*.py"))
PURE = [*SRC.glob("model/*.py"), *SRC.glob("plan/*.py")]
FORBIDDEN_NAMES = {"utils", "helpers", "common", "manager", "handler"}


def name_in_room(path):
    return str(path.relative_to(SRC))


def functions(path):
    return [n for n in ast.walk(ast.parse(path.read_text())) if isinstance(n, ast.FunctionDef | ast.AsyncFunctionDef)]


@pytest.mark.parametrize("path", PURE, ids=name_in_room)
def test_pure_rooms_never_wait(path):
    assert not [f.name for f in functions(path) if isinstance(f, ast.AsyncFunctionDef)]


@pytest.mark.parametrize("path", FILES, ids=name_in_room)
def test_functions_fit_on_a_screen(path):
    assert not [f.name for f in functions(path) if f.end_lineno - f.lineno >= 40]


@pytest.mark.parametrize("path", FILES, ids=name_in_room)
def test_files_fit_in_a_head(path):
    assert len(path.read_text().splitlines()) <= 300


@pytest.mark.parametrize("path", FILES, ids=name_in_room)
def test_files_are_named_after_what_they_hold(path):
    assert path.stem not in FORBIDDEN_NAMES


@pytest.mark.parametrize("path", FILES, ids=name_in_room)
def test_every_file_says_what_it_is_for(path):
    assert ast.get_docstring(ast.parse(path.read_text()))
