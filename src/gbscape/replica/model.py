"""The large model: built or read, annealed, relaxed; positions, cell and energies of all atoms in one file."""

from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

import h5py
import numpy as np
from ase import Atoms
from ase.build import bulk
from ase.data import atomic_numbers, chemical_symbols
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from gbscape.config.replica import Anneal, ReplicaModel, Solidification
from gbscape.simulate.bulk import BulkState, advance, minimise, thermal_state
from gbscape.simulate.potentials import ReadyPotential
from gbscape.store.arrays import arrays_provenance, read_arrays, write_arrays
from gbscape.store.progress import progress
from gbscape.store.provenance import Provenance
from gbscape.structure.orthogonal_cell import orthogonal_edges, wrapped
from gbscape.structure.polycrystal_of_size import polycrystal_of_size
from gbscape.structure.structure_file import read_structure

Array = NDArray[np.float64]

CLOSEST_ANGSTROM = 0.5
"""Two atoms closer than this are at the same place."""
_OUTSIDE_ANGSTROM = 2.0
"""Atoms may lie so far outside the cell, as in the dumps of molecular dynamics; they are put back into it."""


class ModelError(ValueError):
    """A model that cannot be used; the message says which, why, and what to do."""


def build_model(
    potential_json: str | Path, out: str | Path, settings: ReplicaModel, code: str, least_edge_angstrom: float = 0.0
) -> None:
    """Write the polycrystal, or the user's model, before it is relaxed: `positions` (n, 3) and `edges` (3,) in Angstrom,
    `number`, the atomic number of all atoms; of a polycrystal `grain` (n,) and `boundary_area_angstrom2` (of another model if
    the settings have it) or, if it is to solidify from the melt, the numbers of the atoms of its `nuclei`.

    Args:
        potential_json: the potential.
        out: the file.
        settings: of the model.
        code: hash of the code that builds this.
        least_edge_angstrom: the replica cells that will be cut from it.

    Raises:
        ModelError: a file that cannot be used, see `check_model`; a cell that is smaller than the replica cells.
        ValueError: a polycrystal that cannot be built.
    """
    potential = ReadyPotential.read(potential_json)
    inputs: dict[str, str | Path] = {"potential": potential_json}
    if settings.structure is None:
        crystal = bulk(potential.species, potential.lattice, a=potential.lattice_constant_angstrom, cubic=True)
        atoms = polycrystal_of_size(crystal, settings.n_atoms, settings.n_grains, settings.seed, settings.overlap)
        if settings.solidify is None:
            more = {"grain": atoms.arrays["grain"], "boundary_area_angstrom2": atoms.info["boundary_area_angstrom2"]}
        else:
            more = {"nuclei": _nuclei(atoms, settings.solidify.nucleus_angstrom)}
    else:
        inputs["structure"] = settings.structure
        atoms, more = read_model(settings.structure, potential.species), {}
    if settings.boundary_area_angstrom2 is not None:
        more["boundary_area_angstrom2"] = settings.boundary_area_angstrom2
    edges = orthogonal_edges(atoms)
    if edges.min() < least_edge_angstrom:
        raise ModelError(
            f"{settings.structure or 'the polycrystal'}: the cell of {edges.tolist()} Angstrom is smaller than the replica cells, "
            f"of {least_edge_angstrom:g} Angstrom: take a larger model (replica.model.n_atoms), or lower "
            "replica.cells.edge_angstrom and replica.also_by_dft.edge_angstrom"
        )
    arrays = {
        "positions": wrapped(atoms.positions, edges),
        "edges": edges,
        "number": atomic_numbers[potential.species],
    }
    write_arrays(out, arrays | more, Provenance.of(settings.model_dump(mode="json"), code, inputs, settings.seed))


def read_model(path: str | Path, species: str) -> Atoms:
    """The user's model.

    Raises:
        ModelError: it cannot be read, or see `check_model`.
    """
    try:
        atoms = read_structure(path)
    except ValueError as error:
        raise ModelError(str(error)) from None
    try:
        check_model(atoms, species)
    except ModelError as error:
        raise ModelError(f"{path}: {error}") from None
    return atoms


