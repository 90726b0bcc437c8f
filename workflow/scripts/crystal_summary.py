"""What a map says in numbers, and its agreement with what is known."""

from typing import TYPE_CHECKING

import pandas as pd

from gbscape.config.crystal import Map
from gbscape.crystal.map_file import read_map
from gbscape.crystal.map_steps import read_sample
from gbscape.crystal.map_summary import map_summary
from gbscape.store.job import begin_job
from gbscape.store.tables import write_csv

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

begin_job(snakemake)
settings, sample = Map(**snakemake.params.settings), read_sample(snakemake.input.sample)
check = pd.read_csv(snakemake.input.check, keep_default_na=False) if snakemake.input.check else None
write_csv(snakemake.output[0], map_summary(read_map(snakemake.input.map, hidden=False), sample, settings, check))
