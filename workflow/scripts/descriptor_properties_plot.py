"""Table and picture of the descriptors' properties."""

from typing import TYPE_CHECKING

import pandas as pd

from gbscape.config.descriptor_properties import DescriptorProperties
from gbscape.figures.descriptor_properties import plot_descriptor_properties, write_descriptor_properties
from gbscape.store.job import begin_job

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

begin_job(snakemake)
settings = DescriptorProperties(**snakemake.params.settings)
write_descriptor_properties(pd.read_csv(snakemake.input.properties), snakemake.output.table, settings)
plot_descriptor_properties(pd.read_csv(snakemake.input.measurements), snakemake.output.picture, settings)
