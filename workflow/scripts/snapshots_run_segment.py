"""Run one segment of the molecular dynamics, from where the one before it ended."""

from typing import TYPE_CHECKING

from gbscape.config.dynamics import Dynamics
from gbscape.snapshots.trajectory import run_segment
from gbscape.store.job import begin_job

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

begin_job(snakemake)
first, last = snakemake.params.first_and_last
run_segment(
    start_h5=snakemake.input.start,
    before_h5=snakemake.input.before,
    potential_json=snakemake.input.potential,
    out=snakemake.output.shard,
    state_out=snakemake.output.state,
    settings=Dynamics(**snakemake.params.settings),
    first=first,
    last=last,
    code=snakemake.params.code,
)
