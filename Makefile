# Two commands: `make run` and `make test`. Everything else helps those who work on Kulla.
SHELL := /bin/bash
PY := .venv/bin/python
HOME_DIR ?= var/demo
PORT ?= 8000
PEOPLE ?= 5000
COMPILE := .venv/bin/pip-compile -q --generate-hashes --strip-extras --allow-unsafe \
	--no-emit-index-url --no-emit-trusted-host --no-emit-find-links

.PHONY: run ready pins lint format clean help

help:
	@echo "make run            the demo country on http://localhost:$(PORT) (HOME_DIR=, PORT=, PEOPLE=)"
	@echo "make test           every check and every test, on SQLite and on PostgreSQL"
	@echo "make bench [ONLY=]  the figures, one 'name: value' a line"
	@echo "make lint format    ruff, mypy, layers; ruff's formatting"
	@echo "make pins           newer pins of the libraries, with hashes"
	@echo "make clean          forget .venv, built styles and the demo's run files; never a country's home"

run: ready
	@test -e $(HOME_DIR)/home.json || $(PY) -m kulla.cli demo --home $(HOME_DIR) --people $(PEOPLE)
	@exec $(PY) -m kulla.cli up --home $(HOME_DIR) --port $(PORT)

# The stamp is remade when a pin changes, so a pull never runs on yesterday's libraries.
.venv/stamp: requirements/dev.txt pyproject.toml
	@echo "Installing the pinned libraries into .venv …"
	@python3 -m venv .venv || { echo "Python's venv is missing. Install it: apt-get install python3-venv"; exit 2; }
	@.venv/bin/pip install --quiet --disable-pip-version-check --require-hashes -r requirements/dev.txt
	@.venv/bin/pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@

ready: .venv/stamp
	@$(PY) scripts/build_assets.py
	@$(PY) scripts/catalogues.py --compile

pins: .venv/stamp
	$(COMPILE) --upgrade -o requirements/runtime.txt requirements/runtime.in
	$(COMPILE) --upgrade -o requirements/dev.txt requirements/dev.in
	$(COMPILE) --upgrade -o requirements/mirror.txt requirements/mirror.in
	$(COMPILE) --upgrade -o requirements/mirror-s3.txt requirements/mirror-s3.in

lint: .venv/stamp
	.venv/bin/ruff check .
	.venv/bin/ruff format --check .
	.venv/bin/mypy
	.venv/bin/lint-imports

format: .venv/stamp
	.venv/bin/ruff check --fix .
	.venv/bin/ruff format .

clean:
	rm -rf .venv src/kulla/web/static/kulla build dist src/*.egg-info .mypy_cache .ruff_cache

-include make/test.mk
