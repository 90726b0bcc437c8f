"""Scattering: ours against Kymatio's own 3D transform in PyTorch (float32)."""

from collections.abc import Callable

import numpy as np
from kymatio_peer import transform_class
from measure import Build, Contest, Contestant, Goal, Unavailable, Work

from gbscape.config.scattering import Scattering

KYMATIO = "kymatio"


def scattering_96(quick: bool) -> Contest:
    return _scattering("scattering-96", 16 if quick else 96, quick, budget_s=45.0)


def scattering_128(quick: bool) -> Contest:
    return _scattering("scattering-128", 20 if quick else 128, quick, budget_s=60.0)


def _scattering(key: str, points: int, quick: bool, budget_s: float) -> Contest:
    parameters = Scattering(
        spacing_angstrom=1.0,
        atom_width_angstrom=2.0,
        sigma_0_angstrom=1.0,
        j_max=1 if quick else 4,
        l_max=1 if quick else 4,
        integral_powers=(0.5, 1.0, 2.0),
        tolerance=1e-4,
        precision="single",  # as Kymatio's
    )
    density = random_density(points, parameters.atom_width_angstrom)
    full_grid = parameters.model_copy(update={"tolerance": 0.0})
    loose, tight = "tolerance 1e-4, CPU", "full grid, CPU"
    ours = {
        loose: _ours(density, parameters, "cpu"),
        tight: _ours(density, full_grid, "cpu"),
        "tolerance 1e-4, CUDA": _ours(density, parameters, "cuda"),
        "full grid, CUDA": _ours(density, full_grid, "cuda"),
    }
    return Contest(
        key=key,
        setting=f"scattering J={parameters.j_max} L={parameters.l_max}, {points}^3",
        ours=[Contestant(name, load) for name, load in ours.items()],
        peers=[Contestant(KYMATIO, _kymatio(density, parameters))],
        difference={KYMATIO: _largest_relative_difference},
        goals={
            (loose, KYMATIO): Goal(speed=8, memory=0.1, difference=1e-4),
            (tight, KYMATIO): Goal(speed=2.5, memory=0.1, difference=1e-6),
        },
        build_goal=Goal(speed=50),
        budget_s=budget_s,
    )


def random_density(points: int, width: float) -> np.ndarray:
    """Gaussians of some grid points' width on random places of a periodic cube, as dense as a metal's at 0.5 Angstrom
    for ten points a lattice constant."""
    random = np.random.default_rng(0)
    places = random.uniform(0, points, (int(4 * (points / 10) ** 3), 3))
    grid = np.zeros((points,) * 3)
    np.add.at(grid, tuple(np.round(places).astype(int).T % points), 1.0)
    wave = 2 * np.pi * np.fft.fftfreq(points)
    spread = np.exp(-0.5 * (width * wave) ** 2)
    product = spread[:, None, None] * spread[:, None] * spread
    return np.maximum(np.fft.ifftn(np.fft.fftn(grid) * product).real, 0.0)


def _largest_relative_difference(ours: np.ndarray, peer: np.ndarray) -> float:
    """Of the first and second order; Kymatio's transform returns no zeroth one."""
    own = np.asarray(ours)[-peer.size :]
    return float(np.abs(own / peer.ravel() - 1).max())


def _ours(density: np.ndarray, parameters: Scattering, device: str) -> Callable[[], Build]:
    def load() -> Build:
        import torch

        from gbscape.features.scattering import scatter, widths_angstrom
        from gbscape.features.spectra import full_band
        from gbscape.features.wavelets import GaussianSolidHarmonics

        if device == "cuda" and not torch.cuda.is_available():
            raise Unavailable("no CUDA device")
        torch.set_num_threads(1)
        own = torch.from_numpy(density).to(device)
        small = own[:8, :8, :8]
        scatter(small, small.shape, parameters)

        def build() -> Work:
            # The transform makes its filters on the way, which is in its time. Here they are made once more, all of
            # them and on the full grid, to be timed beside the peer's.
            family = GaussianSolidHarmonics(widths_angstrom(parameters))
            band = full_band(density.shape, density.shape, own.device)
            for order in range(parameters.l_max + 1):
                for scale in range(parameters.j_max + 1):
                    family.radial(scale, order, band.squared_wave_numbers(torch.float32))
            return lambda: scatter(own, density.shape, parameters).cpu().numpy()

        return build

    return load


def _kymatio(density: np.ndarray, parameters: Scattering) -> Callable[[], Build]:
    def load() -> Build:
        import torch

        transform_of = transform_class()
        own = torch.tensor(density, dtype=torch.float32)[None]

        def build() -> Work:
            transform = transform_of(
                J=parameters.j_max,
                shape=density.shape,
                L=parameters.l_max,
                sigma_0=parameters.sigma_0_angstrom,
                integral_powers=list(parameters.integral_powers),
            )
            return lambda: transform(own)[0].numpy()

        return build

    return load
