"""All measurements of one descriptor."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress

import numpy as np
import pandas as pd
from ase import Atoms
from numpy.typing import NDArray

from gbscape.config.descriptor_properties import DescriptorProperties
from gbscape.descriptor_properties import paths
from gbscape.descriptor_properties.tables import MEASUREMENT_COLUMNS, TOGETHER, Describe, Vector
from gbscape.descriptor_properties.transformations import same_boundary
from gbscape.features.matrix import FeatureMatrix

Row = tuple[str, str, str, float | None, float]
"""Property, quantity, boundary, x, value."""
Select = Callable[[Atoms], NDArray[np.bool_]]


def measure(
    descriptor: str,
    describe: Describe,
    survey: FeatureMatrix,
    slabs: Mapping[str, Atoms],
    relaxed_again: Mapping[str, Sequence[Atoms]],
    select: Select,
    settings: DescriptorProperties,
) -> pd.DataFrame:
    """Measure everything that needs descriptions, columns `MEASUREMENT_COLUMNS`.

    Args:
        descriptor: its name.
        describe: the description of a slab whose array `boundary` marks the boundary's atoms.
        survey: descriptions of all boundaries of the survey.
        slabs: the chosen boundaries by id, as described in the survey.
        relaxed_again: further relaxations of each.
        select: the boundary's atoms of a slab, found anew.
        settings: the lengths, and the boundary that pairs of defects are set in.

    Raises:
        ValueError: all boundaries of the survey are described alike.
    """
    scale = typical_distance(survey.values)
    if not scale > 0:
        raise ValueError(f"{descriptor}: more than half of the pairs of the survey's boundaries are described alike")
    own = {name: describe(slab) for name, slab in slabs.items()}
    rows: list[Row] = []
    for number, (name, slab) in enumerate(slabs.items()):
        seed = settings.seed + 1000 * number
        rows += _invariance(name, slab, own[name], describe, scale, seed)
        rows += _comparison(name, own[name], survey, map(describe, relaxed_again[name]), scale)
        rows += _perturbations(name, slab, own[name], describe, select, scale, settings, seed)
        rows += _smoothness(name, slab, describe, scale, settings)
    rows += _separation(settings.boundaries[0], slabs[settings.boundaries[0]], describe, scale, settings)
    table = pd.DataFrame(rows, columns=MEASUREMENT_COLUMNS[1:])
    table.insert(0, "descriptor", descriptor)
    return table


def typical_distance(vectors: Vector) -> float:
    """Median Euclidean distance between two of the rows (n, d)."""
    centred = vectors - vectors.mean(axis=0)
    products = centred @ centred.T
    squared = products.diagonal()[:, None] + products.diagonal() - 2 * products
    return float(np.median(np.sqrt(squared[np.triu_indices(len(vectors), 1)].clip(0))))


def _invariance(name: str, slab: Atoms, own: Vector, describe: Describe, scale: float, seed: int) -> Iterator[Row]:
    for kind, transformation, same in same_boundary(slab, seed):
        change = float(np.linalg.norm(describe(same) - own))
        yield "invariance", f"{kind}: {transformation}", name, None, change / scale
        yield "invariance", f"of the norm, {kind}: {transformation}", name, None, change / float(np.linalg.norm(own))


def _comparison(
    name: str, own: Vector, survey: FeatureMatrix, relaxed_again: Iterator[Vector], scale: float
) -> Iterator[Row]:
    others = survey.values[[item != name for item in survey.ids]]
    if len(others):
        nearest = float(np.linalg.norm(others - own, axis=1).min())
        yield "comparison", "nearest other boundary", name, None, nearest / scale
    for number, vector in enumerate(relaxed_again, 1):
        yield "comparison", "relaxed again", name, float(number), float(np.linalg.norm(vector - own)) / scale


def _perturbations(
    name: str,
    slab: Atoms,
    own: Vector,
    describe: Describe,
    select: Select,
    scale: float,
    settings: DescriptorProperties,
    seed: int,
) -> Iterator[Row]:
    lengths = settings.displacements_angstrom
    for draw in range(settings.draws):
        for length, shaken in zip(lengths, paths.displaced(slab, lengths, seed + draw), strict=True):
            change = float(np.linalg.norm(describe(shaken) - own))
            yield "perturbations", "same atoms", name, length, change / scale
            with suppress(ValueError):  # shaken so much that the boundary's atoms cannot be told, or not be described
                shaken.set_array("boundary", select(shaken))
                if not np.array_equal(shaken.arrays["boundary"], slab.arrays["boundary"]):
                    change = float(np.linalg.norm(describe(shaken) - own))
                yield "perturbations", "atoms selected anew", name, length, change / scale


def _smoothness(
    name: str, slab: Atoms, describe: Describe, scale: float, settings: DescriptorProperties
) -> Iterator[Row]:
    steps = settings.path_steps
    for path, structures in (
        ("sliding grain", paths.sliding_grain(slab, settings.grain_path_angstrom, steps)),
        ("moving atom", paths.moving_atom(slab, settings.atom_path_angstrom, steps)),
    ):
        vectors = np.array([describe(structure) for structure in structures])
        for coarser in (4, 2, 1):
            points = vectors[::coarser] / scale
            for order, quantity in ((1, "largest step"), (2, "largest bend")):
                largest = float(np.linalg.norm(np.diff(points, n=order, axis=0), axis=1).max())
                yield "smoothly varying", f"{quantity}, {path}", name, steps / coarser, largest


def _separation(
    name: str, slab: Atoms, describe: Describe, scale: float, settings: DescriptorProperties
) -> Iterator[Row]:
    """How far two defects are from adding up, of the effect of one: the geometric mean of both alone."""
    repeated, first, partners = paths.defect_pairs(slab, settings.separations_angstrom)

    def with_defects(*atoms: int) -> Vector:
        return describe(paths.with_defects(repeated, atoms, settings.defect_angstrom))

    perfect, one = with_defects(), with_defects(first)
    effect = float(np.linalg.norm(one - perfect))
    yield "multi-scale", "effect of one defect", name, None, effect / scale
    for distance, partner in partners:
        other, both = with_defects(partner), with_defects(first, partner)
        alone = float(np.sqrt(effect * np.linalg.norm(other - perfect)))
        if alone > 0:
            yield "multi-scale", TOGETHER, name, distance, float(np.linalg.norm(both - one - other + perfect)) / alone
