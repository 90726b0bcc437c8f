"""Elastic constants of a cell with its atoms at their places in it (clamped), from stresses of strained cells.

Strains are symmetric and small; Voigt's order is xx, yy, zz, yz, xz, xy, with shears gamma = 2 epsilon.
"""

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
from ase import Atoms
from numpy.typing import NDArray

from gbscape.simulate.potentials import EV_PER_ANGSTROM3_IN_GPA

Array = NDArray[np.float64]
_VOIGT = ((0, 0), (1, 1), (2, 2), (1, 2), (0, 2), (0, 1))


class Moduli(NamedTuple):
    """Of a polycrystal of randomly turned grains that are all strained alike (Voigt's mean): an upper bound, of which bulk and
    shear are defined for the constants of a model too of which a crystal would not be stable; Young's, 9 B G / (3 B + G), may be anything then."""

    bulk_gpa: float
    shear_gpa: float
    young_gpa: float


def strained(atoms: Atoms, strain: Array) -> Atoms:
    """The cell and its atoms under a homogeneous strain, six numbers in Voigt's order."""
    other = atoms.copy()
    other.set_cell(atoms.cell.array @ (np.eye(3) + _symmetric(strain)), scale_atoms=True)
    return other


def single_strains(size: float) -> dict[str, Array]:
    """The twelve strains of one component, by name: `1+`, `1-`, ..., `6-`."""
    return {
        f"{component + 1}{sign}": factor * size * np.eye(6)[component]
        for component in range(6)
        for sign, factor in (("+", 1.0), ("-", -1.0))
    }


def size_of_strains(cells: Mapping[str, Atoms]) -> float:
    """Of the cells under each of `single_strains`, which say by their vectors how large these are.

    Raises:
        ValueError: they are not those strains, or not all of one size.
    """
    sizes = []
    for component, unit in enumerate(np.eye(6), start=1):
        wider, narrower = (cells[f"{component}{sign}"].cell.array for sign in "+-")
        ratio = np.linalg.solve(narrower, wider)
        found = (ratio - np.eye(3)) @ np.linalg.inv(ratio + np.eye(3))
        size = float(np.sum(found * _symmetric(unit)) / np.sum(_symmetric(unit) ** 2))
        if not size > 0 or np.abs(found - size * _symmetric(unit)).max() > 0.01 * size:
            raise ValueError(
                f"the cells {component}+ and {component}- are not each other under a strain of that component"
            )
        sizes.append(size)
    if max(sizes) > 1.01 * min(sizes):
        raise ValueError(f"strains of different sizes: {', '.join(f'{size:g}' for size in sizes)}")
    return float(np.mean(sizes))


def _symmetric(strain: Array) -> Array:
    """(3, 3) of six numbers in Voigt's order."""
    matrix = np.zeros((3, 3))
    for value, (i, j) in zip(strain, _VOIGT, strict=True):
        matrix[i, j] = matrix[j, i] = value if i == j else value / 2
    return matrix


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


def stress_from_energies(energies_ev: Mapping[str, float], volume_angstrom3: float, size: float) -> Array:
    """(3, 3) stress of a cell in eV/Angstrom^3, positive under tension: derivatives of its energy by central differences.

    Args:
        energies_ev: of the cell under each of `single_strains`.
        volume_angstrom3: of the cell.
        size: of the strains.
    """
    stress = np.empty((3, 3))
    for component, (i, j) in enumerate(_VOIGT, start=1):
        difference = energies_ev[f"{component}+"] - energies_ev[f"{component}-"]
        stress[i, j] = stress[j, i] = difference / (2 * size * volume_angstrom3)
    return stress


def moduli(constants_gpa: Array) -> Moduli:
    """Bulk, shear and Young's modulus of a polycrystal."""
    c = constants_gpa
    diagonal, off, shears = np.trace(c[:3, :3]), c[0, 1] + c[0, 2] + c[1, 2], np.trace(c[3:, 3:])
    bulk, shear = (diagonal + 2 * off) / 9, (diagonal - off + 3 * shears) / 15
    return Moduli(float(bulk), float(shear), float(9 * bulk * shear / (3 * bulk + shear)))