def check_model(atoms: Atoms, species: str) -> None:
    """Refuse what cannot be a model.

    Raises:
        ModelError: no atoms, another species than the potential's, positions that are not finite, a cell that is not
            orthogonal and periodic, atoms outside it, or two at the same place; atoms are named by their number from 0.
    """
    if len(atoms) == 0:
        raise ModelError("there are no atoms")
    if not np.isfinite(atoms.positions).all():
        number = int(np.argmin(np.isfinite(atoms.positions).all(axis=1)))
        raise ModelError(f"the position of atom {number}, {atoms.positions[number].tolist()}, is not finite")
    others = np.flatnonzero(atoms.numbers != atomic_numbers[species])
    if len(others):
        raise ModelError(
            f"atom {others[0]} is {chemical_symbols[atoms.numbers[others[0]]]}, but the potential describes {species}: "
            "name another replica.potential, or mend the model"
        )
    try:
        edges = orthogonal_edges(atoms)
    except ValueError as error:
        raise ModelError(f"{error}; cut an orthogonal sample from it, or set its pbc") from None
    outside = np.flatnonzero(
        ((atoms.positions < -_OUTSIDE_ANGSTROM) | (atoms.positions > edges + _OUTSIDE_ANGSTROM)).any(axis=1)
    )
    if len(outside):
        raise ModelError(
            f"{len(outside)} atoms are outside the cell, the first is atom {outside[0]} at "
            f"{atoms.positions[outside[0]].round(3).tolist()}, the cell {edges.tolist()} Angstrom: wrap them (ASE's "
            "Atoms.wrap), or give the right cell"
        )
    positions = wrapped(atoms.positions, edges)
    pairs = cKDTree(positions, boxsize=edges).query_pairs(CLOSEST_ANGSTROM, output_type="ndarray")
    if len(pairs):
        first, second = sorted(pairs[0].tolist())
        raise ModelError(
            f"atoms {first} and {second} are at the same place, {positions[first].round(3).tolist()} ({len(pairs)} such "
            "pairs): remove one of each"
        )


def relax_model(
    built_h5: str | Path, potential_json: str | Path, out: str | Path, settings: ReplicaModel, code: str, rank: int = 0
) -> None:
    """Solidify, anneal and minimise a model; write `positions`, `edges`, `number`, `energies_ev` (n,) of the atoms and, of the
    minimisation, `max_force_ev_angstrom` and `pressure_gpa`.

    Collective under MPI; rank 0 writes. After every segment of molecular dynamics the state is kept beside `out`, so that a job
    that is killed goes on from there when it is run again.

    Raises:
        LammpsError: LAMMPS stopped.
    """
    potential = ReadyPotential.read(potential_json)
    built = read_arrays(built_h5)
    provenance = Provenance.of(
        settings.model_dump(mode="json"), code, {"built": built_h5, "potential": potential_json}, settings.seed
    )
    kept = Path(out).with_name(f"{Path(out).stem}.state.h5")
    positions, edges = built["positions"], built["edges"]
    if settings.relax:
        positions, edges = _moved(positions, edges, built.get("nuclei"), potential, settings, kept, provenance, rank)
    found = minimise(
        positions, edges, potential, settings.max_steps if settings.relax else 0,
        settings.force_tolerance_ev_angstrom, relax_cell=settings.relax,
    )  # fmt: skip
    if rank == 0:
        arrays = {
            "positions": found.positions,
            "edges": found.edges,
            "number": built["number"],
            "energies_ev": found.energies_ev,
            "max_force_ev_angstrom": found.max_force_ev_angstrom,
            "pressure_gpa": found.pressure_gpa,
        }
        write_arrays(out, arrays | {name: built[name] for name in ("grain",) if name in built}, provenance)
        kept.unlink(missing_ok=True)


def model_atoms(model_h5: str | Path) -> Atoms:
    """The atoms of a model."""
    arrays = read_arrays(model_h5, ["positions", "edges", "number"])
    numbers = np.full(len(arrays["positions"]), int(arrays["number"]))
    return Atoms(numbers, positions=arrays["positions"], cell=arrays["edges"], pbc=True)


