"""The chosen boundaries shaken and relaxed again: other runs to the same structures."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from ase import Atoms
from numpy.typing import NDArray

from gbscape.config.survey import BoundaryAtoms, Lattice, Relaxation
from gbscape.descriptor_properties.paths import displaced, right_grain
from gbscape.simulate.potentials import ReadyPotential
from gbscape.simulate.slab import FIXED, FREE, SLIDING, SlabMinimiser, box_around
from gbscape.store.provenance import Provenance
from gbscape.store.records import Record, atoms_from_record, atoms_to_record
from gbscape.store.shards import check_failures, compute_shard, open_shard
from gbscape.structure.boundary_atoms import select_boundary_atoms
from gbscape.structure.units import EV_PER_ANGSTROM2_IN_J_M2
from gbscape.survey.relaxation import rigid_ends


def relax_again(
    survey_h5: str | Path,
    potential_json: str | Path,
    out: str | Path,
    boundaries: Sequence[str],
    relaxations: int,
    shaken_angstrom: float,
    seed: int,
    relaxation: Relaxation,
    boundary_atoms: BoundaryAtoms,
    lattice: Lattice,
    code: str,
) -> None:
    """Shake every chosen boundary and minimise its energy, several times.

    Args:
        survey_h5: gathered survey with boundary atoms.
        potential_json: description of the potential, its file beside it.
        out: a shard (.h5) with an item for each chosen boundary: `structure_1`, ..., their boundary atoms found anew, and
            `differences_j_m2`, how much higher than in the survey their energies are.
        boundaries: ids of the chosen ones.
        relaxations: how often each is shaken and relaxed.
        shaken_angstrom: standard deviation of the displacements along each axis.
        seed: of the displacements.
        relaxation: force tolerance and steps.
        boundary_atoms: how the boundary's atoms are found.
        lattice: of the grains.
        code: hash of the code that computes this.

    Raises:
        ShardError: a chosen boundary is not in the survey, or a minimisation failed.
    """
    potential = ReadyPotential.read(potential_json)
    with open_shard(survey_h5) as survey:

        def relax(item: str) -> Record:
            slab = atoms_from_record(survey.read(item)["structure"])
            record: dict[str, Any] = {}
            differences = []
            layers = _layers(slab, potential.cutoff_angstrom)
            area = float(slab.cell.lengths()[1:].prod())
            with SlabMinimiser(potential, *box_around(slab)) as minimiser:
                at_rest = minimiser.energies_ev(slab.positions, layers).sum()
                for number in range(1, relaxations + 1):
                    (shaken,) = displaced(slab, [shaken_angstrom], seed + number)
                    shaken.positions[layers != FREE] = slab.positions[layers != FREE]
                    result = minimiser.minimise(
                        shaken.positions, layers, relaxation.max_steps, relaxation.force_tolerance_ev_angstrom
                    )
                    shaken.positions = result.positions
                    shaken.set_array("boundary", select_boundary_atoms(shaken, boundary_atoms, lattice).mask)
                    record[f"structure_{number}"] = atoms_to_record(shaken)
                    excess = (result.energies_ev.sum() - at_rest) / area * EV_PER_ANGSTROM2_IN_J_M2
                    differences.append(float(excess))
            record["differences_j_m2"] = np.array(differences)
            return record

        provenance = Provenance.of(
            {
                "boundaries": list(boundaries),
                "relaxations": relaxations,
                "shaken_angstrom": shaken_angstrom,
                "relaxation": relaxation.model_dump(mode="json"),
                "boundary_atoms": boundary_atoms.model_dump(mode="json"),
            },
            code,
            inputs={"survey": survey_h5, "potential": potential_json},
            seed=seed,
        )
        failures = compute_shard(out, boundaries, relax, provenance, what="boundaries relaxed again")
    check_failures(failures, f"delete {out} and run again", "stop")


def _layers(slab: Atoms, cutoff_angstrom: float) -> NDArray[np.int_]:
    """Layer (n,) of each atom: a cut-off at both ends of x is rigid, so that no atom that moves lacks neighbours."""
    x = slab.positions[:, 0]
    grain = np.where(right_grain(slab), 2, 1)
    layers = rigid_ends(x, grain, x.min() + cutoff_angstrom, x.max() - cutoff_angstrom)
    if (layers[slab.arrays["boundary"]] != FREE).any() or not (np.isin([FIXED, SLIDING], layers)).all():
        raise ValueError(
            f"the slab, from {x.min():.1f} to {x.max():.1f} Angstrom, is too thin: its ends of {cutoff_angstrom:.1f} "
            "Angstrom are held rigid"
        )
    return layers
