# SPDX-License-Identifier: Apache-2.0
PYTHON ?= python3
VENV   ?= .venv
BIN    := $(VENV)/bin
export PYTHONDONTWRITEBYTECODE := 1

.DEFAULT_GOAL := help
.PHONY: help install test check format lint types contract clean

help: ## list what can be made
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:[^#]*##/\t/' | expand -t 22

$(VENV)/.installed: pyproject.toml constraints.txt
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet -c constraints.txt -e '.[dev]'
	touch $@

install: $(VENV)/.installed ## the virtual environment, with arkwright and all tools in it

test: $(VENV)/.installed ## all tests; makes its own virtual environment
	$(BIN)/pytest

lint: $(VENV)/.installed ## ruff: style, complexity, forbidden calls
	$(BIN)/ruff format --check src tests
	$(BIN)/ruff check src tests

types: $(VENV)/.installed ## mypy, strict
	$(BIN)/mypy

contract: $(VENV)/.installed ## which room may import which
	$(BIN)/lint-imports

check: lint types contract test ## everything that must be green before a commit

format: $(VENV)/.installed ## let ruff format the code
	$(BIN)/ruff format src tests
	$(BIN)/ruff check --fix src tests

clean: ## remove what this Makefile made
	rm -rf $(VENV) dist .pytest_cache .mypy_cache .ruff_cache
