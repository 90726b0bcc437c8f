"""Strided maps that are fine only where something happens: the future work of Leitherer's thesis (2021), section 6.1.2.

The finest grid is given. Nodes of level l are those boxes whose numbers along each axis are multiples of 2^(levels - l),
and the last ones, so that nodes of a level are nodes of all finer ones. All nodes of level 0 are classified. Where one is
uncertain, differs from a neighbour, or has a neighbour that is not classified, the nodes of the next level around it
are. In the end the other boxes are interpolated from level to level.

All functions are ones of arrays, so that levels may be computed by separate jobs.
"""

from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from gbscape.config.crystal import Refinement
from gbscape.crystal.boxes import BoxGrid
from gbscape.crystal.map_file import BoxStatus, StridedMap, most_probable

Nodes = tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]
Field = NDArray[np.float64]

CHECK_COLUMNS = ["box", "label", "interpolated_label", "mutual_information_bits", "interpolated_bits"]
_COLUMNS_AT_ONCE = 32


def first_level(grid: BoxGrid, levels: int) -> NDArray[np.int64]:
    """Numbers of the boxes that are classified first; all with 0 levels.

    Args:
        grid: the finest boxes.
        levels: times that the stride is halved to arrive at the grid's.
    """
    return _numbers(_nodes(grid, levels, 0), grid)


def next_level(
    done: StridedMap, n_atoms: NDArray[np.integer], level: int, settings: Refinement, fewest_atoms: int
) -> NDArray[np.int64]:
    """Numbers of the boxes to classify after those of a level and all before it.

    They surround boxes of this level (a) whose mutual information is above the quantile of that of all boxes of level 0, (b)
    with a neighbour along an axis that is of another class, or (c) of which one is classified and the other is not. With the
    quantile 0 these are all. Boxes that hold enough atoms but could not be interpolated are among them, too.

    Args:
        done: the boxes classified so far, with the probabilities of all classes.
        n_atoms: (n_boxes,) atoms in each box of the grid.
        level: the level, from 0, that was classified last; below `settings.levels`.
        settings: of the refinement.
        fewest_atoms: boxes with fewer atoms are not classified.

    Raises:
        ValueError: a level that cannot be refined; boxes of level 0 that are not done, or no probabilities.
    """
    if not 0 <= level < settings.levels:
        raise ValueError(f"level {level} cannot be refined: levels are numbered from 0 to {settings.levels}")
    grid = done.grid
    _check(done, settings.levels)
    nodes, finer = _nodes(grid, settings.levels, level), _nodes(grid, settings.levels, level + 1)
    enough = n_atoms >= fewest_atoms
    assert done.probabilities is not None
    values = np.concatenate([done.probabilities, done.mutual_information[:, None]], axis=1)
    field = _field(done, values, enough, settings.levels, level)
    classified = ~np.isnan(field[..., 0])
    top = np.where(classified, np.argmax(field[..., :-1], axis=-1), -1)
    flagged = _differ_from_neighbours(top)
    if settings.quantile == 0:
        flagged[:] = True
    else:
        at_first = done.on_grid(done.mutual_information)[np.ix_(*_nodes(grid, settings.levels, 0))]
        known = at_first[~np.isnan(at_first)]
        if len(known):
            flagged |= np.where(classified, field[..., -1], -np.inf) > np.quantile(known, settings.quantile)
    around = np.zeros([len(of_axis) for of_axis in finer], dtype=bool)
    places = [np.searchsorted(fine, coarse) for fine, coarse in zip(finer, nodes, strict=True)]
    around[np.ix_(*places)] = flagged
    for axis in range(3):
        around = _spread(around, axis)
    reached = _refined(classified[..., None].astype(float), nodes, finer)[..., 0] > 0
    around |= enough.reshape(grid.shape)[np.ix_(*finer)] & ~reached
    wanted = np.zeros(grid.shape, dtype=bool)
    wanted[np.ix_(*finer)] = around
    wanted.ravel()[done.grid_index] = False
    return np.flatnonzero(wanted)


