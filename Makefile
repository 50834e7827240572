# One name for each thing a developer does; CI calls the same names.
SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.NOTPARALLEL:

PYTHON ?= python3
LAB_FLAGS ?=
VENV := .venv
BIN := $(VENV)/bin
UV := $(if $(shell command -v uv),uv,$(BIN)/uv)
# A name on the path may stand for no interpreter, as those of pyenv do: it is tried.
NEWEST ?= $(shell for name in python3.13 "$$HOME"/.pyenv/versions/3.13*/bin/python python3.12 \
  "$$HOME"/.pyenv/versions/3.12*/bin/python; do \
  if "$$name" -c "" 2> /dev/null; then echo "$$name"; break; fi; done)
USER_READY := $(VENV)/.ready
DEV_READY := $(VENV)/.ready-dev

ifneq ($(shell command -v uv),)
CREATE := uv venv --python "$(PYTHON)" $(VENV)
INSTALL := uv pip install --python $(BIN)/python
else
CREATE := $(PYTHON) -m venv $(VENV)
INSTALL := $(BIN)/python -m pip install
endif

# A process for each core, with one thread: torch's threads would only wait for each other.  Files
# are handed out in the order that tests/conftest.py makes.
PYTEST := OMP_NUM_THREADS=1 $(BIN)/pytest -n auto --dist loadfile --no-loadscope-reorder

.PHONY: help demo test quick campaign lowest supply bench docs lab lint format picture clean

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-9s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

demo: $(USER_READY) ## execute the tutorial; shows where its pages and results lie
	$(BIN)/hcat demo --out output/demo

test: lint ## all tests, as CI runs them
	if command -v node > /dev/null && [ -d widgets/node_modules ]; then \
	  npm --prefix widgets test; \
	else \
	  echo "widgets: JavaScript tests left out (no node_modules; widgets/README.md says how)"; \
	fi
	$(PYTEST) --nbval-lax --nbval-current-env

quick: lint ## all but the slow tests: no browser, kernel, second process or long training
	$(PYTEST) -m "not slow"

campaign: $(DEV_READY) ## attack what is promised, count what is lost (hours; goes on where it was)
	OMP_NUM_THREADS=1 $(BIN)/python -m tests.campaign

lowest: ## the quick tests with the lowest versions that pyproject.toml allows (needs uv)
	uv venv --allow-existing .venv-lowest
	uv pip install --python .venv-lowest/bin/python --resolution lowest-direct --editable . \
	  "pytest>=8.3" "pytest-xdist>=3.6" "nbval>=0.11"
	OMP_NUM_THREADS=1 .venv-lowest/bin/python -m pytest -m "not slow" tests/models tests/training \
	  tests/observation tests/charts tests/data tests/runs tests/contract/test_methods.py
	.venv-lowest/bin/python -m hcat_nb demo --out output/demo

# In an environment of its own, which goes again; $(1): its Python, $(2): what uv is told.
define short_run
	$(UV) venv --quiet --clear --python $(1) .venv-supply
	$(UV) pip install --quiet --python .venv-supply/bin/python $(2) --editable . "pytest>=8.3"
	.venv-supply/bin/python tests/architecture/imports.py
	OMP_NUM_THREADS=1 .venv-supply/bin/python -m pytest -q -p no:cacheprovider -m "not slow" \
	  tests/runs/store/test_saving.py tests/audits/test_store.py
	.venv-supply/bin/hcat audit wine --epochs 2 --methods aum el2n --out .venv-supply/audit
	rm -rf .venv-supply
endef

supply: $(DEV_READY) ## a short run with the lowest versions allowed, and on the newest Python here
	command -v $(UV) > /dev/null || $(BIN)/python -m pip install --quiet uv
	$(call short_run,$(BIN)/python,--resolution lowest-direct)
ifneq ($(NEWEST),)
	$(call short_run,$(NEWEST),)
else
	@echo "supply: no Python 3.13 or 3.12 was found here: only the lowest versions were tried"
endif

bench: $(DEV_READY) ## measure speed and memory beside the plain training loop (50 minutes)
	$(BIN)/python tests/benchmarks/speed.py

docs: $(DEV_READY) ## build the documentation into output/docs, offline; a warning is an error
	$(INSTALL) --group docs
	$(BIN)/python -m sphinx -b html -W --keep-going -q notebooks/docs output/docs

lab: $(USER_READY) ## open JupyterLab on notebooks/
	$(BIN)/jupyter lab $(LAB_FLAGS) notebooks

lint: $(DEV_READY) ## style, types, and that imports point downward
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

format: $(DEV_READY) ## mend the style, strip the notebooks
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .
	$(BIN)/nbstripout notebooks/*.ipynb

picture: demo ## make the pictures of README and documentation again, from real runs
	cp output/demo/data_map.png notebooks/data_map.png
	$(BIN)/python tests/benchmarks/pictures.py # in Chromium

clean: ## remove what runs, builds and tools wrote (.venv stays)
	rm -rf output notebooks/docs/made dist build .mypy_cache .ruff_cache .pytest_cache .hypothesis
	rm -rf .import_linter_cache
	find hcat_nb tests -name __pycache__ -type d -prune -exec rm -rf {} +

# An environment made by hand serves as well; the stamps tell when pyproject.toml changed.
$(BIN)/python:
	$(CREATE)

$(USER_READY): pyproject.toml | $(BIN)/python
ifeq ($(shell command -v uv),)
	$(BIN)/python -m pip --version > /dev/null 2>&1 || $(BIN)/python -m ensurepip
	$(INSTALL) --upgrade "pip>=25.1" # the first that reads dependency groups
endif
	$(INSTALL) --editable .
	touch $@

$(DEV_READY): $(USER_READY)
	$(INSTALL) --group dev
	touch $@
