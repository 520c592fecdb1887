# The course in two commands: `make lab` opens it, `make test` proves it. `make help` lists the rest.
# All paths are relative, so that the folder may lie anywhere, also where its path has a space in it.
# With each target: PYTHON=/path/to/python3.12 (which Python to set up with), ARGS="..." (more options).

.DEFAULT_GOAL := help
.PHONY: help setup lab test test-fast test-full run execute results map book repository doctor lock clean

ifeq ($(OS),Windows_NT)
VENV_PYTHON := .venv/Scripts/python.exe
else
VENV_PYTHON := .venv/bin/python
endif

# Settings of another Python would reach into ours; doctor names them.
unexport PYTHONHOME PYTHONPATH PYTHONSTARTUP PYTHONOPTIMIZE PYTHONSAFEPATH JUPYTER_PATH
FIND_PYTHON = found=$$(sh tools/find_python.sh $(VENV_PYTHON)) &&

# Inside a container the learner is often root; JupyterLab starts then only if told so. The token stays on.
ALLOW_ROOT = $(shell [ "$$(id -u 2>/dev/null)" = 0 ] && echo --allow-root)
# The printed address opens the first notebook too, and no server is asked for updates of JupyterLab.
LAB_OPTIONS = --ServerApp.root_dir=. --LabApp.default_url=/lab/tree/notebooks/00_start_here.ipynb \
	--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate $(ALLOW_ROOT)
# A file goes to one worker as a whole, the longest first; chapters in which you have worked are read as committed.
PYTEST = $(VENV_PYTHON) -m pytest -n 2 --dist loadgroup --no-loadscope-reorder --committed

help:  ## show this list
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  make \1|\2/p' Makefile | awk -F'|' '{ printf "%-18s %s\n", $$1, $$2 }'

setup:  ## make .venv and install the pinned packages (what all others do first)
	@$(FIND_PYTHON) "$$found" course_utils/maintain/setup.py

lab: setup  ## open JupyterLab on the first notebook: make lab ARGS="--no-browser --port 8899"
	@$(VENV_PYTHON) -m course_utils lab $(LAB_OPTIONS) $(ARGS)

test: setup  ## every test; every notebook in its quick profile (about half an hour)
	@$(PYTEST) -m "not full" $(ARGS)

test-fast: setup  ## the tests that execute no notebook (some minutes)
	@$(PYTEST) -m "not full and not notebooks" $(ARGS)

test-full: setup  ## `make test`, and every notebook at its defaults
	@$(PYTEST) $(ARGS)

run: setup  ## run the whole course: make run ARGS="08 -p SEED 7"
	@$(VENV_PYTHON) -m course_utils run $(ARGS)

execute: setup  ## run notebooks and write them back with their outputs: make execute ARGS=08
	@$(VENV_PYTHON) -m course_utils execute $(ARGS)

results: setup  ## write the tables of results from the last run
	@$(VENV_PYTHON) -m course_utils results $(ARGS)

map: setup  ## write the map of the chapters and the links between notebooks again (after a new chapter)
	@$(VENV_PYTHON) -m course_utils map

book: setup  ## the course as a site and PDFs to read, in build/book: make book ARGS="08 --no-pdf"
	@$(VENV_PYTHON) -m course_utils book $(ARGS)

repository: setup  ## set the address that Binder's links lead to: make repository URL=https://github.com/you/fork
	@$(VENV_PYTHON) -m course_utils repository $(if $(filter command,$(origin URL)),"$(URL)")

doctor:  ## check this machine and say what to do
	@[ -x $(VENV_PYTHON) ] || $(MAKE) --no-print-directory setup
	@$(VENV_PYTHON) -m course_utils doctor

lock:  ## renew the pins: requirements.lock and environment.yml (ARGS=--keep moves only what must move)
	@$(FIND_PYTHON) "$$found" course_utils/maintain/lock.py $(ARGS)

clean:  ## remove the environment and what runs left behind (not your notebooks, data or progress)
	rm -rf .venv build
