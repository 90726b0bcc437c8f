"""Embedded-atom potential of nickel by Foiles and Hoyt, tabulated from its formula.

Source: S. M. Foiles, J. J. Hoyt, Acta Materialia 54, 3351 (2006). Density and pair function are analytic; the embedding
function makes the energy of the uniformly strained fcc crystal follow Rose's universal equation of state.
"""

from collections.abc import Callable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import brentq

from gbscape.store.atomic import atomic_path

LATTICE_CONSTANT_ANGSTROM = 3.52
COHESIVE_ENERGY_EV = -4.45
BULK_MODULUS_GPA = 180.37
CUTOFF_ANGSTROM = 4.85
MASS_U = 58.6934
ATOMIC_NUMBER = 28

_EV_PER_ANGSTROM3_IN_GPA = 160.2176634
ValueAndSlope = Callable[[NDArray[np.float64]], tuple[NDArray[np.float64], NDArray[np.float64]]]

_PAIR_DEPTH_EV = 1.39664
_PAIR_DECAY = 1.22848  # 1/Angstrom
_PAIR_MINIMUM_ANGSTROM = 2.14146
_DENSITY_DECAY = 3.58321  # 1/Angstrom
_SMOOTHING_POWER = 20
_TABLE_POINTS = 5000
_LARGEST_DENSITY = 2.5  # of the perfect crystal's


def _pair_uncut(r: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    decay = np.exp(-_PAIR_DECAY * (r - _PAIR_MINIMUM_ANGSTROM))
    return _PAIR_DEPTH_EV * (decay**2 - 2 * decay), 2 * _PAIR_DEPTH_EV * _PAIR_DECAY * (decay - decay**2)


def _density_uncut(r: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    single, double = np.exp(-_DENSITY_DECAY * r), 2**11 * np.exp(-2 * _DENSITY_DECAY * r)
    slope = 8 * r**7 * (single + double) - r**8 * _DENSITY_DECAY * (single + 2 * double)
    return r**8 * (single + double), slope


def _cut(function: ValueAndSlope, r: NDArray[np.float64]) -> NDArray[np.float64]:
    """h(r) - h(rc) + (rc/m) [1 - (r/rc)^m] h'(rc) below the cut-off, zero with zero slope from it on."""
    r = np.asarray(r, dtype=float)
    value, slope = function(np.array(CUTOFF_ANGSTROM))
    ramp = CUTOFF_ANGSTROM / _SMOOTHING_POWER * (1 - (r / CUTOFF_ANGSTROM) ** _SMOOTHING_POWER)
    return np.where(r < CUTOFF_ANGSTROM, function(r)[0] - value + ramp * slope, 0.0)


def pair_energy_ev(r_angstrom: NDArray[np.float64]) -> NDArray[np.float64]:
    """Pair energy phi(r) in eV."""
    return _cut(_pair_uncut, r_angstrom)


def density(r_angstrom: NDArray[np.float64]) -> NDArray[np.float64]:
    """Contribution f(r) of one neighbour to the host electron density, in the potential's own units."""
    return _cut(_density_uncut, r_angstrom)


def rose_energy_ev(lattice_constant_angstrom: NDArray[np.float64]) -> NDArray[np.float64]:
    """Energy per atom of fcc nickel in eV against its lattice constant: Rose's universal equation of state."""
    volume = LATTICE_CONSTANT_ANGSTROM**3 / 4
    bulk_modulus = BULK_MODULUS_GPA / _EV_PER_ANGSTROM3_IN_GPA
    stretch = (np.asarray(lattice_constant_angstrom) / LATTICE_CONSTANT_ANGSTROM - 1) / np.sqrt(
        -COHESIVE_ENERGY_EV / (9 * bulk_modulus * volume)
    )
    return COHESIVE_ENERGY_EV * (1 + stretch) * np.exp(-stretch)


def _fcc_shells() -> tuple[NDArray[np.float64], NDArray[np.int_]]:
    """Distances (in lattice constants) and numbers of fcc neighbours, out to three lattice constants."""
    steps = np.arange(-6, 7)
    half = np.array(np.meshgrid(steps, steps, steps)).reshape(3, -1).T
    squared = (half[half.sum(axis=1) % 2 == 0] ** 2).sum(axis=1)
    squared, numbers = np.unique(squared[(squared > 0) & (squared <= 36)], return_counts=True)
    return np.sqrt(squared) / 2, numbers


def embedding_energy_ev(host_density: NDArray[np.float64]) -> NDArray[np.float64]:
    """Embedding energy F(rho) in eV, so that every uniformly strained fcc crystal has the Rose energy.

    Raises:
        ValueError: a density no fcc crystal on the expanding branch of the equation of state has.
    """
    shells, numbers = _fcc_shells()

    def crystal_density(a: float) -> float:
        return float(numbers @ density(a * shells))

    # The density rises as the crystal shrinks, down to about two thirds of the equilibrium lattice constant.
    trial = np.linspace(0.5, 1.0, 501) * LATTICE_CONSTANT_ANGSTROM
    smallest = trial[np.argmax([crystal_density(a) for a in trial])]
    largest = CUTOFF_ANGSTROM / shells[0]
    top = crystal_density(smallest)
    wanted = np.atleast_1d(np.asarray(host_density, dtype=float))
    if wanted.min() < 0 or wanted.max() > top:
        raise ValueError(
            f"host densities must lie between 0 and {top:.6g}, got {wanted.min():.6g} to {wanted.max():.6g}"
        )
    a = np.array(
        [largest if rho == 0 else brentq(lambda x, rho=rho: crystal_density(x) - rho, smallest, largest, xtol=1e-14)
         for rho in wanted]
    )  # fmt: skip
    pair_sum = pair_energy_ev(a[:, None] * shells) @ numbers
    return rose_energy_ev(a) - 0.5 * pair_sum


def write_setfl(path: Path) -> None:
    """Tabulate the potential (5000 x 5000 points) as a LAMMPS eam/alloy (setfl) file, under a temporary name until done."""
    r = np.linspace(0.0, CUTOFF_ANGSTROM, _TABLE_POINTS)
    shells, numbers = _fcc_shells()
    crystal = float(numbers @ density(LATTICE_CONSTANT_ANGSTROM * shells))
    rho = np.linspace(0.0, _LARGEST_DENSITY * crystal, _TABLE_POINTS)
    with atomic_path(path) as temporary, open(temporary, "w", encoding="ascii") as stream:
        stream.write("Nickel of Foiles and Hoyt, Acta Materialia 54, 3351 (2006)\n")
        stream.write("tabulated from the formula; pair and density functions analytic, embedding from Rose's\n")
        stream.write("equation of state with a = 3.52 Angstrom, E = -4.45 eV, B = 180.37 GPa\n")
        stream.write("1 Ni\n")
        stream.write(f"{rho.size} {rho[1]:.17e} {r.size} {r[1]:.17e} {CUTOFF_ANGSTROM:.17e}\n")
        stream.write(f"{ATOMIC_NUMBER} {MASS_U} {LATTICE_CONSTANT_ANGSTROM} fcc\n")
        for table in (embedding_energy_ev(rho), density(r), r * pair_energy_ev(r)):
            stream.writelines(f"{value:.16e}\n" for value in table)
