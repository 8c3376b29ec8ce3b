# The commands of Leadlight, the same for people and for CI. A machine needs Python 3.11 to 3.13, pip and make.
PYTHON ?= python3
JOBS ?= 2
BIN := .venv/bin
BY_FILE := --dist loadfile --no-loadscope-reorder
UV_IN_LOCK := /^uv==/,/[^\\]$$/
SETUPTOOLS_IN_LOCK := /^setuptools==/,/[^\\]$$/

.DEFAULT_GOAL := help
.PHONY: .venv bench check contracts demo docs format help lint lock proofs rest spark test types

help: ## say what can be made
	@awk -F ':.*## ' '/^[.a-z]+:.*## / {printf "  make %-10s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

.venv: .venv/installed ## install Leadlight and its tools from the lock, with uv where it can be had, else with pip

demo: .venv/installed ## from nothing to a promoted model, explained scores and a server (ARGS=--no-serve ends by itself)
	$(BIN)/leadlight demo $(ARGS)

test: .venv/installed ## the quick tests (ARGS="tests/features -x")
	$(BIN)/pytest -n $(JOBS) $(BY_FILE) -m "not notebook and not proof and not spark" $(ARGS)

check: test rest ## everything: the quick tests and the rest

rest: lint types contracts proofs ## what check adds to test

lint: .venv/installed ## format and lint, all rules on
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .

types: .venv/installed ## mypy, strict
	$(BIN)/mypy

contracts: .venv/installed ## who may import whom, and the doors
	$(BIN)/lint-imports --no-logo

proofs: .venv/installed ## the notebooks and the longer proofs
	$(BIN)/pytest -n $(JOBS) $(BY_FILE) -m "notebook or proof" $(ARGS)

spark: .venv/spark ## what runs on Spark: pyspark from a lock of its own, and the tests (needs Java 17 or newer)
	$(BIN)/pytest tests/spark $(ARGS)

docs: .venv/installed ## make the pages that come from code and examples
	PYTHONPATH=. $(BIN)/python docs/make_features.py

format: .venv/installed ## put the code in shape
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

bench: .venv/installed ## the full-size proofs and the speed of this machine, which take hours (one: python -m benchmarks.NAME)
	@set -e; for name in $$(grep -l __main__ benchmarks/*.py | xargs -n 1 basename -s .py); do \
		echo "== $$name"; $(BIN)/python -m "benchmarks.$$name"; done

lock: .venv/installed ## resolve pyproject.toml anew into the two locks (ARGS=--upgrade takes newer releases)
	$(BIN)/uv pip compile --quiet pyproject.toml --extra dev --universal --python-version 3.11 \
		--generate-hashes --no-annotate --no-header --output-file requirements.lock $(ARGS)
	@cp requirements.lock .venv/both.lock # what is locked stays as it is; setuptools builds pyspark, which is no wheel
	echo setuptools | $(BIN)/uv pip compile --quiet pyproject.toml - --extra dev --extra spark --universal --python-version 3.11 \
		--generate-hashes --no-annotate --no-header --output-file .venv/both.lock
	@awk 'NR == FNR {locked[$$1]; next} /^[^ ]/ {added = !($$1 in locked)} added' requirements.lock .venv/both.lock > requirements-spark.lock

# uv stands in the lock with its hashes like all else, but apart from it: without uv, pip installs the same.
.venv/installed: requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' || { \
		echo "Leadlight needs Python 3.11 to 3.13; $(PYTHON) is $$($(PYTHON) --version 2>&1). Name another: make .venv PYTHON=python3.11" >&2; exit 1; }
	$(PYTHON) -m venv .venv
	@sed -n '$(UV_IN_LOCK)p' requirements.lock > .venv/uv.lock
	@sed '$(UV_IN_LOCK)d' requirements.lock > .venv/rest.lock
	@if $(BIN)/pip install --quiet --require-hashes -r .venv/uv.lock; then \
		install="$(BIN)/uv pip install --python $(BIN)/python"; \
	else \
		echo "uv cannot be had here: pip installs instead, in a few minutes"; install="$(BIN)/pip install --quiet"; \
	fi; \
	set -ex; $$install --require-hashes -r .venv/rest.lock; $$install --no-deps --no-build-isolation --editable .
	@touch $@

.venv/spark: requirements-spark.lock .venv/installed
	@sed -n '$(SETUPTOOLS_IN_LOCK)p' requirements-spark.lock > .venv/setuptools.lock
	@install="$(BIN)/pip install --quiet"; [ -x $(BIN)/uv ] && install="$(BIN)/uv pip install --python $(BIN)/python"; \
	set -ex; $$install --require-hashes -r .venv/setuptools.lock; $$install --require-hashes --no-build-isolation -r requirements-spark.lock
	@touch $@
