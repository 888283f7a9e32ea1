# Needs make and Python >= 3.11 (with venv), nothing else. Every target does its own set-up.
PYTHON ?= $(shell for p in python3.11 python3 python3.12 python3.13 python; do \
  $$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$p && break; done)
VENV ?= .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
LOCK := locks/dev.lock

.PHONY: setup demo up test test-full test-py lint bench lock wire clean
.DEFAULT_GOAL := setup

setup: $(READY)

$(READY): $(LOCK) pyproject.toml
	@test -n "$(PYTHON)" || { echo "Spotclip needs Python 3.11 or newer; install it or say 'make PYTHON=/path/to/python'."; exit 1; }
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --no-deps --require-hashes -r $(LOCK)
	$(BIN)/python -m pip install --quiet --no-deps --no-build-isolation --editable .
	$(BIN)/python -m infra.embedded.kafka_aot || true  # a start 1 s quicker; a machine without engines goes on without
	touch $@

# The main job on real footage: a selfie goes in, a clip comes out.
demo: setup
	$(BIN)/spotclip demo

# The whole system on this machine until Ctrl-C.
up: setup
	$(BIN)/spotclip up

# Every rule, at reduced counts.
test: setup
	$(BIN)/pytest -n 2 --dist loadgroup --cov --cov-report=term

# The same rules at full counts.
test-full: setup
	HYPOTHESIS_PROFILE=full $(BIN)/pytest -m "" --timeout=1800

# What needs no engine, on every other Python found.
test-py:
	@found=0; for version in 3.11 3.12 3.13; do \
	  python=python$$version; $$python -c '' 2>/dev/null || continue; found=1; \
	  echo "== $$python"; $(MAKE) --no-print-directory setup PYTHON=$$python VENV=.venv-$$version && \
	  .venv-$$version/bin/pytest -q -n 2 --dist loadgroup -m "not engines and not full" || exit 1; \
	done; test $$found = 1 || { echo "no python3.11, python3.12 or python3.13 on the PATH"; exit 1; }

lint: setup
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

bench: setup
	$(BIN)/python -m bench

# Maintainers: resolve the lock anew. Needs uv on the PATH.
lock:
	UV_CUSTOM_COMPILE_COMMAND="make lock" uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
	  --no-emit-index-url --no-emit-find-links --extra vision --extra blazeface --extra embedded --group dev pyproject.toml -o $(LOCK)

# Maintainers: write the wire's JSON Schema anew.
wire: setup
	$(BIN)/python -m schemas.export > docs/wire.schema.json

clean:
	rm -rf $(VENV) .venv-3.* .mypy_cache .pytest_cache .ruff_cache .hypothesis .coverage*
