# Every target makes what it needs and may be interrupted and started again at any point.
# `make` alone tells what there is.

.DEFAULT_GOAL := help
# Most tests wait for a cluster; three files at a time keep two cores busy. Each worker has a
# cluster and a Prefect server of its own.
SIDE_BY_SIDE = --numprocesses 3 --dist loadfile

.PHONY: help setup cluster demo test test-faults browser bench-merge check format lock clean

help: ## tell what there is
	@sed -n 's/^\([a-z-]*\): .*## /  make \1 \t/p' $(MAKEFILE_LIST) | expand -t 20

setup: ## make .venv with the locked packages, and Go if there is none
	@dev/setup

cluster: setup ## build the local cluster's binaries (15 to 20 minutes, once)
	@.venv/bin/python -m localcluster build

demo: cluster ## real kperf on four hosts of a real Kubernetes, one merged report
	@dev/demo

test: browser cluster ## all tests, on a real control plane
	.venv/bin/pytest -m "not long" $(SIDE_BY_SIDE)

test-faults: cluster ## worker, flow and Prefect server killed at every step of a run
	.venv/bin/pytest tests/faults

# Told at once, and not after what takes minutes.
browser:
	@dev/check-browser

bench-merge: cluster ## the merge of 10 million samples, beside kperf's own: about 10 minutes
	@.venv/bin/python -m benchmarks.merge

check: setup ## format, lint, types, import contracts, pure tests: under a minute
	.venv/bin/ruff format --check
	.venv/bin/ruff check
	.venv/bin/mypy
	.venv/bin/lint-imports
	.venv/bin/pytest --quiet --numprocesses 2 tests/unit

format: setup ## format and mend what can be mended by itself
	.venv/bin/ruff format
	.venv/bin/ruff check --fix

lock: setup ## write constraints.txt anew from pyproject.toml
	.venv/bin/pip install --quiet uv
	.venv/bin/uv pip compile --quiet --upgrade --universal --python-version 3.11 --group dev \
		--no-header --no-annotate pyproject.toml --output-file constraints.txt

clean: ## stop the demo's cluster and remove what was made here; the binaries' cache stays
	-@[ ! -x .venv/bin/python ] || .venv/bin/python -m localcluster down --name demo
	rm -rf .venv build dist .mypy_cache .pytest_cache .ruff_cache .hypothesis .import_linter_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
