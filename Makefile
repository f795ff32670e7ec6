# Two commands for a newcomer: `make demo` and `make test`. Both set up .venv by themselves.
# Written for GNU make 3.81 and newer, and for plain sh: nothing here is GNU-only.

BIN := .venv/bin
ARGS ?=
# How many test processes; the suite is built for two cores.
JOBS ?= 2

.PHONY: help demo test lint types format venv lock bench wheel clean

help:
	@echo "make demo              the sandbox and Billhook, connected and seeded; prints one URL"
	@echo "make demo ARGS=--script   the same story told in the terminal"
	@echo "make test              lint, types, import contracts, all tests"
	@echo "make lint | types | format | bench | wheel | lock | venv | clean"

demo:
	@.ci/venv runtime
	$(BIN)/billhook demo $(ARGS)

test: lint types
	$(BIN)/pytest -n $(JOBS) --dist worksteal $(ARGS)

lint: venv
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports --no-cache

types: venv
	$(BIN)/mypy

format: venv
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

venv:
	@.ci/venv dev

# Both locks hold for every platform and Python that we name; neither names a registry.
LOCK := $(BIN)/uv pip compile pyproject.toml --quiet --universal --python-version 3.11 \
	--generate-hashes --no-emit-index-url --no-emit-find-links --custom-compile-command "make lock"
lock: venv
	$(LOCK) --output-file requirements.txt
	$(LOCK) --extra dev --constraint requirements.txt --output-file requirements-dev.txt

bench: venv
	$(BIN)/python -m bench $(ARGS)

wheel: venv
	$(BIN)/python -m hatchling build --target wheel

# The database and the keys in var/ stay.
clean:
	rm -rf .venv dist build test-results .mypy_cache .ruff_cache .hypothesis .import_linter_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
