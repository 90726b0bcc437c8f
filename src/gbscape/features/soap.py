"""SOAP: the smooth overlap of atomic positions, as a power spectrum for each atom.

Conventions are quippy's (QUIP's `soap` descriptor), whichever engine computes: density of Gaussians of peak 1 on the
neighbours and on the centre, faded out by a cosine inside the cut-off; radial basis of n_max Gaussians of the same width at
equispaced radii from 0 to almost cut-off + sigma sqrt(20 ln 10), orthonormalised by a Cholesky factor; power spectrum
p[a, b, l] = sum_m c[a, l, m] c*[b, l, m] / sqrt(2 l + 1) for a >= b, times sqrt(2) off the diagonal; l runs fastest; one
last component that is always 0; then divided by its norm. Bartok, Kondor and Csanyi, Phys. Rev. B 87, 184115 (2013).
"""

from collections.abc import Callable
from typing import Literal

import numpy as np
from ase import Atoms
from numpy.typing import ArrayLike, NDArray

from gbscape.config.features import Soap
from gbscape.config.quippy_range import CLOSEST_APPROACH_ANGSTROM, LARGEST_ERROR, quippy_error
from gbscape.features.checks import check_slab, check_surroundings, closest_pair

Engine = Literal["quippy"]


def power_spectrum(
    atoms: Atoms, parameters: Soap, centres: ArrayLike | None = None, engine: Engine | None = None
) -> NDArray[np.float64]:
    """SOAP vectors of atoms of a slab.

    All atoms of the slab count as neighbours, those beyond the selection too, and all their images in y and z, however
    short the periods.

    Args:
        atoms: slab of one species, periodic in y and z.
        parameters: the descriptor's settings.
        centres: the atoms to describe, by a mask (n,) or by indices (n_centres,); null takes all, which a slab with free
            surfaces never allows.
        engine: code that computes; null takes the one in the settings.

    Returns:
        (n_centres, n_features), n_features = n_max (n_max + 1) / 2 (l_max + 1) + 1, centres in the order of the atoms (mask)
        or as given (indices).

    Raises:
        ValueError: a slab that cannot be described (see `gbscape.features.checks`), centres that are out of range or
            repeated, a neighbourhood that reaches a free surface, atoms too close for quippy's accuracy.
    """
    compute = _engine(engine or parameters.engine)
    check_slab(atoms)
    indices = _indices(centres, len(atoms))
    check_surroundings(atoms, indices, parameters.cutoff_angstrom)
    return compute(atoms, parameters, indices)


def feature_names(parameters: Soap) -> list[str]:
    """Names (n_features,) of the components, e.g. `p[3,1,l=4]` for the third with the first radial function, l = 4."""
    names = [
        f"p[{a},{b},l={order}]"
        for a in range(1, parameters.n_max + 1)
        for b in range(1, a + 1)
        for order in range(parameters.l_max + 1)
    ]
    return [*names, "zero"]


def _engine(name: Engine) -> Callable[[Atoms, Soap, NDArray[np.int_]], NDArray[np.float64]]:
    if name == "quippy":
        return _quippy
    raise ValueError(f"unknown SOAP engine {name!r}; allowed: 'quippy'")


def _indices(centres: ArrayLike | None, n_atoms: int) -> NDArray[np.int_]:
    given = np.arange(n_atoms) if centres is None else np.asarray(centres)
    if given.dtype == np.bool_:
        if given.shape != (n_atoms,):
            raise ValueError(f"a mask of centres must have shape ({n_atoms},), got {given.shape}")
        given = np.flatnonzero(given)
    if given.ndim != 1 or not np.issubdtype(given.dtype, np.integer) or len(given) == 0:
        raise ValueError(f"centres must be a mask or a list of at least one index, got {given.dtype} of shape {given.shape}")
    if given.min() < 0 or given.max() >= n_atoms or len(np.unique(given)) < len(given):
        raise ValueError(f"indices of centres must be distinct and from 0 to {n_atoms - 1}")
    return given


def _quippy(atoms: Atoms, parameters: Soap, centres: NDArray[np.int_]) -> NDArray[np.float64]:
    from quippy.descriptors import Descriptor

    closest = closest_pair(atoms)[0]
    if closest < CLOSEST_APPROACH_ANGSTROM:  # the settings were checked for atoms no nearer than this
        error = quippy_error(
            parameters.n_max, parameters.l_max, parameters.cutoff_angstrom, parameters.sigma_angstrom, closest
        )
        if not error <= LARGEST_ERROR:
            raise ValueError(
                f"two atoms are {closest:.2f} Angstrom apart, where quippy's power spectrum would be wrong by about "
                f"{error:.0e} with these settings (at most {LARGEST_ERROR:.0e} is allowed); choose a smaller sigma_angstrom, "
                "l_max or n_max, or check the structure"
            )
    number = int(atoms.numbers[0])
    descriptor = Descriptor(
        f"soap n_max={parameters.n_max} l_max={parameters.l_max} cutoff={parameters.cutoff_angstrom!r} "
        f"cutoff_transition_width={parameters.cutoff_transition_width_angstrom!r} "
        f"atom_sigma={parameters.sigma_angstrom!r} n_Z=1 Z={{{number}}} n_species=1 species_Z={{{number}}}"
    )
    slab = _for_quippy(atoms, centres, parameters.cutoff_angstrom)
    vectors = descriptor.calc(slab, args_str="atom_mask_name=chosen")["data"]
    # quippy returns the centres in the order of the atoms
    return np.ascontiguousarray(vectors[np.argsort(np.argsort(centres))])


def _for_quippy(atoms: Atoms, centres: NDArray[np.int_], cutoff_angstrom: float) -> Atoms:
    """The part of the slab that matters, with the mask `chosen`, in a box with vacuum about it.

    quippy bins atoms by the cell even where that is not periodic, so the box must hold them.
    """
    chosen = np.zeros(len(atoms), dtype=bool)
    chosen[centres] = True
    x = atoms.positions[:, 0]
    reach = cutoff_angstrom + 0.1
    near = (x >= x[centres].min() - reach) & (x <= x[centres].max() + reach)
    positions = atoms.positions[near]
    positions[:, 0] -= positions[:, 0].min() - reach
    cell = atoms.cell.lengths()
    cell[0] = positions[:, 0].max() + reach
    part = Atoms(numbers=atoms.numbers[near], positions=positions, cell=cell, pbc=atoms.pbc)
    part.set_array("chosen", chosen[near])
    return part
