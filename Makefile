# Everything a fresh machine needs is Python >= 3.11 and make.
PYTHON ?= python3
VENV   ?= .venv
NEWEST ?= .venv-newest
AWSCLI ?= .venv-awscli
AWSLOGS ?= .venv-awslogs
FOREIGN ?= .venv-foreign
BIN     = $(VENV)/bin
export PIP_DISABLE_PIP_VERSION_CHECK = 1
# Hundreds of tests start Python, and each worker reads all tests: modules are compiled once.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: demo test test-fast test-newest test-pythons lint install clean screenshots scenes detectors detectors-write corpus docs calm scenarios faults mutants kills logs-complete polling looks logs-speed logs-pane guard-proof chaos nightly test-nightly pyz pyz-test lock audit-deps bench bench-quick journal-speed fuzz fuzz-nightly foreign

install: $(VENV)/.installed

# What is installed is what a lock names, by hash; where an index lacks one of those versions, the ranges count,
# which is said (LOCKED=only forbids it). A wrong hash always fails.
LOCKED_ONLY = $(if $(strip $(LOCKED)),--locked-only)
$(VENV)/.installed: pyproject.toml requirements/dev.txt
	@$(PYTHON) -c 'import sys; sys.exit("lambdatop needs Python 3.11 or newer, this is " + sys.version.split()[0]) if sys.version_info < (3, 11) else None'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python tools/install.py $(LOCKED_ONLY) dev --own demo,dev
	@touch $@

# The emulator pins botocore, which holds aiobotocore at 3.9; the newest allowed one gets an
# environment of its own, where the tests that lean on the SDK run again (the emulator, a separate
# process, is started by the first environment's Python).
$(NEWEST)/.installed: pyproject.toml requirements/newest.txt $(VENV)/.installed
	$(PYTHON) -m venv $(NEWEST)
	$(NEWEST)/bin/python tools/install.py $(LOCKED_ONLY) newest --own dev 'aiobotocore>=3.10,<4'
	@touch $@

# The AWS CLI pins a botocore of its own. Tests run the commands that plans show through its parser.
$(AWSCLI)/.installed: requirements/awscli.txt
	$(PYTHON) -m venv $(AWSCLI)
	$(AWSCLI)/bin/python tools/install.py $(LOCKED_ONLY) awscli 'awscli>=1.46,<2'
	@touch $@

$(AWSLOGS)/.installed: requirements/awslogs.txt
	$(PYTHON) -m venv $(AWSLOGS)
	$(AWSLOGS)/bin/python tools/install.py $(LOCKED_ONLY) awslogs awslogs 'setuptools<81'
	@touch $@

# moto would hold the SDK and the emulator at versions of its own choice.
$(FOREIGN)/.installed: requirements/foreign.txt
	$(PYTHON) -m venv $(FOREIGN)
	$(FOREIGN)/bin/python tools/install.py $(LOCKED_ONLY) foreign 'moto[server]>=5.1,<6'
	@touch $@

demo: $(VENV)/.installed
	$(BIN)/lambdatop demo

test: test-fast test-newest

# Eight workers on two cores: the tests wait for servers and processes more than they compute.
test-fast: $(VENV)/.installed $(AWSCLI)/.installed
	LAMBDATOP_AWS_CLI=$(abspath $(AWSCLI)/bin/aws) $(BIN)/python -m pytest -n 8 --dist loadfile --no-loadscope-reorder

test-newest: $(NEWEST)/.installed
	LAMBDATOP_DEMO_PYTHON=$(abspath $(BIN)/python) $(NEWEST)/bin/python -m pytest -m sdk

# The pure tests on every other Python from 3.11 to 3.14 that this machine has.
test-pythons: $(VENV)/.installed
	$(BIN)/python tools/test_pythons.py $(LOCKED_ONLY)

lint: $(VENV)/.installed
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

clean:
	rm -rf $(VENV) $(NEWEST) $(AWSCLI) $(AWSLOGS) $(FOREIGN) .pytest_cache .mypy_cache .ruff_cache .import_linter_cache dist build

screenshots: $(VENV)/.installed
	$(BIN)/python tests/bench/screenshots.py

# Records each scenario of the demo into tests/scenes (SCENES="loop calm" for some of them).
scenes: $(VENV)/.installed
	PYTHONPATH=tests $(BIN)/python -m bench.record_scenes $(SCENES)

# Precision and recall of the detectors on all labelled scenes; fails below the floors.
detectors: $(VENV)/.installed
	PYTHONPATH=tests $(BIN)/python -m bench.detectors --misses

