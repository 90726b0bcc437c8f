import subprocess
import sys
from types import SimpleNamespace

import numpy as np
import pytest
from ase import Atoms
from hypothesis import given, settings
from hypothesis import strategies as st

from gbscape.config.survey import BoundaryAtoms
from gbscape.structure.bicrystal import build_bicrystal, remove_overlaps
from gbscape.structure.boundary_atoms import adaptive_cna, select_boundary_atoms

SIGMA_5_TILT = SimpleNamespace(left=[[6, 2, 0], [-2, 6, 0], [0, 0, 2]], right=[[6, -2, 0], [2, 6, 0], [0, 0, 2]])
COHERENT_TWIN = SimpleNamespace(left=[[2, 2, 2], [2, -2, 0], [2, 2, -4]], right=[[2, 2, 2], [-2, 2, 0], [-2, -2, 4]])
CRYSTAL = SimpleNamespace(left=[[2, 0, 0], [0, 2, 0], [0, 0, 2]], right=[[2, 0, 0], [0, 2, 0], [0, 0, 2]])
METALS = {"fcc": ("Ni", 3.52), "bcc": ("Fe", 2.8553)}
BUFFER = BoundaryAtoms(buffer_angstrom=4.0)
NO_BUFFER = BoundaryAtoms(buffer_angstrom=0.0)


def slab(geometry, lattice="fcc", half_thickness=20.0, period=7.0):
    species, a0 = METALS[lattice]
    atoms = build_bicrystal(geometry, lattice, a0, species, half_thickness, min_period_angstrom=period)
    return remove_overlaps(atoms, 1.8)


@pytest.mark.parametrize("lattice", ["fcc", "bcc"])
def test_tilt_boundary_is_selected_and_surfaces_are_not(lattice):
    atoms = slab(SIGMA_5_TILT, lattice)
    selected, structure_type = select_boundary_atoms(atoms, NO_BUFFER)
    x = atoms.positions[:, 0]
    assert selected.any()
    assert np.abs(x[selected]).max() < 6
    bulk = {"fcc": 1, "bcc": 3}[lattice]
    middle = np.abs(x) < 12
    np.testing.assert_array_equal(selected[middle], structure_type[middle] != bulk)
    assert (structure_type[np.abs(x) > 18] != bulk).any()  # there are surfaces, and they were left out


@pytest.mark.parametrize("lattice", ["fcc", "bcc"])
def test_buffer_is_every_atom_within_it(lattice):
    atoms = slab(SIGMA_5_TILT, lattice)
    core, selected = (select_boundary_atoms(atoms, s).mask for s in (NO_BUFFER, BUFFER))
    distance = np.array([atoms.get_distances(i, np.flatnonzero(core), mic=True).min() for i in range(len(atoms))])
    np.testing.assert_array_equal(selected, distance <= 4.0)
    assert selected.sum() > core.sum()


def test_coherent_twin_is_one_hcp_plane_and_its_buffer():
    atoms = slab(COHERENT_TWIN)
    core, structure_type = select_boundary_atoms(atoms, NO_BUFFER)
    assert set(structure_type[core]) == {2}
    assert np.ptp(atoms.positions[core, 0]) < 1e-6
    spacing = 3.52 / np.sqrt(3)
    planes = np.round((atoms.positions[:, 0] - atoms.positions[core, 0].mean()) / spacing)
    np.testing.assert_array_equal(select_boundary_atoms(atoms, BUFFER).mask, np.abs(planes) <= 1)


def test_perfect_crystal_has_no_boundary():
    atoms = slab(CRYSTAL)
    with pytest.raises(ValueError, match=r"no boundary atom.*all 184 atoms are fcc.*differ in orientation"):
        select_boundary_atoms(atoms, BUFFER)


