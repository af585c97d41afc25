# One machine, one virtual environment, one command each. `make` alone lists them.

PYTHON ?= python3
PORT ?= 8501
INPUTS ?= 10000
MODELAUDIT ?=

# Some environments, container images above all, tell Python to keep nothing that it compiles: every process would then
# compile the 4,000 modules behind a model anew, some ten seconds of work. Empty is as good as unset.
export PYTHONDONTWRITEBYTECODE :=

VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed

.DEFAULT_GOAL := help
.PHONY: help setup app test check format screenshots fuzz scanners

help:  ## list the commands
	@awk -F ':.*##' '/^[a-z]+:.*##/ { printf "  make %-11s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)
	@echo "  PORT= (of the app, $(PORT)), BEEAR_HOME= (where runs are kept, cache/data) and PYTHON= are honoured."

setup: $(STAMP)  ## create .venv and install what requirements*.txt ask for

# The stamp is younger than the requirements as long as they did not change: setup then does nothing.
$(STAMP): requirements.txt requirements-dev.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
		|| { echo "error: $(PYTHON) is older than Python 3.11; name another with PYTHON=" >&2; exit 1; }
	$(PYTHON) -m venv $(VENV)
	@# --no-compile: of 20,000 modules few are ever imported. Those are compiled now, for whoever starts Python without make.
	$(BIN)/python -m pip install --quiet --no-compile --disable-pip-version-check -r requirements-dev.txt
	$(BIN)/python -c "import beear_core.kinds.remove, transformers.models.llama.modeling_llama, streamlit.web.bootstrap"
	@# The place to fetch models ahead of their first use, as in: $(BIN)/python -m beear_core organism get sft-suffix-2
	@touch $@

app: $(STAMP)  ## worker and pages on http://127.0.0.1:8501, until Ctrl-C
	@exec $(BIN)/python -m beear_core app --port $(PORT)

test: $(STAMP)  ## the test suite, the app in a browser included; that part needs Chromium
	$(BIN)/python -m pytest -n logical --maxprocesses 4 --dist loadfile --no-loadscope-reorder

check: $(STAMP)  ## format, lint, types
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy

format: $(STAMP)  ## let the formatter and the linter put right what they can
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

screenshots: $(STAMP)  ## docs/screenshots, of every page, on the runs of BEEAR_HOME; needs Chromium
	$(BIN)/python -m tests.browser.screenshots

fuzz: $(STAMP)  ## 10,000 hostile inputs for each reader of intake, under 500 MB (INPUTS=)
	$(BIN)/python -m tests.beear_core.intake.fuzz --inputs $(INPUTS)

scanners: $(STAMP)  ## docs/scanners.md: the corpus under this intake, picklescan and modelaudit (MODELAUDIT= its program)
	MODELAUDIT="$(MODELAUDIT)" $(BIN)/python -m tests.beear_core.intake.scanners
