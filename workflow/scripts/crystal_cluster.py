"""Clusters of the boxes of a map, and their agreement with what is known."""

from typing import TYPE_CHECKING

import numpy as np

from gbscape.config.crystal import Map
from gbscape.crystal.cluster_boxes import agreement_table, cluster_boxes, distance_differences
from gbscape.crystal.map_file import read_map
from gbscape.crystal.map_steps import read_sample
from gbscape.figures.clusters import cluster_data, difference_data
from gbscape.store.job import begin_job
from gbscape.store.tables import write_csv

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

begin_job(snakemake)
settings, sample = Map(**snakemake.params.settings), read_sample(snakemake.input.sample)
assert settings.clustering is not None
found = read_map(snakemake.input.map)
boxes, layers = cluster_boxes(found, settings.clustering)
write_csv(snakemake.output.clusters, cluster_data(found, layers, boxes))
write_csv(snakemake.output.agreement, agreement_table(found, boxes, layers, sample, settings))
species, first = settings.clustering.distances, next(iter(layers.values()))[0]
difference = distance_differences(found, boxes, sample, settings, species) if species else np.full(len(boxes), np.nan)
write_csv(snakemake.output.differences, difference_data(first.labels, difference))
