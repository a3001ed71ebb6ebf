# `make run` starts the dashboard, `make test` checks everything. Both first make .venv and install what is pinned.
# Another Python: make run PYTHON=/path/to/python3.12

SHELL := /bin/sh
VENV := .venv
PY := $(VENV)/bin/python
CANDIDATES := $(PYTHON) python3.11 python3.12 python3.13 python3.14 python3 python
NEW_ENOUGH := import sys; sys.exit(sys.version_info < (3, 11))
RUN_STAMP := $(VENV)/.installed-run
DEV_STAMP := $(VENV)/.installed-dev
COVERAGE := test-artefacts/coverage.json
LOADED_BEFORE := ignore:Module already imported:pytest.PytestAssertRewriteWarning

# Quiet in a log, pip's own progress on a terminal.
PIP_INSTALL = $(PY) -m pip install --disable-pip-version-check $$([ -t 2 ] || echo --quiet)

# A .venv whose Python is gone or too old is made again, whatever its stamps say.
ifneq ($(shell $(PY) -c '$(NEW_ENOUGH)' 2>/dev/null && echo works),works)
$(RUN_STAMP): again
endif

.DEFAULT_GOAL := help
.PHONY: help run test check screenshots bench audit-deps clean again

help:
	@echo "make run     install what is needed into .venv and start the dashboard"
	@echo "make test    the same, then all checks: lint, format, types, tests, the journey in a browser"
	@echo "make check   lint, format and types only"
	@echo "make screenshots  renew docs/screenshots, in full colour (needs Chromium)"
	@echo "make bench   measure speed against the notebook's training step"
	@echo "make audit-deps   are installed packages known to be vulnerable? needs the network"
	@echo "make clean   remove .venv, caches and test artefacts; runs and data stay"

run: $(RUN_STAMP)
	$(PY) -m streamlit run dashboard.py

check: $(DEV_STAMP)
	$(PY) -m ruff check .
	$(PY) -m ruff format --check .
	$(PY) -m mypy

# The browser tests are a call of their own: Playwright keeps an event loop in its process.
# slipcover counts lines at next to no cost; it is loaded before pytest, which says so.
test: check
	@mkdir -p test-artefacts
	$(PY) -m slipcover --source cxr_core --json --out $(COVERAGE) -m pytest -W "$(LOADED_BEFORE)" -m "not browser"
	@$(PY) .ci/coverage.py $(COVERAGE)
	$(PY) -m pytest -m browser

# Draws, trains and opens every page in Chromium: some minutes.
screenshots: $(DEV_STAMP)
	$(PY) -m docs.take_screenshots

bench: $(RUN_STAMP)
	$(PY) -m benchmarks

audit-deps: $(DEV_STAMP)
	$(PY) .ci/audit_deps.py

clean:
	rm -rf $(VENV) .mypy_cache .pytest_cache .ruff_cache .hypothesis build test-artefacts *.egg-info
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# A stamp is written last, so an interrupted installation is taken up again the next time.
$(RUN_STAMP): requirements.txt
	@set -e; \
	if ! { $(PY) -c '$(NEW_ENOUGH)' && $(PY) -m pip --version; } >/dev/null 2>&1; then \
	  found=; bare=; \
	  for candidate in $(CANDIDATES); do \
	    "$$candidate" -c '$(NEW_ENOUGH)' >/dev/null 2>&1 || continue; \
	    if "$$candidate" -c 'import ensurepip, venv' >/dev/null 2>&1; then found=$$candidate; break; fi; \
	    bare=$${bare:-$$candidate}; \
	  done; \
	  if [ -z "$$found" ] && [ -n "$$bare" ]; then \
	    version=$$("$$bare" -c 'import sys; print("%d.%d" % sys.version_info[:2])'); \
	    echo "Python $$version is here, but its venv module is not. On Debian or Ubuntu:"; \
	    echo "  sudo apt-get install python$$version-venv"; \
	    exit 1; \
	  fi; \
	  if [ -z "$$found" ]; then \
	    echo "Python 3.11 or newer is needed; found: $$(python3 --version 2>/dev/null || echo none)."; \
	    echo "Install it (Debian or Ubuntu: sudo apt-get install python3 python3-venv; macOS: brew install python@3.13),"; \
	    echo "or name one: make run PYTHON=/path/to/python3"; \
	    exit 1; \
	  fi; \
	  echo "Making $(VENV) with $$("$$found" --version)"; \
	  "$$found" -m venv --clear $(VENV); \
	fi
	@echo "Installing requirements.txt into $(VENV): up to 6 GB on disk, some minutes the first time"
	@$(PIP_INSTALL) -r requirements.txt
	@touch $@

$(DEV_STAMP): $(RUN_STAMP) requirements-dev.txt
	@echo "Installing requirements-dev.txt into $(VENV)"
	@$(PIP_INSTALL) -r requirements-dev.txt
	@touch $@
