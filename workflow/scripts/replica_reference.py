"""Energy of an atom of the perfect crystal."""

from typing import TYPE_CHECKING

from gbscape.config.dft import DftSettings
from gbscape.replica.compute_energies import compute_reference
from gbscape.store.job import begin_job

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

begin_job(snakemake)
params = snakemake.params
compute_reference(
    snakemake.input[0],
    snakemake.output[0],
    params.backend,
    DftSettings(**params.dft),
    params.code,
    params.workdir,
)
