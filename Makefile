# Every target first builds what it needs. You can interrupt it at any point and run it again.
# `make` without a target lists the targets.

.DEFAULT_GOAL := help
# Each process has its own cluster and its own Prefect server. More processes than cores make the
# servers answer 503, because SQLite's lock is then held for too long.
SIDE_BY_SIDE = --numprocesses 2 --dist loadfile
# What both kinds of hosts show: `make test` runs these on process hosts.
ON_ALL_HOSTS = tests/cluster/test_images.py tests/cluster/test_lost_pods_and_nodes.py

# The nodes of the clusters of `demo` and `test-faults`: `process` or `kubelet`, which needs root.
HOSTS ?= process

# How long `make fuzz` tries all kinds of input together.
SECONDS = 60

.PHONY: help setup cluster demo test test-kubelet test-faults test-pythons browser bench lint check fuzz \
	format audit lock clean

help: ## list the targets
	@sed -n 's/^\([a-z-]*\): .*## /  make \1 \t/p' $(MAKEFILE_LIST) | expand -t 22

setup: ## create .venv with the locked packages, and install Go in it if there is none
	@dev/setup

cluster: setup ## build the local cluster's binaries (7 to 20 minutes, once)
	@.venv/bin/python -m localcluster build

demo: cluster ## run real kperf on a real Kubernetes cluster, and show the merged report
	@HOSTS=$(HOSTS) dev/demo

test: browser cluster ## run the tests, including those on a real control plane
	.venv/bin/pytest -m "not long" --ignore tests/kubelet $(SIDE_BY_SIDE)

# Much of the time these wait for kubelets, so that three processes are faster than two.
test-kubelet: setup ## run the tests that need real kubelets (root; 10 minutes)
	@.venv/bin/python -m localcluster build --kubelets
	MRUNNERS_TEST_HOSTS=kubelet MRUNNERS_TEST_FAULT_RESULTS=yes .venv/bin/pytest tests/kubelet \
	    $(ON_ALL_HOSTS) --numprocesses 3 --dist load --durations=0 --durations-min=1

test-faults: cluster ## let every request meet every fault, and kill every process (half an hour)
	MRUNNERS_TEST_HOSTS=$(HOSTS) MRUNNERS_TEST_FAULT_RESULTS=yes .venv/bin/pytest tests/faults $(SIDE_BY_SIDE)

test-pythons: cluster ## run the unit tests and one whole run on each other supported Python version
	@dev/test-pythons

# A prerequisite of its own, so that `make test` fails at once and not after some minutes.
browser:
	@dev/check-browser

bench: cluster ## compare with other tools how long everything takes (an hour; a quiet machine)
	@.venv/bin/python -m benchmarks

lint: setup ## check format, lint, types and import contracts
	.venv/bin/ruff format --check
	.venv/bin/ruff check
	.venv/bin/mypy
	.venv/bin/lint-imports

check: lint ## the same, and run the unit tests (three minutes)
	.venv/bin/pytest --quiet --numprocesses 2 tests/unit

fuzz: setup ## feed the parsers what nobody wrote by hand, for SECONDS (60; Linux on x86-64)
	.venv/bin/python -m tests.fuzz --seconds $(SECONDS)

format: setup ## format the code and fix lint errors where ruff can
	.venv/bin/ruff format
	.venv/bin/ruff check --fix

audit: setup ## look for known vulnerabilities in the locked packages (needs the network)
	@dev/audit

# Without `setup`, because the old lock may contradict pyproject.toml.
lock: ## update constraints.txt from pyproject.toml
	python3 -m venv build/uv
	build/uv/bin/pip install --quiet uv
	build/uv/bin/uv pip compile --quiet --upgrade --universal --python-version 3.11 --group dev \
		--no-header --no-annotate pyproject.toml --output-file constraints.txt

clean: ## delete the demo's cluster and all generated files, but not the cached binaries
	-@[ ! -x .venv/bin/python ] || .venv/bin/python -m localcluster down --name demo
	-@[ ! -x .venv/bin/python ] || .venv/bin/python -m localcluster down --name demo-kubelet
	rm -rf .venv build dist .mypy_cache .pytest_cache .ruff_cache .hypothesis .import_linter_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
