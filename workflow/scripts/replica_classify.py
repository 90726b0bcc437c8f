"""Structure types and coordination numbers of all atoms of the model."""

from typing import TYPE_CHECKING

from gbscape.replica.atom_types import classify_atoms
from gbscape.store.job import begin_job

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

begin_job(snakemake)
classify_atoms(
    snakemake.input[0],
    snakemake.output[0],
    snakemake.params.lattice,
    snakemake.params.code,
    threads=snakemake.threads,
)
