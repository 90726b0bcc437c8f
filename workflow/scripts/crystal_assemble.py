"""Join the members of a model, and calibrate it."""

from typing import TYPE_CHECKING

from gbscape.config.crystal import CrystalModel
from gbscape.config.crystal_descriptor import CrystalDescriptor
from gbscape.crystal.train_model import assemble, chosen_candidate
from gbscape.store.job import begin_job

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

begin_job(snakemake)
chosen = snakemake.input.candidates[chosen_candidate(snakemake.input.choice)]
assemble(
    [chosen, *snakemake.input.members],
    snakemake.input.pristine,
    snakemake.input.get("calibration") or None,
    snakemake.output[0],
    descriptor=CrystalDescriptor(**snakemake.params.descriptor),
    settings=CrystalModel(**snakemake.params.settings),
    code=snakemake.params.code,
)
