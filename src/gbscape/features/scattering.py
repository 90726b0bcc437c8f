"""Wavelet scattering of a boundary's density in its own periodic cell, invariant or oriented.

The density is a sum of Gaussians of integral 1 on the boundary's atoms, periodic in y and z with the true periods; along
x vacuum keeps the periodic images apart.

Invariant scattering: with the wavelets of Eickenberg et al., J. Chem. Phys. 148, 241732 (2018),

    psi_jlm^(k) = c_l (|k| s_j)^l exp(-(|k| s_j)^2 / 2) Y_lm(k),  s_j = sigma_0 2^j,

the moduli are U_jl = sqrt(sum_m |rho * psi_jlm|^2) and U_j1j2l = sqrt(sum_m |U_j1l * psi_j2lm|^2) for j2 > j1, and the
features are the integrals of rho^q, U_jl^q and U_j1j2l^q over the cell, divided by the boundary's area.

They do not change when the boundary is translated or rotated, when its atoms are permuted, or when the cell is repeated.
This is exact for permutations, and on the full grid (tolerance 0) for repetitions that keep the grid, quarter turns and
translations by grid points. Otherwise the grid shows, for a modulus has a cusp wherever the wavelet coefficients vanish:
at the default spacing of 0.5 Angstrom a translation or a rotation changes most features by less than 1e-3 and the worst,
at second order, by up to 1e-2 (2e-3 at 0.3 Angstrom). In the smallest cells, where a period has six points, a translation
changes a third of them by more than 1e-3 and the worst by up to 7e-2 (1e-2 at 0.3 Angstrom). The default tolerance of
coarser grids, 1e-4, is well below that.

Oriented scattering (Homer et al., Front. Mater. 6, 168 (2019)): wavelets of one order l and many directions n,
psi_jn^(k) = c_l (|k| s_j)^l exp(-(|k| s_j)^2 / 2) Y_lm(k seen from n), and the moduli |rho * psi_jn|, averaged over the
boundary plane, blurred along the normal and sampled about the boundary (see `gbscape.features.scattering_oriented`).
These do not change when the boundary is translated, when its atoms are permuted or when the cell is repeated; they do
when it is rotated.
"""

from typing import TYPE_CHECKING, TypeVar

import numpy as np
from ase import Atoms
from numpy.typing import ArrayLike, NDArray
from scipy.fft import next_fast_len

from gbscape.config.scattering import OrientedScattering, Scattering, ScatteringEngine
from gbscape.features.checks import check_mask, check_slab

if TYPE_CHECKING:
    from torch import Tensor

Density = TypeVar("Density", NDArray[np.float64], "Tensor")
ENGINES = ("torch", "kymatio")
NOT_A_DENSITY = "the density must be finite and not negative"


def boundary_scattering(
    atoms: Atoms,
    mask: NDArray[np.bool_],
    parameters: Scattering | OrientedScattering,
    engine: ScatteringEngine | None = None,
) -> NDArray[np.float64]:
    """Scattering features of a boundary.

    Args:
        atoms: slab of one species, periodic in y and z.
        mask: (n,) true for the atoms of the boundary.
        parameters: the transform's settings.
        engine: code that computes; None takes the one in the settings.

    Returns:
        (n_features,) as named by `gbscape.features.names`. Invariant: an integral of U^q over the cell and divided by the area,
        in Angstrom^(1 - 3 q), as U is a density. Oriented: moduli in Angstrom^-3, at positions relative to the mean
        position of the boundary's atoms along x.

    Raises:
        ValueError: a slab or a selection that cannot be described (see `gbscape.features.checks`).
    """
    check_slab(atoms)
    check_mask(atoms, mask)
    periods = atoms.cell.lengths()[1:]
    positions = atoms.positions[mask]
    if isinstance(parameters, OrientedScattering):
        positions[:, 0] -= positions[:, 0].mean()
        length = oriented_cell_length_angstrom(positions[:, 0], parameters)
        positions[:, 0] += length / 2
    else:
        length = np.ptp(positions[:, 0]) + vacuum_angstrom(parameters)
    cell = np.array([length, *periods])
    grid = gaussian_density(
        positions, cell, grid_shape(cell, parameters.spacing_angstrom), parameters.atom_width_angstrom
    )
    features = scatter(grid, cell, parameters, engine)
    return features if isinstance(parameters, OrientedScattering) else features / periods.prod()


def scatter(
    density: Density,
    cell: ArrayLike,
    parameters: Scattering | OrientedScattering,
    engine: ScatteringEngine | None = None,
) -> Density:
    """Scattering transform of densities over a periodic cell.

    Args:
        density: (n_x, n_y, n_z) at the points i L / n of each axis, not negative, or a batch (n, n_x, n_y, n_z). As a
            torch tensor it is transformed where it is, and gradients go through; as an array, on a CUDA device where
            there is one.
        cell: (3,) edge lengths in Angstrom of the orthorhombic cell, periodic along all three axes.
        parameters: the transform's settings; the spacing and the width of the atoms are not used.
        engine: code that computes; None takes the one in the settings. Only "torch" has the oriented transform.

    Returns:
        (n_features,) or (n, n_features) as named by `gbscape.features.names`, in double precision, an array or a tensor like the
        density. Invariant: integrals over the cell, in the density's unit to the power q times Angstrom^3. Oriented:
        moduli in the density's unit, at positions relative to the middle of the cell along x.

    Raises:
        ValueError: not a density of three dimensions or a batch of them, negative or not finite, a cell without three
            positive lengths, or an engine that has no such transform.
    """
    lengths = np.asarray(cell, dtype=float)
    if lengths.shape != (3,) or not (np.isfinite(lengths) & (lengths > 0)).all():
        raise ValueError(f"the cell must be three positive edge lengths, got {cell!r}")
    if density.ndim not in (3, 4) or 0 in density.shape:
        raise ValueError(
            "the density must be a three-dimensional array, or a batch of them, of finite numbers that are not negative; "
            f"its shape is {tuple(density.shape)}"
        )
    if parameters.sweep:
        raise ValueError(f"the sweep over {', '.join(parameters.sweep)} must be expanded first")
    chosen = _engine(parameters, engine)
    if chosen == "kymatio" and isinstance(parameters, Scattering):
        return _by_kymatio(density, lengths, parameters)
    from gbscape.features.scattering_torch import transform

    features = transform(density if density.ndim == 4 else density[None], lengths, parameters)
    return features if density.ndim == 4 else features[0]


