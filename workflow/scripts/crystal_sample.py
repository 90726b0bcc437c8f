"""Read or build the sample of a map."""

from typing import TYPE_CHECKING

import ase.io

from gbscape.config.crystal import Map
from gbscape.crystal.samples import make_sample
from gbscape.store.atomic import atomic_path
from gbscape.store.job import begin_job

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

begin_job(snakemake)
settings = Map(**snakemake.params.settings)
survey = snakemake.input.get("survey") or None
atoms = make_sample(settings.structure, settings.defects, snakemake.input.prototypes, survey)
with atomic_path(snakemake.output[0]) as temporary:
    ase.io.write(temporary, atoms, format="extxyz")
