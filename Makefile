# `make try` shows what weigh does; `make test` is every test a change must pass; `make help` lists the rest.
PYTHON ?= $(shell for python in python3 python3.13 python3.12 python3.11; do \
	$$python -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$python && break; done)
VENV := .venv
TRY := .venv-try
BIN := $(VENV)/bin
# An environment stands for what was asked of it: the stamp carries a sum of it, another sum makes it anew.
ASKED := $(shell cat requirements/*.txt pyproject.toml | cksum | cut -d ' ' -f 1)
READY := $(VENV)/.ready-$(ASKED)
TRY_READY := $(TRY)/.ready-$(ASKED)
STACKS := $(basename $(notdir $(wildcard requirements/stacks/*.txt)))
export PIP_DISABLE_PIP_VERSION_CHECK := 1

.PHONY: try test test-all check bench bench-peers golden fuzz help

help:  ## list these commands
	@grep -hE '^[a-z-]+:.*##' Makefile | sed -E 's/^([a-z-]+):.*## /  make \1\t/' | expand -t 18

try: $(TRY_READY)  ## install the core, write a few small model files, weigh them
	@$(TRY)/bin/python tools/make_samples.py try
	@sh tools/try.sh $(TRY)/bin/weigh

test: check  ## every test a change must pass, the reference libraries included
	$(BIN)/python -m pytest -n 2 -q

test-all: test  ## the same, then what takes longer: each heavy library in its own environment, heavy tests, a longer fuzz run
	@for stack in $(STACKS); do sh tools/stack.sh $$stack $(PYTHON) || exit 1; done
	$(BIN)/python -m pytest -q -m heavy
	$(BIN)/python -m pytest -q -m '' tests/serve/test_mirror_clients.py  # with the older clients, which a stack brought
	$(BIN)/python -m fuzz.mutate --rounds 20000 --jobs 2

check: $(READY)  ## the quick command of every hour: format, lint, types, floors
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	MYPYPATH=src $(BIN)/mypy
	$(BIN)/lint-imports --no-cache

bench: $(READY)  ## the peer and us on the same bytes, as ratios
	$(BIN)/python -m bench.start
	$(BIN)/python -m bench.names
	$(BIN)/python -m bench.headers
	$(BIN)/python -m bench.onnx_files
	$(BIN)/python -m bench.hdf5_files
	$(BIN)/python -m bench.folder
	$(BIN)/python -m bench.fit
	$(BIN)/python -m bench.catalog
	$(BIN)/python -m bench.pull --mib 512

bench-peers: $(READY)  ## scanners and fit tools beside us, each in an environment of its own: takes half an hour
	$(BIN)/python -m bench.pickles --peers picklescan,modelscan,fickling,modelaudit
	$(BIN)/python -m bench.scanners
	$(BIN)/python -m bench.fit_peers

golden: $(READY)  ## write golden screens and the lists in docs anew; read the diff before you keep it
	$(BIN)/python -m tools.make_docs
	$(BIN)/python -m pytest -q tests/golden --golden

fuzz: $(READY)  ## mutated files against every reader, in a child process with limits
	$(BIN)/python -m fuzz.mutate --rounds 1000000 --jobs 2

$(READY):
	@test -n "$(PYTHON)" || { echo "weigh wants Python 3.11 or newer: make PYTHON=/path/to/python3.11" >&2; exit 1; }
	rm -rf $(VENV)
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install -q --require-virtualenv -r requirements/test.txt
	$(BIN)/python -m pip install -q --require-virtualenv --no-deps -e .
	touch $@

$(TRY_READY):
	@test -n "$(PYTHON)" || { echo "weigh wants Python 3.11 or newer: make PYTHON=/path/to/python3.11" >&2; exit 1; }
	rm -rf $(TRY)
	$(PYTHON) -m venv $(TRY)
	$(TRY)/bin/python -m pip install -q --require-virtualenv -r requirements/core.txt
	$(TRY)/bin/python -m pip install -q --require-virtualenv --no-deps -e .
	touch $@
