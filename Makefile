# The course in two commands: `make lab` opens it, `make test` proves it. `make help` lists the rest.
# All paths are relative, so that the folder may lie anywhere, also where its path has a space in it.

.DEFAULT_GOAL := help
.PHONY: help setup lab test test-fast test-full run execute results doctor lock clean

ifeq ($(OS),Windows_NT)
VENV_PYTHON := .venv/Scripts/python.exe
else
VENV_PYTHON := .venv/bin/python
endif

# The first Python that really is 3.11 to 3.13. Each is asked: a name on the path may be an empty shim.
CANDIDATES := $(if $(PYTHON),"$(PYTHON)",python3.12 python3.13 python3.11 python3 python)
FIND_PYTHON = for p in $(CANDIDATES); do \
	"$$p" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' 2>/dev/null && found="$$p" && break; \
	done; \
	if [ -z "$$found" ]; then \
	echo "The course needs Python 3.11, 3.12 or 3.13$(if $(PYTHON), and $(PYTHON) is none of them): install one (python.org or your system's packages), or name it: make setup PYTHON=/path/to/python3.12" >&2; \
	exit 1; fi

# Inside a container the learner is often root; JupyterLab starts then only if told so. The token stays on.
ALLOW_ROOT := $(shell [ "$$(id -u 2>/dev/null)" = 0 ] && echo --allow-root)
PYTEST := $(VENV_PYTHON) -m pytest -n 2 --dist loadscope

help:  ## show this list
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  make \1|\2/p' Makefile | awk -F'|' '{ printf "%-18s %s\n", $$1, $$2 }'

setup:  ## make .venv and install the pinned packages (what all others do first)
	@$(FIND_PYTHON); "$$found" course_utils/environment.py setup

lab: setup  ## open JupyterLab on the first notebook
	@$(VENV_PYTHON) -m jupyterlab $(ALLOW_ROOT) $(ARGS) notebooks/00_start_here.ipynb

test: setup  ## every test; every notebook in its quick profile (under 30 minutes)
	@$(PYTEST) -m "not full" $(ARGS)

test-fast: setup  ## the tests that execute no notebook (under two minutes)
	@$(PYTEST) -m "not full and not notebooks" $(ARGS)

test-full: setup  ## `make test`, and every notebook at its defaults
	@$(PYTEST) $(ARGS)

run: setup  ## run the whole course: make run ARGS="08 -p SEED 7"
	@$(VENV_PYTHON) -m course_utils run $(ARGS)

execute: setup  ## run notebooks and write them back with their outputs: make execute ARGS=08
	@$(VENV_PYTHON) -m course_utils execute $(ARGS)

results: setup  ## write the README's results table from the last run
	@$(VENV_PYTHON) -m course_utils results $(ARGS)

doctor: setup  ## check this machine and say what to mend
	@$(VENV_PYTHON) -m course_utils doctor

lock: setup  ## renew the pins: requirements.lock and environment.yml
	@$(VENV_PYTHON) course_utils/environment.py lock

clean:  ## remove the environment and what runs left behind (not your notebooks, data or progress)
	rm -rf .venv build
