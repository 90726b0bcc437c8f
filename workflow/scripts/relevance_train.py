"""Train the models whose predictions are explained."""

from typing import TYPE_CHECKING

from gbscape.config.learn import BoostedTrees
from gbscape.relevance.linear import write_models
from gbscape.relevance.training import train_surrogates
from gbscape.store.job import begin_job
from gbscape.store.provenance import Provenance
from gbscape.store.tables import write_csv

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

begin_job(snakemake)
settings, inputs = dict(snakemake.params.settings), dict(snakemake.input.items())
trained = train_surrogates(
    features_h5=inputs["features"],
    energies_csv=inputs["energies"],
    training=snakemake.wildcards.training,
    trees=BoostedTrees(**snakemake.params.trees),
    seed=snakemake.params.seed,
    **settings,
)
write_models(
    snakemake.output.models,
    trained.models,
    Provenance.of(settings, snakemake.params.code, inputs, snakemake.params.seed),
)
write_csv(snakemake.output.scores, trained.scores)
