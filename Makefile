# What one does with a checkout. Each sets up what it needs; none needs root.
# Three lanes of tests: `check` while one writes, `test` before a release, `torture` and its like for hours.

PYTHON ?= python3
ARGS ?=
CASES ?=
BIN := .venv/bin
SOURCES := $(wildcard src tests benchmarks scripts tools)

# Tests run in several processes (tests/kit/lanes.py); ARGS="-n0" runs them in one.
PARALLEL := --numprocesses=auto --dist=loadscope
# Of each of these, what needs no program but Python and is not slow: a store that is tested is SQLite then.
QUICK := tests/unit tests/contracts tests/wire $(wildcard tests/test_*.py)

# One processor reads the code while the other installs what tests need, or begins to test.
AT_ONCE := $(MAKE) --no-print-directory --jobs=2

# Tests begin hundreds of processes; each would compile every module anew.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: help setup run check test lint static .deps .static .quick .everything bench format lock receipts torture storm hostile fuzz build sbom

help:  ## show this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "  make %-8s %s\n", $$1, $$2}' Makefile

setup:  ## create .venv from uv.lock (python3 and a package index are enough)
	@$(PYTHON) scripts/bootstrap.py

run: setup  ## server, operator simulator and some traffic; ARGS="--listen 127.0.0.1:9000"
	@exec $(BIN)/esito demo $(ARGS)

check:  ## within a minute, without root or other programs: types, style, unit and contract tests
	@$(AT_ONCE) .static .quick

test:  ## all that guards a release: install what the tests need, run everything; ARGS="-k receipt"
	@$(AT_ONCE) .static .everything

lint: static  ## ruff, mypy and that imports point inwards
	$(BIN)/python -m pytest --quiet tests/test_floors.py

static: .static

.deps:
	@sh scripts/test-deps

.quick: setup
	$(BIN)/python -m pytest --quiet $(PARALLEL) --hypothesis-profile=quick -m "not needs and not slow" $(QUICK) $(ARGS)

.everything: setup .deps
	$(BIN)/python -m pytest $(PARALLEL) $(ARGS)

.static: setup
	$(BIN)/ruff check $(SOURCES)
	$(BIN)/ruff format --check $(SOURCES)
	$(BIN)/mypy $(SOURCES)

bench: setup  ## print the table of ratios; ARGS is passed on
	@sh scripts/test-deps bench
	$(BIN)/python -m benchmarks $(ARGS)

receipts: setup  ## play receipt cases end to end; CASES=FILE plays those of another file
	$(BIN)/python -m tests.receipts $(CASES)

torture: setup  ## kill -9, failing fsync, full disk, stalls, all rounds (minutes; root, for the mounts)
	@sh scripts/test-deps
	ESITO_TORTURE=full $(BIN)/python -m pytest tests/torture $(ARGS)

storm: setup  ## operators that throttle, swallow, refuse and go away, under load, ten minutes; ARGS="--minutes 1"
	$(BIN)/python -m benchmarks.storm $(ARGS)

hostile: setup  ## an account of a million messages and strangers do their worst, five minutes; ARGS="--store sqlite"
	@sh scripts/test-deps
	$(BIN)/python -m benchmarks.hostile $(ARGS)

fuzz: setup  ## octets that break the readers, histories that break a promise; ARGS="histories --count 5000"
	$(BIN)/python scripts/fuzz.py $(ARGS)

build: setup  ## wheel, sdist, their SBOM (CycloneDX) and tested versions in dist/
	@$(PYTHON) scripts/bootstrap.py --build dist

sbom: setup  ## dist/esito.cdx.json: every package an installation holds
	@$(PYTHON) scripts/bootstrap.py --sbom dist/esito.cdx.json

format: setup  ## let ruff set the code
	$(BIN)/ruff check --fix $(SOURCES)
	$(BIN)/ruff format $(SOURCES)

lock:  ## write uv.lock anew from pyproject.toml
	@$(PYTHON) scripts/bootstrap.py --lock
