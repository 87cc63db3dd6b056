# make demo   sets everything up and runs the main job on a made-up region
# make server starts a Prefect server on this machine with every deployment, to click on; Ctrl-C stops it
# make test   sets everything up and passes the tests
# make soak   proves the long things: hours of faults, kills and made-up files
# make coverage prints which lines and branches no unit test takes
# Everything lives in .venv and var; `make clean` removes both.

PYTHON ?= python3
BIN := .venv/bin
# Two test modules at a time, those that share a server in one process; `make test WORKERS=` runs them one after another.
WORKERS ?= -n 2 --dist loadfile --no-loadscope-reorder
export PREFECT_HOME ?= $(CURDIR)/var/prefect
export OMP_NUM_THREADS ?= 1

.PHONY: demo server test soak coverage check pictures bench docs clean

demo: .venv/run.done
	$(BIN)/holdfast demo

# Prefect builds its database step by step, as it grew over the years. Once, and the tests copy it.
var/prefect-new/prefect.db: | .venv/run.done
	@mkdir -p -m 700 $(@D)
	@PREFECT_HOME=$(CURDIR)/$(@D) PREFECT_SERVER_ANALYTICS_ENABLED=false $(BIN)/prefect server database upgrade -y

# Without settings it shows the made-up region, which is made first if it is not there.
server: .venv/run.done
	@test -e holdfast.toml || env | grep -q ^HOLDFAST_ || test -e var/demo/landing/register.csv || $(BIN)/holdfast demo
	@$(BIN)/holdfast server $(if $(PORT),--port $(PORT))

# The processes of the tests read what the first has compiled, whatever a container says of keeping it.
test soak: export PYTHONDONTWRITEBYTECODE =
test: .venv/dev.done var/prefect-new/prefect.db
	$(BIN)/python -m pytest $(WORKERS) $(PYTEST)

# The long matrices: big property runs, campaigns of faults and kills, every command of every page. Prints what it proved.
# A night; the whole of it is estimated. Measured on two busy cores: a simulated world takes 0.04 s of processor in a new group and 0.06 s where
# councils are scored (so the 100,000 of make soak take about 45 min on two cores, in two processes), SOAK_KILLS=300 29 minutes
# (7 others at work beside it), SOAK_MONTHS=12 for each line of the table of a faulty S3 12 minutes, tests/soak/test_surroundings.py
# 7 minutes. PYTEST=tests/soak runs the campaigns on real servers alone: about an hour. Exit code 5: no property among PYTEST's tests.
soak: export POLARS_MAX_THREADS ?= $(shell nproc 2>/dev/null || echo 2)
soak: .venv/dev.done var/prefect-new/prefect.db
	HYPOTHESIS_PROFILE=nightly $(BIN)/python -m pytest -m "hypothesis and not soak" --timeout 3600 $(PYTEST) || test $$? = 5
	$(BIN)/python -m pytest -m soak --timeout 3600 $(PYTEST)

# Branch coverage of the unit tests: each file's share, and every line and branch that none of them takes.
coverage: .venv/dev.done var/prefect-new/prefect.db
	$(BIN)/python -m pytest $(WORKERS) --cov --cov-report=term-missing $(PYTEST) tests/unit

# What is checked before the tests run in CI: style, types, the direction of imports, generated documents.
check: .venv/dev.done
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

# Takes every picture of the documents again (docs/images): the README's two, and the journey through the Prefect UI. Needs Chromium.
pictures: .venv/dev.done demo
	$(BIN)/python -m tests.browser.screenshots
	$(BIN)/python -m tests.browser.ui_screenshots

bench: .venv/dev.done
	$(BIN)/python -m benchmarks

# The lock is complete, so nothing is resolved (--no-deps) and every file is checked against its hash.
# uv is quick; where it cannot reach the package index, pip does the same more slowly.
.venv/run.done: requirements.txt requirements-installer.txt pyproject.toml
	@$(MAKE) --no-print-directory install LOCK=requirements.txt
	@touch $@

.venv/dev.done: requirements-dev.txt requirements-installer.txt pyproject.toml
	@$(MAKE) --no-print-directory install LOCK=requirements-dev.txt
	@touch $@ .venv/run.done

.PHONY: install
install:
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv
	@echo "Installing the locked packages of $(LOCK) into .venv (a minute or so) ..."
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --require-hashes -r requirements-installer.txt \
	  && VIRTUAL_ENV=$(CURDIR)/.venv $(BIN)/uv pip install --quiet --no-deps --require-hashes --compile-bytecode -r $(LOCK) \
	  || $(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --require-hashes -r $(LOCK)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .

clean:
	rm -rf .venv var
