# Needs Python 3.11 or newer as `python3` (or PYTHON=…), and make. Everything else goes into .venv.
PYTHON ?= python3
BIN := .venv/bin
STAMP := .venv/.installed
# Environments of their own: dlt, which the benchmarks compare with; the generator of the site; what reads the locks
BENCH := .venv-bench/.installed
DOCS := .venv-docs/.installed
AUDIT := .venv-audit/.installed

# Tests start hundreds of processes: without compiled modules each of them would compile all modules again.
export PYTHONDONTWRITEBYTECODE :=

.PHONY: setup demo dev dashboard test test-all mutants bench bench-full lint lock docs sbom audit clean

setup: $(STAMP)

$(STAMP): requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Python 3.11 or newer is needed; say which: make PYTHON=python3.11 …"; exit 1; }
	$(BIN)/python -m pip --version >/dev/null 2>&1 || $(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --require-hashes -r requirements.lock
	$(BIN)/python -m pip install --quiet --no-build-isolation --no-deps -e .
	@touch $(STAMP)

demo: setup ## seven simulated days against the sandbox, into data/demo
	$(BIN)/douyin demo

dev: setup ## the Dagster UI with schedules; against the sandbox unless credentials are set
	$(BIN)/douyin dev

dashboard: setup ## the warehouse in a browser, read-only; the demo's unless DOUYIN_HOME says otherwise
	DOUYIN_HOME=$${DOUYIN_HOME:-data/demo} $(BIN)/douyin dashboard

test: lint ## lint and the fast suite
	$(BIN)/python -m pytest -n 3 --dist loadfile -m "not slow"

test-all: lint ## everything, slow suites included
	$(BIN)/python -m pytest -n 3 --dist loadfile

SAMPLE ?= 300
SEED ?= 1
mutants: setup ## small faults put into the critical modules, one at a time: which of them no test notices; hours
	nice $(BIN)/python tests/mutants.py --sample $(SAMPLE) --seed $(SEED) --modules "$(MODULES)"

bench: setup $(BENCH) ## the short form of all measurements behind docs/performance.md, on an idle machine: about five minutes
	$(BIN)/python -m benchmarks.all

bench-full: setup $(BENCH) ## the long form, which writes docs/performance.md: about 50 minutes
	$(BIN)/python -m benchmarks.all --full

$(BENCH): benchmarks/requirements.lock
$(DOCS): docs/requirements.lock
$(AUDIT): .ci/audit.lock
$(BENCH) $(DOCS) $(AUDIT):
	$(PYTHON) -m venv $(@D)
	$(@D)/bin/python -m pip install --quiet --require-hashes -r $<
	@touch $@

lint: setup ## form, style, imports between packages, types
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/lint-imports
	$(BIN)/mypy

docs: setup $(DOCS) ## regenerate the reference pages, then build the site of both languages into build/site and check its links
	$(BIN)/python -m apps.docs.reference
	$(BIN)/python -m apps.docs.site

sbom: $(AUDIT) ## what is locked, as a CycloneDX bill of materials in build/sbom.json
	@mkdir -p build
	.venv-audit/bin/cyclonedx-py requirements requirements.lock --pyproject pyproject.toml --output-reproducible -o build/sbom.json

audit: $(AUDIT) ## known vulnerabilities of what is locked; needs the network
	$(PYTHON) .ci/audit.py .venv-audit/bin/pip-audit requirements.lock

# Releases younger than this are not locked: most malicious ones are found and removed within days.
COOLDOWN ?= 7 days
COMPILE = uv pip compile --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-strip-extras --exclude-newer "$(COOLDOWN)"
lock: ## renew the locks; needs uv
	$(COMPILE) --group dev pyproject.toml -o requirements.lock
	$(COMPILE) --group bench -o benchmarks/requirements.lock
	$(COMPILE) --group docs -o docs/requirements.lock
	$(COMPILE) --group audit -o .ci/audit.lock

clean:
	rm -rf .venv .venv-bench .venv-docs .venv-audit build data/demo