def interpolated(done: StridedMap, n_atoms: NDArray[np.integer], levels: int, fewest_atoms: int) -> StridedMap:
    """The map of the whole grid: boxes that are not done are interpolated from those that are.

    Interpolation is linear along each axis, from the nodes of a level to those of the next one, in probabilities,
    entropies, distance scores and representations; the class is that of the highest probability. Nodes that are not
    classified do not count. Which boxes are empty is known without classifying them.

    Args:
        done: the boxes classified, with the probabilities of all classes.
        n_atoms, fewest_atoms: as for `next_level`.
        levels: of the refinement.

    Returns:
        all boxes in the order of the grid, `interpolated` true for those that were not done. One with enough atoms of
        which no neighbour is classified has the status FAILED and a reason.

    Raises:
        ValueError: boxes of level 0 that are not done, or no probabilities.
    """
    _check(done, levels)
    n = len(done.grid)
    evaluated = np.zeros(n, dtype=bool)
    evaluated[done.grid_index] = True
    enough = n_atoms >= fewest_atoms
    status = np.select([n_atoms == 0, ~enough], [BoxStatus.EMPTY, BoxStatus.TOO_FEW_ATOMS], 0)
    status[done.grid_index] = done.status

    def filled(values: NDArray[Any]) -> NDArray[Any]:
        """Values (n_boxes, ...) of all boxes, from those (n, ...) that are done; some columns at a time to save memory."""
        columns = values.reshape(len(values), -1)
        full = np.empty((n, columns.shape[1]), dtype=values.dtype)
        for first in range(0, columns.shape[1], _COLUMNS_AT_ONCE):
            part = slice(first, first + _COLUMNS_AT_ONCE)
            full[:, part] = _field(done, columns[:, part], enough, levels, levels).reshape(n, -1)
        full[status != BoxStatus.CLASSIFIED] = np.nan
        return full.reshape(n, *values.shape[1:])

    assert done.probabilities is not None
    probabilities = filled(done.probabilities)
    alone = np.isnan(probabilities[:, 0]) & (status == BoxStatus.CLASSIFIED)
    status[alone] = BoxStatus.FAILED
    top_class, top_probability = most_probable(probabilities, done.top_class.shape[1])
    reasons = dict(done.reasons) | {int(box): "no box around it is classified" for box in np.flatnonzero(alone)}
    return replace(
        done,
        grid_index=np.arange(n),
        n_atoms=n_atoms.astype(np.int32),
        status=status.astype(np.uint8),
        top_class=top_class,
        top_probability=top_probability,
        mutual_information=filled(done.mutual_information),
        predictive_entropy=filled(done.predictive_entropy),
        interpolated=~evaluated & (status == BoxStatus.CLASSIFIED),
        distance_score=None if done.distance_score is None else filled(done.distance_score),
        probabilities=probabilities,
        hidden={name: filled(values) for name, values in done.hidden.items()},
        columns={},
        reasons=dict(sorted(reasons.items())),
    )


def boxes_to_check(refined: StridedMap, settings: Refinement) -> NDArray[np.int64]:
    """Numbers of interpolated boxes to classify after all: `settings.checked` at random, or all if they are fewer."""
    assert refined.interpolated is not None
    candidates = np.flatnonzero(refined.interpolated)
    random = np.random.default_rng(settings.seed)
    return np.sort(random.choice(candidates, min(settings.checked, len(candidates)), replace=False))


def compare_interpolated(refined: StridedMap, classified: StridedMap) -> pd.DataFrame:
    """What was interpolated beside what a classification says.

    Args:
        refined: of `interpolated`, all boxes of the grid in its order.
        classified: some boxes of its grid, classified; those that could not be are left out.

    Returns:
        `CHECK_COLUMNS`, a row for each of these boxes.
    """
    classified = classified.take(classified.classified)
    before = refined.take(classified.grid_index)
    columns = (
        classified.grid_index, classified.labels, before.labels,
        classified.mutual_information, before.mutual_information,
    )  # fmt: skip
    return pd.DataFrame(dict(zip(CHECK_COLUMNS, columns, strict=True)))


