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

demo: build ## a hostile dependency, before and after
	@$(PYTHON) -m fshield.local.demo

test: environment ## every test
	@$(PYTHON) -m pytest -q $(TESTS)

test-unguarded: environment ## proves that the tests of blocks can fail: runs their attacks without the guard
	@$(PYTHON) tests/unguarded.py

attacks: environment ## the attack corpus, three ways
	@$(PYTHON) -m pytest -q tests/attacks

bench: environment ## paired figures against the budgets
	@$(PYTHON) bench/run.py

lint: environment ## ruff, mypy, and the C compiler's warnings
	@.venv/bin/ruff check .
	@.venv/bin/ruff format --check .
	@.venv/bin/mypy

clean: ## remove what the build made
	rm -rf build dist .venv .pytest_cache .mypy_cache .ruff_cache

.PHONY: help environment build demo test test-unguarded attacks bench lint clean
