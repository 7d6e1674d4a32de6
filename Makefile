# `make help` lists the targets.
PY := .venv/bin/python
TESTS ?= tests
# These pages are made by runs.
MARKDOWN := git ls-files '*.md' ':!docs/attacks.md' ':!docs/runtimes.md' ':!docs/incidents.md' ':!docs/packages.md'

.DEFAULT_GOAL := help

# In the order of `make help`.
DAILY := build demo test lint format attacks test-unguarded bench clean
LISTED := grep -E '^[a-z-]+:.*\#\# ' Makefile | sed 's/:.*\#\# /\t/' | expand -t 18

help: ## this list
	@echo 'Daily:'
	@for target in $(DAILY); do $(LISTED) | grep "^$$target "; done
	@echo && echo 'Slow, or for a release:'
	@$(LISTED) | grep -vE "^($$(echo $(DAILY) help | tr ' ' '|')) "

.DEFAULT:
	@echo "make: there is no target '$@'; make help lists them" >&2; exit 2

# What the tests need besides what the build needs.
environment:
	@./build.sh --test

build: ## the layers in dist/, and the environment in .venv
	@./build.sh

release-tools:
	@test build/release-tools/.made -nt release/requirements.lock || { rm -rf build/release-tools && \
	  .venv/bin/python -m venv build/release-tools && build/release-tools/bin/python -m pip install --quiet \
	  --disable-pip-version-check --require-hashes --requirement release/requirements.lock && touch build/release-tools/.made; }

bounds: environment release-tools ## fshield under the oldest and newest packages that it permits
	@$(PY) release/bounds.py

endpoints: environment ## freeze AWS's host names; DAY: the day of botocore's release
	@PYTHONPATH=. $(PY) release/freeze_endpoints.py $(DAY)

release-check: environment ## the slow tests of a release
	@RELEASE_CHECK=1 $(PY) -m pytest -q --basetemp=build/pytest tests/release

site: environment release-tools ## the docs site, strict, in build/site
	@PYTHONPATH=. $(PY) release/docs_site.py

release: build ## all that is published, in dist/release; RELEASE_KEY signs
	@RELEASE_KEY=$(RELEASE_KEY) PYTHONPATH=. $(PY) release/make.py

wheels: build ## fshield for Linux and macOS, in dist/
	@$(PY) layer/wheel.py

demo: ## a hostile dependency, without the guard and with it
	@./build.sh --demo
	@$(PY) -m fshield.local.demo

test: environment ## every test, in three lanes; TESTS=tests/FOLDER for one folder
	@$(PY) -m tests.lanes.run $(TESTS)

test-unguarded: environment ## the attacks without the guard: all must work
	@$(PY) tests/unguarded.py

attacks: environment ## every attack, three ways; writes docs/attacks.md
	@$(PY) tests/attacks/run.py
	@$(PY) -m tests.replica.attacks

incidents: environment ## replay malicious releases; writes docs/incidents.md
	@$(PY) -m tests.incidents.run

census: environment ## every function of libc has a door, or a reason for none
	@tests/census/fetch.sh
	@$(PY) tests/census/run.py
	@$(PY) tests/census/completeness.py

transparency: environment ## CPython's own tests, bare and guarded (an hour)
	@$(PY) tests/transparency/run.py
	@$(PY) tests/transparency/run.py --sample --policy tests/transparency/strict.yaml --one-process

runtimes: environment ## every runtime of Lambda; writes docs/runtimes.md
	@tests/runtimes/fetch.sh
	@$(PY) -m tests.runtimes.table

fleet: environment ## the fleet commands on FLEET_FUNCTIONS (1000), in nine places
	@FLEET_FUNCTIONS=$${FLEET_FUNCTIONS:-1000} $(PY) -m pytest -q --basetemp=build/pytest-fleet tests/fleet/test_nine_places.py

fuzz: environment ## fuzz the parsers for FUZZ_SECONDS (60)
	@$(PY) tests/fuzz/run.py

oracles: environment ## compare with other parsers, ORACLE_CASES (20000) each
	@ORACLE_CASES=$${ORACLE_CASES:-20000} $(PY) -m pytest -q --basetemp=build/pytest tests/oracles

roads: environment ## every way out, with all interpreters here (half an hour)
	@FSHIELD_ROADS=all $(PY) -m pytest -q --basetemp=build/pytest-roads tests/egress/test_roads.py

soak: environment ## many threads at every door: ten minutes each
	@$(PY) tests/soak/soak.py --seconds 600
	@$(PY) tests/soak/lookups.py --seconds 600
	@$(PY) tests/soak/soak.py --seconds 60 --undefined
	@$(PY) tests/soak/soak.py --seconds 60 --address

races: environment ## rewrite arguments while doors run, RACE_SECONDS (5) each
	@$(PY) tests/races/races.py --seconds $(or $(RACE_SECONDS),5)

bench: environment ## what the guard costs, against the budgets
	@$(PY) bench/run.py

honest: environment ## twelve honest functions, learnt and enforced
	@$(PY) examples/honest/run.py --write docs/honest.md

packages: environment ## the most used packages (1 GB); writes docs/packages.md
	@$(PY) -m tests.packages.run

volume: environment ## learn and report on GIGABYTES (2) of events
	@$(PY) bench/volume.py --gigabytes $(or $(GIGABYTES),2)

bench-evidence: environment ## DuckDB against the line reader, on GIGABYTES (2)
	@$(PY) bench/evidence.py --gigabytes $(or $(GIGABYTES),2)

format: environment ## format C, Python and Markdown
	@.venv/bin/ruff format .
	@git ls-files '*.c' '*.h' | xargs .venv/bin/clang-format -i
	@$(MARKDOWN) | xargs .venv/bin/mdformat --wrap 100 --compact-tables

lint: environment ## formats, ruff, mypy, spelling, style, workflows, shell scripts
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
