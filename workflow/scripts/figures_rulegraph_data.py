"""Ask Snakemake for the graph of this workflow's rules."""

import subprocess
import sys
from typing import TYPE_CHECKING

from gbscape.store.atomic import atomic_path
from gbscape.store.job import begin_job

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

begin_job(snakemake)
command = [sys.executable, "-m", "snakemake", "--snakefile", snakemake.input.snakefile]
command += ["--configfile", snakemake.input.config, "--rulegraph", "dot", "--forceall"]
graph = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
with atomic_path(snakemake.output[0]) as temporary:
    temporary.write_text(graph.stdout, encoding="utf-8")
