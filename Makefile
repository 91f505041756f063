# The README's commands. Set-up is by itself: a virtualenv, its packages, and the system packages that are missing.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.stamp
CLIENTS := $(VENV)/.clients

# A system package, where it is missing, and not silently. Debian and Ubuntu.
install = (echo "Installing the system package $(1)"; \
	sudo=$$([ "$$(id -u)" -eq 0 ] || echo sudo); \
	$$sudo apt-get update -qq && $$sudo env DEBIAN_FRONTEND=noninteractive apt-get -o DPkg::Lock::Timeout=300 install -y -qq $(1) >/dev/null)

.PHONY: venv serve demo test check bench bench-check proto soak peers-tests clean test-clients

venv: $(STAMP)

$(STAMP): pyproject.toml setup.py $(wildcard pgwire/rows/*.pyx pgwire/rows/*.pxd)
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || $(call install,python3-venv)
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --upgrade pip
	$(BIN)/pip install --quiet -e '.[test,speed]'
	@touch $@

serve: venv
	$(BIN)/python -m demo.serve

demo: venv
	@command -v psql >/dev/null || $(call install,postgresql-client)
	$(BIN)/python -m demo.tour

test: venv test-clients
	$(BIN)/python -m pytest -n 3 --dist loadfile --no-loadscope-reorder

check: venv
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python -m tests.proto_freshness

proto: venv
	$(BIN)/python -m tests.proto_freshness --write

bench: venv
	@$(BIN)/python -c 'import matplotlib, psutil' 2>/dev/null || $(BIN)/pip install --quiet -e '.[bench]'
	@command -v pgbouncer >/dev/null || test -e /usr/sbin/pgbouncer || $(call install,pgbouncer) || true
	$(BIN)/python -m benchmarks

# The quick ratios against the committed ones (benchmarks/results/*-quick.json), beyond the noise of both.
bench-check: venv
	@$(BIN)/python -c 'import matplotlib, psutil' 2>/dev/null || $(BIN)/pip install --quiet -e '.[bench]'
	$(BIN)/python -m benchmarks.check

soak: venv
	$(BIN)/python -m pytest -m soak

# The upstream suites of asyncpg and psycopg against a gateway; PEERS_PSYCOPG names a folder with psycopg's tests.
peers-tests: venv test-clients
	@$(BIN)/python -c 'import distro, dns, anyio' 2>/dev/null || $(BIN)/pip install --quiet -e '.[peers]'
	$(BIN)/python -m tests.peers

test-clients: $(CLIENTS)
	@bash tests/clients/install.sh

$(CLIENTS): $(STAMP)
	$(BIN)/pip install --quiet -e '.[clients]' || echo "Some drivers could not be installed; their tests are skipped." >&2
	@touch $@