def _by_kymatio(density: Density, lengths: NDArray[np.float64], parameters: Scattering) -> Density:
    from gbscape.features.scattering_kymatio import scatter_kymatio

    if not isinstance(density, np.ndarray):
        raise ValueError("the engine 'kymatio' takes arrays, not tensors; 'torch' takes both")
    if not np.isfinite(density).all() or density.min() < 0:
        raise ValueError(NOT_A_DENSITY)
    if density.ndim == 4:
        return np.stack([_by_kymatio(one, lengths, parameters) for one in density])
    voxel = lengths.prod() / density.size
    zeroth = [voxel * (density**power).sum() for power in parameters.integral_powers]
    return np.concatenate([zeroth, scatter_kymatio(density, lengths, parameters)])


def _engine(parameters: Scattering | OrientedScattering, engine: str | None) -> str:
    if isinstance(parameters, OrientedScattering):
        if engine not in (None, "torch"):
            raise ValueError(f"the oriented transform has the engine 'torch' alone, not {engine!r}")
        return "torch"
    name = engine or parameters.engine
    if name not in ENGINES:
        raise ValueError(f"unknown scattering engine {name!r}; allowed: {', '.join(map(repr, ENGINES))}")
    return name


def widths_angstrom(parameters: Scattering | OrientedScattering) -> tuple[float, ...]:
    """Widths of the wavelets by scale, narrowest first."""
    if isinstance(parameters, Scattering):
        return tuple(parameters.sigma_0_angstrom * 2.0**j for j in range(parameters.j_max + 1))
    smallest, largest = parameters.smallest_width_angstrom, parameters.largest_width_angstrom
    return tuple(float(width) for width in np.geomspace(smallest, largest, parameters.n_scales))


def vacuum_angstrom(parameters: Scattering) -> float:
    """Empty length to leave along x between the outermost atoms and their periodic images.

    A modulus falls off about as exp(-(x / s)^2 / 2) with the widest wavelet's s, and its power q < 1 as slowly as with
    s / sqrt(q). Ten such widths between the images change the default features by 5e-4 (smallest power, widest wavelets)
    or much less.
    """
    widest = np.hypot(parameters.sigma_0_angstrom * 2**parameters.j_max, parameters.atom_width_angstrom)
    return float(10.0 * widest / np.sqrt(min(1.0, parameters.integral_powers[0])))


def oriented_cell_length_angstrom(x: NDArray[np.float64], parameters: OrientedScattering) -> float:
    """Length of cell along the normal for atoms at x, relative to the middle of the window, that keeps images away.

    Six widths from an atom the widest wavelet of order 4 has 1e-5 of its maximum; a second one adds to that.
    """
    width = np.hypot(parameters.largest_width_angstrom, parameters.atom_width_angstrom)
    reach = (6.0 if parameters.layers < 3 else 10.0) * np.hypot(width, parameters.blur_angstrom)
    return float(max(np.abs(x).max() + parameters.window_angstrom / 2, np.ptp(x)) + reach)


def grid_shape(cell: ArrayLike, spacing_angstrom: float, multiple_of: int = 2) -> tuple[int, int, int]:
    """Numbers of grid points along edges of these lengths, no further apart than the spacing: multiples of a small number, which suit a
    fast Fourier transform, also when they are divided by it."""
    nx, ny, nz = (
        multiple_of * next_fast_len(max(1, int(np.ceil(length / spacing_angstrom / multiple_of - 1e-9))), real=True)
        for length in np.asarray(cell, dtype=float)
    )
    return nx, ny, nz


def gaussian_density(
    positions: NDArray[np.float64], cell: ArrayLike, shape: tuple[int, int, int], width_angstrom: float
) -> NDArray[np.float64]:
    """Sum of normalised Gaussians on a grid over an orthorhombic periodic cell, all images included.

    A Gaussian and its images on an orthorhombic lattice are a product of three periodic functions of one coordinate, so
    the sum over atoms is a matrix product, row after row along y of the atoms that reach them, and exact to rounding.

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
    density = np.zeros(shape)
    near_x = np.flatnonzero(_counts(along_x).any(axis=0))
    x_range = slice(near_x[0], near_x[-1] + 1) if len(near_x) else slice(0)
    rows = 8
    chunk = max(1, 2**22 // (rows * shape[2]))  # atoms at a time, so that the products take at most 32 MiB
    for first in range(0, shape[1], rows):
        block = slice(first, first + rows)
        near = np.flatnonzero(_counts(along_y)[:, block].any(axis=1))
        for start in range(0, len(near), chunk):
            part = near[start : start + chunk]
            in_plane = along_y[part, block, None] * along_z[part, None, :]
            density[x_range, block] += np.tensordot(along_x[part, x_range], in_plane, axes=(0, 0))
    return density


def _counts(gaussians: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Where a Gaussian is not lost in the rounding of its own maximum, even to the power 1/2."""
    peak = gaussians.max(initial=0.0)
    return gaussians > 1e-32 * peak


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
