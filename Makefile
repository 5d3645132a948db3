# `make help` says what there is.

PYTHON ?= python3
STAY ?= 1
VERBOSE ?=

# Our modules are compiled once, not at each of the starts of a stack, also where an image or a runner forbids it.
export PYTHONDONTWRITEBYTECODE :=

VENV := .venv
BIN := $(VENV)/bin
QUIET_PIP := -qq --disable-pip-version-check --no-input
NODE := $(BIN)/python -m deploy.node
LOCAL := $(BIN)/python -m deploy.local
SHOW := $(if $(filter-out 0,$(VERBOSE)),--verbose)

.DEFAULT_GOAL := help
.PHONY: web client browser hostile race voice help demo run stop test lint bench bench-peers contract faults prove-isolation clean lock

help: ## say what there is
	@awk -F ':.*## ' '/^[a-z-]+:.*## /{printf "  make %-15s %s\n", $$1, $$2}' Makefile

demo: $(VENV)/run.stamp ## install, start everything, show it on docs/samples, then serve (STAY=0: end)
	@$(TRY_WEB)
	@exec $(LOCAL) demo $(SHOW) $(if $(filter 0,$(STAY)),--leave)

run: $(VENV)/run.stamp ## start everything and serve until Ctrl-C (VERBOSE=1: show every log line)
	@$(TRY_WEB)
	@exec $(LOCAL) run $(SHOW)

stop: ## end a stack that runs in another terminal, or that was killed
	@test ! -x $(BIN)/python || exec $(LOCAL) stop

test: lint web/dist/.stamp ## lint, types, import rules, unit, integration, acceptance and browser tests
	$(NODE) run --silent test
	$(BIN)/python -m pytest -n 3 --dist loadfile --no-loadscope-reorder tests/integration tests/unit
	$(BIN)/python -m pytest tests/acceptance
	$(TRY_BROWSER)

web: web/dist/.stamp ## build the web application
	@:

client: $(VENV)/dev.stamp web/node_modules/.stamp ## write the web application's types from the OpenAPI document
	$(BIN)/python -m deploy.web_client

browser: $(VENV)/dev.stamp web/dist/.stamp ## try the web application in a real Chromium (5 minutes)
	$(TRY_BROWSER)

# Two at once, as a browser waits for a stack most of the time, and what shares a stack in one of them. The figures that
# tests measure are said at the end.
define TRY_BROWSER
$(BIN)/python -m tests.browser.chromium
$(BIN)/python -m pytest -n 2 --dist loadfile --no-loadscope-reorder tests/browser
endef

lint: $(VENV)/dev.stamp web/node_modules/.stamp ## style, types, import rules, generated files
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python -m deploy.env_example --check
	$(BIN)/python -m deploy.web_client --check
	$(NODE) run --silent check

hostile: $(VENV)/dev.stamp ## send every bad file and recording there is a name for, and real ones (5 minutes)
	AURA_SPOILT_LOCKS=40 $(BIN)/python -m pytest --timeout=900 tests/hostile tests/unit/ingest/test_hostile_offices.py

prove-isolation: $(VENV)/dev.stamp ## drop each row level security policy once and see the tests fail (8 minutes)
	$(BIN)/python -m tests.drop_policies

contract: $(VENV)/dev.stamp ## try every operation of the OpenAPI document with 500 examples (6 minutes)
	AURA_CONTRACT_EXAMPLES=500 $(BIN)/python -m pytest -n 2 --dist loadfile --timeout=3600 tests/integration/contract

race: $(VENV)/dev.stamp ## race 500 uploads against questions: no answer of the cache is ever stale (3 minutes)
	AURA_RACE_ROUNDS=500 $(BIN)/python -m pytest --timeout=900 tests/integration/caching/test_never_stale.py

faults: $(VENV)/dev.stamp ## break whole stacks in every way while they ingest, with 200 documents (15 minutes)
	AURA_FAULT_DOCUMENTS=$${AURA_FAULT_DOCUMENTS:-200} $(BIN)/python -m pytest --timeout=1800 tests/faults

