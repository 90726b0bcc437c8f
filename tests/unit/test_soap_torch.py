"""SOAP by torch against sums of scipy's spherical harmonics over all images."""

import itertools
import logging
from typing import Any

import numpy as np
import pytest
import torch
from ase import Atoms
from ase.build import bulk
from ase.data import atomic_numbers
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation
from scipy.special import sph_harm_y

from gbscape.config.soap import SoapParameters
from gbscape.features import soap_torch
from gbscape.features.radial_basis import central_coefficients, radial_expansion
from gbscape.features.soap import power_spectrum
from gbscape.features.soap_torch import power_spectrum_torch
from gbscape.features.torch_device import default_device

DEVICES = [
    "cpu",
    pytest.param("cuda", marks=pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")),
]
ACCURACY = {torch.float64: 1e-10, torch.float32: 1e-5}


def _parameters(**changes: Any) -> SoapParameters:
    return SoapParameters(**{"n_max": 5, "l_max": 4, "cutoff_angstrom": 4.0, "sigma_angstrom": 0.5, **changes})


def _coefficients(atoms: Atoms, parameters: SoapParameters, centre: int) -> NDArray[np.complex128]:
    """c (channel, n, l m) by the definition: every image of every atom within the cut-off."""
    p = parameters
    symbols = p.neighbour_species or (atoms.get_chemical_symbols()[0],)
    lattice = atoms.cell.complete().array
    heights = 1 / np.linalg.norm(np.linalg.inv(lattice), axis=0)
    # atoms lie up to two cells outside
    reach = np.where(atoms.pbc, np.ceil(p.cutoff_angstrom / heights).astype(int) + 5, 0)
    shifts = np.array(list(itertools.product(*(range(-n, n + 1) for n in reach))))
    result = np.zeros((len(symbols), p.n_max, (p.l_max + 1) ** 2), dtype=complex)
    lm = [(order, m) for order in range(p.l_max + 1) for m in range(-order, order + 1)]
    for channel, symbol in enumerate(symbols):
        others = np.flatnonzero(atoms.numbers == atomic_numbers[symbol])
        if centre in others or len(symbols) == 1:  # as quippy has it
            weight = p.central_weight
            result[channel, :, 0] += weight * central_coefficients(p.n_max, p.cutoff_angstrom, p.sigma_angstrom)
        offsets = (shifts @ lattice)[:, None]
        d = atoms.positions[others] - atoms.positions[centre] + offsets  # (shift, atom, 3)
        r = np.linalg.norm(d, axis=2)
        keep = (r < p.cutoff_angstrom) & ((others != centre) | shifts.any(axis=1)[:, None])
        d, r = d[keep], r[keep]
        radial = radial_expansion(
            r, p.n_max, p.l_max, p.cutoff_angstrom, p.sigma_angstrom, p.cutoff_transition_width_angstrom
        )
        polar, azimuth = np.arccos(np.clip(d[:, 2] / r, -1, 1)), np.arctan2(d[:, 1], d[:, 0])
        for place, (order, m) in enumerate(lm):
            result[channel, :, place] += sph_harm_y(order, m, polar, azimuth) @ radial[:, order]
    return result


def _spectrum(coefficients: NDArray[np.complex128], parameters: SoapParameters) -> NDArray[np.float64]:
    c = coefficients.reshape(-1, coefficients.shape[-1])
    vector = []
    for a in range(len(c)):
        for b in range(a + 1):
            for order in range(parameters.l_max + 1):
                of_order = slice(order**2, (order + 1) ** 2)
                product = (c[a, of_order] @ c[b, of_order].conj()).real / np.sqrt(2 * order + 1)
                vector.append(product * (1 if a == b else np.sqrt(2)))
    spectrum = np.array([*vector, 0.0])
    return spectrum / np.linalg.norm(spectrum) if parameters.normalise else spectrum


def _reference(atoms: Atoms, parameters: SoapParameters, centres: list[int]) -> NDArray[np.float64]:
    coefficients = [_coefficients(atoms, parameters, centre) for centre in centres]
    if parameters.averaging == "coefficients":
        return _spectrum(np.mean(coefficients, axis=0), parameters)
    spectra = np.array([_spectrum(c, parameters) for c in coefficients])
    return spectra.mean(axis=0) if parameters.averaging == "spectra" else spectra


def _brass(seed: int = 0) -> Atoms:
    """Two species, disordered, periodic in two directions, with a free surface, skewed, some atoms outside the cell."""
    rng = np.random.default_rng(seed)
    atoms = bulk("Cu", "fcc", 3.6, cubic=True) * (2, 2, 1)
    atoms.rattle(0.15, seed=seed)
    atoms.numbers[rng.permutation(len(atoms))[:6]] = atomic_numbers["Zn"]
    atoms.set_cell(atoms.cell.array + np.array([[0, 0, 0], [1.1, 0, 0.4], [-0.7, 1.9, 0]]), scale_atoms=True)
    atoms.positions += rng.integers(-2, 3, (len(atoms), 3)) @ (atoms.cell.array * np.array([[0], [1], [1]]))
    atoms.pbc = [False, True, True]
    return atoms


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("dtype", [torch.float64, torch.float32])
@pytest.mark.parametrize("averaging", ["none", "spectra", "coefficients"])
@pytest.mark.parametrize(
    "changes",
    [
        {"neighbour_species": ("Cu", "Zn")},
        {"neighbour_species": ("Zn", "Cu", "Ni"), "central_weight": 0.3, "normalise": False},
        {"neighbour_species": ("Zn",)},
        {"neighbour_species": ("Zn",), "central_weight": 0.0, "cutoff_transition_width_angstrom": 2.5},
    ],
)
def test_equal_to_the_definition(averaging: str, changes: dict[str, Any], dtype: torch.dtype, device: str) -> None:
    atoms, centres = _brass(), [11, 3, 0, 15, 7]
    parameters = _parameters(averaging=averaging, **changes)
    expected = _reference(atoms, parameters, centres)
    computed = power_spectrum_torch(atoms, parameters, centres, device=device, dtype=dtype)
    assert computed.shape == expected.shape
    assert computed.dtype == np.dtype(str(dtype).removeprefix("torch."))
    assert np.abs(computed - expected).max() <= ACCURACY[dtype] * np.linalg.norm(expected, axis=-1).max()


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("dtype", [torch.float64, torch.float32])
@pytest.mark.parametrize("sigma", [0.5, 1.0])
def test_equal_to_the_definition_at_18_and_18(sigma: float, dtype: torch.dtype, device: str) -> None:
    """One atom in a cell much smaller than the cut-off: all neighbours are images, of itself among others."""
    atoms = bulk("Ni", "fcc", 3.52) * (2, 1, 1)
    atoms.rattle(0.1, seed=1)
    parameters = _parameters(n_max=18, l_max=18, cutoff_angstrom=5.0, sigma_angstrom=sigma)
    computed = power_spectrum_torch(atoms, parameters, [0, 1], device=device, dtype=dtype)
    assert np.abs(computed - _reference(atoms, parameters, [0, 1])).max() <= ACCURACY[dtype]


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("averaging", ["none", "spectra", "coefficients"])
def test_projection(averaging: str, device: str) -> None:
    atoms, parameters = _brass(), _parameters(neighbour_species=("Cu", "Zn"), averaging=averaging)
    full = power_spectrum_torch(atoms, parameters, range(len(atoms)), device=device)
    projection = np.random.default_rng(2).normal(size=(full.shape[-1], 3))
    projected = power_spectrum_torch(atoms, parameters, range(len(atoms)), projection, device=device)
    np.testing.assert_allclose(projected, full @ projection, rtol=0, atol=1e-13)


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("averaging", ["none", "coefficients"])
def test_batches_do_not_matter(averaging: str, device: str, monkeypatch: pytest.MonkeyPatch) -> None:
    atoms, parameters = _brass(), _parameters(neighbour_species=("Cu", "Zn"), averaging=averaging)
    whole = power_spectrum_torch(atoms, parameters, range(len(atoms)), device=device)
    for size in (1, 7):
        parts = power_spectrum_torch(atoms, parameters, range(len(atoms)), device=device, batch_atoms=size)
        np.testing.assert_allclose(parts, whole, rtol=0, atol=1e-14)
    numbers_of_atoms = []
    sum_up = soap_torch._coefficients
    monkeypatch.setattr(
        soap_torch, "_coefficients", lambda *args: numbers_of_atoms.append(len(args[1])) or sum_up(*args)
    )
    monkeypatch.setitem(soap_torch._BATCH_BYTES, device, 300_000)
    parts = power_spectrum_torch(atoms, parameters, range(len(atoms)), device=device)
    assert len(numbers_of_atoms) > 1
    assert sum(numbers_of_atoms) == len(atoms)
    np.testing.assert_allclose(parts, whole, rtol=0, atol=1e-14)


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("averaging", ["none", "spectra", "coefficients"])
def test_equal_to_the_compiled_kernel(averaging: str, device: str) -> None:
    """Many atoms, with fewer neighbours at the surfaces, in an order of their own."""
    atoms = _brass() * (1, 3, 4)
    parameters = _parameters(n_max=8, l_max=6, neighbour_species=("Zn", "Cu"), averaging=averaging)
    centres = np.random.default_rng(5).permutation(len(atoms))[:150]
    computed = power_spectrum_torch(atoms, parameters, centres, device=device)
    np.testing.assert_allclose(computed, power_spectrum(atoms, parameters, centres), rtol=0, atol=1e-10)


@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 10**6))
def test_invariances(seed: int) -> None:
    """Rotation, translation, order of the atoms, and another cell of the same crystal."""
    rng = np.random.default_rng(seed)
    parameters = _parameters(neighbour_species=("Cu", "Zn"))
    atoms = _brass(seed)
    expected = power_spectrum_torch(atoms, parameters, range(len(atoms)))
    moved = atoms * (1, 2, 1)
    rotation = Rotation.random(rng=rng).as_matrix()
    moved.set_cell(moved.cell.array @ rotation.T)
    moved.positions = moved.positions @ rotation.T + rng.uniform(-20, 20, 3)
    order = rng.permutation(len(moved))
    computed = power_spectrum_torch(moved[order], parameters, range(len(moved)))
    np.testing.assert_allclose(computed, expected[order % len(atoms)], rtol=0, atol=1e-10)


