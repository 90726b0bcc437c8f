"""Learning curve of one target from one representation."""

from typing import TYPE_CHECKING

from gbscape.config.learn import Learn
from gbscape.store.job import begin_job
from gbscape.store.tables import write_csv
from gbscape.survey.learn_target import learn_target_curve

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

begin_job(snakemake)
curve = learn_target_curve(
    features_h5=snakemake.input.features,
    energies_csv=snakemake.input.energies,
    target=snakemake.wildcards.target,
    representation=snakemake.params.representation,
    settings=Learn(**snakemake.params.settings),
    seed=snakemake.params.seed,
)
write_csv(snakemake.output[0], curve)