def _check(done: StridedMap, levels: int) -> None:
    if done.probabilities is None:
        raise ValueError("refinement needs the probabilities of all classes in the map")
    missing = np.setdiff1d(first_level(done.grid, levels), done.grid_index)
    if len(missing):
        raise ValueError(f"box {missing[0]} of level 0 is not in the map, and {len(missing) - 1} others are not")


def _nodes(grid: BoxGrid, levels: int, level: int) -> Nodes:
    step = 2 ** (levels - level)
    x, y, z = (np.unique(np.append(np.arange(0, n, step), n - 1)) for n in grid.shape)
    return x, y, z


def _numbers(nodes: Nodes, grid: BoxGrid) -> NDArray[np.int64]:
    return np.arange(len(grid)).reshape(grid.shape)[np.ix_(*nodes)].ravel()


def _field(
    done: StridedMap, values: NDArray[np.floating[Any]], enough: NDArray[np.bool_], levels: int, level: int
) -> Field:
    """Values at the nodes of a level: those that are done, and the others interpolated from level to level. NaN where
    a node is not classified, has not `enough` (n_boxes,) atoms to be, or no node around it is."""
    full = np.full(len(done.grid), -1)
    full[done.grid_index] = np.arange(len(done))
    place = full.reshape(done.grid.shape)
    nodes = _nodes(done.grid, levels, 0)
    values = values.astype(np.float64)
    field = values[place[np.ix_(*nodes)]]
    for finer_level in range(1, level + 1):
        finer = _nodes(done.grid, levels, finer_level)
        field = _interpolated(field, nodes, finer)
        field[~enough.reshape(done.grid.shape)[np.ix_(*finer)]] = np.nan
        here = place[np.ix_(*finer)]
        field[here >= 0] = values[here[here >= 0]]
        nodes = finer
    return field


def _interpolated(field: Field, coarse: Nodes, fine: Nodes) -> Field:
    """Linear along each axis, the weights of classified nodes being normalised."""
    classified = ~np.isnan(field[..., :1])
    weight = _refined(classified.astype(float), coarse, fine)
    total = _refined(np.where(classified, field, 0.0), coarse, fine)
    with np.errstate(invalid="ignore"):
        return np.where(weight > 0, total / weight, np.nan)


def _refined(values: Field, coarse: Nodes, fine: Nodes) -> Field:
    for axis in range(3):
        left = np.searchsorted(coarse[axis], fine[axis], side="right") - 1
        right = np.minimum(left + 1, len(coarse[axis]) - 1)
        gap = np.maximum(coarse[axis][right] - coarse[axis][left], 1)
        share = ((fine[axis] - coarse[axis][left]) / gap).reshape([-1 if i == axis else 1 for i in range(values.ndim)])
        values = (1 - share) * values.take(left, axis) + share * values.take(right, axis)
    return values


def _differ_from_neighbours(top: NDArray[np.int64]) -> NDArray[np.bool_]:
    differ = np.zeros(top.shape, dtype=bool)
    for axis in range(3):
        unlike = np.diff(top, axis=axis) != 0
        before, after = [(0, 0)] * 3, [(0, 0)] * 3
        before[axis], after[axis] = (1, 0), (0, 1)
        differ |= np.pad(unlike, before) | np.pad(unlike, after)
    return differ


def _spread(mask: NDArray[np.bool_], axis: int) -> NDArray[np.bool_]:
    """True also one step before and behind along an axis."""
    wide = mask.copy()
    low, high = [slice(None)] * 3, [slice(None)] * 3
    low[axis], high[axis] = slice(None, -1), slice(1, None)
    wide[tuple(low)] |= mask[tuple(high)]
    wide[tuple(high)] |= mask[tuple(low)]
    return wide
