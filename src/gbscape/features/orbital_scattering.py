"""Wavelet scattering of whole periodic cells by atomic orbitals (Sinz et al., J. Chem. Phys. 153, 084109, 2020).

Each channel is a density of Gaussians on the atoms,

    rho_c(x) = sum_i w_c(i) g(x - x_i),

its moduli are U_cjnl = sqrt(sum_m |rho_c * psi_jnlm|^2) and U_cjnlj'l' = sqrt(sum_m |U_cjnl * psi_j'n'l'm|^2), j' > j, n' = l' + 1,
with the wavelets of `gbscape.features.wavelets.AtomicOrbitals`, and the features are the integrals over the cell of rho_c^q and
of the moduli to the powers q, divided by the number of atoms.

They do not change when atoms are permuted or the cell is turned, exactly: the grid lies along the cell's vectors and turns with it. A
translation changes them as far as the grid shows, and so does repeating the cell, unless its grid is repeated too; convergence with
the spacing tells how far. What a wavelet of twice the width leaves is known on a grid that is half as fine.
"""

from collections.abc import Iterator
from math import prod
from typing import NamedTuple

import numpy as np
import torch
from ase import Atoms
from ase.data import atomic_numbers
from numpy.typing import ArrayLike, NDArray
from torch import Tensor

from gbscape.config.orbital_scattering import OrbitalScattering
from gbscape.energies.valence import valence_electrons
from gbscape.features import spectra
from gbscape.features.scattering import grid_shape
from gbscape.features.wavelets import AtomicOrbitals

Array = NDArray[np.float64]

_COARSEST = 4
"""By what grids of wider wavelets are coarser than the densities', at most: with a 64th of the points they take no time."""


class _Orbital(NamedTuple):
    """A wavelet but for m."""

    scale: int
    shell: int
    order: int


def orbital_scattering(
    atoms: Atoms,
    species: tuple[str, ...],
    parameters: OrbitalScattering,
    shape: tuple[int, int, int] | None = None,
) -> Array:
    """Scattering features of a cell.

    Args:
        atoms: periodic along all three vectors, of any angles, of these species.
        species: of the channels `species`, in this order.
        parameters: the transform's settings.
        shape: points of the densities' grid along the cell's vectors; None takes `orbital_grid_shape`, which jumps when a cell is
            strained.

    Returns:
        (n_features,) as named by `feature_names`: integrals an atom, in the unit of a density to the power q times Angstrom^3.

    Raises:
        ValueError: a cell that is not periodic or has no volume, another species, or a grid that cannot be made as coarse as the
            widest wavelets'.
    """
    if not atoms.pbc.all() or not atoms.cell.volume > 0:
        raise ValueError(
            f"the cell must be periodic along three vectors that span a volume, its vectors are {atoms.cell.tolist()}"
        )
    foreign = sorted(set(atoms.get_chemical_symbols()) - set(species))
    if foreign or not len(atoms):
        raise ValueError(
            f"the cell must have atoms, all of the species {', '.join(species)}, not {', '.join(foreign) or 'none'}"
        )
    shape = shape or orbital_grid_shape(atoms.cell.lengths(), parameters)
    bands = _bands(atoms, shape, parameters)
    # Channels are sums of species' densities, with weights: only these are convolved with wavelets.
    present = [name for name in species if name in atoms.get_chemical_symbols()]
    of_species = _density_spectra(atoms, present, bands[0], parameters)
    weights = torch.from_numpy(channel_weights(Atoms(present), species, parameters))

    def sums(fields: Tensor) -> Tensor:
        """(..., n_powers) integrals an atom of fields that are not negative."""
        voxel = atoms.cell.volume / prod(fields.shape[-3:]) / len(atoms)
        return torch.stack([fields.pow(q).sum((-3, -2, -1)) for q in parameters.powers], dim=-1) * voxel

    # Those of moduli are among those of densities.
    filters = {wavelet: _filters(bands[wavelet.scale], wavelet, parameters) for wavelet in _orbitals(parameters)}

    def convolved(coefficients: Tensor, band: spectra.Band, wavelet: _Orbital) -> Tensor:
        """(..., m, grid of the wavelet's scale) from the spectrum of a field on the grid of a band."""
        return spectra.convolve(coefficients, band.shape, bands[wavelet.scale], filters[wavelet], wavelet.order)

    def modulus(fields: Tensor) -> Tensor:
        """(..., grid) sqrt of the sum over m of the squared fields."""
        return fields.square().sum(-4).sqrt()

    densities = torch.tensordot(weights, torch.fft.irfftn(of_species, s=shape, norm="forward"), 1).clamp_min(0)
    features = [sums(densities)[:, None]]
    for wavelet in filters:
        moduli = modulus(torch.tensordot(weights, convolved(of_species, bands[0], wavelet), 1))
        features.append(sums(moduli)[:, None])
        wider = _wider(wavelet, parameters)
        if wider:
            of_moduli, its_band = spectra.spectrum(moduli), bands[wavelet.scale]
            features.append(torch.stack([sums(modulus(convolved(of_moduli, its_band, its))) for its in wider], dim=1))
    return torch.cat(features, dim=1).flatten().numpy()


