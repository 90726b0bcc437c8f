"""Select the boundaries of lower energy than published."""

from typing import TYPE_CHECKING

import pandas as pd

from gbscape.config.survey import BoundaryAtoms
from gbscape.store.job import begin_job
from gbscape.store.tables import write_csv
from gbscape.survey.lower_than_published import lower_than_published

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

begin_job(snakemake)
table = lower_than_published(
    relaxed_h5=snakemake.input.survey,
    energies=pd.read_csv(snakemake.input.energies),
    out=snakemake.output.survey,
    lower_by_j_m2=snakemake.params.lower_by_j_m2,
    settings=BoundaryAtoms(**snakemake.params.settings),
    lattice=snakemake.params.lattice,
    code=snakemake.params.code,
)
write_csv(snakemake.output.table, table)