detectors-write: $(VENV)/.installed
	PYTHONPATH=tests $(BIN)/python -m bench.detectors --write

# The share of the labelled log lines that is read right, by runtime, and those that are not; fails below 97 %.
corpus: $(VENV)/.installed
	PYTHONPATH=tests $(BIN)/python -m bench.log_corpus

docs: $(VENV)/.installed
	$(BIN)/python tools/list_reads.py
	$(BIN)/python tools/write_documents.py

# A quarter of an hour of the quiet scenario: any finding above info fails.
calm: $(VENV)/.installed
	PYTHONPATH=tests $(BIN)/python -m bench.calm_soak

# Plays every scenario of the demo until each finding that its label demands has come, and says when.
scenarios: $(VENV)/.installed
	PYTHONPATH=tests $(BIN)/python -m bench.scenario_times $(SCENES)

# Every mitigation and its undo x every fault, kill -9 at five points and a lost terminal among them; prints the
# matrix, fails when an invariant broke. MITIGATIONS="rollback_alias purge_queue" for some of them.
faults: $(VENV)/.installed
	PYTHONPATH=tests $(BIN)/python -m bench.fault_matrix $(MITIGATIONS)

# Small faults, one at a time, in what must not fail (plans, redaction, guard, executor, journal, fold), and whether
# a test notices: the score of each module, which fails below 95 %. About an hour and a half on two cores.
# MODULES="guard chain.py" for some of it, as tools/mutants.toml names them.
mutants: $(VENV)/.installed
	$(BIN)/python tools/mutants.py $(MODULES)

# A thousand consoles killed with kill -9 at random moments of their mutation traffic.
kills: $(VENV)/.installed
	PYTHONPATH=tests $(BIN)/python -m bench.kill_soak

# A million numbered lines, late and out of order, through Live Tail and polling while both break: none lost
# without a word, none doubled. LINES="100000 500" for so many lines at so many a second.
logs-complete: $(VENV)/.installed
	PYTHONPATH=tests $(BIN)/python -m bench.log_completeness $(LINES)

# What a journal of 100,000 entries costs: start, append, memory, reading all of it.
journal-speed: $(VENV)/.installed
	PYTHONPATH=tests $(BIN)/python -m bench.journal_speed

# Lines per second to stdout, against awslogs and the AWS CLI in the same run (about four minutes).
logs-speed: $(VENV)/.installed $(AWSCLI)/.installed $(AWSLOGS)/.installed
	PYTHONPATH=tests $(BIN)/python -m bench.log_speed --awslogs $(abspath $(AWSLOGS)/bin/awslogs) --aws $(abspath $(AWSCLI)/bin/aws)

# The console in a real terminal with a log of 5,000 lines a second: keys, bytes, CPU, memory.
logs-pane: $(VENV)/.installed
	PYTHONPATH=tests $(BIN)/python -m bench.log_pane_speed

# What metrics cost and how old figures become, for accounts of all sizes; then a day of it at 10,000
# functions through the real source and engine, which fails when a promise is broken. ACCOUNT="50000 15000".
polling looks: $(VENV)/.installed
	PYTHONPATH=tests $(BIN)/python -m bench.polling_cost
	PYTHONPATH=tests $(BIN)/python -m bench.day_of_polling $(ACCOUNT)

# Every operation of every service in use, sent through the read-only session in every way we know, against a
# server that counts; prints what each wall holds alone and fails when anything but a listed read leaves.
guard-proof: $(VENV)/.installed
	PYTHONPATH=tests $(BIN)/python -m bench.guard_proof

# The console in a real terminal behind a proxy that throttles, resets, truncates, lies and expires, for half an
# hour: keys answered, everything well again after one round, nothing leaked. SECONDS=180 for three minutes (from
# the command line only: some shells have a variable of that name).
CHAOS_SECONDS = $(if $(filter command line,$(origin SECONDS)),$(SECONDS),1800)
chaos: $(VENV)/.installed
	PYTHONPATH=tests $(BIN)/python -m bench.chaos_soak --seconds $(CHAOS_SECONDS)

