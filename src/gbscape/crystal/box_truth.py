"""What boxes of samples that we made ourselves truly are, and how a map agrees with it."""

from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from scipy.spatial import cKDTree
from sklearn.metrics import roc_auc_score

from gbscape.crystal.boxes import BoxGrid, count_atoms

MIXED = "mixed"
"""Boxes of which no group has the wanted share."""
EMPTY = ""
"""Boxes without atoms."""

PROFILE_COLUMNS = ["lower_angstrom", "upper_angstrom", "boxes", "mean", "median"]


class BoxTruth(NamedTuple):
    """The groups of atoms (grains, phases) in n boxes."""

    group: NDArray[np.str_]
    """(n,) the group of the box; `MIXED` or `EMPTY` where there is none."""
    share: NDArray[np.float64]
    """(n,) of the largest group among the atoms of the box; NaN without atoms."""

    @property
    def is_mixed(self) -> NDArray[np.bool_]:
        """(n,) boxes across groups."""
        return self.group == MIXED

    @property
    def is_inside(self) -> NDArray[np.bool_]:
        """(n,) boxes of one group."""
        return ~self.is_mixed & (self.group != EMPTY)


class Contrast(NamedTuple):
    """How much higher a value is in some boxes than in others."""

    auc: float
    """Probability that one of the former has the higher value (area under the ROC curve): 0.5 is chance."""
    ratio_of_means: float
    """Mean over the former, over that over the latter."""
    ratio_of_medians: float
    """Likewise, with medians."""
    boxes: int
    """Number of the former."""
    other_boxes: int
    """Number of the latter."""


class Overlap(NamedTuple):
    """How well the boxes found are those looked for."""

    intersection_over_union: float
    """Boxes in both over boxes in either; NaN if there is none."""
    precision: float
    """Share of the boxes found that are right; NaN if none is found."""
    recall: float
    """Share of the boxes looked for that are found; NaN if there is none."""
    accuracy: float
    """Share of all boxes that are in both or in neither."""
    boxes: int
    """Number of boxes compared."""


def box_truth(
    positions: ArrayLike, groups: ArrayLike, grid: BoxGrid, boxes: ArrayLike, least_share: float = 0.8
) -> BoxTruth:
    """The group that most atoms of a box belong to.

    Args:
        positions: (n, 3) in Angstrom.
        groups: (n,) number or name of the group of each atom, such as its grain, phase or crystal.
        grid: the boxes.
        boxes: (m,) numbers of the boxes wanted.
        least_share: boxes of whose atoms no group has at least this share are `MIXED`.

    Raises:
        ValueError: not one group an atom; a share that is not above 0.5 and up to 1; a group named as `MIXED` or `EMPTY`.
    """
    points, of_atom = np.asarray(positions, dtype=np.float64), np.asarray(groups).astype(str)
    wanted = np.asarray(boxes, dtype=np.int64)
    if of_atom.shape != points.shape[:1]:
        raise ValueError(f"expected a group for each of {len(points)} atoms, got {of_atom.shape}")
    if not 0.5 < least_share <= 1:
        raise ValueError(
            f"least_share must be above 0.5, for only one group to have it, and up to 1, got {least_share}"
        )
    names = np.unique(of_atom)
    if np.isin([MIXED, EMPTY], names).any():
        raise ValueError(f"no group of atoms may be named {MIXED!r} or {EMPTY!r}")
    total = count_atoms(points, grid).ravel()[wanted]
    most, which = np.zeros(len(wanted), np.int64), np.zeros(len(wanted), np.int64)
    for number, name in enumerate(names):
        count = count_atoms(points[of_atom == name], grid).ravel()[wanted]
        more = count > most
        most[more], which[more] = count[more], number
    with np.errstate(invalid="ignore"):
        share = most / total
    group = np.select([total == 0, share < least_share], [EMPTY, MIXED], names[which])
    return BoxTruth(group, share)


def inside_sample(positions: ArrayLike, grid: BoxGrid, boxes: ArrayLike, reach_angstrom: float) -> NDArray[np.bool_]:
    """Which boxes (m,) are full of atoms: not cut by the sample's outer surface.

    Each corner of such a box has an atom within `reach_angstrom`, which must be longer than what defects tear open, and
    shorter than the box; the number of atoms would not tell a crystal of low density from a surface.

    Args:
        positions: (n, 3) in Angstrom.
        grid: the boxes.
        boxes: (m,) their numbers.
        reach_angstrom: e.g. two nearest-neighbour distances.

    Raises:
        ValueError: a reach that is not positive.
    """
    if not reach_angstrom > 0:
        raise ValueError(f"the reach must be a positive length in Angstrom, got {reach_angstrom}")
    tree = cKDTree(np.asarray(positions, dtype=np.float64))
    lower = grid.origins_angstrom().reshape(-1, 3)[np.asarray(boxes, dtype=np.int64)]
    full = np.ones(len(lower), dtype=bool)
    for corner in np.ndindex(2, 2, 2):
        place = lower + np.array(corner) * grid.edge_angstrom
        full &= np.isfinite(tree.query(place, distance_upper_bound=reach_angstrom)[0])
    return full


