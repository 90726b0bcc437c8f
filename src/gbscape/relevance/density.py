"""The density that a boundary's scattering transform sees, with the atoms that make it."""

from dataclasses import dataclass

import numpy as np
from ase import Atoms
from numpy.typing import NDArray

from gbscape.config.scattering import OrientedScattering, Scattering
from gbscape.features.checks import check_mask, check_slab
from gbscape.features.scattering import gaussian_density, grid_shape, oriented_cell_length_angstrom, vacuum_angstrom

Array = NDArray[np.float64]


@dataclass(frozen=True)
class BoundaryDensity:
    """A sum of normalised Gaussians on a grid over a periodic cell that is centred on the boundary along x."""

    positions: Array
    """(n, 3) of the boundary's atoms in the cell, in Angstrom."""
    cell: Array
    """(3,) edge lengths in Angstrom."""
    values: Array
    """(n_x, n_y, n_z) in Angstrom^-3, at the points i L / n of each axis."""
    atom_width_angstrom: float
    """Standard deviation of the Gaussians."""

    @property
    def area_angstrom2(self) -> float:
        """Area of the boundary in the cell."""
        return float(self.cell[1] * self.cell[2])

    @property
    def voxel_angstrom3(self) -> float:
        """Volume that a grid point stands for."""
        return float(self.cell.prod() / self.values.size)

    def of_atoms_at(self, positions: Array) -> Array:
        """Density (n_x, n_y, n_z) of atoms at other positions (m, 3) on the same grid."""
        return gaussian_density(positions, self.cell, self.values.shape, self.atom_width_angstrom)  # type: ignore[arg-type]


def boundary_density(
    atoms: Atoms,
    mask: NDArray[np.bool_],
    parameters: Scattering | OrientedScattering,
    length_angstrom: float | None = None,
) -> BoundaryDensity:
    """Density of a boundary as `gbscape.features.scattering.boundary_scattering` makes it.

    Args:
        atoms: slab of one species, periodic in y and z.
        mask: (n,) true for the atoms of the boundary.
        parameters: the transform's settings.
        length_angstrom: length of the cell along x; None takes that of `boundary_scattering`. One length for several
            structures puts their densities on one grid.

    Raises:
        ValueError: a slab or a selection that cannot be described (see `gbscape.features.checks`).
    """
    check_slab(atoms)
    check_mask(atoms, mask)
    positions = atoms.positions[mask]
    positions[:, 0] -= positions[:, 0].mean()
    if length_angstrom is None:
        length_angstrom = cell_length_angstrom(positions[:, 0], parameters)
    positions[:, 0] += length_angstrom / 2
    cell = np.array([length_angstrom, *atoms.cell.lengths()[1:]])
    shape = grid_shape(cell, parameters.spacing_angstrom)
    width = parameters.atom_width_angstrom
    return BoundaryDensity(positions, cell, gaussian_density(positions, cell, shape, width), width)


def cell_length_angstrom(x: Array, parameters: Scattering | OrientedScattering) -> float:
    """Length of cell along the normal for atoms at x (n,), relative to their mean."""
    if isinstance(parameters, OrientedScattering):
        return oriented_cell_length_angstrom(x, parameters)
    return float(np.ptp(x) + vacuum_angstrom(parameters))
