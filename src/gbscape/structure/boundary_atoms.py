"""Which atoms of a relaxed bicrystal slab belong to the boundary."""

from typing import NamedTuple

import numpy as np
from ase import Atoms
from numpy.typing import NDArray
from scipy.sparse.csgraph import connected_components
from scipy.spatial import cKDTree

from gbscape.config.survey import BoundaryAtoms, Lattice
from gbscape.structure.ovito_analysis import analysed, modifiers
from gbscape.structure.slab_cell import check_slab_cell, periodic_tree

_CNA = modifiers.CommonNeighborAnalysisModifier
_TYPE_OF_LATTICE = {"fcc": int(_CNA.Type.FCC), "bcc": int(_CNA.Type.BCC)}
# Halfway between the shells that make up the coordination (12 in fcc, 8 + 6 in bcc) and the next, in units of the
# nearest-neighbour distance: the cut-offs of Stukowski, Modelling Simul. Mater. Sci. Eng. 20, 045021 (2012).
_BOND_LENGTH = {"fcc": (1 + np.sqrt(2)) / 2, "bcc": (1 + np.sqrt(2)) / np.sqrt(3)}


class BoundarySelection(NamedTuple):
    """Boundary atoms of a slab of n atoms."""

    mask: NDArray[np.bool_]
    """(n,) true for the atoms of the boundary."""
    structure_type: NDArray[np.int8]
    """(n,) type by adaptive common-neighbour analysis: 0 other, 1 fcc, 2 hcp, 3 bcc, 4 icosahedral."""


def select_boundary_atoms(atoms: Atoms, settings: BoundaryAtoms, lattice: Lattice | None = None) -> BoundarySelection:
    """Select the atoms that are not bulk crystal, and those within `buffer_angstrom` of them.

    Bulk is what adaptive common-neighbour analysis (Stukowski 2012) finds to be of the grains' lattice. Atoms of the
    free surfaces at both x ends are not bulk either, but no boundary: non-bulk atoms that are connected, by bonds of
    first (in bcc first and second) neighbours, with the outermost layers are left out.

    An atom is selected for its surroundings alone, images in y and z included, so that a mean over the selection does
    not depend on how often the cell is repeated.

    Args:
        atoms: slab of one cubic crystal, normal along x, periodic in y and z, cell edges along x, y and z.
        settings: the buffer.
        lattice: lattice of the grains; None takes whichever of fcc and bcc more atoms have.

    Raises:
        ValueError: a slab of another shape; atoms that are mostly not of `lattice`; no boundary atom; a boundary that
            is connected with a free surface, or whose buffer reaches one.
    """
    check_slab_cell(atoms)
    structure_type = adaptive_cna(atoms)
    lattice = lattice or _commoner_lattice(structure_type)
    if lattice not in _TYPE_OF_LATTICE:
        raise ValueError(
            f"common-neighbour analysis does not know the lattice {lattice!r}; allowed: {', '.join(_TYPE_OF_LATTICE)}"
        )
    bulk = structure_type == _TYPE_OF_LATTICE[lattice]
    if bulk.mean() < 0.2:
        raise ValueError(
            f"only {bulk.sum()} of {len(atoms)} atoms are {lattice}: check the lattice, and that the slab is thick "
            "enough to have crystal on both sides of the boundary"
        )
    tree = periodic_tree(atoms)
    nearest = np.median(tree.query(tree.data[bulk], k=2)[0][:, 1])
    bond_angstrom = _BOND_LENGTH[lattice] * nearest

    x = atoms.positions[:, 0]
    outermost = np.minimum(x - x.min(), x.max() - x) < bond_angstrom
    surface = _connected_with(tree, ~bulk & outermost, ~bulk, bond_angstrom)
    _check_surface_is_apart(atoms, surface, outermost, bond_angstrom)
    disordered = ~bulk & ~surface
    if not disordered.any():
        raise ValueError(
            f"no boundary atom: apart from the free surfaces all {len(atoms)} atoms are {lattice}, as in a perfect "
            "crystal; check that the grains differ in orientation and that the relaxation has not joined them"
        )
    mask = disordered | _within(tree, disordered, settings.buffer_angstrom)
    if (mask & (surface | outermost)).any():
        reach = np.abs(x[disordered]).max() + settings.buffer_angstrom
        raise ValueError(
            f"buffer_angstrom={settings.buffer_angstrom:g} about the boundary reaches a free surface: atoms up to "
            f"{reach:.1f} Angstrom from x = 0 would be selected, but the slab spans {x.min():.1f} to {x.max():.1f} "
            "Angstrom; build a thicker slab (half_thickness_angstrom) or choose a smaller buffer"
        )
    return BoundarySelection(mask, structure_type)