voice: $(VENV)/dev.stamp ## speak into 100 answers, cough into 50, hear every recording (7 minutes)
	AURA_BARGE_INS=100 AURA_EVERY_RECORDING=1 $(BIN)/python -m pytest -s --timeout=900 \
	  tests/integration/barge_in tests/integration/providers/test_times_of_speech.py tests/integration/providers/test_whisper.py

bench: $(VENV)/dev.stamp ## the benchmarks, each with its own table
	@for name in $(basename $(notdir $(shell grep -l __main__ bench/*.py))); do \
	  echo "== $$name"; $(BIN)/python -m bench.$$name || exit 1; done

bench-peers: ## install the peers that the benchmarks of ingestion run beside AURA, into .venv-peers
	@$(PYTHON) -m venv .venv-peers
	@.venv-peers/bin/pip install $(QUIET_PIP) -r bench/peers/requirements.txt

clean: ## delete .venv, caches, and the local database with all documents
	@test ! -x $(BIN)/python || $(LOCAL) clean
	rm -rf $(VENV) .venv-peers .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis answer.wav
	rm -rf web/node_modules web/dist
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

lock: $(VENV)/dev.stamp ## resolve the newest allowed packages into the requirement files
	$(BIN)/uv pip compile pyproject.toml $(LOCKING) -o requirements.txt
	$(BIN)/uv pip compile pyproject.toml $(LOCKING) --extra piper -o requirements-piper.txt
	$(BIN)/uv pip compile pyproject.toml $(LOCKING) --extra piper --group dev -o requirements-dev.txt
	$(BIN)/uv pip compile requirements-node.in $(LOCKING) -o requirements-node.txt
	$(BIN)/python -m deploy.env_example

LOCKING := --universal --python-version 3.11 --generate-hashes --upgrade --quiet --no-header

# Folders as well: one is younger once a file has gone from it.
WEB_SOURCES := $(shell find web -mindepth 1 \( -path web/node_modules -o -path web/dist \) -prune -o -not -name '*.md' -print)

# A stamp is newer than what it was made from: a change of the lock installs again, and only then.
$(VENV)/run.stamp: requirements-piper.txt | $(VENV)/made.stamp
	@echo "Installing; the first time takes a few minutes."
	@$(BIN)/pip install $(QUIET_PIP) --require-hashes -r requirements-piper.txt
	@touch $@

$(VENV)/dev.stamp: requirements-dev.txt | $(VENV)/made.stamp
	@echo "Installing; the first time takes a few minutes."
	@$(BIN)/pip install $(QUIET_PIP) --require-hashes -r requirements-dev.txt
	@touch $@

# The machine's own Node where it is new enough, else one of PyPI. Asked for each time: the machine's may go.
HAVE_NODE = $(NODE) || $(BIN)/pip install $(QUIET_PIP) --require-hashes -r requirements-node.txt

# Who can not build it, without a network for one, has all the rest.
TRY_WEB = $(MAKE) --no-print-directory web || \
  echo "The web application could not be built. Everything else starts without it; \`make web\` tries again."

$(VENV)/node.stamp: requirements-node.txt | $(VENV)/made.stamp
	@$(HAVE_NODE)
	@touch $@

web/node_modules/.stamp: web/package-lock.json web/.npmrc $(VENV)/node.stamp
	@echo "Installing what the web application is built with."
	@$(HAVE_NODE)
	@$(NODE) ci --loglevel=error || { echo "The web application's packages could not be installed; npm says why above." \
	  "It needs the network, once, or a registry that npm is told of. Then run this again."; exit 1; }
	@touch $@

web/dist/.stamp: $(WEB_SOURCES) web/node_modules/.stamp
	@echo "Building the web application."
	@$(HAVE_NODE)
	@$(NODE) run --silent build
	@touch $@

$(VENV)/made.stamp:
	@$(PYTHON) -c 'import sys; ok = (3, 11) <= sys.version_info[:2] <= (3, 13); \
	  ok or sys.exit("AURA needs Python 3.11, 3.12 or 3.13; $(PYTHON) is %d.%d. Try: make PYTHON=python3.12 …" % sys.version_info[:2])'
	@$(PYTHON) -m venv $(VENV) || { echo "Python's venv module is missing; on Debian and Ubuntu: apt install python3-venv"; exit 1; }
	@touch $@
