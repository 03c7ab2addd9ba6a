# SPDX-License-Identifier: Apache-2.0
PYTHON ?= python3
VENV   ?= .venv
BIN    := $(VENV)/bin
export PYTHONDONTWRITEBYTECODE := 1

.DEFAULT_GOAL := help
.PHONY: help install demo demo-kubernetes test test-java soak quick bench bench-agent bench-upgrades bench-shards bench-api bench-blocked bench-dashboard bench-soak chaos check format packages lint types contract control-plane java-parts browser-parts monitoring-parts clean

help: ## list what can be made
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:[^#]*##/\t/' | expand -t 22

$(VENV)/.installed: pyproject.toml constraints.txt
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --require-hashes -r constraints.txt
	$(BIN)/pip install --quiet --no-deps --no-build-isolation -e .
	touch $@

install: $(VENV)/.installed ## the virtual environment, with arkwright and all tools in it

# A cluster of your own, named by KUBECONFIG, is used instead.
control-plane: $(VENV)/.installed ## build the Kubernetes parts for demo and tests, once (needs Go)
	@test -n "$$KUBECONFIG" || $(BIN)/python tests/kubernetes/go_build.py

java-parts: $(VENV)/.installed ## build the Java base for the tests, once (needs Java 17 and Maven)
	$(BIN)/python tests/java/java_build.py

browser-parts: $(VENV)/.installed ## fetch what the tests of the dashboard need, once: Debian's Chromium (as root) and axe-core
	$(BIN)/python tests/web/browser_parts.py

monitoring-parts: $(VENV)/.installed ## fetch what the tests of figures need, once: Debian's Prometheus
	$(BIN)/python tests/monitoring/monitoring_parts.py

demo: $(VENV)/.installed ## the main job, told and checked: online, release under load, offline
	@$(BIN)/python examples/demo.py

demo-kubernetes: control-plane ## the same on a real Kubernetes control plane
	@$(BIN)/python examples/demo.py --kubernetes

test: control-plane java-parts browser-parts monitoring-parts ## all tests
	$(BIN)/pytest -n 2

test-java: java-parts ## what is tested with a real Java base
	$(BIN)/pytest -m java

soak: control-plane ## the controller killed after every single write, and 10,000 seeds of rollouts (some hours)
	$(BIN)/pytest -n 2 tests/scenarios/test_crash.py tests/simulation --every-crash --seeds 10000

quick: $(VENV)/.installed ## the tests that need no Kubernetes, no Java and no browser (some minutes)
	$(BIN)/pytest -n 2 -m 'not kubernetes and not java and not browser' --seeds 20

bench: control-plane ## writes, CPU time and wall time per module, on a real API server
	@$(BIN)/python bench/releases.py

bench-agent: $(VENV)/.installed ## a module's install, memory and requests beside the same application alone
	@$(BIN)/python bench/agent.py

bench-upgrades: $(VENV)/.installed ## requests that fail in 100 upgrades under load, by each upgrade policy (half an hour)
	@$(BIN)/python bench/upgrades.py

bench-shards: $(VENV)/.installed ## one controller with everything beside four that share it: memory, what they read, hand-over
	@$(BIN)/python bench/shards.py

bench-api: control-plane ## the embedded API beside a real one: writes, watches, memory, start
	@$(BIN)/python bench/api.py

bench-blocked: $(VENV)/.installed ## the longest turn of the embedded API's loop, with five thousand Modules
	@$(BIN)/python bench/blocked.py

bench-dashboard: $(VENV)/.installed ## a hundred viewers of the dashboard on ten thousand Modules: pages, changes, memory
	@$(BIN)/python bench/viewers.py

chaos: $(VENV)/.installed ## two hours of one site under load while everything goes wrong at random (root; faketime, nftables)
	@$(BIN)/python bench/chaos --minutes 120

bench-soak: control-plane ## three hours of what a fleet lives through, on a real API server: what grows, what differs
	@$(BIN)/python bench/soak.py

packages: $(VENV)/.installed ## let the kustomization and the Helm chart follow deploy/0*.yaml
	PYTHON=$(CURDIR)/$(BIN)/python scripts/package.sh

lint: $(VENV)/.installed ## ruff: style, complexity, forbidden calls
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .

types: $(VENV)/.installed ## mypy, strict
	$(BIN)/mypy

contract: $(VENV)/.installed ## which room may import which
	$(BIN)/lint-imports

check: lint types contract test ## everything that must be green before a commit

format: $(VENV)/.installed ## let ruff format the code
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

clean: ## remove what this Makefile made (the control plane stays in its cache)
	rm -rf $(VENV) dist .pytest_cache .mypy_cache .ruff_cache .import_linter_cache