def orbital_grid_shape(lengths_angstrom: ArrayLike, parameters: OrbitalScattering) -> tuple[int, int, int]:
    """Points along the vectors of a cell of these lengths, no further apart than the spacing, that can be made as coarse as the
    widest wavelets allow, and suit a fast Fourier transform then too."""
    return grid_shape(lengths_angstrom, parameters.spacing_angstrom, _coarsening(parameters.n_scales - 1))


def _coarsening(scale: int) -> int:
    """By what the grid of a scale is coarser than the densities'."""
    return min(2**scale, _COARSEST)


def _bands(atoms: Atoms, shape: tuple[int, int, int], parameters: OrbitalScattering) -> list[spectra.Band]:
    """Frequencies and grids, one of each scale."""
    factors = [_coarsening(scale) for scale in range(parameters.n_scales)]
    if any(points % factors[-1] for points in shape):
        raise ValueError(f"the points of the grid must be multiples of {factors[-1]}, not {shape}")
    return [
        spectra.band_of_any_cell([points // factor for points in shape], atoms.cell.array, torch.device("cpu"))
        for factor in factors
    ]


def feature_names(species: tuple[str, ...], parameters: OrbitalScattering) -> list[str]:
    """Names of the features, in their order."""
    paths = ["rho"]
    for wavelet in _orbitals(parameters):
        first = _name(wavelet)
        paths += [first, *(f"{first} {_name(its)}" for its in _wider(wavelet, parameters))]
    return [
        f"{channel} {path} q{power:.3g}"
        for channel in channel_names(species, parameters)
        for path in paths
        for power in parameters.powers
    ]


def channel_names(species: tuple[str, ...], parameters: OrbitalScattering) -> list[str]:
    """Names of the densities."""
    return [name for channel in parameters.channels for name in (species if channel == "species" else (channel,))]


def channel_weights(atoms: Atoms, species: tuple[str, ...], parameters: OrbitalScattering) -> Array:
    """(n_channels, n) what the Gaussian of each atom integrates to."""
    rows = []
    for channel in parameters.channels:
        match channel:
            case "atoms":
                rows.append(np.ones(len(atoms)))
            case "species":
                rows += [(atoms.numbers == atomic_numbers[name]).astype(float) for name in species]
            case "valence":
                rows.append(np.array([valence_electrons(int(number)) for number in atoms.numbers], dtype=float))
            case "charge":
                rows.append(atoms.numbers.astype(float))
    return np.array(rows)


def _density_spectra(atoms: Atoms, species: list[str], band: spectra.Band, parameters: OrbitalScattering) -> Tensor:
    """(n_species, spectrum): Fourier coefficients of the densities of each, exact: no Gaussian is cut off or sampled."""
    places = torch.from_numpy(atoms.get_scaled_positions())
    along_a, along_b, along_c = (
        torch.exp(-2j * torch.pi * places[:, axis, None] * frequencies.double())
        for axis, frequencies in enumerate(band.frequencies)
    )
    rows = (along_a[:, :, None] * along_b[:, None, :]).flatten(1)
    masks = [torch.from_numpy(atoms.numbers == atomic_numbers[name]) for name in species]
    factors = torch.stack([rows[mask].T @ along_c[mask] for mask in masks])
    gaussian = torch.exp(-0.5 * parameters.atom_width_angstrom**2 * band.squared_wave_numbers(torch.float64))
    return factors.reshape(len(species), *band.spectrum_shape) * gaussian / atoms.cell.volume


def _filters(band: spectra.Band, wavelet: _Orbital, parameters: OrbitalScattering) -> Tensor:
    family = AtomicOrbitals(widths_angstrom(parameters), wavelet.shell)
    radial = family.radial(wavelet.scale, wavelet.order, band.squared_wave_numbers(torch.float64))
    return radial * band.harmonics(wavelet.order, torch.float64)


def widths_angstrom(parameters: OrbitalScattering) -> tuple[float, ...]:
    """Widths of the wavelets by scale, narrowest first."""
    return tuple(parameters.smallest_width_angstrom * 2.0**scale for scale in range(parameters.n_scales))


def _orbitals(parameters: OrbitalScattering) -> Iterator[_Orbital]:
    for scale in range(parameters.n_scales):
        for shell in range(1, parameters.n_max + 1):
            for order in range(shell):
                yield _Orbital(scale, shell, order)


def _wider(wavelet: _Orbital, parameters: OrbitalScattering) -> list[_Orbital]:
    """Wavelets of a modulus."""
    if not parameters.second_order:
        return []
    return [
        _Orbital(scale, order + 1, order)
        for scale in range(wavelet.scale + 1, parameters.n_scales)
        for order in range(parameters.n_max)
    ]


def _name(wavelet: _Orbital) -> str:
    return f"{wavelet.shell}{'spdfgh'[wavelet.order]}@{wavelet.scale}"