@settings(max_examples=15, deadline=None)
@given(
    shift=st.tuples(*[st.floats(-30, 30)] * 3),
    repeat=st.tuples(st.integers(1, 3), st.integers(1, 3)),
    seed=st.integers(0, 9),
)
def test_selection_follows_translation_repetition_and_permutation(shift, repeat, seed):
    atoms = slab(SIGMA_5_TILT, period=0.0)
    atoms.rattle(0.03, seed=1)
    expected = select_boundary_atoms(atoms, BUFFER)
    other = atoms.repeat((1, *repeat))
    other.positions += shift
    order = np.random.default_rng(seed).permutation(len(other))
    selection = select_boundary_atoms(other[order], BUFFER)
    copies = repeat[0] * repeat[1]
    np.testing.assert_array_equal(selection.mask, np.tile(expected.mask, copies)[order])
    np.testing.assert_array_equal(selection.structure_type, np.tile(expected.structure_type, copies)[order])


def test_damaged_surface_is_no_boundary():
    """A pit in the surface makes non-bulk atoms far below the outermost layers."""
    atoms = slab(SIGMA_5_TILT, half_thickness=25.0, period=14.0)
    expected = select_boundary_atoms(atoms, BUFFER).mask
    y, z = atoms.positions[:, 1], atoms.positions[:, 2]
    pit = (atoms.positions[:, 0] > 17) & (np.hypot(y - 7, z - 7) < 3.5)
    assert pit.sum() > 5
    damaged = atoms[~pit]
    below = (np.abs(damaged.positions[:, 0] - 16) < 1.5) & (adaptive_cna(damaged) != 1)
    assert below.any()
    np.testing.assert_array_equal(select_boundary_atoms(damaged, BUFFER).mask, expected[~pit])


def test_boundary_joined_with_a_surface_is_refused():
    with pytest.raises(ValueError, match=r"connect the boundary .* with a free surface .*thicker slab"):
        select_boundary_atoms(slab(SIGMA_5_TILT, half_thickness=6.0), NO_BUFFER, "fcc")


def test_buffer_that_reaches_a_surface_is_refused():
    with pytest.raises(ValueError, match=r"buffer_angstrom=16 .*reaches a free surface.*thicker slab"):
        select_boundary_atoms(slab(SIGMA_5_TILT), BoundaryAtoms(buffer_angstrom=16.0))


def test_wrong_or_unknown_lattice_is_refused():
    with pytest.raises(ValueError, match=r"only 0 of .* atoms are bcc: check the lattice"):
        select_boundary_atoms(slab(SIGMA_5_TILT), BUFFER, "bcc")
    with pytest.raises(ValueError, match=r"does not know the lattice 'sc'; allowed: fcc, bcc"):
        select_boundary_atoms(slab(SIGMA_5_TILT), BUFFER, "sc")


def _nan(atoms: Atoms) -> None:
    atoms.positions[3, 1] = np.nan


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda atoms: atoms.set_pbc(True), "periodic in y and z and not in x"),
        (lambda atoms: atoms.set_cell(atoms.cell.array + np.eye(3)[[1, 0, 2]]), "edges must lie along x, y and z"),
        (_nan, "not finite, the first is atom 3"),
    ],
)
def test_what_is_no_slab_is_refused(spoil, message):
    atoms = slab(SIGMA_5_TILT)
    spoil(atoms)
    with pytest.raises(ValueError, match=message):
        select_boundary_atoms(atoms, BUFFER)


def test_ovito_is_silent_and_needs_no_display():
    code = (
        "from ase.build import bulk; from gbscape.structure.boundary_atoms import adaptive_cna; "
        "atoms = bulk('Ni', cubic=True) * 3; atoms.set_array('note', atoms.positions > 1); "
        "assert (adaptive_cna(atoms) == 1).all()"
    )
    run = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        env={"PYTHONPATH": ":".join(sys.path), "PATH": ""},
        check=False,
    )
    assert (run.returncode, run.stdout, run.stderr) == (0, "", "")
