# `make help` lists the targets.
PYTHON := .venv/bin/python
TESTS ?= tests

.DEFAULT_GOAL := help

help: ## this list
	@grep -E '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 18

# What the tests need besides what the build needs.
environment:
	@./build.sh --test

build: ## the layers in dist/ and the environment in .venv
	@./build.sh

wheels: build ## fshield for Linux and macOS, for people and for CI, in dist/
	@$(PYTHON) layer/wheel.py

demo: build ## a hostile dependency, before and after
	@$(PYTHON) -m fshield.local.demo

test: environment ## every test
	@$(PYTHON) -m pytest -q $(TESTS)

test-unguarded: environment ## proves that the tests of blocks can fail: runs their attacks without the guard
	@$(PYTHON) tests/unguarded.py

attacks: environment ## the attack corpus, three ways, here and in the stand-in for the sandbox
	@$(PYTHON) tests/attacks/run.py
	@$(PYTHON) -m tests.replica.attacks

census: environment ## every symbol of the C library: door, harmless, or accepted; and no call without a door
	@tests/census/fetch.sh
	@$(PYTHON) tests/census/run.py
	@$(PYTHON) tests/census/completeness.py

transparency: environment ## CPython's own test-suite, bare and guarded, test by test (an hour)
	@$(PYTHON) tests/transparency/run.py
	@$(PYTHON) tests/transparency/run.py --sample --policy tests/transparency/strict.yaml --one-process

fuzz: environment ## the parsers under libFuzzer, ASan and UBSan, for FUZZ_SECONDS (60)
	@$(PYTHON) tests/fuzz/run.py

soak: environment ## ten minutes of threads at every door at once
	@$(PYTHON) tests/soak/soak.py --seconds 600
	@$(PYTHON) tests/soak/soak.py --seconds 60 --undefined
	@$(PYTHON) tests/soak/soak.py --seconds 60 --address

bench: environment ## paired figures against the budgets
	@$(PYTHON) bench/run.py

volume: environment ## learn and report on GIGABYTES (2) of events: speed and memory
	@$(PYTHON) bench/volume.py --gigabytes $(or $(GIGABYTES),2)

lint: environment ## ruff, mypy, shellcheck, and the C compiler's warnings
	@.venv/bin/ruff check .
	@.venv/bin/ruff format --check .
	@.venv/bin/mypy
	@if command -v shellcheck >/dev/null; then shellcheck build.sh .ci/run tests/*/*.sh; else echo 'no shellcheck here: scripts are not looked at'; fi

clean: ## remove what the build made
	rm -rf build dist .venv .pytest_cache .mypy_cache .ruff_cache

.PHONY: help environment build wheels demo test test-unguarded attacks census transparency fuzz soak bench volume lint clean
