"""Learn one target by one of the further models."""

from typing import TYPE_CHECKING

from gbscape.config.learn import Learn
from gbscape.store.job import begin_job
from gbscape.store.tables import write_csv
from gbscape.survey.learn_target import learn_target_by_model

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

begin_job(snakemake)
evaluation = learn_target_by_model(
    features_h5=dict(zip(snakemake.params.representations, snakemake.input.features, strict=True)),
    energies_csv=snakemake.input.energies,
    target=snakemake.wildcards.target,
    model=snakemake.params.model,
    settings=Learn(**snakemake.params.settings),
    seed=snakemake.params.seed,
)
for table, path in snakemake.output.items():
    write_csv(path, getattr(evaluation, table))
