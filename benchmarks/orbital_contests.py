"""Scattering of an alloy's cell by atomic orbitals, against Kymatio's solid harmonics on the same grid: invariants a second."""

from collections.abc import Callable

import numpy as np
from ase import Atoms
from kymatio_peer import transform_class
from measure import Build, Contest, Contestant, Goal, Work

from gbscape.alloy.packing import random_packing
from gbscape.config.alloy import Packing
from gbscape.config.orbital_scattering import OrbitalScattering
from gbscape.features.orbital_scattering import channel_weights, feature_names, orbital_grid_shape, orbital_scattering

KYMATIO = "kymatio, solid harmonics"
_PAIR = ("Li", "Si")


def orbital_scattering_64(quick: bool) -> Contest:
    """Each does its own transform of the same densities: the goal counts invariants, of which ours are more."""
    parameters = OrbitalScattering(n_scales=2, n_max=2) if quick else OrbitalScattering()
    n_atoms = 12 if quick else 64
    atoms = random_packing(_PAIR, 1.0, Packing(n_atoms=(n_atoms, n_atoms)), np.random.default_rng(0))
    shape = orbital_grid_shape(atoms.cell.lengths(), parameters)
    invariants = len(feature_names(_PAIR, parameters))
    channels = len(channel_weights(atoms, _PAIR, parameters))
    theirs = channels * _kymatio_paths(parameters) * len(parameters.powers)
    return Contest(
        key="orbital-scattering-64",
        setting=f"scattering by orbitals, {n_atoms} LiSi, {shape[0]}^3",
        ours=[Contestant("torch, CPU", _ours(atoms, parameters))],
        peers=[Contestant(KYMATIO, _kymatio(atoms, parameters, shape), share=theirs / invariants)],
        units=invariants,
        unit="invariants",
        goals={("torch, CPU", KYMATIO): Goal(speed=2)},
    )


def _ours(atoms: Atoms, parameters: OrbitalScattering) -> Callable[[], Build]:
    def load() -> Build:
        import torch

        torch.set_num_threads(1)
        return lambda: lambda: orbital_scattering(atoms, _PAIR, parameters)

    return load


def _kymatio_paths(parameters: OrbitalScattering) -> int:
    """Pairs of an order l, of which there are as many as of our orbitals, and a scale, or two scales of which the second is wider."""
    scales = parameters.n_scales
    return parameters.n_max * (scales + scales * (scales - 1) // 2)


def _kymatio(atoms: Atoms, parameters: OrbitalScattering, shape: tuple[int, int, int]) -> Callable[[], Build]:
    def load() -> Build:
        import torch

        transform_of = transform_class()

        def build() -> Work:
            transform = transform_of(
                J=parameters.n_scales - 1,
                shape=shape,
                L=parameters.n_max - 1,
                sigma_0=parameters.smallest_width_angstrom / parameters.spacing_angstrom,
                integral_powers=list(parameters.powers),
            )

            def work() -> np.ndarray:
                # Densities are part of the work of both.
                own = torch.from_numpy(np.ascontiguousarray(_densities(atoms, parameters, shape), dtype=np.float32))
                found = transform(own).numpy()
                assert found[0].size == _kymatio_paths(parameters) * len(parameters.powers)
                return found

            return work

        return build

    return load


def _densities(atoms: Atoms, parameters: OrbitalScattering, shape: tuple[int, int, int]) -> np.ndarray:
    """(n_channels, grid) sums of Gaussians on the atoms of a rectangular cell."""
    weights = channel_weights(atoms, _PAIR, parameters)
    waves = [2 * np.pi * np.fft.fftfreq(n, length / n) for n, length in zip(shape, atoms.cell.lengths(), strict=True)]
    phases = [np.exp(-1j * np.outer(atoms.positions[:, axis], wave)) for axis, wave in enumerate(waves)]
    spectra = np.einsum("ca,ai,aj,ak->cijk", weights, *phases, optimize=True)
    for axis, wave in enumerate(waves):
        gaussian = np.exp(-0.5 * (parameters.atom_width_angstrom * wave) ** 2)
        spectra *= np.expand_dims(gaussian, [other for other in range(3) if other != axis])
    voxel = atoms.cell.volume / np.prod(shape)
    return np.maximum(np.fft.ifftn(spectra, axes=(1, 2, 3)).real, 0.0) / voxel
