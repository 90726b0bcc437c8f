# make demo, make test: create what they need by themselves. `make help` lists the rest.
PYTHON ?= $(shell command -v python3.11 || command -v python3)
VENV   := .venv
BIN    := $(VENV)/bin
STAMP  := $(VENV)/.current
KERNELS := $(wildcard src/gbscape/*/*.cpp src/gbscape/*/*.hpp)
CORES  ?= all
export PATH := $(CURDIR)/$(BIN):$(PATH)

.PHONY: help setup setup-dft demo table1 report status recover test test-dft test-slurm test-faults lint config bench bench-record lock clean

help:            ## this list
	@grep -hE '^[a-z-]+: .*##|^[a-z-]+:  +##' $(MAKEFILE_LIST) | sed -E 's/:.*##/\t/' | expand -t 14

setup: $(STAMP)  ## create the environment in .venv from requirements.lock (nothing to do when it is current)

$(STAMP): $(VENV)/.installed setup.py $(KERNELS)
	sh envs/compiler.sh
	$(BIN)/python -m pip install --quiet --no-deps --editable .
	touch $@

$(VENV)/.installed: requirements.lock pyproject.toml
	@"$(PYTHON)" -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo >&2 \
	 "gbscape needs Python 3.11 or later, not '$(PYTHON)'; name one with: make PYTHON=/path/to/python3.11"; exit 1; }
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade pip
	$(BIN)/python -m pip install --quiet --requirement requirements.lock
	sh envs/check.sh $(BIN)/python
	touch $@

setup-dft: setup  ## add GPAW to the environment, for DFT energies (about two minutes)
	sh envs/setup_dft.sh

demo: setup      ## 40 boundaries from nothing, a map of a polycrystal, energies of iron and of an alloy, to results/demo/report.html
	$(BIN)/snakemake --configfile config/demo.yaml --cores $(CORES)
	$(BIN)/snakemake --configfile config/demo.yaml --report results/demo/report.html
	@echo "Open results/demo/report.html in a browser."

table1: setup    ## Table 1 and Figure 2 of Homer 2019 from the shipped survey, results/homer2019/scorecard.csv
	$(BIN)/snakemake --configfile config/homer2019.yaml config/table1.yaml --cores $(CORES)
	$(BIN)/snakemake --configfile config/homer2019.yaml config/table1.yaml --report results/homer2019/report.html
	@echo "Open results/homer2019/report.html in a browser."

status: setup    ## how far the run results/NAME has come: make status NAME=demo
	@$(BIN)/python -m gbscape.planning status results/$(or $(NAME),$(error name the run: make status NAME=demo))

recover: setup   ## put the run results/NAME in order that was killed or went wrong, and go on: make recover NAME=demo
	@$(BIN)/python -m gbscape.recovery --run results/$(or $(NAME),$(error name the run: make recover NAME=demo))

test: setup      ## all tests, lint included; faster with PYTEST="-n 2 --dist loadfile"
	$(BIN)/python -m pytest $(PYTEST)

test-dft: setup-dft  ## DFT energies of small iron cells (about five minutes)
	$(BIN)/python -m pytest tests/dft

test-slurm: setup  ## survey, map, selection and a fault in a real throw-away Slurm (root on Debian; skipped elsewhere)
	tests/slurm/cluster.sh install
	$(BIN)/python -m pytest tests/slurm tests/faults -m "slurm and not faults"

test-faults: setup ## every fault of docs/reliability.md, with root those of Slurm too, and 100 random kills (hours)
	tests/slurm/cluster.sh install
	$(BIN)/python -m pytest tests/faults -m "faults or not faults"

lint: setup      ## ruff, mypy, snakefmt, snakemake --lint
	sh tests/lint.sh

config: setup    ## rewrite config/config.yaml and the JSON schema from the models
	$(BIN)/python -m gbscape.config.files

bench: setup     ## descriptors against their peers, and their scaling, into results/benchmarks (about 10 minutes)
	$(BIN)/python benchmarks/descriptors.py
	$(BIN)/python benchmarks/scaling.py
	$(BIN)/python benchmarks/scaling_figure.py

bench-record:    ## write what `make bench` measured into docs/benchmarks.md and docs/scaling.png
	$(BIN)/python benchmarks/record.py

lock:            ## resolve the dependencies of pyproject.toml anew into requirements.lock
	rm -rf .venv-lock && $(PYTHON) -m venv .venv-lock
	.venv-lock/bin/pip install --quiet --upgrade pip && .venv-lock/bin/pip install --quiet --editable ".[dev]"
	(echo "# Written by 'make lock' from pyproject.toml: versions, not hashes (wheels differ by machine)."; \
	 .venv-lock/bin/pip freeze --exclude gbscape | sed 's/+cpu$$//') > requirements.lock
	rm -rf .venv-lock

clean:           ## remove results and the environment
	rm -rf results .snakemake $(VENV)
