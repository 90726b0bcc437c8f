"""Scattering by atomic orbitals against quadrature, the other engine, closed forms, and its invariances."""

import numpy as np
import pytest
import torch
from ase import Atoms
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError
from scipy.integrate import quad
from scipy.special import spherical_jn

from gbscape.config.orbital_scattering import OrbitalScattering
from gbscape.config.scattering import Scattering
from gbscape.features import spectra
from gbscape.features.orbital_scattering import (
    channel_names,
    channel_weights,
    feature_names,
    orbital_grid_shape,
    orbital_scattering,
)  # fmt: skip
from gbscape.features.scattering import gaussian_density, scatter
from gbscape.features.wavelets import AtomicOrbitals

PAIR = ("Li", "Si")
SMALL = OrbitalScattering(spacing_angstrom=0.5, atom_width_angstrom=0.5, n_scales=2, n_max=2)
CUBE = Atoms(
    "Li3Si2", [[0.3, 0.2, 0.1], [2.6, 0.4, 0.2], [0.5, 2.9, 0.4], [2.8, 2.7, 3.1], [0.2, 0.6, 2.8]],
    cell=[5.0, 5.0, 5.0], pbc=True,
)  # fmt: skip
SHEAR = np.array([[1.0, 0.1, 0.05], [0.0, 1.1, 0.15], [0.1, 0.0, 0.95]])


def sheared():
    atoms = CUBE.copy()
    atoms.set_cell(atoms.cell.array @ SHEAR, scale_atoms=True)
    return atoms


def radial(shell, order, k, width=1.0):
    squared = torch.tensor([k**2], dtype=torch.float64)
    return float(AtomicOrbitals((width,), shell).radial(0, order, squared)) * k**order


SHELLS = [(n, order) for n in range(1, 6) for order in range(n)]


@pytest.mark.parametrize(("shell", "order"), SHELLS)
def test_orbitals_have_norm_1_and_are_eigenfunctions_of_the_fourier_transform(shell, order):
    assert quad(lambda k: (radial(shell, order, k) * k) ** 2, 0, 12)[0] == pytest.approx(1, abs=1e-8)
    for k in (0.4, 1.1, 2.3):
        # The radial part of the transform of f(r) Y_lm is sqrt(2/pi) int f(r) j_l(k r) r^2 dr.
        transformed = quad(lambda r, k=k: radial(shell, order, r) * spherical_jn(order, k * r) * r**2, 0, 14)[0]
        expected = (-1) ** (shell - order - 1) * radial(shell, order, k)
        assert np.sqrt(2 / np.pi) * transformed == pytest.approx(expected, abs=1e-8)


@pytest.mark.parametrize("order", range(3))
def test_orbitals_of_a_shell_are_orthogonal_to_those_with_other_nodes(order):
    for n in range(order + 1, order + 4):
        for other in range(n + 1, order + 5):
            overlap = quad(lambda k, n=n, m=other: radial(n, order, k) * radial(m, order, k) * k**2, 0, 14)[0]
            assert overlap == pytest.approx(0, abs=1e-8)


def test_dilation_and_shells_that_have_no_such_orbital():
    assert radial(3, 1, 0.7, width=1.4) == pytest.approx(radial(3, 1, 0.98), rel=1e-12)
    with pytest.raises(ValueError, match="shell 2 has no orbital of order 2"):
        radial(2, 2, 1.0)


def test_zeroth_order_against_closed_forms():
    fine = SMALL.model_copy(update={"spacing_angstrom": 0.25})
    found = dict(zip(feature_names(PAIR, fine), orbital_scattering(sheared(), PAIR, fine), strict=True))
    assert found["atoms rho q1"] == pytest.approx(1, rel=1e-9)
    assert found["Li rho q1"] == pytest.approx(3 / 5, rel=1e-9)
    assert found["valence rho q1"] == pytest.approx((3 * 1 + 2 * 4) / 5, rel=1e-9)
    # The overlap of two Gaussians, summed over all pairs and images.
    atoms, width = sheared(), SMALL.atom_width_angstrom
    total = 0.0
    for shift in np.ndindex(5, 5, 5):
        moved = atoms.positions + (np.array(shift) - 2) @ atoms.cell.array
        distances = np.linalg.norm(atoms.positions[:, None] - moved, axis=-1)
        total += (np.exp(-(distances**2) / (4 * width**2)) / (4 * np.pi * width**2) ** 1.5).sum()
    assert found["atoms rho q2"] == pytest.approx(total / 5, rel=1e-9)


