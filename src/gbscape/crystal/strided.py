"""Strided pattern matching: which crystal each of the overlapping boxes of a sample is (Leitherer, Ziletti and
Ghiringhelli, Nat. Commun. 12, 6234 (2021); Leitherer's thesis (2021), section 6.1).

Boxes are cut, described and classified some at a time, so that memory is bounded whatever the size of the map. What
comes out for a box depends on its own atoms, the model and the seed alone: shards of a map, put together, are the map.

Along periodic axes the grid covers one period, and boxes see the periodic images of the atoms: such a sample has no
surface there.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import product
from math import ceil

import numpy as np
from ase import Atoms
from numpy.typing import ArrayLike, NDArray

from gbscape.config.crystal import Map, Refinement
from gbscape.config.crystal_descriptor import CrystalDescriptor
from gbscape.crystal.boxes import BoxGrid, PerAxis, box_grid, count_atoms, cut_boxes
from gbscape.crystal.classification import (
    PASSES,
    SEED,
    check_atoms,
    check_coincidence,
    check_descriptor,
    distance_scores,
    layer_name,
)
from gbscape.crystal.descriptor import Pieces, describe
from gbscape.crystal.map_file import BoxStatus, StridedMap, join_maps, most_probable
from gbscape.crystal.refinement import first_level, interpolated, next_level
from gbscape.learn.monte_carlo_dropout import predict
from gbscape.learn.network_file import NetworkModel
from gbscape.store.progress import progress

Array = NDArray[np.float64]

TOP_CLASSES = 5
"""So many of the most probable classes are kept of each box."""
FEWEST_ATOMS: int = Map.model_fields["fewest_atoms"].default
"""Boxes with fewer atoms are not classified."""
BOXES_AT_ONCE, ATOMS_AT_ONCE = 1024, 2**19
"""Most boxes, and most atoms unless a single box has more, that are in memory together."""

_FLAT = 1e-6
"""Components of a periodic vector that are smaller, in its lengths, are rounding."""


@dataclass(frozen=True)
class BoxedSample:
    """A sample with the grid of its boxes: of `boxed_sample`."""

    positions: Array
    """(n, 3) of the atoms, and of those periodic images that boxes see."""
    numbers: NDArray[np.int32]
    """(n,) atomic numbers."""
    atom: NDArray[np.int64]
    """(n,) place in the sample; the images of an atom share its."""
    grid: BoxGrid
    """The boxes."""

    def n_atoms(self) -> NDArray[np.int64]:
        """Atoms (n_boxes,) in each box of the grid."""
        return count_atoms(self.positions, self.grid).ravel()


def boxed_sample(atoms: Atoms, box_angstrom: float, stride_angstrom: PerAxis, padding: float = 0.5) -> BoxedSample:
    """Check a sample and lay the grid of its boxes.

    Along periodic axes the centres of the boxes are 0, stride, 2 stride, ... short of the period; along the others as
    `gbscape.crystal.boxes.box_grid` lays them. Where an axis is not strided, boxes end where the sample does, images are
    not seen, and a periodic one is wrapped into its cell.

    Args:
        atoms: the sample. Periodic cell vectors may be at any angles, but must span whole axes: two of them x and y, y
            and z, or z and x, one of them x, y or z.
        box_angstrom, stride_angstrom: edge and step of the boxes, see `gbscape.crystal.boxes.box_grid`, in the unit of the
            positions.
        padding: how far the grid reaches beyond the sample's ends, in edges of a box.

    Raises:
        ValueError: no atoms, an unknown species, positions that are not finite or coincide; boxes larger than the sample
            along a strided axis that is not periodic; a periodic vector without length or out of the axes; lengths that are
            not positive.
    """
    check_atoms(atoms)
    strides = tuple(stride_angstrom) if isinstance(stride_angstrom, Sequence | np.ndarray) else (stride_angstrom,) * 3
    positions = np.array(atoms.positions, dtype=np.float64)
    along = _periodic_axes(atoms)
    if along.any():
        periods = atoms.cell.array[atoms.pbc]
        to_fractions = np.linalg.pinv(periods)
        fractions = positions @ to_fractions
        positions -= np.floor(fractions + _FLAT) @ periods  # a layer of atoms on a face of the cell stays together
    laid = box_grid(positions, box_angstrom, strides, padding)
    lower, edges = list(laid.lower_angstrom), list(laid.edge_angstrom)
    names = "xyz"
    for axis in range(3):
        stride = strides[axis]
        if stride is None:
            continue
        if along[axis]:
            start, end = (float(f(periods[:, axis], 0).sum()) for f in (np.minimum, np.maximum))
            steps = ceil((end - start) / stride - 1e-9)
            lower[axis] = start - box_angstrom / 2 + float(stride) * np.arange(steps, dtype=np.float64)
        elif (extent := float(np.ptp(positions[:, axis]))) < box_angstrom:
            raise ValueError(
                f"boxes of {box_angstrom:g} Angstrom are larger than the sample, which extends over {extent:.4g} along "
                f"{names[axis]}: take smaller boxes, or do not stride along {names[axis]} (stride_angstrom: null there), "
                "so that boxes reach through the sample"
            )
    grid = BoxGrid((lower[0], lower[1], lower[2]), (edges[0], edges[1], edges[2]))
    number = np.arange(len(positions))
    if along.any():
        positions, number = _with_images(positions, periods, grid)
    check_coincidence(positions, number)
    return BoxedSample(
        np.ascontiguousarray(positions), np.ascontiguousarray(atoms.numbers[number], dtype=np.int32), number, grid
    )


def boxes_of_shard(work: ArrayLike, shard: int, n_shards: int) -> NDArray[np.int64]:
    """Places of the boxes of one shard in a list of boxes: consecutive, with nearly the same work in each shard.

    Args:
        work: (n,) of each box, whole numbers; see `gbscape.planning.costs.boxes`. A box counts as one at least.
        shard: number of the shard, from 0.
        n_shards: number of shards. There may be more than boxes.

    Raises:
        ValueError: no such shard.
    """
    if not 0 <= shard < n_shards:
        raise ValueError(f"there is no shard {shard} of {n_shards}: they are numbered from 0")
    ends = np.cumsum(np.maximum(np.asarray(work).ravel(), 1))
    total = int(ends[-1]) if len(ends) else 0
    # a box belongs to the shard in which its middle lies; whole numbers, which are the same on every machine
    twice_middle = 2 * ends - np.diff(ends, prepend=0)
    of_box = np.minimum(twice_middle * n_shards // (2 * max(total, 1)), n_shards - 1)
    return np.flatnonzero(of_box == shard)


def classify_boxes(
    sample: BoxedSample,
    model: NetworkModel,
    boxes: ArrayLike | None = None,
    *,
    descriptor: CrystalDescriptor | None = None,
    fewest_atoms: int = FEWEST_ATOMS,
    passes: int = PASSES,
    seed: int = SEED,
    hidden_layers: Sequence[int] = (),
    all_probabilities: bool = True,
    threads: int = 1,
) -> StridedMap:
    """Classify boxes of a sample. One that cannot be classified is listed with its reason and loses none of the others.

    Args:
        sample: of `boxed_sample`.
        model: of `gbscape.crystal.load_model`.
        boxes: numbers of the boxes in the grid; None: all.
        descriptor: settings that the model's vectors must have; None takes them from the model.
        fewest_atoms: boxes with fewer atoms are not classified.
        passes, seed: of the network with dropout.
        hidden_layers: numbers of the hidden layers, from 0, whose activations are kept, as `layer_<number>`.
        all_probabilities: keep those of all classes, besides the most probable ones.
        threads: number of threads; the result does not depend on it.

    Returns:
        the map of these boxes, in ascending order.

    Raises:
        ValueError: a box that the grid does not have; a number of passes or a layer that the model does not allow.
        ModelMismatch: the model is one for vectors of other settings.
    """
    settings = check_descriptor(model, descriptor)
    _check_prediction(model, passes, hidden_layers)
    if fewest_atoms < 1:
        raise ValueError(f"fewest_atoms must be at least 1, got {fewest_atoms}")
    chosen = np.arange(len(sample.grid)) if boxes is None else np.unique(np.asarray(boxes, dtype=np.int64))
    if len(chosen) and not (chosen[0] >= 0 and chosen[-1] < len(sample.grid)):
        raise ValueError(f"a grid of {len(sample.grid)} boxes has none of the number {chosen[0]} or {chosen[-1]}")
    counts = sample.n_atoms()[chosen]
    n, n_classes = len(chosen), len(model.classes)
    status = np.select([counts == 0, counts < fewest_atoms], [BoxStatus.EMPTY, BoxStatus.TOO_FEW_ATOMS], 0)
    k = min(TOP_CLASSES, n_classes)
    found = _Found(
        top_class=np.full((n, k), -1, np.int16),
        top_probability=np.full((n, k), np.nan, np.float32),
        mutual_information=np.full(n, np.nan),
        predictive_entropy=np.full(n, np.nan),
        distance_score=None if model.feature_space is None else np.full(n, np.nan),
        probabilities=np.full((n, n_classes), np.nan, np.float32) if all_probabilities else None,
        hidden={
            number: np.full((n, sum(member.sizes[number + 1] for member in model.networks)), np.nan, np.float32)
            for number in hidden_layers
        },
        reasons={},
    )

    def classified() -> Iterator[int]:
        """The boxes one by one, each after it was classified, for the progress report."""
        for places, pieces in _pieces(sample, chosen, status == BoxStatus.CLASSIFIED):
            _classify(pieces, places, model, settings, passes, seed, threads, found)
            yield from places

    todo = int((status == BoxStatus.CLASSIFIED).sum())
    for _ in progress(classified(), todo, "boxes"):
        pass
    status[list(found.reasons)] = BoxStatus.FAILED
    return StridedMap(
        grid=sample.grid,
        classes=model.classes,
        grid_index=chosen,
        n_atoms=counts.astype(np.int32),
        status=status.astype(np.uint8),
        top_class=found.top_class,
        top_probability=found.top_probability,
        mutual_information=found.mutual_information,
        predictive_entropy=found.predictive_entropy,
        distance_score=found.distance_score,
        probabilities=found.probabilities,
        hidden={layer_name(number): values for number, values in found.hidden.items()},
        reasons={int(chosen[place]): reason for place, reason in sorted(found.reasons.items())},
    )


def strided_map(
    atoms: Atoms,
    model: NetworkModel,
    box_angstrom: float,
    stride_angstrom: PerAxis,
    *,
    padding: float = 0.5,
    refinement: Refinement | None = None,
    descriptor: CrystalDescriptor | None = None,
    fewest_atoms: int = FEWEST_ATOMS,
    passes: int = PASSES,
    seed: int = SEED,
    hidden_layers: Sequence[int] = (),
    threads: int = 1,
) -> StridedMap:
    """Map a sample: which crystal each of its boxes is, and how sure that is.

    Args:
        atoms, box_angstrom, stride_angstrom, padding: see `boxed_sample`.
        refinement: classify coarse boxes first and finer ones where the model is unsure, and interpolate the others; None
            classifies every box.
        model, descriptor, fewest_atoms, passes, seed, hidden_layers, threads: see `classify_boxes`.

    Returns:
        the map of all boxes of the grid, with the probabilities of all classes.

    Raises:
        ValueError: see `boxed_sample` and `classify_boxes`.
        ModelMismatch: the model is one for vectors of other settings.
    """
    sample = boxed_sample(atoms, box_angstrom, stride_angstrom, padding)

    def classify(boxes: NDArray[np.int64] | None) -> StridedMap:
        return classify_boxes(
            sample, model, boxes, descriptor=descriptor, fewest_atoms=fewest_atoms, passes=passes, seed=seed,
            hidden_layers=hidden_layers, threads=threads,
        )  # fmt: skip

    if refinement is None:
        return classify(None)
    n_atoms = sample.n_atoms()
    done = classify(first_level(sample.grid, refinement.levels))
    for level in range(refinement.levels):
        boxes = next_level(done, n_atoms, level, refinement, fewest_atoms)
        done = join_maps([done, classify(boxes)])
    return interpolated(done, n_atoms, refinement.levels, fewest_atoms)


@dataclass(frozen=True)
class _Found:
    """Values of boxes, filled in batch by batch; as in `StridedMap`."""

    top_class: NDArray[np.int16]
    top_probability: NDArray[np.float32]
    mutual_information: Array
    predictive_entropy: Array
    distance_score: Array | None
    probabilities: NDArray[np.float32] | None
    hidden: dict[int, NDArray[np.float32]]
    reasons: dict[int, str]
    """By the place of the box in the list."""


def _classify(
    pieces: Pieces,
    places: NDArray[np.int64],
    model: NetworkModel,
    settings: CrystalDescriptor,
    passes: int,
    seed: int,
    threads: int,
    found: _Found,
) -> None:
    """Classify the boxes `pieces`, of these places in the list. A batch that fails is halved until what fails is alone."""
    try:
        described = describe(pieces, settings, threads)
        found.reasons.update((int(places[i]), reason) for i, reason in described.reasons.items())
        sound = np.ones(len(places), dtype=bool)
        sound[list(described.reasons)] = False
        rows, whose = described.vectors[sound], places[sound]
        if len(rows) == 0:
            return
        prediction = predict(
            model.networks, rows, passes, seed, temperature=model.temperature, hidden_layers=tuple(found.hidden),
            threads=threads, quiet=True,
        )  # fmt: skip
        distance = distance_scores(model, rows)
    except (ValueError, ArithmeticError) as error:
        if len(places) == 1:
            found.reasons[int(places[0])] = str(error)
            return
        for half in np.array_split(np.arange(len(places)), 2):
            _classify(_taken(pieces, half), places[half], model, settings, passes, seed, threads, found)
        return
    found.top_class[whose], found.top_probability[whose] = most_probable(
        prediction.probabilities, found.top_class.shape[1]
    )
    found.mutual_information[whose] = prediction.mutual_information_bits
    found.predictive_entropy[whose] = prediction.predictive_entropy_bits
    if found.distance_score is not None:
        found.distance_score[whose] = distance
    if found.probabilities is not None:
        found.probabilities[whose] = prediction.probabilities
    for values, hidden in zip(found.hidden.values(), prediction.hidden, strict=True):
        values[whose] = hidden


def _pieces(
    sample: BoxedSample, boxes: NDArray[np.int64], wanted: NDArray[np.bool_]
) -> Iterator[tuple[NDArray[np.int64], Pieces]]:
    """Places of wanted boxes in the list, and their atoms, in batches.

    All boxes from the first to the last wanted one are cut, and those between that are not wanted left out: cutting one
    takes microseconds, classifying one milliseconds.
    """
    places = np.flatnonzero(wanted)
    if len(places) == 0:
        return
    numbers = boxes[places]
    held: list[tuple[NDArray[np.int64], NDArray[np.int32]]] = []  # sizes and atoms
    first = n_boxes = n_atoms = 0
    for batch in cut_boxes(
        sample.positions, sample.grid, start=int(numbers[0]), stop=int(numbers[-1]) + 1, atoms_per_batch=ATOMS_AT_ONCE
    ):
        begin, end = np.searchsorted(numbers, [batch.first, batch.first + len(batch.offsets) - 1])
        at = begin
        while at < end:
            room = max(BOXES_AT_ONCE - n_boxes, 0)
            inside = numbers[at : min(at + room, end)] - batch.first
            sizes = batch.offsets[inside + 1] - batch.offsets[inside]
            fitting = int(np.searchsorted(np.cumsum(sizes), ATOMS_AT_ONCE - n_atoms, side="right"))
            if n_boxes == 0:
                fitting = max(fitting, 1)
            inside, sizes = inside[:fitting], sizes[:fitting]
            if fitting:
                held.append((sizes, _ranges(batch.atoms, batch.offsets[inside], sizes)))
                n_boxes, n_atoms, at = n_boxes + fitting, n_atoms + int(sizes.sum()), at + fitting
            if at < end:
                yield places[first : first + n_boxes], _joined(sample, held)
                held, first, n_boxes, n_atoms = [], first + n_boxes, 0, 0
    if n_boxes:
        yield places[first : first + n_boxes], _joined(sample, held)


def _joined(sample: BoxedSample, held: list[tuple[NDArray[np.int64], NDArray[np.int32]]]) -> Pieces:
    sizes = np.concatenate([sizes for sizes, _ in held])
    atoms = np.concatenate([atoms for _, atoms in held])
    return Pieces(np.concatenate([[0], np.cumsum(sizes)]), sample.positions[atoms], sample.numbers[atoms])


def _taken(pieces: Pieces, which: NDArray[np.int64]) -> Pieces:
    sizes = np.diff(pieces.offsets)[which]
    atoms = _ranges(np.arange(len(pieces.numbers)), pieces.offsets[which], sizes)
    return Pieces(np.concatenate([[0], np.cumsum(sizes)]), pieces.positions[atoms], pieces.numbers[atoms])


def _ranges(values: NDArray, starts: NDArray[np.int64], sizes: NDArray[np.int64]) -> NDArray:
    """`values[start : start + size]` of all starts, one after the other."""
    ends = np.cumsum(sizes)
    return values[np.arange(ends[-1] if len(ends) else 0) + np.repeat(starts - ends + sizes, sizes)]


def _check_prediction(model: NetworkModel, passes: int, hidden_layers: Sequence[int]) -> None:
    """Refuse at once what would make every box fail."""
    if passes < len(model.networks):
        raise ValueError(
            f"passes = {passes} are not enough for the {len(model.networks)} networks of the model: one each"
        )
    layers = len(model.networks[0].sizes) - 2
    for number in hidden_layers:
        if not 0 <= number < layers:
            raise ValueError(f"there is no hidden layer {number}: they are numbered from 0 to {layers - 1}")


def _periodic_axes(atoms: Atoms) -> NDArray[np.bool_]:
    """(3,) axes along which the sample goes on for ever."""
    periods = atoms.cell.array[atoms.pbc]
    lengths = np.linalg.norm(periods, axis=1, keepdims=True)
    if not (np.isfinite(periods).all() and (lengths > 0).all() and np.linalg.matrix_rank(periods) == len(periods)):
        raise ValueError(
            f"the periodic vectors of the cell must have lengths and directions of their own, got {periods.tolist()}: "
            "mend the cell, or set the structure's pbc to false"
        )
    along: NDArray[np.bool_] = (np.abs(periods) > _FLAT * lengths).any(axis=0)
    if along.sum() != len(periods):
        raise ValueError(
            f"the {len(periods)} periodic vectors of the cell, {periods.tolist()}, must lie along as many of the axes x, y "
            "and z: rotate the structure so, or repeat it and set its pbc to false"
        )
    return along


def _with_images(positions: Array, periods: Array, grid: BoxGrid) -> tuple[Array, NDArray[np.int64]]:
    """The periodic images that lie in the boxes of a grid, those of one atom in a row, and the number of their atom."""
    low = np.array([bounds[0] for bounds in grid.lower_angstrom])
    high = np.array([bounds[-1] for bounds in grid.lower_angstrom]) + grid.edge_angstrom
    # An image p + k P is inside for integers k between those of the corners, atoms having fractions from 0 to 1.
    corners = np.array(list(product(*zip(low, high, strict=True)))) @ np.linalg.pinv(periods)
    first, last = np.floor(corners.min(axis=0)).astype(int) - 1, np.ceil(corners.max(axis=0)).astype(int) + 1
    images, numbers = [], []
    for steps in product(*(range(a, b + 1) for a, b in zip(first, last, strict=True))):
        shifted = positions + np.array(steps) @ periods
        inside = np.flatnonzero(((shifted >= low) & (shifted <= high)).all(axis=1))
        images.append(shifted[inside])
        numbers.append(inside)
    return np.concatenate(images), np.concatenate(numbers)