def test_float32_far_from_the_origin() -> None:
    atoms = _brass()
    expected = power_spectrum_torch(atoms, _parameters(neighbour_species=("Cu",)), [1, 2])
    atoms.positions += [3e5, 0, 0]
    computed = power_spectrum_torch(atoms, _parameters(neighbour_species=("Cu",)), [1, 2], dtype=torch.float32)
    np.testing.assert_allclose(computed, expected, rtol=0, atol=1e-6)


def test_float32_in_a_process_that_allows_less() -> None:
    before = torch.get_float32_matmul_precision()
    try:
        torch.set_float32_matmul_precision("medium")
        computed = power_spectrum_torch(_brass(), _parameters(neighbour_species=("Cu",)), [1, 2], dtype=torch.float32)
        assert torch.get_float32_matmul_precision() == "medium"
    finally:
        torch.set_float32_matmul_precision(before)
    expected = power_spectrum_torch(_brass(), _parameters(neighbour_species=("Cu",)), [1, 2])
    np.testing.assert_allclose(computed, expected, rtol=0, atol=1e-6)


def test_atom_that_sees_nothing() -> None:
    parameters = _parameters(central_weight=0.0)
    assert not power_spectrum_torch(Atoms("Ni"), parameters, [0]).any()
    alone = power_spectrum_torch(Atoms("Ni"), _parameters(), [0])
    np.testing.assert_allclose(np.linalg.norm(alone, axis=1), 1)


