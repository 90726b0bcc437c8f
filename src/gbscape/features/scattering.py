"""Solid-harmonic wavelet scattering of a boundary's density in its own periodic cell.

The density is a sum of Gaussians of integral 1 on the boundary's atoms, periodic in y and z with the true periods; along
x vacuum keeps the periodic images apart. With the wavelets of Eickenberg et al., J. Chem. Phys. 148, 241732 (2018),

    psi_jlm^(k) = c_l (|k| s_j)^l exp(-(|k| s_j)^2 / 2) Y_lm(k),  s_j = sigma_0 2^j,

the moduli are U_jl = sqrt(sum_m |rho * psi_jlm|^2) and U_j1j2l = sqrt(sum_m |U_j1l * psi_j2lm|^2) for j2 > j1, and the
features are the integrals of rho^q, U_jl^q and U_j1j2l^q over the cell, divided by the boundary's area.

They do not change when the boundary is translated or rotated, when its atoms are permuted, or when the cell is repeated.
This is exact for permutations, repetitions that keep the grid, quarter turns and translations by grid points. Otherwise
the grid shows, for a modulus has a cusp wherever the wavelet coefficients vanish: at the default spacing of 0.5 Angstrom
a translation or a rotation changes most features by less than 1e-3 and the worst, at second order, by up to 1e-2 (2e-3
at 0.3 Angstrom).
"""

from collections.abc import Callable
from typing import Literal

import numpy as np
from ase import Atoms
from numpy.typing import ArrayLike, NDArray
from scipy.fft import next_fast_len

from gbscape.config.scattering import Scattering
from gbscape.features.checks import check_mask, check_slab

Engine = Literal["kymatio"]


def boundary_scattering(
    atoms: Atoms, mask: NDArray[np.bool_], parameters: Scattering, engine: Engine | None = None
) -> NDArray[np.float64]:
    """Scattering features of a boundary, per area.

    Args:
        atoms: slab of one species, periodic in y and z.
        mask: (n,) true for the atoms of the boundary.
        parameters: the transform's settings.
        engine: code that computes; None takes the one in the settings.

    Returns:
        (n_features,) as named by `feature_names`; an integral of U^q has the unit Angstrom^(1 - 3 q), as U is a density.

    Raises:
        ValueError: a slab or a selection that cannot be described (see `gbscape.features.checks`).
    """
    check_slab(atoms)
    check_mask(atoms, mask)
    periods = atoms.cell.lengths()[1:]
    positions = atoms.positions[mask]
    cell = np.array([np.ptp(positions[:, 0]) + vacuum_angstrom(parameters), *periods])
    grid = gaussian_density(
        positions, cell, grid_shape(cell, parameters.spacing_angstrom), parameters.atom_width_angstrom
    )
    return scatter(grid, cell, parameters, engine) / periods.prod()


def scatter(
    density: NDArray[np.float64], cell: ArrayLike, parameters: Scattering, engine: Engine | None = None
) -> NDArray[np.float64]:
    """Integrals of the scattering moduli of a density over its periodic cell.

    Args:
        density: (n_x, n_y, n_z) at the points i L / n of each axis, not negative.
        cell: (3,) edge lengths in Angstrom of the orthorhombic cell, periodic along all three axes.
        parameters: the transform's settings; the spacing and the width of the atoms are not used.
        engine: code that computes; None takes the one in the settings.

    Returns:
        (n_features,) as named by `feature_names`, in the density's unit to the power q times Angstrom^3.

    Raises:
        ValueError: not a three-dimensional density, negative or not finite, or a cell without three positive lengths.
    """
    lengths = np.asarray(cell, dtype=float)
    if lengths.shape != (3,) or not (lengths > 0).all():
        raise ValueError(f"the cell must be three positive edge lengths, got {cell!r}")
    if density.ndim != 3 or not np.isfinite(density).all() or density.min() < 0:
        raise ValueError("the density must be a three-dimensional array of finite numbers that are not negative")
    first_and_second = _engine(engine or parameters.engine)(density, lengths, parameters)
    voxel = lengths.prod() / density.size
    zeroth = [voxel * (density**power).sum() for power in parameters.integral_powers]
    return np.concatenate([zeroth, first_and_second])