def distance_from_boundary(
    positions: ArrayLike, atoms_from_boundary_angstrom: ArrayLike, centres_angstrom: ArrayLike
) -> NDArray[np.float64]:
    """Distance (m,) in Angstrom of boxes' centres from the nearest grain boundary: that of the nearest atom.

    It is wrong by no more than the distance of that atom from the centre.

    Args:
        positions: (n, 3) in Angstrom.
        atoms_from_boundary_angstrom: (n,) of the atoms, as in the array `distance_to_boundary` of our polycrystals.
        centres_angstrom: (m, 3).
    """
    tree = cKDTree(np.asarray(positions, dtype=np.float64))
    return np.asarray(atoms_from_boundary_angstrom, dtype=np.float64)[tree.query(np.asarray(centres_angstrom))[1]]


def profile(values: ArrayLike, distances_angstrom: ArrayLike, width_angstrom: float = 2.0) -> pd.DataFrame:
    """Mean and median of a value by distance, `PROFILE_COLUMNS`; bins without boxes have no row.

    Args:
        values: (n,) of boxes, such as their mutual information; NaN is left out.
        distances_angstrom: (n,) from the nearest boundary.
        width_angstrom: of the bins, from 0.

    Raises:
        ValueError: lengths that differ, or a width that is not positive.
    """
    value, distance = np.asarray(values, dtype=np.float64), np.asarray(distances_angstrom, dtype=np.float64)
    if value.ndim != 1 or value.shape != distance.shape:
        raise ValueError(f"need one value and one distance for each box, got {value.shape} and {distance.shape}")
    if not width_angstrom > 0:
        raise ValueError(f"the bins need a positive width in Angstrom, got {width_angstrom}")
    known = np.isfinite(value) & np.isfinite(distance)
    bins = np.floor(distance[known] / width_angstrom).astype(int)
    grouped = pd.Series(value[known]).groupby(bins)
    found = grouped.agg(boxes="size", mean="mean", median="median").reset_index(names="bin")
    found["lower_angstrom"] = found["bin"] * width_angstrom
    found["upper_angstrom"] = (found["bin"] + 1) * width_angstrom
    return found[PROFILE_COLUMNS]


def contrast(values: ArrayLike, high: ArrayLike, low: ArrayLike) -> Contrast:
    """How much higher a value is in some boxes, such as those across grain boundaries, than in others.

    Args:
        values: (n,) of boxes; NaN is left out.
        high: (n,) true for the former.
        low: (n,) true for the latter.

    Raises:
        ValueError: lengths that differ, a box in both, or a side without boxes.
    """
    value = np.asarray(values, dtype=np.float64)
    first, second = np.asarray(high, dtype=bool), np.asarray(low, dtype=bool)
    if value.ndim != 1 or not value.shape == first.shape == second.shape:
        raise ValueError(f"need a value and two flags for each box, got {value.shape}, {first.shape}, {second.shape}")
    known = np.isfinite(value)
    first, second = first & known, second & known
    if (first & second).any():
        raise ValueError(f"{int((first & second).sum())} boxes are on both sides of the comparison")
    if not (first.any() and second.any()):
        raise ValueError(f"nothing to compare: {int(first.sum())} boxes on one side, {int(second.sum())} on the other")
    both = first | second
    with np.errstate(divide="ignore"):
        means, medians = (float(np.divide(f(value[first]), f(value[second]))) for f in (np.mean, np.median))
    return Contrast(float(roc_auc_score(first[both], value[both])), means, medians, int(first.sum()), int(second.sum()))


def overlap(found: ArrayLike, wanted: ArrayLike) -> Overlap:
    """Compare boxes found, such as those labelled L1_2, with those looked for, such as those of a precipitate.

    Args:
        found, wanted: (n,) true for the boxes found and for those looked for; leave out boxes across phases, or count them
            as one of them, as the question asks.

    Raises:
        ValueError: lengths that differ, or no boxes.
    """
    one, other = np.asarray(found, dtype=bool), np.asarray(wanted, dtype=bool)
    if one.shape != other.shape or one.ndim != 1 or len(one) == 0:
        raise ValueError(f"need one flag for each box, got {one.shape} and {other.shape}")
    both = int((one & other).sum())

    def ratio(part: int, whole: int) -> float:
        return part / whole if whole else np.nan

    return Overlap(
        ratio(both, int((one | other).sum())),
        ratio(both, int(one.sum())),
        ratio(both, int(other.sum())),
        float((one == other).mean()),
        len(one),
    )


def accuracy_inside(labels: ArrayLike, truth: ArrayLike, inside: ArrayLike) -> float:
    """Share of the boxes inside grains that have the label of their crystal; a box without label is wrong.

    Args:
        labels: (n,) of the map, empty where a box has none.
        truth: (n,) label of the crystal of the grain.
        inside: (n,) boxes that count.

    Raises:
        ValueError: lengths that differ, or no box inside.
    """
    found, true, counts = np.asarray(labels), np.asarray(truth), np.asarray(inside, dtype=bool)
    if not found.shape == true.shape == counts.shape:
        raise ValueError(f"labels must be of the same boxes, got {found.shape}, {true.shape} and {counts.shape}")
    if not counts.any():
        raise ValueError("there is no box inside a grain to be right about")
    return float((found[counts] == true[counts]).mean())
