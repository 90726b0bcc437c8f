"""Atoms of a round of uncertainty reduction, chosen with the energies of those before."""

from typing import TYPE_CHECKING

from gbscape.config.replica import Selection
from gbscape.replica.select_points import select_round
from gbscape.store.job import begin_job

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

begin_job(snakemake)
paths = snakemake.input
select_round(
    paths.vectors,
    paths.points,
    paths.energies,
    paths.before,
    snakemake.output[0],
    Selection(**snakemake.params.settings),
    int(snakemake.wildcards.round),
)