def test_the_cpu_is_said_in_the_log(caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    default_device.cache_clear()
    with caplog.at_level(logging.WARNING):
        for _ in range(2):
            power_spectrum_torch(Atoms("Ni"), _parameters(), [0])
    default_device.cache_clear()
    assert [record.message for record in caplog.records] == ["there is no CUDA device: SOAP by torch runs on the CPU"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"parameters": _parameters()}, "the structure has Cu, Zn: neighbour_species must say"),
        ({"centres": []}, "at least one index"),
        ({"centres": [True]}, "at least one index"),
        ({"centres": [16]}, "from 0 to 15"),
        ({"projection": np.ones((5, 2))}, r"projection must be of shape \(276, k\)"),
        ({"dtype": torch.float16}, "dtype must be"),
        ({"batch_atoms": 0}, "batch_atoms must be at least 1"),
        ({"atoms": Atoms("Cu", pbc=True)}, "need linearly independent cell vectors"),
        (
            {"atoms": Atoms("NiCu2", positions=[[0, 0, 0], [2, 0, 0], [2, 1e-5, 0]]), "centres": [0, 2]},
            "atom 2 is less",
        ),
        ({"device": "meta"}, "device must be one of cuda, cpu"),
    ],
)
def test_bad_arguments_are_refused(arguments: dict[str, Any], message: str) -> None:
    given = {"atoms": _brass(), "parameters": _parameters(neighbour_species=("Cu", "Zn")), "centres": [0], **arguments}
    with pytest.raises(ValueError, match=message):
        power_spectrum_torch(**given)
