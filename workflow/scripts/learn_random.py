"""Score the Random baseline of one target."""

from typing import TYPE_CHECKING

from gbscape.config.learn import Learn
from gbscape.store.job import begin_job
from gbscape.store.tables import write_csv
from gbscape.survey.learn_target import learn_target_random

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

begin_job(snakemake)
settings = Learn(**snakemake.params.settings)
evaluation = learn_target_random(snakemake.input.energies, snakemake.wildcards.target, settings, snakemake.params.seed)
for table, path in snakemake.output.items():
    write_csv(path, getattr(evaluation, table))
