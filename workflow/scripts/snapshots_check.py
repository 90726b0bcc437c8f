"""Check the run, and minimise some of its snapshots."""

from typing import TYPE_CHECKING

from gbscape.config.survey import Relaxation
from gbscape.snapshots.checks import summarise_run, time_series
from gbscape.store.job import begin_job
from gbscape.store.tables import write_csv

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

begin_job(snakemake)
series = time_series(
    snapshots_h5=snakemake.input.snapshots,
    start_h5=snakemake.input.start,
    potential_json=snakemake.input.potential,
    relaxation=Relaxation(**snakemake.params.relaxation),
    quenched=snakemake.params.quenched,
)
write_csv(snakemake.output.energies, series)
checks = summarise_run(series, snakemake.input.start, snakemake.params.temperature_kelvin)
write_csv(snakemake.output.checks, checks)
