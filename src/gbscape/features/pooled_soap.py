"""Statistics over the SOAP vectors of a boundary's atoms, which are never all in memory.

The mean, which Rosenbrock et al. (npj Comput. Mater. 3, 29 (2017)) average to, forgets how much boundary there is. A
boundary's energy does not: it is the sum of what its atoms have more than those of the crystal, per area. If an atom's
energy is a linear function w.p of its SOAP vector, the boundary's is w.x of the excess per area

    x = sum over the boundary's atoms i of (p_i - p_bulk) / A,

without a constant. p_bulk is the mean over atoms of the same slab that are out of the boundary's sight (see `bulk_atoms`):
no lattice constant is needed, and what all vectors share cancels exactly. It stands for the relaxed crystal of the
potential; in the Ni survey it differs between boundaries by less than 1e-3 of its norm.
"""

import numpy as np
from ase import Atoms
from numpy.typing import NDArray

from gbscape.config.soap import PooledSoap, SoapParameters
from gbscape.features.checks import check_slab, check_surroundings
from gbscape.features.soap import power_spectrum, power_spectrum_chunks

Array = NDArray[np.float64]

LEAST_DEVIATION = 1e-12
"""Components of vectors of norm 1 that deviate less do so by rounding, which has no skewness."""


def pooled_soap(atoms: Atoms, mask: NDArray[np.bool_], settings: PooledSoap) -> Array:
    """Statistics of a boundary's SOAP vectors, one after the other.

    Args:
        atoms: slab (n atoms) of one species, periodic in y and z.
        mask: (n,) true for the atoms of the boundary.
        settings: which statistics, in which order.

    Returns:
        (n_statistics * n_components,) as named by `gbscape.features.names`; the excess per area in Angstrom^-2, the
        others without unit. Standard deviation and skewness are those of the atoms themselves, not estimates for more.

    Raises:
        ValueError: a slab that cannot be described, or one without bulk where the excess is asked for.
    """
    check_slab(atoms)
    check_surroundings(atoms, np.flatnonzero(mask), settings.cutoff_angstrom)
    averaged = settings.parameters("spectra")
    mean = power_spectrum(atoms, averaged, mask)
    statistics = {"mean": mean}
    if "excess_per_area" in settings.statistics:
        bulk = power_spectrum(atoms, averaged, bulk_atoms(atoms, mask, settings.cutoff_angstrom))
        statistics["excess_per_area"] = (mean - bulk) * (mask.sum() / atoms.cell.lengths()[1:].prod())
    if set(settings.statistics) - set(statistics):
        statistics |= _spread(atoms, mask, settings.parameters(), mean)
    return np.concatenate([statistics[name] for name in settings.statistics])


def bulk_atoms(atoms: Atoms, mask: NDArray[np.bool_], cutoff_angstrom: float) -> NDArray[np.int_]:
    """Indices of the atoms further than the cut-off along x from the selected ones and from the slab's surfaces.

    Raises:
        ValueError: there are none.
    """
    x = atoms.positions[:, 0]
    outside = (x < x[mask].min() - cutoff_angstrom) | (x > x[mask].max() + cutoff_angstrom)
    bulk = outside & (x > x.min() + cutoff_angstrom) & (x < x.max() - cutoff_angstrom)
    if not bulk.any():
        raise ValueError(
            f"the slab has no bulk: no atom is more than the cut-off, {cutoff_angstrom:g} Angstrom, away both from the "
            f"boundary's atoms, at x from {x[mask].min():.1f} to {x[mask].max():.1f} Angstrom, and from the slab's surfaces, at "
            f"{x.min():.1f} and {x.max():.1f}; build a thicker slab, choose a smaller cut-off, or leave out 'excess_per_area'"
        )
    return np.flatnonzero(bulk)


def _spread(atoms: Atoms, mask: NDArray[np.bool_], parameters: SoapParameters, mean: Array) -> dict[str, Array]:
    second, third = np.zeros_like(mean), np.zeros_like(mean)
    smallest, largest = np.full_like(mean, np.inf), np.full_like(mean, -np.inf)
    for _, vectors in power_spectrum_chunks(atoms, parameters, mask, chunk_size=256):
        np.minimum(smallest, vectors.min(axis=0), out=smallest)
        np.maximum(largest, vectors.max(axis=0), out=largest)
        vectors -= mean
        second += np.einsum("ij,ij->j", vectors, vectors)
        third += np.einsum("ij,ij,ij->j", vectors, vectors, vectors)
    deviation = np.sqrt(second / mask.sum())
    varies = deviation > LEAST_DEVIATION
    skewness = np.where(varies, third / mask.sum() / np.where(varies, deviation, 1.0) ** 3, 0.0)
    return {"standard_deviation": deviation, "skewness": skewness, "minimum": smallest, "maximum": largest}
