"""Clusters of the boxes of a map by the hidden representations of the network (Leitherer's thesis (2021), sections 6.2.2 and
6.6.3), and how far they are the grains of a sample that we made ourselves."""

import numpy as np
import pandas as pd
from ase import Atoms
from numpy.typing import ArrayLike, NDArray

from gbscape.config.crystal import Clustering, Map
from gbscape.crystal.box_distances import species_distances
from gbscape.crystal.classification import layer_name
from gbscape.crystal.map_file import MapError, StridedMap
from gbscape.crystal.map_summary import truth_of_boxes
from gbscape.crystal.strided import boxed_sample
from gbscape.learn.clustering import Agreement, Clusters, cluster_agreement, embed, find_clusters

AGREEMENT_COLUMNS = ["layer", *Agreement._fields]

Layers = dict[str, tuple[Clusters, NDArray[np.float64]]]
"""Clusters of the boxes and their map in two dimensions (boxes, 2), by the name of the layer."""


def cluster_boxes(strided_map: StridedMap, settings: Clustering) -> tuple[NDArray[np.int64], Layers]:
    """Cluster the classified boxes of a map, or those of one class, in each layer by itself.

    Returns:
        places (m,) of the clustered boxes in the map's list, those without representations left out; and the clusters.

    Raises:
        MapError: the map does not have a layer.
        ValueError: too few boxes for the settings.
    """
    names = [layer_name(number) for number in settings.layers]
    for name in names:
        if name not in strided_map.hidden:
            kept = ", ".join(strided_map.hidden) or "none"
            raise MapError(f"the map was made without the representations of {name}; it has {kept}")
    wanted = strided_map.classified.copy()
    if settings.of_class is not None:
        wanted &= strided_map.labels == settings.of_class
    for name in names:
        wanted &= np.isfinite(strided_map.hidden[name]).all(axis=1)
    boxes = np.flatnonzero(wanted)
    layers: Layers = {}
    for name in names:
        points = strided_map.hidden[name][boxes]
        layers[name] = (find_clusters(points, settings), embed(points, settings))
    return boxes, layers


def agreement_table(
    strided_map: StridedMap, boxes: ArrayLike, layers: Layers, sample: Atoms, settings: Map
) -> pd.DataFrame:
    """Agreement of the clusters of each layer with the true grains or phases, `AGREEMENT_COLUMNS`.

    Boxes across grains, and those that reach over the outer surface, are of no group: they should be outliers.

    Args:
        strided_map: the map.
        boxes, layers: of `cluster_boxes`.
        sample: its atoms.
        settings: of the map.

    Returns:
        for samples that nothing is known about, or without a box inside a grain, the number of clusters alone.
    """
    chosen = strided_map.take(np.asarray(boxes))
    known = truth_of_boxes(chosen, sample, settings)
    found = {name: clusters for name, (clusters, _) in layers.items()}
    if known is not None:
        truth, in_sample = known
        of_no_group = ~(truth.is_inside & in_sample)
        if not of_no_group.all():
            rows = [(name, *cluster_agreement(its.labels, truth.group, of_no_group)) for name, its in found.items()]
            return pd.DataFrame(rows, columns=AGREEMENT_COLUMNS)
    return pd.DataFrame(
        [{"layer": name, "points_inside": 0, "clusters": its.number} for name, its in found.items()],
        columns=AGREEMENT_COLUMNS,
    )


def distance_differences(
    strided_map: StridedMap, boxes: ArrayLike, sample: Atoms, settings: Map, species: tuple[str, str]
) -> NDArray[np.float64]:
    """Difference (m,) in Angstrom of the nearest-neighbour distances of two species, each among its own kind, in boxes.

    Args:
        strided_map: the map.
        boxes: (m,) places in its list.
        sample: its atoms.
        settings: of the map.
        species: (A, B): d_AA - d_BB.

    Returns:
        NaN where a box has fewer than two atoms of one of them.

    Raises:
        ValueError: a species that the sample does not have.
    """
    boxed = boxed_sample(sample, settings.box_angstrom, settings.stride_angstrom, settings.padding)
    numbers = strided_map.grid_index[np.asarray(boxes)]
    found = species_distances(boxed.positions, boxed.numbers, strided_map.grid, numbers, species)
    difference: NDArray[np.float64] = found[:, 0] - found[:, 1]
    return difference