def _nuclei(atoms: Atoms, radius_angstrom: float) -> NDArray[np.int_]:
    """Numbers of the atoms so near to the seed of their grain."""
    from_seed = atoms.positions - atoms.info["seeds_angstrom"][atoms.arrays["grain"]]
    edges = atoms.cell.lengths()
    from_seed -= edges * np.round(from_seed / edges)
    return np.flatnonzero((from_seed**2).sum(axis=1) < radius_angstrom**2)


class _Segment(NamedTuple):
    start_kelvin: float
    end_kelvin: float
    steps: int
    timestep_ps: float
    nuclei_held: bool


def _segments(settings: ReplicaModel) -> list[_Segment]:
    """Molecular dynamics of a model, in the pieces between which its state is kept."""
    melt, anneal = settings.solidify, settings.anneal
    segments: list[_Segment] = []
    if melt is not None:
        segments += _phase(melt, melt.melt_ps, melt.melt_kelvin, melt.melt_kelvin, nuclei_held=True)
        segments += _phase(melt, melt.cool_ps, melt.melt_kelvin, melt.grow_kelvin, nuclei_held=True)
        segments += _phase(melt, melt.grow_ps, melt.grow_kelvin, melt.grow_kelvin)
    if anneal is not None:
        segments += _phase(anneal, anneal.hold_ps, anneal.temperature_kelvin, anneal.temperature_kelvin)
        segments += _phase(anneal, anneal.cool_ps, anneal.temperature_kelvin, anneal.end_kelvin)
    return segments


def _phase(
    its: Anneal | Solidification, time_ps: float, start_kelvin: float, end_kelvin: float, nuclei_held: bool = False
) -> list[_Segment]:
    kelvin = np.linspace(start_kelvin, end_kelvin, round(time_ps / its.segment_ps) + 1).tolist()
    steps = round(1000 * its.segment_ps / its.timestep_fs)
    return [_Segment(start, end, steps, its.timestep_fs / 1000, nuclei_held) for start, end in pairwise(kelvin)]


def _moved(
    positions: Array,
    edges: Array,
    nuclei: NDArray[np.int_] | None,
    potential: ReadyPotential,
    settings: ReplicaModel,
    kept: Path,
    provenance: Provenance,
    rank: int,
) -> tuple[Array, Array]:
    """Positions and edges after the molecular dynamics of a model."""
    segments = _segments(settings)
    first = settings.solidify or settings.anneal
    if not segments or first is None:
        return positions, edges
    found = _kept_state(kept, provenance)
    if found is None:
        # Half of the kinetic energy of atoms at rest in a minimum goes into the springs.
        state = thermal_state(positions, edges, potential, 2 * segments[0].start_kelvin, first.seed)
        if nuclei is not None:
            state.velocities[nuclei] = 0.0
        done = 0
    else:
        state, done = found
    to_do = segments[done:]
    for segment in progress(to_do, len(to_do), "segments of molecular dynamics") if rank == 0 else to_do:
        state = advance(
            state, potential, segment.start_kelvin, segment.end_kelvin, segment.steps, segment.timestep_ps,
            held=nuclei if segment.nuclei_held else None,
        )  # fmt: skip
        done += 1
        if rank == 0:
            arrays = {
                "positions": state.positions,
                "velocities": state.velocities,
                "edges": state.edges,
                "segments": done,
            }
            write_arrays(kept, arrays, provenance)
    return state.positions, state.edges


def _kept_state(kept: Path, provenance: Provenance) -> tuple[BulkState, int] | None:
    """State that an interrupted run has left, and how many segments it had done; None without one made alike."""
    if not kept.is_file() or not h5py.is_hdf5(kept) or arrays_provenance(kept).differences(provenance):
        return None
    arrays = read_arrays(kept)
    return BulkState(arrays["positions"], arrays["velocities"], arrays["edges"]), int(arrays["segments"])
