# Two commands do everything: `make demo` and `make test`.  README says the same with pip, for Windows.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
# Setting up asks the index alone for what the constraints name, so every machine gets the same versions.
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt
# Installing compiles these, so a changed one means installing again.
CATALOGUES := $(wildcard sdrs_nb/locale/*/LC_MESSAGES/*.po)
# What is quick enough to be run after every change; CONTRIBUTING.md names the rest by folder, and `make check` holds
# the import rules.
FAST := $(addprefix tests/,cloud eligibility intake inventory ledger payloads planning reporting rulebook settings shown \
	widgets test_asked.py test_catalogue.py test_ids.py test_tables.py)
BENCH_FLAGS := $(if $(QUICK),--quick)

.PHONY: demo test test-fast lab bench check docs clean
.DEFAULT_GOAL := demo

demo: $(VENV)/.lab  ## the whole job, headless, on the embedded sandbox cloud
	SDRS_NB_HOME=out/demo/ledger $(BIN)/sdrs-nb runbook run 20_protect_servers --out out/demo -p sandbox true

test: $(VENV)/.dev  ## everything the tests need, browser included, and all of them
	tools/install-browser
	tools/install-axe
	$(BIN)/python -m pytest -n 2 --dist loadgroup

test-fast: $(VENV)/.dev  ## no browser, no kernel, no kills, no long estates: for use while working
	$(BIN)/python -m pytest -n 2 --dist loadgroup -m "not slow" --hypothesis-profile=quick $(FAST)

lab: $(VENV)/.lab  ## JupyterLab on notebooks/ with the sandbox running and the notebooks pointed at it
	$(BIN)/python tools/lab.py

bench: $(VENV)/.dev  ## each figure beside its baseline, as ratios measured in one run
	tools/install-browser
	$(BIN)/python -m benchmarks $(BENCH_FLAGS)

check: $(VENV)/.dev  ## formatter, linter, type checker, import ranks
	$(BIN)/ruff format --check --quiet .
	$(BIN)/ruff check --quiet .
	$(BIN)/mypy
	$(BIN)/python -m pytest --quiet -n 0 tests/test_import_rules.py

docs: $(VENV)/.dev  ## the documentation site, in out/site
	$(BIN)/python tools/docs_pages.py
	NO_MKDOCS_2_WARNING=1 $(BIN)/python -m mkdocs build --strict --quiet

clean:  ## everything these commands made
	rm -rf $(VENV) out dist build

$(BIN)/python:
	$(PYTHON) -m venv $(VENV)

$(VENV)/.lab: pyproject.toml constraints.txt $(CATALOGUES) | $(BIN)/python
	$(PIP) -e '.[lab,runbook]'
	touch $@

$(VENV)/.dev: pyproject.toml constraints.txt $(CATALOGUES) | $(BIN)/python
	$(PIP) -e '.[dev]'
	touch $@ $(VENV)/.lab
