"""What a map says in numbers, and how far it agrees with what is known about a sample that we made ourselves."""

import numpy as np
import pandas as pd
from ase import Atoms
from numpy.typing import NDArray

from gbscape.config.crystal import FourGrains, Map, Polycrystal, Sample, Superalloy
from gbscape.crystal.box_truth import BoxTruth, accuracy_inside, box_truth, contrast, inside_sample, overlap
from gbscape.crystal.map_file import StridedMap
from gbscape.crystal.strided import boxed_sample
from gbscape.structure.four_grains import GRAIN_LATTICES
from gbscape.structure.nearest_neighbours import nearest_neighbour_distance
from gbscape.structure.superalloy import MATRIX, PRECIPITATE

SUMMARY_COLUMNS = ["quantity", "value", "boxes"]
"""`boxes`: number of boxes that the value is of."""

GROUPS = ("grain", "phase")
"""Arrays of a sample's atoms that say what they truly are."""
_REACH = 2.0
"""Nearest-neighbour distances to the next atom at the corners of a box that is inside the sample; one missing atom does no harm."""
_NAMED_CLASSES = 6
_LABEL_OF_PRECIPITATE = "L1_2"


def truth_of_boxes(strided_map: StridedMap, sample: Atoms, settings: Map) -> tuple[BoxTruth, NDArray[np.bool_]] | None:
    """The true grain or phase of each box, and which boxes (n,) are inside the sample, away from its outer surface.

    Args:
        strided_map: the map.
        sample: its atoms.
        settings: of the map.

    Returns:
        None for samples that nothing is known about.
    """
    array = next((name for name in GROUPS if name in sample.arrays), None)
    if array is None:
        return None
    boxed = boxed_sample(sample, settings.box_angstrom, settings.stride_angstrom, settings.padding)
    truth = box_truth(boxed.positions, sample.arrays[array][boxed.atom], strided_map.grid, strided_map.grid_index)
    reach = _REACH * nearest_neighbour_distance(sample)
    return truth, inside_sample(boxed.positions, strided_map.grid, strided_map.grid_index, reach)


def class_of_groups(sample: Sample) -> dict[str, str]:
    """Label of the crystal of each grain of a sample; none where grains are not of known classes."""
    match sample:
        case FourGrains():
            return {str(number): lattice for number, lattice in enumerate(GRAIN_LATTICES)}
        case Polycrystal():
            return {str(number): sample.classes[number % len(sample.classes)] for number in range(sample.grains)}
    return {}


def map_summary(
    strided_map: StridedMap, sample: Atoms, settings: Map, check: pd.DataFrame | None = None
) -> pd.DataFrame:
    """Numbers of atoms and boxes, the most frequent classes, and for samples with known grains or phases the agreement.

    Boxes across grains or phases, of none of which they have four fifths of their atoms, are left out of accuracies and
    overlaps; boxes that reach over the outer surface, of all comparisons.

    Args:
        strided_map: the map.
        sample: its atoms, with the array `grain` or `phase` where these are known.
        settings: of the map.
        check: of `gbscape.crystal.refinement.compare_interpolated`, for a refined map.

    Returns:
        `SUMMARY_COLUMNS`.
    """
    classified, labels = strided_map.classified, strided_map.labels
    rows: list[tuple[str, float, int]] = [
        ("atoms", len(sample), len(strided_map)),
        ("boxes", len(strided_map), len(strided_map)),
        ("boxes classified", int(classified.sum()), len(strided_map)),
    ]
    if strided_map.interpolated is not None:
        computed = classified & ~strided_map.interpolated
        rows.append(("boxes computed", int(computed.sum()), int(classified.sum())))
    if check is not None and len(check):
        right = (check["label"] == check["interpolated_label"]).mean()
        error = (check["mutual_information_bits"] - check["interpolated_bits"]).abs().mean()
        rows += [
            ("interpolated boxes of the right class", float(right), len(check)),
            ("mean error of interpolated mutual information", float(error), len(check)),
        ]
    rows += [
        (f"boxes labelled {label}", int((labels == label).sum()), len(strided_map))
        for label in strided_map.most_frequent(_NAMED_CLASSES)
    ]
    rows.append(
        ("median mutual information", _median(strided_map.mutual_information[classified]), int(classified.sum()))
    )
    known = truth_of_boxes(strided_map, sample, settings)
    if known is not None:
        truth, in_sample = known
        counts = classified & in_sample
        rows += _contrast_rows(strided_map.mutual_information, counts & truth.is_mixed, counts & truth.is_inside)
        of_group = class_of_groups(settings.structure)
        inside = counts & truth.is_inside
        if inside.any() and set(truth.group[inside]) <= set(of_group):
            true = np.array([of_group.get(group, "") for group in truth.group])
            rows.append(("accuracy inside grains", accuracy_inside(labels, true, inside), int(inside.sum())))
        if isinstance(settings.structure, Superalloy) and inside.any():
            rows += _overlap_rows(labels[inside], truth.group[inside])
    return pd.DataFrame(rows, columns=SUMMARY_COLUMNS)


def _contrast_rows(
    values: NDArray, across: NDArray[np.bool_], inside: NDArray[np.bool_]
) -> list[tuple[str, float, int]]:
    if not (across.any() and inside.any()):
        return []
    found = contrast(values, across, inside)
    return [
        ("area under the ROC curve of mutual information at boundaries", found.auc, found.boxes + found.other_boxes),
        ("mean mutual information at boundaries over that inside", found.ratio_of_means, found.boxes + found.other_boxes),
        ("median mutual information at boundaries", _median(values[across]), found.boxes),
        ("median mutual information inside", _median(values[inside]), found.other_boxes),
    ]  # fmt: skip


def _overlap_rows(labels: NDArray, groups: NDArray) -> list[tuple[str, float, int]]:
    found = overlap(labels == _LABEL_OF_PRECIPITATE, groups == str(PRECIPITATE))
    matrix = labels[groups == str(MATRIX)]
    rows = [
        ("precipitate, intersection over union", found.intersection_over_union, found.boxes),
        ("precipitate, precision", found.precision, found.boxes),
        ("precipitate, recall", found.recall, found.boxes),
    ]
    if len(matrix):
        rows.append(("share of fcc in the matrix", float((matrix == "fcc").mean()), len(matrix)))
    return rows


def _median(values: NDArray) -> float:
    return float(np.median(values)) if len(values) else np.nan
