#!/bin/sh
# Every style check of the project; fails at the first that finds something.
set -e
cd "$(dirname "$0")/.."
ruff check .
ruff format --check .
mypy
snakefmt --check Snakefile workflow
snakemake --lint --configfile config/demo.yaml
