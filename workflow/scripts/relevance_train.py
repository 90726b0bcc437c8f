"""Train the models whose predictions are explained."""

from typing import TYPE_CHECKING

from gbscape.config.learn import BoostedTrees
from gbscape.relevance.linear import write_models
from gbscape.relevance.training import train_surrogates
from gbscape.store.log import log_to
from gbscape.store.provenance import Provenance
from gbscape.store.tables import write_csv

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

log_to(snakemake.log[0])
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