def feature_names(parameters: Scattering) -> list[str]:
    """Names (n_features,): `S0[q]`, then `S1[j,l,q]` and `S2[j1,j2,l,q]`, l fastest but for the power.

    There are (1 + (J + 1)(J + 2) / 2 (l_max + 1)) powers of them, J = j_max.
    """
    widths, orders = range(parameters.j_max + 1), range(parameters.l_max + 1)
    paths = ["S0[{q}]"]
    paths += [f"S1[j={j},l={order},{{q}}]" for j in widths for order in orders]
    paths += [f"S2[j={j},{k},l={order},{{q}}]" for j in widths for k in widths if k > j for order in orders]
    return [path.format(q=f"q={power:g}") for path in paths for power in parameters.integral_powers]


def vacuum_angstrom(parameters: Scattering) -> float:
    """Empty length to leave along x between the outermost atoms and their periodic images.

    A modulus falls off about as exp(-(x / s)^2 / 2) with the widest wavelet's s, and its power q < 1 as slowly as with
    s / sqrt(q). Ten such widths between the images change the default features by 5e-4 (smallest power, widest wavelets)
    or much less.
    """
    widest = np.hypot(parameters.sigma_0_angstrom * 2**parameters.j_max, parameters.atom_width_angstrom)
    return float(10.0 * widest / np.sqrt(min(1.0, parameters.integral_powers[0])))


def grid_shape(cell: ArrayLike, spacing_angstrom: float) -> tuple[int, int, int]:
    """Even numbers of grid points that suit a fast Fourier transform, no further apart than the spacing."""
    nx, ny, nz = (
        2 * next_fast_len(max(1, int(np.ceil(length / spacing_angstrom / 2 - 1e-9))), real=True)
        for length in np.asarray(cell, dtype=float)
    )
    return nx, ny, nz


def gaussian_density(
    positions: NDArray[np.float64], cell: ArrayLike, shape: tuple[int, int, int], width_angstrom: float
) -> NDArray[np.float64]:
    """Sum of normalised Gaussians on a grid over an orthorhombic periodic cell, all images included.

    A Gaussian and its images on an orthorhombic lattice are a product of three periodic functions of one coordinate, so
    the sum over atoms is a matrix product and exact.

    Args:
        positions: (n, 3) in Angstrom, anywhere.
        cell: (3,) edge lengths in Angstrom.
        shape: grid points (n_x, n_y, n_z), at i L / n of each axis.
        width_angstrom: standard deviation.

    Returns:
        (n_x, n_y, n_z) in Angstrom^-3.
    """
    along_x, along_y, along_z = (
        _periodic_gaussians(positions[:, axis], length, shape[axis], width_angstrom)
        for axis, length in enumerate(np.asarray(cell, dtype=float))
    )
    density = np.zeros((shape[0], shape[1] * shape[2]))
    chunk = max(1, 2**24 // density.shape[1])  # atoms at a time, so that the products take at most 128 MiB
    for start in range(0, len(positions), chunk):
        part = slice(start, start + chunk)
        in_plane = (along_y[part, :, None] * along_z[part, None, :]).reshape(-1, density.shape[1])
        density += along_x[part].T @ in_plane
    return density.reshape(shape)


def _periodic_gaussians(
    coordinates: NDArray[np.float64], length: float, points: int, width: float
) -> NDArray[np.float64]:
    """(n, points): a normalised Gaussian of one coordinate and all its images, to double precision."""
    grid = np.arange(points) * length / points
    separation = (grid - coordinates[:, None] + length / 2) % length - length / 2
    images = int(np.ceil(9 * width / length + 0.5))
    return sum(
        np.exp(-0.5 * ((separation + image * length) / width) ** 2) for image in range(-images, images + 1)
    ) / np.sqrt(2 * np.pi * width**2)


def _engine(name: Engine) -> Callable[[NDArray[np.float64], NDArray[np.float64], Scattering], NDArray[np.float64]]:
    if name == "kymatio":
        from gbscape.features.scattering_kymatio import scatter_kymatio

        return scatter_kymatio
    raise ValueError(f"unknown scattering engine {name!r}; allowed: 'kymatio'")
