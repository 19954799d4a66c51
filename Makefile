# Everything runs in .venv; a target installs only what is not there yet.
# Choose another interpreter with: make PYTHON=/path/to/python3.12 demo

PYTHON ?= $(shell for p in python3 python3.12 python3.11; do \
	$$p -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 12))' \
	>/dev/null 2>&1 && { echo $$p; break; }; done)
BIN := .venv/bin
# Not compiled: of some 18,000 files few are ever imported, and Python compiles those as it does so.
PIP := $(BIN)/pip install -q --disable-pip-version-check --no-compile
PLUGINS := $(wildcard plugins/*/pyproject.toml)
EDITABLE = -e .$(if $(1),[$(1)]) $(foreach plugin,$(PLUGINS),-e $(dir $(plugin)))
DEMO := runs/demo-$(shell date +%Y%m%d-%H%M%S)

.PHONY: help demo install test sweep check studies bench docs docs-reference clean
help:
	@echo "make demo     install, then train, measure and publish on real digits"
	@echo "make test     install, then run the tests"
	@echo "make sweep    the tests that take long: kills and full disks at every place"
	@echo "make check    format, lint, types and tests"
	@echo "make studies  the five reports' studies, whole, on made-up images"
	@echo "make bench    the start-up benchmark (see docs/benchmarks.md for the others)"
	@echo "make docs     the documentation as a site, into site/; a broken link ends it"
	@echo "make docs-reference   the reference pages, again from the code"
	@echo "make clean    remove .venv and what builds left; runs/ and registry/ stay"

demo: .venv/installed
	$(BIN)/zoo train recipes/digits.toml --run $(DEMO)
	$(BIN)/zoo eval $(DEMO) --split test
	$(BIN)/zoo publish $(DEMO) --name digits-simple-cnn

install: .venv/installed

# A file's tests stay together: they share what it takes long to make.
PYTEST := $(BIN)/python -m pytest -n auto --maxprocesses 8 --dist loadfile

test: .venv/installed-test
	$(PYTEST)

sweep: .venv/installed-test .venv/installed-ray .venv/installed-slurm
	$(BIN)/python -m pytest -m slow

check: .venv/installed-check .venv/installed-test
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(PYTEST)

REPORTS := kvasir-instrument chest-xray mnist-simple-cnn pathmnist skin-lesions

studies: .venv/installed
	$(BIN)/python studies/smoke_data.py
	@for name in $(REPORTS); do \
		$(BIN)/zoo study studies/$$name/study.toml --profile smoke --workers 2 || exit 1; done

bench: .venv/installed
	$(BIN)/python benchmarks/startup.py

docs: .venv/installed-docs
	$(BIN)/zensical build --strict --clean

docs-reference: .venv/installed
	$(BIN)/python docs/generate

clean:
	rm -rf .venv site .cache .pytest_cache .mypy_cache .ruff_cache build dist *.egg-info plugins/*/*.egg-info
	find zoo cli plugins tests benchmarks -name __pycache__ -type d -prune -exec rm -rf {} +

.venv/bin/pip:
	@test -n "$(PYTHON)" || { echo "zoo needs Python 3.11 or 3.12; name one: make PYTHON=/path/to/python3.12" >&2; exit 1; }
	$(PYTHON) -m venv .venv

.venv/installed: pyproject.toml $(PLUGINS) | .venv/bin/pip
	@echo "installing zoo and its plugins into .venv"
	@$(PIP) $(call EDITABLE,)
	@touch $@

.venv/installed-%: .venv/installed
	@echo "installing what \"make $*\" needs into .venv"
	@$(PIP) $(call EDITABLE,$*)
	@touch $@
