"""Amorphous structures of an alloy: random packings, and packings that a cheap potential has relaxed or heated."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
from ase import Atoms

from gbscape.alloy.packing import are_apart, packing_seeds, random_packing
from gbscape.config.alloy import LARGER, PACKED, AmorphousStructures, Heating
from gbscape.simulate.dynamics import LARGEST_SEED
from gbscape.simulate.snap import SnapDynamics, SnapPotential
from gbscape.store.provenance import Provenance
from gbscape.store.records import Record, atoms_to_record
from gbscape.store.shards import compute_shard

_CLOSEST_KEPT = 0.75
"""A step of the motion in which two atoms come closer than this, in sums of their covalent radii, is not kept."""


class HeatingError(RuntimeError):
    """A structure that came apart at once."""


def pack_structures(out: str | Path, species: tuple[str, str], settings: AmorphousStructures, code: str) -> None:
    """Write the first batch, random packings: a shard of structures with their nominal `concentration`."""
    seeds = packing_seeds(settings, PACKED)

    def compute(item: str) -> Record:
        concentration, seed = seeds[item]
        atoms = random_packing(species, concentration, settings.packing, np.random.default_rng(seed))
        return {"structure": atoms_to_record(atoms), "concentration": concentration, "temperature_kelvin": -1.0}

    _write(out, seeds, compute, species, settings, code, {})


def heat_structures(
    potential_json: str | Path, out: str | Path, batch: str, settings: AmorphousStructures, code: str
) -> None:
    """Write a further batch: new packings, relaxed or heated by a potential.

    Args:
        potential_json: of `gbscape.simulate.snap.SnapPotential.write`.
        out: shard of structures with their nominal `concentration` and `temperature_kelvin`.
        batch: name of the round, or `larger`.
        settings: of the structures.
        code: hash of the code that makes them.
    """
    seeds = packing_seeds(settings, batch)
    potential = SnapPotential.read(potential_json)
    dynamics = SnapDynamics(potential, Path(out).with_suffix(".potential"))
    temperatures, packing = settings.heating.temperatures_kelvin, settings.packing_of(batch)
    numbers = {item: int(item.rsplit("_", 1)[1]) for item in seeds}
    if batch == LARGER:  # of one cell of each concentration not all are to have the first temperature
        numbers = {item: number + settings.concentrations.index(seeds[item][0]) for item, number in numbers.items()}

    def compute(item: str) -> Record:
        concentration, seed = seeds[item]
        rng = np.random.default_rng(seed)
        packed = random_packing((potential.species[0], potential.species[1]), concentration, packing, rng)
        temperature = temperatures[numbers[item] % len(temperatures)]
        atoms, steps = heated(packed, temperature, dynamics, settings.heating, rng)
        return {
            "structure": atoms_to_record(atoms),
            "concentration": concentration,
            "temperature_kelvin": temperature,
            "steps": steps,
        }

    of_batch = settings.model_copy(update={"packing": packing})
    _write(out, seeds, compute, potential.species, of_batch, code, {"potential": potential_json}, batch == LARGER)


def heated(
    packed: Atoms, temperature_kelvin: float, dynamics: SnapDynamics, settings: Heating, rng: np.random.Generator
) -> tuple[Atoms, int]:
    """A packing after relaxation and motion, and how many steps of it were kept.

    A potential that was fitted to few structures may let atoms run into each other: what is returned is the last state before.

    Raises:
        HeatingError: there is none, since the relaxation already went wrong.
    """
    steps = int(rng.integers(settings.steps[0], settings.steps[1] + 1))
    seed = int(rng.integers(1, LARGEST_SEED))
    atoms = dynamics.relaxed(packed, settings.relaxation_steps)
    if not are_apart(atoms, _CLOSEST_KEPT):
        raise HeatingError("atoms ran into each other in the relaxation: the potential has seen too little")
    kept = 0
    if temperature_kelvin > 0:
        del atoms.arrays["velocities"]
        for step in range(steps):
            later = dynamics.moved(atoms, temperature_kelvin, settings.step_ps, settings.timestep_fs, seed + step)
            if not are_apart(later, _CLOSEST_KEPT):
                break
            atoms, kept = later, step + 1
    atoms.arrays.pop("velocities", None)
    return atoms, kept


def _write(
    out: str | Path,
    seeds: dict[str, tuple[float, np.random.SeedSequence]],
    compute: Callable[[str], Record],
    species: tuple[str, ...],
    settings: AmorphousStructures,
    code: str,
    inputs: dict[str, str | Path],
    depends_on_concentrations: bool = False,
) -> None:
    # Whoever asks for more of them keeps those that are there.
    numbers = {"packed", "known", "rounds", "first_round", "heated", "larger"} | (
        set() if depends_on_concentrations else {"concentrations"}
    )
    own = settings.model_dump(mode="json", exclude=numbers) | {"species": list(species)}
    compute_shard(out, list(seeds), compute, Provenance.of(own, code, inputs, seed=settings.seed), what="structures")