@pytest.mark.parametrize(("spacing", "largest"), [(0.4, 1e-3), (0.2, 2e-5), (0.1, 1e-6)])
def test_the_lowest_orbitals_are_solid_harmonic_scattering(spacing, largest):
    """Where n = l + 1 the wavelets are those of the other engine, but for their norm, of which a power comes out.

    The narrowest are exactly, on the same grid; of wider ones, whose grid is coarser here, the two meet as grids get finer.
    """
    narrow, wide = _relative_differences_from_solid_harmonics(spacing)
    assert narrow < 1e-8
    assert wide < largest


def _relative_differences_from_solid_harmonics(spacing_angstrom):
    """Largest of zeroth order and the narrowest wavelets, and of the wider ones and second order."""
    its = OrbitalScattering(
        spacing_angstrom=spacing_angstrom, atom_width_angstrom=0.5, channels=("atoms",), smallest_width_angstrom=0.8,
        n_scales=2,
    )  # fmt: skip
    orbital = dict(zip(feature_names(PAIR, its), orbital_scattering(CUBE, PAIR, its), strict=True))
    other = Scattering(
        spacing_angstrom=spacing_angstrom, atom_width_angstrom=0.5, sigma_0_angstrom=0.8, j_max=1, l_max=2, tolerance=0,
        integral_powers=its.powers,
    )  # fmt: skip
    edges = CUBE.cell.lengths()
    density = gaussian_density(CUBE.positions, edges, orbital_grid_shape(edges, its), its.atom_width_angstrom)
    harmonic = scatter(density, edges, other) / len(CUBE)
    by_path = harmonic[4:].reshape(3, 3, 4)  # j = 0, 1 and 0 to 1; l; q
    labels = ("1", "1.33", "1.67", "2")
    narrow = [abs(found / orbital[f"atoms rho q{q}"] - 1) for found, q in zip(harmonic[:4], labels, strict=True)]
    wide = []
    for order, letter in enumerate("spd"):
        factor = _norm_of_gaussian_harmonic(order)
        for path, name, norms, differences in (
            (0, f"atoms {order + 1}{letter}@0", 1, narrow), (1, f"atoms {order + 1}{letter}@1", 1, wide),
            (2, f"atoms {order + 1}{letter}@0 {order + 1}{letter}@1", 2, wide),
        ):  # fmt: skip
            for column, (power, label) in enumerate(zip(its.powers, labels, strict=True)):
                expected = by_path[path, order, column]
                differences.append(abs(orbital[f"{name} q{label}"] * factor ** (norms * power) / expected - 1))
    return max(narrow), max(wide)


def _norm_of_gaussian_harmonic(order):
    from gbscape.features.wavelets import GaussianSolidHarmonics

    squared = torch.tensor([1.0], dtype=torch.float64)
    gaussian = float(GaussianSolidHarmonics((1.0,)).radial(0, order, squared.clone()))
    return gaussian / radial(order + 1, order, 1.0)


def test_a_cell_of_any_angles_in_the_engine_is_an_orthorhombic_one_where_they_are_right():
    shape, edges = (12, 10, 8), [5.0, 4.0, 3.5]
    straight = spectra.full_band(shape, edges, torch.device("cpu"))
    general = spectra.band_of_any_cell(shape, np.diag(edges), torch.device("cpu"))
    assert torch.allclose(straight.squared_wave_numbers(torch.float64), general.squared_wave_numbers(torch.float64))
    inside = ~sum(
        a.reshape([-1 if i == axis else 1 for i in range(3)]) for axis, a in enumerate(general.ambiguous)
    ).bool()
    for order in range(4):
        expected, found = (band.harmonics(order, torch.float64) * inside for band in (straight, general))
        assert torch.allclose(expected, found, atol=1e-12)


@given(
    axis=st.tuples(*[st.floats(-1, 1)] * 3).filter(lambda v: np.linalg.norm(v) > 0.1),
    angle=st.floats(-180, 180),
    order=st.permutations(range(5)),
    repeats=st.sampled_from([(2, 1, 1), (1, 2, 1), (1, 1, 2)]),
)
@settings(max_examples=8)
def test_rotation_permutation_and_repetition_change_nothing(axis, angle, order, repeats):
    atoms = sheared()
    # A grid that the repeated cell has, too.
    expected = orbital_scattering(atoms, PAIR, SMALL)
    turned = atoms[list(order)]
    turned.rotate(angle, axis, rotate_cell=True)
    assert orbital_scattering(turned, PAIR, SMALL) == pytest.approx(expected, rel=1e-9)
    points = [a * b for a, b in zip(orbital_grid_shape(atoms.cell.lengths(), SMALL), repeats, strict=True)]
    repeated = atoms.repeat(repeats)
    assert orbital_scattering(repeated, PAIR, SMALL, tuple(points)) == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize(("spacing", "largest"), [(0.5, 3e-2), (0.25, 6e-3)])
