# make setup | demo | serve | test | check | fix | pins
SHELL := /bin/bash
.DEFAULT_GOAL := help
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PORT ?= 7860
SERVE ?= 1
CARD ?= out/astronaut-card.png
# A worker a core, one thread each; the browser's tests run after them, alone.
WORKERS ?= -n logical --maxprocesses 4 --dist loadfile

.PHONY: help setup dev demo serve test e2e lint check fix pins browser clean

help:  ## Show the targets
	@grep -hE '^[a-z]+:.*##' Makefile | sed -E 's/:[^#]*## /\t/' | expand -t 10

setup: $(VENV)/.installed  ## Make .venv with the pinned packages and .venv/bin/whyfake

dev: $(VENV)/.installed-dev  ## The same with what tests and checks need

$(VENV)/.installed: pyproject.toml constraints.txt requirements/no-deps.txt tools/setup.sh
	@PYTHON="$(PYTHON)" bash tools/setup.sh $(VENV) page,full,fit,api
	@touch $@

$(VENV)/.installed-dev: $(VENV)/.installed
	@PYTHON="$(PYTHON)" bash tools/setup.sh $(VENV) page,full,fit,api,dev,train
	@touch $@

demo: setup  ## Analyse an example photo, then open the chat page (SERVE=0: only analyse)
	@$(BIN)/whyfake weights fetch --quiet
	@mkdir -p $(dir $(CARD))
	@$(BIN)/whyfake analyze --example astronaut --card $(CARD)
ifneq ($(SERVE),0)
	@$(BIN)/whyfake serve --port $(PORT)
endif

serve: setup  ## Start the chat page
	@$(BIN)/whyfake weights fetch --quiet
	@$(BIN)/whyfake serve --port $(PORT)

browser:
	@bash tools/browser.sh $(BIN)/python

test: dev browser  ## Run every test, Chromium included, with coverage
	@$(BIN)/whyfake weights fetch --quiet
ifeq ($(strip $(ARGS)),)
	@OMP_NUM_THREADS=1 $(BIN)/python -m pytest --ignore tests/e2e $(WORKERS) --cov --cov-report=
	@$(BIN)/python -m pytest tests/e2e --cov --cov-append --cov-report=
	@$(BIN)/coverage report --fail-under=90
else
	@$(BIN)/python -m pytest $(ARGS)
endif

e2e: dev browser  ## Only the tests that drive the page in Chromium
	@$(BIN)/whyfake weights fetch --quiet
	@$(BIN)/python -m pytest tests/e2e $(ARGS)

lint: dev  ## Format, rules, types, import contracts, spelling, prompts
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy --strict assistant
	$(BIN)/lint-imports
	$(BIN)/codespell
	$(BIN)/whyfake prompts check

check: lint test  ## Everything that must hold before a change lands

fix: dev  ## Format and mend what ruff can mend
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

pins: dev  ## Write constraints.txt anew from what is installed
	@bash tools/pins.sh $(BIN)/python

clean:  ## Remove caches and build outputs, keep .venv
	rm -rf build dist out .mypy_cache .ruff_cache .pytest_cache .coverage .coverage.* htmlcov
