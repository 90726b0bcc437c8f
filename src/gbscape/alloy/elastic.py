"""Elastic constants of a cell with its atoms at their places in it (clamped), from stresses or from energies of strained cells.

Strains are symmetric and small; Voigt's order is xx, yy, zz, yz, xz, xy, with shears gamma = 2 epsilon.
"""

from collections.abc import Callable, Mapping
from typing import NamedTuple

import numpy as np
from ase import Atoms
from numpy.typing import NDArray

from gbscape.simulate.potentials import EV_PER_ANGSTROM3_IN_GPA

Array = NDArray[np.float64]
_VOIGT = ((0, 0), (1, 1), (2, 2), (1, 2), (0, 2), (0, 1))


class Moduli(NamedTuple):
    """Of a polycrystal of randomly turned grains: means of Voigt's and Reuss's bounds (Hill, Proc. Phys. Soc. A 65, 349, 1952)."""

    bulk_gpa: float
    shear_gpa: float
    young_gpa: float


def strained(atoms: Atoms, strain: Array) -> Atoms:
    """The cell and its atoms under a homogeneous strain, six numbers in Voigt's order."""
    symmetric = np.zeros((3, 3))
    for value, (i, j) in zip(strain, _VOIGT, strict=True):
        symmetric[i, j] = symmetric[j, i] = value if i == j else value / 2
    other = atoms.copy()
    other.set_cell(atoms.cell.array @ (np.eye(3) + symmetric), scale_atoms=True)
    return other


def single_strains(size: float) -> dict[str, Array]:
    """The twelve strains of one component, by name: `1+`, `1-`, ..., `6-`."""
    return {
        f"{component + 1}{sign}": factor * size * np.eye(6)[component]
        for component in range(6)
        for sign, factor in (("+", 1.0), ("-", -1.0))
    }


def constants_from_stresses(stresses_ev_angstrom3: Mapping[str, Array], size: float) -> Array:
    """(6, 6) elastic constants in GPa: derivatives of the stress by central differences, made symmetric.

    Args:
        stresses_ev_angstrom3: (3, 3) of each of `single_strains`, positive under tension.
        size: of the strains.
    """
    columns = []
    for component in range(1, 7):
        difference = stresses_ev_angstrom3[f"{component}+"] - stresses_ev_angstrom3[f"{component}-"]
        columns.append([difference[i, j] / (2 * size) for i, j in _VOIGT])
    constants = np.array(columns).T * EV_PER_ANGSTROM3_IN_GPA
    return (constants + constants.T) / 2


def constants_from_energies(atoms: Atoms, energy_ev: Callable[[Atoms], float], size: float) -> Array:
    """(6, 6) elastic constants in GPa: second derivatives of the energy by central differences.

    Where the cell is under stress they are those of the energy, which differ from those of the stress by the stress itself.

    Args:
        atoms: not strained.
        energy_ev: of a strained cell; called 73 times.
        size: of the strains.
    """
    at_rest, unit = energy_ev(atoms), size * np.eye(6)
    constants = np.empty((6, 6))
    for i in range(6):
        both = energy_ev(strained(atoms, unit[i])) + energy_ev(strained(atoms, -unit[i]))
        constants[i, i] = both - 2 * at_rest
        for j in range(i):
            mixed = [a * b * energy_ev(strained(atoms, a * unit[i] + b * unit[j])) for a in (1, -1) for b in (1, -1)]
            constants[i, j] = constants[j, i] = sum(mixed) / 4
    return constants / (size**2 * atoms.cell.volume) * EV_PER_ANGSTROM3_IN_GPA


def moduli(constants_gpa: Array) -> Moduli:
    """Bulk, shear and Young's modulus of a polycrystal.

    Raises:
        ValueError: the constants are not those of a stable crystal: they are not positive definite.
    """
    if not (np.linalg.eigvalsh(constants_gpa) > 0).all():
        raise ValueError(
            f"elastic constants must be positive definite, their eigenvalues are {np.linalg.eigvalsh(constants_gpa)}"
        )
    c, s = constants_gpa, np.linalg.inv(constants_gpa)
    diagonal, off, shears = np.trace(c[:3, :3]), c[0, 1] + c[0, 2] + c[1, 2], np.trace(c[3:, 3:])
    bulk_voigt, shear_voigt = (diagonal + 2 * off) / 9, (diagonal - off + 3 * shears) / 15
    diagonal, off, shears = np.trace(s[:3, :3]), s[0, 1] + s[0, 2] + s[1, 2], np.trace(s[3:, 3:])
    bulk_reuss, shear_reuss = 1 / (diagonal + 2 * off), 15 / (4 * diagonal - 4 * off + 3 * shears)
    bulk, shear = (bulk_voigt + bulk_reuss) / 2, (shear_voigt + shear_reuss) / 2
    return Moduli(float(bulk), float(shear), float(9 * bulk * shear / (3 * bulk + shear)))