def test_translation_shows_less_on_a_finer_grid(spacing, largest):
    its = SMALL.model_copy(update={"spacing_angstrom": spacing})
    atoms = sheared()
    expected = orbital_scattering(atoms, PAIR, its)
    atoms.translate([0.13, 0.21, 0.08])
    found = orbital_scattering(atoms, PAIR, its)
    assert np.abs(found / expected - 1).max() < largest
    assert np.median(np.abs(found / expected - 1)) < 1e-4


def test_features_converge_with_the_grid():
    atoms = sheared()
    errors = []
    exact = orbital_scattering(atoms, PAIR, SMALL.model_copy(update={"spacing_angstrom": 0.12}))
    for spacing in (0.5, 0.33, 0.22):
        found = orbital_scattering(atoms, PAIR, SMALL.model_copy(update={"spacing_angstrom": spacing}))
        errors.append(np.abs(found / exact - 1).mean())
    assert errors[0] > errors[1] > errors[2]
    assert errors[2] < 1e-3


@given(lengths=st.tuples(*[st.floats(2, 30)] * 3), spacing=st.floats(0.1, 0.5), n_scales=st.integers(1, 4))
def test_grids_are_fine_enough_and_can_be_made_coarser(lengths, spacing, n_scales):
    its = OrbitalScattering(spacing_angstrom=spacing, atom_width_angstrom=0.5, n_scales=n_scales)
    coarsest = min(2 ** (n_scales - 1), 4)
    for points, length in zip(orbital_grid_shape(lengths, its), lengths, strict=True):
        assert points % coarsest == 0
        assert length / points <= spacing * (1 + 1e-9)
        rest = points
        for prime in (2, 3, 5):
            while rest % prime == 0:
                rest //= prime
        assert rest == 1


def test_a_grid_that_cannot_be_made_coarser_is_refused():
    with pytest.raises(ValueError, match=r"points of the grid must be multiples of 2, not \(10, 10, 11\)"):
        orbital_scattering(CUBE, PAIR, SMALL, (10, 10, 11))


def test_a_displaced_atom_changes_the_features_smoothly():
    values = []
    for step in (0.0, 0.01, 0.02):
        atoms = sheared()
        atoms.positions[0, 0] += step
        values.append(orbital_scattering(atoms, PAIR, SMALL))
    first, second = values[1] - values[0], values[2] - values[1]
    assert np.abs(first).max() > 1e-5
    assert second == pytest.approx(first, abs=0.2 * np.abs(first).max())


def test_names_and_channels():
    names = feature_names(PAIR, SMALL)
    assert len(names) == len(set(names)) == len(orbital_scattering(CUBE, PAIR, SMALL))
    assert channel_names(PAIR, SMALL) == ["atoms", "Li", "Si", "valence"]
    its = SMALL.model_copy(update={"channels": ("charge", "species")})
    assert channel_weights(CUBE, PAIR, its).tolist() == [[3, 3, 3, 14, 14], [1, 1, 1, 0, 0], [0, 0, 0, 1, 1]]
    assert names[4] == "atoms 1s@0 q1"
    assert "Si 2p@0 1s@1 q2" in names
    assert "Si 2p@1 1s@0 q2" not in names


@pytest.mark.parametrize(
    ("atoms", "message"),
    [
        (Atoms("LiGe", [[0, 0, 0], [2, 2, 2]], cell=[4, 4, 4], pbc=True), "species Li, Si, not Ge"),
        (Atoms("Li", cell=[4, 4, 4], pbc=[True, True, False]), "periodic along three vectors"),
        (Atoms("Li", cell=[4, 4, 0], pbc=True), "span a volume"),
        (Atoms(cell=[4, 4, 4], pbc=True), "must have atoms"),
    ],
)
def test_cells_that_cannot_be_described(atoms, message):
    with pytest.raises(ValueError, match=message):
        orbital_scattering(atoms, PAIR, SMALL)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"spacing_angstrom": 0.6}, "too coarse for atom_width_angstrom=0.4"),
        ({"powers": (2.0, 1.0)}, "smallest first"),
        ({"powers": ()}, "at least 1"),
        ({"channels": ("mass",)}, "'atoms', 'species', 'valence' or 'charge'"),
    ],
)
def test_settings_that_make_no_sense_are_refused(wrong, message):
    with pytest.raises(ValidationError, match=message):
        OrbitalScattering(**wrong)
