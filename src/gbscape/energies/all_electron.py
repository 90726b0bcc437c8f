"""All-electron density and electrostatic potential of a GPAW calculation on a grid; their basins are the atoms' volumes.

Inside the augmentation spheres they are too steep for any grid. That is harmless: only the volumes' surfaces, which run
outside, enter the energies. Everything is in atomic units (Hartree, Bohr), as in GPAW.
"""

from math import pi, sqrt
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

_NUCLEUS_BOHR = 0.02
"""Width of the Gaussian that stands for a nucleus."""


def all_electron_density(smooth: Array, grid: Any, dft: Any) -> Array:
    """Density (n1, n2, n3) of all electrons, both spins, in Bohr^-3.

    What the grid misses of the electrons of an atom is put on the point next to the nucleus, so that their number is right.

    Args:
        smooth: (n1, n2, n3), pseudo density with the pseudo cores, Bohr^-3.
        grid: GPAW's descriptor of that grid, not distributed.
        dft: GPAW's calculation.
    """
    density = smooth.copy()
    size = np.array(grid.size_c)
    to_fractions = np.linalg.inv(grid.cell_cv)
    waves: dict[Any, tuple[Any, ...]] = {}
    for atom, matrices in dft.density.D_asii.items():
        setup = dft.setups[atom]
        if setup not in waves:
            waves[setup] = _partial_waves(setup)
        radius, true, pseudo, core = waves[setup]
        occupied = matrices.sum(axis=0).real
        centre = dft.relpos_ac[atom]
        nearest = np.rint(centre * size).astype(int)
        reach = np.ceil(radius * np.linalg.norm(to_fractions, axis=0) * size).astype(int) + 1
        axes = [np.arange(n - r, n + r + 1) for n, r in zip(nearest, reach, strict=True)]
        points = np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1).reshape(-1, 3)
        offsets = (points / size - centre) @ grid.cell_cv
        distances = np.linalg.norm(offsets, axis=1)
        inside = distances < radius
        points, offsets, distances = points[inside], offsets[inside], distances[inside]
        added = core.map(distances) / sqrt(4 * pi)
        for functions, sign in ((true, 1), (pseudo, -1)):
            values = _on_points(functions, offsets, distances)
            added += sign * np.einsum("ir,ir->r", values, occupied @ values)
        # A point may occur twice in a cell smaller than the sphere.
        np.add.at(density, tuple((points % size).T), added)
        electrons = setup.Nc - setup.Nct + sqrt(4 * pi) * float((occupied * setup.Delta_iiL[:, :, 0]).sum())
        density[tuple(nearest % size)] += electrons / grid.dv - added.sum()
    return density


def all_electron_potential(hartree: Any, charges: Any, dft: Any) -> Array:
    """Electrostatic potential (n1, n2, n3) of electrons and nuclei, for an electron, in Hartree.

    Only the spherical part of the correction inside the spheres is added: the potential's basins are about the nuclei.

    Args:
        hartree: GPAW's electrostatic potential on a grid; it is left as it is.
        charges: coefficients of the compensation charges by atom.
        dft: GPAW's calculation.
    """
    from gpaw.atom.shapefunc import shape_functions

    potential = hartree.copy()
    corrections = []
    for atom, matrices in dft.density.D_asii.items():
        setup = dft.setups[atom]
        spheres = setup.xc_correction
        radial = spheres.rgd
        shape = shape_functions(radial, **(setup.data.shape_function | {"lmax": 0}))[0]
        nucleus = shape_functions(radial, "gauss", _NUCLEUS_BOHR, lmax=0)[0] * setup.Z
        waves = _packed(matrices.sum(axis=0).real) @ spheres.B_pqL[:, :, 0] @ (spheres.n_qg - spheres.nt_qg)
        density = (
            sqrt(4 * pi) * waves
            + 4 * pi * (spheres.nc_g - spheres.nct_g)
            - nucleus
            - sqrt(4 * pi) * charges[atom][0] * shape
        )
        correction = radial.poisson(density) / sqrt(4 * pi)
        correction[1:] /= radial.r_g[1:]
        correction[0] = correction[1]
        correction[-1] = 0
        corrections.append([radial.spline(correction, points=200)])
    potential.desc.atom_centered_functions(corrections, dft.relpos_ac).add_to(potential)
    return np.asarray(potential.data)


def _partial_waves(setup: Any) -> tuple[Any, ...]:
    """Radius of the sphere, all-electron and pseudo partial waves, difference of the cores, as splines."""
    radius = max(setup.rcut_j)
    true, pseudo = setup.get_partial_waves()[:2]
    core = setup.data.rgd.spline(setup.data.nc_g - setup.data.nct_g, 2 * radius, points=1000)
    return radius, true, pseudo, core


def _on_points(functions: Any, offsets: Array, distances: Array) -> Array:
    """Partial waves (i, points) with all their angular momenta."""
    from gpaw.sphere.spherical_harmonics import Y

    rows = []
    for wave in functions:
        radial = wave.map(distances)
        rows += [Y(wave.l**2 + m, *offsets.T) * radial for m in range(2 * wave.l + 1)]
    return np.array(rows)


def _packed(matrix: Array) -> Array:
    from gpaw.utilities import pack_density

    return np.asarray(pack_density(matrix))
