# Every target makes what it needs: Python 3.11 (or newer) and make are enough.
#   make demo      a local Nexus, six real trainings, a live table: half a minute, once installed
#   make test      every test
#   make check     lint, types and every test
#   make pictures  take the pictures of the documents (needs Chromium and tmux: make browser)
#   make bench     the benchmarks, by hand
#   make format    format the code

PYTHON ?= python3
VENV := .venv
OFFICIAL := .venv-official
PIP := -m pip --disable-pip-version-check --no-input install --progress-bar off --no-warn-script-location

# What the official client needs to import datature.nexus; it pins far more than that.
OFFICIAL_NEEDS := msgspec requests crc32c dateparser inquirerpy tqdm opencv-python-headless \
	filetype alive-progress colorama

# Debian's packages are installed by root.
SUDO = $(if $(filter 0,$(shell id -u)),,sudo)

.DEFAULT_GOAL := help
.PHONY: help demo test check lint types bench pictures browser format clean

help:
	@sed -n 's/^#   //p' Makefile

demo: $(VENV)/.demo
	@$(VENV)/bin/nexus-async demo

test: $(VENV)/.dev $(OFFICIAL)/.done
	$(VENV)/bin/python -m pytest

check: lint types test

lint: $(VENV)/.dev
	$(VENV)/bin/ruff check
	$(VENV)/bin/ruff format --check

types: $(VENV)/.dev
	$(VENV)/bin/mypy
	$(VENV)/bin/basedpyright --pythonpath $(VENV)/bin/python --project tests/typing

bench: $(VENV)/.dev $(OFFICIAL)/.done
	$(VENV)/bin/python -m benchmarks

pictures: $(VENV)/.dev
	$(VENV)/bin/python tests/dashboard/take_pictures.py

# A real browser and a real terminal, which the pages and the live table are tested in: without them those
# tests are skipped.
browser:
	@{ command -v "$${CHROMIUM:-chromium}" && command -v tmux; } >/dev/null || { $(SUDO) apt-get update -qq && \
		$(SUDO) apt-get install -y -qq --no-install-recommends chromium tmux; }

format: $(VENV)/.dev
	$(VENV)/bin/ruff format
	$(VENV)/bin/ruff check --fix

clean:
	rm -rf $(VENV) $(OFFICIAL)

# A changed pyproject.toml makes the environment anew: what it no longer names must be gone.
$(VENV)/.made: pyproject.toml
	@echo "Making $(VENV) with $$($(PYTHON) --version)"
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
		|| { echo "Python 3.11 or newer is needed: make PYTHON=python3.11 $(MAKECMDGOALS)"; exit 1; }
	@rm -rf $(VENV)
	@$(PYTHON) -m venv $(VENV)
	@touch $@

$(VENV)/.demo: $(VENV)/.made
	@echo "Installing nexus-async with what the demo needs"
	@$(VENV)/bin/python $(PIP) --editable '.[demo]'
	@touch $@

$(VENV)/.dev: $(VENV)/.made
	@echo "Installing nexus-async with what its tests need"
	@$(VENV)/bin/python $(PIP) --editable '.[dev]'
	@touch $@ $(VENV)/.demo

$(OFFICIAL)/.done: Makefile
	@echo "Installing the official client, which the tests compare with, into $(OFFICIAL)"
	@rm -rf $(OFFICIAL)
	@$(PYTHON) -m venv $(OFFICIAL)
	@$(OFFICIAL)/bin/python $(PIP) $(OFFICIAL_NEEDS)
	@$(OFFICIAL)/bin/python $(PIP) --no-deps datature==1.12.2
	@touch $@
