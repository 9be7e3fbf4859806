# Everything a developer or CI does; `make help` lists it.

PYTHON ?= $(shell command -v python3.11 || command -v python3)
BIN := .venv/bin
READY := .venv/.ready
TOOLS := .tools/.ready

.DEFAULT_GOAL := help
.PHONY: help setup tools demo run test check openapi openapi-lint lock soak clean

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  %-14s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: $(READY) ## build .venv from the hash-locked requirements

$(READY): requirements/dev.txt requirements/uv.txt
	$(PYTHON) -m venv --clear .venv
	$(BIN)/pip install --quiet --require-hashes -r requirements/uv.txt
	$(BIN)/uv pip sync --quiet --python $(BIN)/python --require-hashes requirements/dev.txt \
	  || $(BIN)/pip install --quiet --require-hashes -r requirements/dev.txt
	@touch $@

tools: $(TOOLS) ## build .tools: programs that judge the project; as root on Debian, packages too

$(TOOLS): $(READY) requirements/tools.txt requirements/debian.txt requirements/debian.sh
	$(BIN)/uv venv --quiet --clear --python $(BIN)/python .tools/venv
	$(BIN)/uv pip sync --quiet --python .tools/venv/bin/python --require-hashes requirements/tools.txt
	sh requirements/debian.sh
	@touch $@

demo: $(READY) ## verify a customer through gateway and sandbox, and show what crosses the wire
	$(BIN)/python -m demo.demo

run: $(READY) ## serve gateway (8080), sandbox (8090) and metrics (9090) until Ctrl-C
	@exec $(BIN)/python -m demo.serve

test: $(READY) check openapi-lint ## everything that must pass: check, then the tests with coverage
	$(BIN)/pytest -n 2 --cov --cov-report=term

check: $(READY) ## formatting, lint, types, import rules
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/codespell
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache

openapi: $(READY) ## write openapi/openapi.yaml from the code
	$(BIN)/flask --app app openapi write --format yaml openapi/openapi.yaml

# Redocly needs npm. Without it the contract is still checked against the specification by a test;
# the linter's own rules are skipped loudly, and under CI=true that is a failure.
openapi-lint: $(READY)
	@if command -v npm >/dev/null; then \
	  npm ci --silent --no-audit --no-fund --prefix openapi \
	  && cd openapi && REDOCLY_TELEMETRY=off node_modules/.bin/redocly lint openapi.yaml; \
	elif [ "$$CI" = true ]; then echo "npm is missing: the contract cannot be linted" >&2; exit 1; \
	else echo "*** SKIPPED: npm is missing, so openapi.yaml was not linted ***" >&2; fi

lock: $(READY) ## pin the requirements anew, with hashes
	$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
	  --group dev pyproject.toml --output-file requirements/dev.txt
	$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
	  --constraint requirements/dev.txt pyproject.toml --output-file requirements/run.txt
	$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
	  --group tools --output-file requirements/tools.txt
	grep -A 99 '^uv==' requirements/dev.txt | awk 'NR > 1 && !/^ /{exit} !/#/{print}' \
	  > requirements/uv.txt

soak: $(READY) ## ten minutes of callers, faults and two gateways on one Redis; SOAK_SECONDS=60 for less
	$(BIN)/python -m benchmarks.soak

clean: ## remove what the other targets made
	rm -rf .venv .tools openapi/node_modules .coverage .hypothesis .mypy_cache .pytest_cache .ruff_cache
