# Two commands: `make run` and `make test`. Everything else helps those who work on Kulla.
SHELL := /bin/bash
PY := .venv/bin/python
HOME_DIR ?= var/demo
PORT ?= 8000
PEOPLE ?= 5000

.PHONY: run test bench pins lint assets catalogues clean

# The stamp is remade when a pin changes, so a pull never runs on yesterday's libraries.
.venv/stamp: requirements/dev.txt pyproject.toml
	@echo "Installing the pinned libraries into .venv …"
	@python3 -m venv .venv
	@.venv/bin/pip install --quiet --disable-pip-version-check --require-hashes -r requirements/dev.txt
	@.venv/bin/pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@

pins:
	.venv/bin/pip-compile -q --upgrade --generate-hashes --strip-extras --allow-unsafe --no-emit-index-url --no-emit-trusted-host --no-emit-find-links -o requirements/runtime.txt requirements/runtime.in
	.venv/bin/pip-compile -q --upgrade --generate-hashes --strip-extras --allow-unsafe --no-emit-index-url --no-emit-trusted-host --no-emit-find-links -o requirements/dev.txt requirements/dev.in
