"""Which coincidence boundaries exist, and which of them a survey takes."""

import difflib
from collections import defaultdict
from collections.abc import Sequence
from typing import get_args

import numpy as np
from numpy.typing import NDArray

from gbscape.config.survey import Enumeration, Lattice
from gbscape.store.progress import progress
from gbscape.structure.coincidence import CanonicalForm, canonical_forms, misorientations
from gbscape.structure.lattice import (
    IntArray,
    primitive_vectors,
    primitive_vectors_within,
    squared_length,
    squared_length_limit,
)
from gbscape.survey.boundary import Boundary, smallest_description

_PAIRS_AT_ONCE = 20_000


def enumerate_boundaries(lattice: Lattice = "fcc", max_length: float = 15) -> list[Boundary]:
    """All coincidence boundaries with three orthogonal periodic vectors no longer than `max_length`.

    A boundary belongs to the list if it has a description whose normals are lattice vectors of either grain, whose y
    and z are common periods of both grains, and all are no longer than `max_length` in units of a0/2. For fcc and 15
    these are the 388 boundaries of Olmsted, Foiles, Holm, Acta Mater. 57 (2009) 3694.

    Returns:
        Boundaries without duplicates, by Sigma and then canonical form, each described by its smallest periodic cell
        within `max_length`.

    Raises:
        ValueError: unknown lattice, or `max_length` not positive.
    """
    if lattice not in get_args(Lattice):
        raise ValueError(f"unknown lattice {lattice!r}; allowed: {', '.join(get_args(Lattice))}")
    if not max_length > 0:
        raise ValueError(f"max_length is {max_length}; it must be positive (units of a0/2)")
    forms = sorted(canonical_forms_within(lattice, max_length))
    return [
        smallest_description(form, lattice, max_length)
        for form in progress(forms, len(forms), "smallest cells of boundaries")
    ]


def select(boundaries: Sequence[Boundary], settings: Enumeration) -> list[Boundary]:
    """The boundaries of a survey: those named in `ids`, ordered by `order_by` (ties by id), the first `count`.

    Raises:
        ValueError: `ids` names boundaries that are not in the list.
    """
    chosen = list(boundaries)
    if settings.ids is not None:
        known = [b.id for b in boundaries]
        unknown = sorted(set(settings.ids) - set(known))
        if unknown:
            raise ValueError(_unknown_ids(unknown, known, settings))
        chosen = [b for b in boundaries if b.id in set(settings.ids)]
    if settings.order_by == "area":
        # Squared lengths are integers: no tie depends on rounding.
        chosen.sort(key=lambda b: (squared_length(b.left[1]) * squared_length(b.left[2]), b.id))
    else:
        chosen.sort(key=lambda b: (b.sigma, b.id))
    return chosen[: settings.count]


def _unknown_ids(unknown: Sequence[str], known: Sequence[str], settings: Enumeration) -> str:
    named = []
    for name in unknown:
        close = difflib.get_close_matches(name, known, n=1)
        named.append(f"{name} (did you mean {close[0]}?)" if close else name)
    return (
        f"ids: not among the {len(known)} boundaries of {settings.lattice} with max_length "
        f"{settings.max_length:g}: {', '.join(named)}"
    )


def canonical_forms_within(lattice: Lattice, max_length: float) -> set[CanonicalForm]:
    """Canonical forms of all boundaries that pairs of orthogonal triples within `max_length` make, without Sigma 1."""
    limit = squared_length_limit(max_length)
    triples = _orthogonal_triples(lattice, max_length)
    squared = (triples**2).sum(axis=2)
    # Multiples of |y| and |z| can agree only if their squares have the same square-free parts.
    factors, multiples = _square_free(squared[:, 1:])
    groups: dict[tuple[int, int], list[int]] = defaultdict(list)
    for index, (of_y, of_z) in enumerate(factors.tolist()):
        groups[of_y, of_z].append(index)

    # The left grain may be taken with the larger normal (swap), pointing along +x (inversion), and with the largest of
    # the four choices of its y axis that turn the sample about x; the right grain then takes every orientation.
    families = -np.sort(-np.abs(triples[:, 0]), axis=1)
    rank = _rank(families)
    upright: NDArray[np.bool_] = np.all(triples[:, 0] >= 0, axis=1)
    turned = np.stack([triples[:, 1], triples[:, 2], -triples[:, 1], -triples[:, 2]], axis=1)
    first = _is_largest(turned)

    forms: set[CanonicalForm] = set()
    for (of_y, of_z), members in progress(groups.items(), len(groups), "groups of grain pairs"):
        right = np.array(members)
        lefts = right[upright[right] & first[right]]
        for left in np.array_split(lefts, max(1, -(-len(lefts) * len(right) // _PAIRS_AT_ONCE))):
            common = np.lcm(multiples[left][:, None], multiples[right][None]) ** 2
            fits = (common[..., 0] * of_y <= limit) & (common[..., 1] * of_z <= limit)
            fits &= rank[left][:, None] >= rank[right][None]
            i, j = np.nonzero(fits)
            forms |= _distinct_forms(triples[left[i]], triples[right[j]])
    return forms


def _distinct_forms(left: IntArray, right: IntArray) -> set[CanonicalForm]:
    numerators, sigmas = misorientations(left, right)
    kept = sigmas > 1
    forms = canonical_forms(left[kept, 0], numerators[kept], sigmas[kept])
    return {tuple(form) for form in forms.tolist()}


def _orthogonal_triples(lattice: Lattice, max_length: float) -> IntArray:
    """Right-handed triples (normal, y, z) of orthogonal primitive vectors, shape (n, 3, 3).

    Normals are h >= k >= l >= 0 and their negatives: rotations of the cube bring every direction to one of these.
    """
    vectors = primitive_vectors_within(lattice, max_length)
    limit = squared_length_limit(max_length)
    zone = vectors[(vectors[:, 0] >= vectors[:, 1]) & (vectors[:, 1] >= vectors[:, 2]) & (vectors[:, 2] >= 0)]
    triples = [np.empty((0, 3, 3), dtype=np.int64)]
    for normal in zone:
        y = vectors[vectors @ normal == 0]
        z = primitive_vectors(np.cross(normal, y), lattice)
        within = (z**2).sum(axis=1) <= limit
        y, z = y[within], z[within]
        x = np.broadcast_to(normal, y.shape)
        triples += [np.stack([x, y, z], axis=1), np.stack([-x, y, -z], axis=1)]
    return np.concatenate(triples)


def _square_free(numbers: IntArray) -> tuple[IntArray, IntArray]:
    """Write positive integers as f m^2 with f square-free; returns f and m, of the shape given."""
    factors, multiples = numbers.copy(), np.ones_like(numbers)
    divisor = 2
    while divisor**2 <= factors.max(initial=1):
        divides = factors % divisor**2 == 0
        if divides.any():
            factors[divides] //= divisor**2
            multiples[divides] *= divisor
        else:
            divisor += 1
    return factors, multiples


def _rank(rows: IntArray) -> IntArray:
    """Rank of each row in lexicographic order; equal rows share it; shape (n,)."""
    return np.unique(rows, axis=0, return_inverse=True)[1].reshape(-1)


def _is_largest(rows: IntArray) -> NDArray[np.bool_]:
    """Whether the first of the vectors, shape (n, k, 3), is lexicographically the largest of its k; shape (n,)."""
    span = 2 * int(np.abs(rows).max(initial=0)) + 1
    codes: IntArray = rows @ np.array([span**2, span, 1])
    return np.equal(codes[:, 0], codes.max(axis=1))
