"""Train one candidate for a network, or one more member of the ensemble of the chosen one."""

from typing import TYPE_CHECKING

from gbscape.config.crystal import CrystalModel
from gbscape.config.crystal_descriptor import CrystalDescriptor
from gbscape.crystal.train_model import candidate_network, chosen_candidate, train
from gbscape.store.job import begin_job

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

begin_job(snakemake)
number, choice = int(snakemake.wildcards.number), snakemake.input.get("choice")
candidate = number if choice is None else chosen_candidate(choice)
train(
    snakemake.input.pristine,
    snakemake.input.get("augmentation"),
    snakemake.output.network,
    candidate_network(CrystalModel(**snakemake.params.settings), snakemake.input.get("trials"), candidate),
    member=0 if choice is None else number,
    descriptor=CrystalDescriptor(**snakemake.params.descriptor),
    code=snakemake.params.code,
)