# Made-up keys, log lines, answers of AWS and frames of Live Tail, each for a minute; SECONDS=600 for ten, or
# INPUTS=1000000 for a million of each. Two run at a time. A failing input is saved below build/fuzz.
FUZZERS = $(patsubst tests/fuzz/fuzz_%.py,%,$(wildcard tests/fuzz/fuzz_*.py))
FUZZ_MOST = $(if $(INPUTS),--inputs $(INPUTS),--seconds $(if $(filter command line,$(origin SECONDS)),$(SECONDS),60))
FUZZ_SEED = 0
fuzz: $(VENV)/.installed
	printf '%s\n' $(FUZZERS) | PYTHONPATH=tests xargs -n 1 -P 2 sh -c '$(BIN)/python -m fuzz.run "$$0" $(FUZZ_MOST) --seed $(FUZZ_SEED)'

# A million inputs of each.
fuzz-nightly:
	$(MAKE) fuzz INPUTS=1000000 FUZZ_SEED=$$(date +%Y%m%d)

# The console and every command on servers that others wrote (moto, and the emulator without what the demo mends),
# each shown value beside what boto3 reads there; fails on a difference and on what fails without a word. About a
# quarter of an hour; QUICK=yes is a short form of it (a minute), ONLY="snapshot --json" some commands.
foreign: $(VENV)/.installed $(FOREIGN)/.installed
	PYTHONPATH=tests $(BIN)/python -m foreign.run --moto $(abspath $(FOREIGN)/bin/python) $(if $(QUICK),--quick) $(if $(ONLY),--only "$(ONLY)")

# The suite with all of what it otherwise takes a sample of.
test-nightly:
	LAMBDATOP_NIGHTLY=1 $(MAKE) test-fast

# What is too long for every change.
nightly: test-nightly foreign chaos calm kills guard-proof fuzz-nightly

# One file for a machine without internet: dist/lambdatop.pyz runs with any Python >= 3.11 and nothing else.
pyz: $(VENV)/.installed
	$(BIN)/python tools/build_pyz.py

# The file in an empty environment. Where the index does not offer the locked versions there is nothing to test.
pyz-test: $(VENV)/.installed
	@$(BIN)/python tools/build_pyz.py; code=$$?; \
	if [ $$code -eq 3 ]; then echo "lambdatop.pyz was not built and not tested."; exit 0; fi; \
	if [ $$code -ne 0 ]; then exit $$code; fi; \
	LAMBDATOP_PYZ=$(abspath dist/lambdatop.pyz) $(BIN)/python -m pytest tests/cli/test_pyz.py

# The tools that write and examine the lock files have an environment of their own.
LOCKS = build/locks
COMPILE = $(LOCKS)/bin/pip-compile --quiet --generate-hashes --allow-unsafe --strip-extras --no-header --annotation-style=line --no-emit-index-url --no-emit-find-links --no-emit-trusted-host
$(LOCKS)/.installed: Makefile
	$(PYTHON) -m venv $(LOCKS)
	$(LOCKS)/bin/pip install --quiet 'pip-tools==7.6.2' 'pip-audit==2.10.1'
	@touch $@

# Versions stay as they are where pyproject.toml still allows them; UPGRADE=--upgrade takes the newest.
lock: $(LOCKS)/.installed
	$(COMPILE) $(UPGRADE) --extra demo --extra dev -o requirements/dev.txt pyproject.toml requirements/build.in
	$(COMPILE) $(UPGRADE) -c requirements/dev.txt -o requirements/pyz.txt pyproject.toml
	$(COMPILE) $(UPGRADE) --extra dev -o requirements/newest.txt pyproject.toml requirements/newest.in requirements/build.in
	$(COMPILE) $(UPGRADE) -o requirements/awscli.txt requirements/awscli.in
	$(COMPILE) $(UPGRADE) -o requirements/awslogs.txt requirements/awslogs.in
	$(COMPILE) $(UPGRADE) -o requirements/foreign.txt requirements/foreign.in

# Known vulnerabilities of what is locked; fails when there are any, and when the database does not answer.
audit-deps: $(LOCKS)/.installed
	$(PYTHON) tools/audit_deps.py $(LOCKS)/bin/pip-audit requirements/pyz.txt requirements/dev.txt

# Every benchmark, one after the other, beside what users would pick instead: build/bench.json and build/bench.md
# (about an hour). BENCH="--only round" for some of them; bench-quick shows in a few minutes that all of them run.
bench: $(VENV)/.installed $(AWSCLI)/.installed
	PYTHONPATH=tests $(BIN)/python -m bench.suite --aws $(abspath $(AWSCLI)/bin/aws) $(BENCH)

bench-quick: $(VENV)/.installed $(AWSCLI)/.installed
	PYTHONPATH=tests $(BIN)/python -m bench.suite --quick --aws $(abspath $(AWSCLI)/bin/aws) $(BENCH)
