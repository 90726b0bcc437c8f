"""Self-consistent cycle of one cell: a process of its own, under MPI or not, started by `gbscape.energies.gpaw_cycle`.

`python -m gbscape.energies.gpaw_scf INPUT.json SUMMARY.json WAVES.gpw LOG.txt`. The summary's `outcome` is `converged`,
`unconverged` or `no dataset`; in the first case the .gpw is written or, where the input asks for them, forces (eV/Angstrom) and
stress (eV/Angstrom^3, positive under tension) are in the summary.
"""

import json
import sys
import time
from pathlib import Path
from typing import Any


def main(input_json: str, summary_json: str, waves_gpw: str, log_txt: str) -> None:
    """Run the cycle that a file of `gbscape.energies.gpaw_cycle.scf_input` describes."""
    from ase import Atoms
    from gpaw import GPAW, KohnShamConvergenceError
    from gpaw.mpi import world
    from gpaw.setup_data import search_for_file

    given = json.loads(Path(input_json).read_text(encoding="utf-8"))
    parameters = given["parameters"]
    atoms = Atoms(
        given["numbers"], given["positions"], cell=given["cell"], pbc=True, magmoms=given["initial_moments_bohr"]
    )

    def finish(outcome: str, **values: Any) -> None:
        if world.rank == 0:
            summary = {"key": given["key"], "outcome": outcome, "ranks": world.size} | values
            Path(summary_json).write_text(json.dumps(summary), encoding="utf-8")

    try:
        for species in sorted(set(atoms.get_chemical_symbols())):
            search_for_file(f"{species}.{parameters['xc']}", world=world)
    except FileNotFoundError:
        return finish("no dataset", species=species)
    start = time.monotonic()
    atoms.calc = GPAW(**parameters, txt=log_txt)
    try:
        total_ev = float(atoms.get_potential_energy())
    except KohnShamConvergenceError:
        return finish("unconverged")
    moment = float(atoms.get_magnetic_moment())
    derivatives = {}
    if given["derivatives"]:
        if "forces" in given["derivatives"]:
            derivatives["forces_ev_angstrom"] = atoms.get_forces().tolist()
        if "stress" in given["derivatives"]:
            derivatives["stress_ev_angstrom3"] = atoms.get_stress(voigt=False).tolist()
    else:
        atoms.calc.write(waves_gpw, mode="all")
    return finish(
        "converged",
        total_ev=total_ev,
        moment_bohr=moment,
        iterations=int(atoms.calc.get_number_of_iterations()),
        seconds=time.monotonic() - start,
        **derivatives,
    )


if __name__ == "__main__":
    main(*sys.argv[1:])
