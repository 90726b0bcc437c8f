"""Elastic constants against those of a potential that ASE has, symmetry, and textbook values."""

import numpy as np
import pytest
from ase import Atoms
from ase.build import bulk
from ase.calculators.emt import EMT
from hypothesis import given, settings
from hypothesis import strategies as st

from gbscape.alloy.elastic import (
    constants_from_stresses,
    moduli,
    single_strains,
    strained,
    stress_from_energies,
)
from gbscape.simulate.potentials import EV_PER_ANGSTROM3_IN_GPA


def energy(atoms):
    atoms = atoms.copy()
    atoms.calc = EMT()
    return float(atoms.get_potential_energy())


def stress(atoms):
    atoms = atoms.copy()
    atoms.calc = EMT()
    return atoms.get_stress(voigt=False)


@pytest.fixture(scope="module")
def copper():
    """At the lattice constant where EMT has no stress."""
    from scipy.optimize import brentq

    a = brentq(lambda a: np.trace(stress(bulk("Cu", "fcc", a=a))), 3.4, 3.8, xtol=1e-12)
    return bulk("Cu", "fcc", a=a)


def constants(atoms, stress_of, size):
    return constants_from_stresses(
        {name: stress_of(strained(atoms, its)) for name, its in single_strains(size).items()}, size
    )


def stress_by_differences(atoms):
    energies = {name: energy(strained(atoms, its)) for name, its in single_strains(1e-3).items()}
    return stress_from_energies(energies, atoms.cell.volume, 1e-3)


def test_stresses_and_energies_give_the_same_cubic_constants(copper):
    by_stress = constants(copper, stress, 2e-3)
    assert constants(copper, stress_by_differences, 2e-3) == pytest.approx(by_stress, abs=0.1)
    c11, c12, c44 = by_stress[0, 0], by_stress[0, 1], by_stress[3, 3]
    cubic = np.zeros((6, 6))
    cubic[:3, :3] = c12
    cubic[range(6), range(6)] = [c11] * 3 + [c44] * 3
    assert by_stress == pytest.approx(cubic, abs=0.1)
    assert c11 > c12 > c44 > 0
    # The bulk modulus from the volume alone.
    volumes = [strained(copper, np.array([e, e, e, 0, 0, 0])) for e in (-1e-3, 0, 1e-3)]
    curvature = (energy(volumes[0]) - 2 * energy(volumes[1]) + energy(volumes[2])) / (9e-6 * copper.cell.volume)
    assert moduli(by_stress).bulk_gpa == pytest.approx(curvature * EV_PER_ANGSTROM3_IN_GPA, rel=1e-3)


def test_stresses_under_stress_are_the_same_too(copper):
    """The derivative of the energy is the stress of the strained cell, whose own stress does not vanish."""
    under_pressure = strained(copper, np.array([-0.02, -0.03, 0.01, 0.02, 0, 0]))
    assert stress_by_differences(under_pressure) == pytest.approx(stress(under_pressure), abs=1e-5)


def test_moduli_of_copper_from_its_measured_constants():
    """C11, C12, C44 = 168.4, 121.4, 75.4 GPa: Voigt's mean of the shear modulus is (C11 - C12 + 3 C44) / 5 (Hirth and Lothe)."""
    constants = np.full((6, 6), 0.0)
    constants[:3, :3] = 121.4
    constants[range(6), range(6)] = [168.4] * 3 + [75.4] * 3
    found = moduli(constants)
    assert found.bulk_gpa == pytest.approx(137.1, abs=0.1)
    assert found.shear_gpa == pytest.approx(54.6, abs=0.1)


@given(bulk_gpa=st.floats(1, 300), shear_gpa=st.floats(1, 200))
@settings(max_examples=30)
def test_an_isotropic_solid_has_its_own_moduli(bulk_gpa, shear_gpa):
    lame = bulk_gpa - 2 / 3 * shear_gpa
    constants = np.zeros((6, 6))
    constants[:3, :3] = lame
    constants[range(6), range(6)] += [2 * shear_gpa] * 3 + [shear_gpa] * 3
    found = moduli(constants)
    assert found.bulk_gpa == pytest.approx(bulk_gpa)
    assert found.shear_gpa == pytest.approx(shear_gpa)
    assert found.young_gpa == pytest.approx(9 * bulk_gpa * shear_gpa / (3 * bulk_gpa + shear_gpa))


def test_strains_are_voigts():
    atoms = Atoms("Li", [[1.0, 2.0, 3.0]], cell=[4, 5, 6], pbc=True)
    assert strained(atoms, np.array([0.1, 0, 0, 0, 0, 0])).positions == pytest.approx(np.array([[1.1, 2, 3]]))
    sheared = strained(atoms, np.array([0, 0, 0, 0, 0, 0.02]))
    assert sheared.cell.array == pytest.approx(np.array([[4, 0.04, 0], [0.05, 5, 0], [0, 0, 6]]))
    assert sheared.get_scaled_positions() == pytest.approx(atoms.get_scaled_positions())
    assert len(single_strains(0.01)) == 12