def adaptive_cna(atoms: Atoms) -> NDArray[np.int8]:
    """Structure type (n,) by adaptive common-neighbour analysis: 0 other, 1 fcc, 2 hcp, 3 bcc, 4 icosahedral."""
    particles = analysed(atoms, _CNA(mode=_CNA.Mode.AdaptiveCutoff))
    return np.array(particles["Structure Type"], dtype=np.int8)


def _commoner_lattice(structure_type: NDArray[np.int8]) -> Lattice:
    fcc, bcc = (np.count_nonzero(structure_type == _TYPE_OF_LATTICE[lattice]) for lattice in ("fcc", "bcc"))
    return "fcc" if fcc >= bcc else "bcc"


def _connected_with(
    tree: cKDTree, seeds: NDArray[np.bool_], among: NDArray[np.bool_], bond_angstrom: float
) -> NDArray[np.bool_]:
    """Atoms of `among` that bonds within `among` connect with one of the seeds."""
    chosen = np.flatnonzero(among)
    connected = np.zeros_like(among)
    if len(chosen):
        subset = cKDTree(tree.data[chosen], boxsize=tree.boxsize)
        bonds = subset.sparse_distance_matrix(subset, bond_angstrom, output_type="coo_matrix")
        bonds.data[:] = 1.0
        _, cluster = connected_components(bonds, directed=False)
        connected[chosen] = np.isin(cluster, cluster[seeds[chosen]])
    return connected


def _within(tree: cKDTree, of: NDArray[np.bool_], distance_angstrom: float) -> NDArray[np.bool_]:
    subset = cKDTree(tree.data[of], boxsize=tree.boxsize)
    nearest, _ = subset.query(tree.data)
    return np.asarray(nearest <= distance_angstrom)


def _check_surface_is_apart(
    atoms: Atoms, surface: NDArray[np.bool_], outermost: NDArray[np.bool_], bond_angstrom: float
) -> None:
    """Refuse a surface that is connected with the boundary."""
    x = atoms.positions[:, 0]
    depth = np.minimum(x - x.min(), x.max() - x)
    boundary_x = _boundary_x(atoms)
    joined = surface & ~outermost & (np.abs(x - boundary_x) < bond_angstrom)
    if joined.any():
        raise ValueError(
            f"atoms that are not bulk crystal connect the boundary at x = {boundary_x:.1f} Angstrom with a free "
            f"surface ({surface.sum()} atoms, down to {depth[surface].max():.1f} Angstrom below it): the slab, from "
            f"{x.min():.1f} to {x.max():.1f} Angstrom, is too thin, or a stacking fault crosses a grain; build a "
            "thicker slab (half_thickness_angstrom)"
        )


def _boundary_x(atoms: Atoms) -> float:
    """Where the grains meet: by the array `grain` if there is one, else x = 0."""
    if "grain" not in atoms.arrays:
        return 0.0
    x, grain = atoms.positions[:, 0], atoms.arrays["grain"]
    left, right = x[grain == 1], x[grain == 2]
    return float((left.max() + right.min()) / 2) if len(left) and len(right) else 0.0
