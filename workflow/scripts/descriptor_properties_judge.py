"""Join the measurements of all descriptors and judge them."""

from typing import TYPE_CHECKING

import pandas as pd

from gbscape.config.descriptor_properties import DescriptorProperties
from gbscape.descriptor_properties.verdicts import entries
from gbscape.store.job import begin_job
from gbscape.store.tables import join_csv, write_csv

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

begin_job(snakemake)
join_csv(snakemake.input.measurements, snakemake.output.measurements)
table = entries(
    measurements=pd.read_csv(snakemake.output.measurements),
    published=pd.read_csv(snakemake.input.published),
    settings=DescriptorProperties(**snakemake.params.settings),
    published_as=snakemake.params.published_as,
)
write_csv(snakemake.output.properties, table)
