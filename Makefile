# `make run` sets everything up, builds the index from corpus/ and serves http://127.0.0.1:8000; `make test` runs the whole suite.
PYTHON ?= python3
HOST ?= 127.0.0.1
PORT ?= 8000
VENV := .venv
BIN := $(VENV)/bin
export PIP_DISABLE_PIP_VERSION_CHECK := 1

.PHONY: run test lint soak bench bench-quality bench-scale fit fit-ranges fit-cleaning train-reader clean help

help:  ## list the targets
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/'

run: $(VENV)/.installed  ## set up, build the index from corpus/, serve the chat page
	$(BIN)/yuntu rebuild
	$(BIN)/yuntu serve --host $(HOST) --port $(PORT)

test: $(VENV)/.dev  ## set up and run the whole suite (browser tests need Debian's chromium)
ifdef TESTS
	$(BIN)/python -m pytest $(TESTS)
else
	$(BIN)/python -m pytest -n 2 --dist loadfile -m "not alone"
	$(BIN)/python -m pytest -m alone
endif

lint: $(VENV)/.dev  ## ruff and strict types
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

bench: $(VENV)/.dev  ## Yuntu beside txtai, LlamaIndex, Haystack and a plain script (20 minutes; they get their own environment)
	$(BIN)/python -m bench.compare

bench-quality: $(VENV)/.dev  ## retrieval and answer quality on the question sets in ../shared/data
	$(BIN)/python -m bench.quality

bench-scale: $(VENV)/.dev  ## curves from a thousand to a million passages (an hour)
	$(BIN)/python -m bench.scale

soak: $(VENV)/.dev  ## the reliability tests at full length (an hour; figures in docs/reliability.md)
	$(BIN)/python -m pytest --soak -m "not browser" tests/index/test_survival.py tests/index/stores tests/index/test_engines.py tests/fuzz tests/attacks tests/web

fit: $(VENV)/.dev  ## learn rag/weights.json again (see bench/fit.py)
	$(BIN)/python -m pip install --quiet --editable '.[fit]'
	$(BIN)/python -m bench.fit

fit-ranges: $(VENV)/.dev  ## measure again how far the inputs of the 8-bit networks reach (see bench/fit_ranges.py)
	$(BIN)/python -m bench.fit_ranges

fit-cleaning: $(VENV)/.dev  ## learn what surrounds an article again (see bench/fit_cleaning.py)
	$(BIN)/python -m bench.fit_cleaning

train-reader: $(VENV)/.dev  ## train the reader again, and what goes with it (see rag/reader/MODEL_CARD.md)
	$(BIN)/python -m pip install --quiet --editable '.[fit]'
	$(BIN)/python -m bench.train_reader
	$(BIN)/python -m bench.fit_ranges
	$(BIN)/python -m bench.fit_reader

clean:  ## remove what was built; corpus and code stay
	rm -rf $(VENV) var build *.egg-info

# Python's own check comes first: an old one would fail later and less clearly.
$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 10))' || { echo "Python 3.10 or newer is needed: make PYTHON=python3.12 run" >&2; exit 1; }
	$(PYTHON) -m venv $(VENV)

$(VENV)/.installed: pyproject.toml | $(VENV)/bin/python
	$(BIN)/python -m pip install --quiet --editable .
	@touch $@

$(VENV)/.dev: pyproject.toml | $(VENV)/bin/python
	$(BIN)/python -m pip install --quiet --editable '.[dev]'
	@touch $@ $(VENV)/.installed
