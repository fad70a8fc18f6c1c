# flowmill: every command of the project. `make help` lists them.
.DEFAULT_GOAL := help
SHELL := bash
.SHELLFLAGS := -eu -o pipefail -c

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
# The environment is ready when this file is newer than what it was made from.
READY := $(VENV)/.ready
# Without a service: mails and messages go to a folder, Prefect is embedded and keeps its data here.
DEMO_HOME := $(CURDIR)/.cache/prefect
TOOLS_IMAGE := flowmill-demo/tools:latest

.PHONY: help
help: ## list the commands
	@grep -E '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sort | awk -F ':.*## ' '{printf "  make %-13s %s\n", $$1, $$2}'

$(READY): pyproject.toml requirements.txt
	@$(PYTHON) -c 'import sys; sys.exit("flowmill needs Python 3.11 or later") if sys.version_info < (3, 11) else None'
	@echo "setting up $(VENV): about a minute"
	@$(PYTHON) -m venv --clear $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --require-hashes -r requirements.txt
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@$(BIN)/python -m pip check --quiet --disable-pip-version-check
	@touch $@

.PHONY: setup
setup: $(READY) ## install everything into .venv

.PHONY: demo
demo: $(READY) ## prove the example specs and run them; no service is needed
	@PREFECT_HOME=$(DEMO_HOME) TOOLS_IMAGE=$(TOOLS_IMAGE) PATH="$(CURDIR)/$(BIN):$$PATH" bash docs/demo.sh

.PHONY: cluster
cluster: $(READY) ## bring up a Prefect server, a repository, four workers, mail and Slack, to look at
	@$(BIN)/python docs/cluster.py up

.PHONY: cluster-down
cluster-down: $(READY) ## take all of that down again
	@$(BIN)/python docs/cluster.py down

# Tests wait for servers more than they compute: three processes keep two cores busy.
TEST := $(BIN)/python -m pytest -n 3 --dist loadfile --no-loadscope-reorder

.PHONY: test
test: $(READY) ## run every test; the Docker ones need a running engine
	@$(TEST)

.PHONY: again
again: $(READY) ## run only the tests that failed the last time, one after the other
	@$(BIN)/python -m pytest --verbose --exitfirst --last-failed --last-failed-no-failures none

.PHONY: coverage
coverage: $(READY) ## the same, and which lines ran: it takes almost twice as long
	@$(TEST) --cov --cov-report=term

.PHONY: check
check: $(READY) ## lint, formatting, types; the schemas, the specs that ship and their tests
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/flowmill schema --check
	@$(BIN)/flowmill validate --strict
	@$(BIN)/flowmill test

.PHONY: validate
validate: $(READY) ## prove the specs of this workspace
	@$(BIN)/flowmill validate $(ARGS)

.PHONY: run
run: $(READY) ## run one flow: make run SPEC=specs/reports/monthly.yaml
	@$(BIN)/flowmill run $(or $(SPEC),$(error name a spec: make run SPEC=specs/reports/monthly.yaml)) $(ARGS)

.PHONY: register
register: $(READY) ## register an environment on the server of PREFECT_API_URL: make register ENV=staging
	@$(BIN)/flowmill register --env $(or $(ENV),$(error name an environment: make register ENV=staging)) $(ARGS)

.PHONY: schema
schema: $(READY) ## write the JSON Schemas
	@$(BIN)/flowmill schema

.PHONY: golden
golden: $(READY) ## rewrite the expected outputs of the golden cases; review the difference
	@REWRITE_GOLDEN=1 $(BIN)/python -m pytest tests/validating/test_golden.py tests/fixing/test_golden.py

.PHONY: docs
docs: $(READY) ## write every generated part of the documentation again
	@$(BIN)/python docs/generate_codes.py
	@$(BIN)/python docs/regenerate.py

.PHONY: bench
bench: $(READY) ## measure the promises about speed
	@$(BIN)/python bench/start_of_a_run.py
	@$(BIN)/python bench/commits_of_flows.py
	@$(BIN)/python bench/register.py
	@$(BIN)/python bench/lint.py

.PHONY: lock
lock: $(READY) ## choose the versions of requirements.txt anew; it names no index
	@$(PYTHON) -m venv .cache/lock && .cache/lock/bin/python -m pip install --quiet 'pip-tools>=7.5,<8'
	@.cache/lock/bin/pip-compile --quiet --upgrade --generate-hashes --allow-unsafe --no-strip-extras \
	  --no-emit-index-url --no-emit-trusted-host --no-emit-find-links --no-emit-options --no-header --no-annotate \
	  --extra dev --build-deps-for editable --output-file requirements.txt pyproject.toml
