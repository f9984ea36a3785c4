# `make try` shows what weigh does; `make test` is every test a change must pass; `make help` lists the rest.
PYTHON ?= python3
VENV := .venv
TRY := .venv-try
BIN := $(VENV)/bin
export PIP_DISABLE_PIP_VERSION_CHECK := 1

.PHONY: try test test-all check bench golden fuzz help

help:  ## list these commands
	@grep -hE '^[a-z-]+:.*##' Makefile | sed -E 's/^([a-z-]+):.*## /  make \1\t/' | expand -t 18

try: $(TRY)/.installed  ## install the core, write a few small model files, weigh them
	@$(TRY)/bin/python tools/make_samples.py try
	@sh tools/try.sh $(TRY)/bin/weigh

test: check  ## every test a change must pass, the reference libraries included
	$(BIN)/python -m pytest -n 2 -q

test-all: $(VENV)/.installed  ## what takes longer: heavy tests, a longer fuzz run
	$(BIN)/python -m pytest -q -m heavy
	$(BIN)/python -m fuzz.mutate --rounds 3000

check: $(VENV)/.installed  ## the quick command of every hour: format, lint, types, floors
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	MYPYPATH=src $(BIN)/mypy
	$(BIN)/lint-imports --no-cache

bench: $(VENV)/.installed  ## the peer and us on the same bytes, as ratios
	$(BIN)/python -m bench.start
	$(BIN)/python -m bench.headers

golden: $(VENV)/.installed  ## write the golden screens anew; read the diff before you keep it
	$(BIN)/python -m pytest -q tests/golden --golden

fuzz: $(VENV)/.installed  ## mutated files against every reader, in a child process with limits
	$(BIN)/python -m fuzz.mutate --rounds 100000

$(VENV)/.installed: requirements/test.txt requirements/core.txt pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install -q --require-virtualenv -r requirements/test.txt
	$(BIN)/python -m pip install -q --no-deps -e .
	touch $@

$(TRY)/.installed: requirements/core.txt pyproject.toml
	$(PYTHON) -m venv $(TRY)
	$(TRY)/bin/python -m pip install -q --require-virtualenv -r requirements/core.txt
	$(TRY)/bin/python -m pip install -q --no-deps -e .
	touch $@
