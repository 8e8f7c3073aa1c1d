# make demo: see it run. make test: prove it. Both set themselves up. `make help` lists the rest.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
export PYTHONUTF8 := 1
unexport PYTHONDONTWRITEBYTECODE # where it is set, each of the tests' many processes compiles every library anew

.PHONY: help setup demo test lint proof bench pins system clean

help: ## list these targets
	@sed -n 's/^\([a-z]*\):.*## /  \1\t/p' $(MAKEFILE_LIST)

setup: $(READY) ## make the virtual environment

$(READY): requirements/dev.txt requirements/ansible.txt pyproject.toml
	@echo "Setting up: a virtual environment with the pinned packages (well under a minute)"
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Loquet needs Python 3.11 or later")'
	@$(PYTHON) -m venv $(VENV) || { echo 'Missing: the venv module. Install it with: sudo apt-get install python3-venv'; exit 2; }
	@$(BIN)/python -m pip --quiet --disable-pip-version-check install 'uv==0.13.*'
	@$(BIN)/uv pip sync --quiet --python $(BIN)/python requirements/dev.txt requirements/ansible.txt
	@$(BIN)/uv pip install --quiet --python $(BIN)/python --no-deps --no-build-isolation --editable .
	@touch $(READY)

demo: setup ## an invented site on this machine: make demo, or make demo RESET=1 to start afresh
	@exec $(BIN)/loquet demo $(if $(RESET),--reset) $(if $(PORT),--port $(PORT))

test: setup system lint ## lint, every test, then every proof at its CI figure
	@$(BIN)/pytest -n auto --durations=15 --durations-min=5
	@$(BIN)/loquet prove all

lint: setup
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports
	@content=$$(find ansible -name '.?*' -prune -o -type f -print | sort | xargs cat | sha256sum); \
		[ "$$content" = "$$(cat $(VENV)/.playbooks 2>/dev/null)" ] || \
		{ cd ansible && PATH="$(CURDIR)/$(BIN):$$PATH" ansible-lint --offline -q && echo "$$content" >../$(VENV)/.playbooks; }

proof: setup system ## hours: the installation on a Pi's systems and of a whole site, on SQLite and on PostgreSQL, the first hour by its guide, the real OctoPrint, every page at both widths, random stories, mutants of policy, every proof at its release figure, the bench's promises; or make proof STORIES=100 FILES="quota.py"
	@tools/on-pi
	@tools/on-bare
	@tools/on-bare --postgresql
	@tools/first-hour
	@$(BIN)/python tools/octoprint
	@$(BIN)/python -m tests.oracle.compare $(or $(STORIES),20000)
	@$(BIN)/python -m tests.policy.test_open_or_not 100000
	@LOQUET_BOTH_WIDTHS=1 $(BIN)/pytest tests/flow/test_every_page.py
	@$(BIN)/python tools/mutation $(FILES)
	@$(BIN)/loquet prove all --release
	@$(BIN)/loquet bench --check

system: ## the Debian packages that the tests need: a broker, a database, a browser and a library of its driver, what checks units, sftp, age
	@tools/system-packages mosquitto:/usr/sbin/mosquitto 'postgresql:/usr/lib/postgresql/*/bin/initdb' \
		chromium:/usr/bin/chromium systemd:/usr/bin/systemd-analyze openssh-client:/usr/bin/sftp age:/usr/bin/age \
		'libatomic1:/usr/lib/*/libatomic.so.1'

bench: setup ## measure, each figure beside its floor
	@$(BIN)/loquet bench

pins: setup ## compile requirements/*.txt again from pyproject.toml
	@tools/pins

clean: ## forget the virtual environment and the demo's state
	rm -rf $(VENV) .demo
