# Everything a person or CI does here. `make` alone lists it. Needs make and Python >= 3.11 with venv and pip.

VENV := .venv
PY := $(VENV)/bin/python
STAMP := $(VENV)/.installed
PYTHONS := $(PYTHON) python3 python3.11 python3.12 python3.13
PG15 :=  # --required: fail where PostgreSQL 15 is not installed
# Hundreds of programs are started here: none is to compile all that it imports anew.
export PYTHONDONTWRITEBYTECODE :=
NEW_ENOUGH := -c 'import sys; sys.exit(sys.version_info < (3, 11))'

PROCESSES := 3
SECONDS := 60
SEED := 1

.DEFAULT_GOAL := help
.NOTPARALLEL:
.PHONY: help setup lock serve demo test test-pg15 chaos check lint types layers docs spelling wheel import-time bench bench-quick clean

help: ## List what can be done
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup: $(STAMP) ## Make .venv with everything; instant when nothing has changed

$(STAMP): pyproject.toml requirements.lock
	@set -e; \
	found=; for candidate in $(PYTHONS); do \
	  if $$candidate $(NEW_ENOUGH) 2>/dev/null; then found=$$candidate; break; fi; \
	done; \
	if [ -z "$$found" ]; then \
	  echo "Novel Tasks needs Python 3.11 or newer; none of these is: $(PYTHONS)." >&2; \
	  echo "Install one, or name it: make setup PYTHON=/path/to/python3.11" >&2; exit 1; \
	fi; \
	if ! $(PY) $(NEW_ENOUGH) 2>/dev/null; then \
	  $$found -m venv --clear $(VENV) || { \
	    echo "$$found cannot make a virtual environment: install its venv package (Debian: python3-venv)." >&2; exit 1; }; \
	fi
	@$(PY) -m pip install --quiet --disable-pip-version-check --upgrade 'pip>=25.1'
	@echo "Installing into $(VENV) ..." >&2
	@$(PY) -m pip install --quiet --disable-pip-version-check --constraint requirements.lock --editable '.[all]' --group dev
	@touch $@

serve: setup ## Serve on http://127.0.0.1:8000 with an embedded database
	@exec $(VENV)/bin/novel-tasks serve

demo: setup ## Process the bundled tales on a throwaway server, live
	@exec $(PY) -m benchmarks.demo

test: setup ## Run all tests, in PROCESSES=3 processes
	$(PY) -m pytest -n $(PROCESSES) --durations 15

test-pg15: setup ## Run the tests that touch SQL on PostgreSQL 15, where it is installed
	$(PY) tests/checks/postgres15.py $(PG15)

chaos: setup ## Break everything for SECONDS=60 by the plan of SEED=1, judge what is left, and show it without the fence
	$(PY) -m tests.acceptance.chaos --seconds $(SECONDS) --seed $(SEED) --beside 15

check: lint types layers docs spelling import-time test test-pg15 wheel bench-quick ## Run everything that CI runs
	@echo "All checks passed."

bench: setup ## Run every benchmark in full, but peers, which installs packages
	$(PY) -m benchmarks

bench-quick: setup ## Run the benchmarks that guard against regressions
	$(PY) -m benchmarks pipeline processing quality engine submit bulk latency snapshot wal memory upload api fanout --quick --json .bench.json --gate

lint: setup ## Lint, and check the formatting
	$(VENV)/bin/ruff check .
	$(VENV)/bin/ruff format --check .

types: setup ## Check the types of code, tests and benchmarks
	$(VENV)/bin/mypy

layers: setup ## Check who imports whom
	$(VENV)/bin/lint-imports

docs: setup ## Check that every public name is documented
	$(VENV)/bin/interrogate --quiet novel_tasks_core novel_tasks_server

spelling: setup ## Check the spelling
	$(VENV)/bin/codespell

wheel: setup ## Build the wheel and try it in an environment of its own
	$(PY) tests/checks/wheel.py

import-time: setup ## Check that the core imports quickly and alone
	$(PY) tests/checks/import_time.py

lock: ## Renew requirements.lock from the newest versions that fit
	@rm -rf $(VENV)-lock && $(PY) -m venv $(VENV)-lock
	@$(VENV)-lock/bin/python -m pip install --quiet --upgrade 'pip>=25.1'
	@$(VENV)-lock/bin/python -m pip install --quiet '.[all]' --group dev
	@{ head -n 1 requirements.lock; $(VENV)-lock/bin/python -m pip freeze --exclude novel-tasks; } > requirements.lock.new
	@mv requirements.lock.new requirements.lock && rm -rf $(VENV)-lock

clean: ## Remove what the tools leave behind; keeps .venv and novel-tasks-data
	rm -rf build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache .bench.json
	find novel_tasks_core novel_tasks_server tests benchmarks -name __pycache__ -type d -exec rm -rf {} +
