# Needs Python 3.11 or newer as `python3` (or PYTHON=…), and make. Everything else goes into .venv.
PYTHON ?= python3
BIN := .venv/bin
STAMP := .venv/.installed
# dlt, which the benchmarks compare with, in an environment of its own
BENCH := .venv-bench/.installed

# Tests start hundreds of processes: without compiled modules each of them would compile all modules again.
export PYTHONDONTWRITEBYTECODE :=

.PHONY: setup demo dev dashboard test test-all mutants bench bench-full lint lock docs clean

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
	$(PYTHON) -m venv .venv-bench
	.venv-bench/bin/python -m pip install --quiet --require-hashes -r benchmarks/requirements.lock
	@touch $(BENCH)

lint: setup ## form, style, imports between packages, types
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/lint-imports
	$(BIN)/mypy

docs: setup ## regenerate what is generated: the CLI reference and the table reference
	$(BIN)/python -m apps.docs.reference

lock: ## renew requirements.lock; needs uv
	uv pip compile --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-strip-extras --group dev pyproject.toml -o requirements.lock
	uv pip compile --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-strip-extras --group bench -o benchmarks/requirements.lock

clean:
	rm -rf .venv .venv-bench data/demo
