"""Which atoms are computed: the training sets of every strategy and seed, and the test sets."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from gbscape.config.replica import OF_CRYSTAL_IN_RANDOM_2, OPTIMAL, Evaluation, Selection, Strategy
from gbscape.learn.ridge import fit_ridge
from gbscape.replica.atom_types import type_of_lattice
from gbscape.replica.points import atoms_of_rounds, points_of, with_energies
from gbscape.replica.tables import POINTS_COLUMNS, REFERENCE, TEST
from gbscape.selection import a_optimality, d_optimality, random_points, rows_of_rank, uncertainty_reduction
from gbscape.store.arrays import arrays_shape, read_arrays
from gbscape.store.tables import write_csv

if TYPE_CHECKING:
    from mpi4py import MPI


def select_optimal(
    vectors_h5: str | Path,
    out_csv: str | Path,
    settings: Selection,
    ridge_lambda: float,
    strategy: Strategy,
    comm: "MPI.Comm | None" = None,
) -> None:
    """Write the atoms of one of the strategies `OPTIMAL`, columns `order` and `atom`.

    All begin with the points of D-optimality, which needs no initial ones. Collective under MPI: every rank reads its own
    rows, rank 0 writes.

    Raises:
        ValueError: fewer atoms than points.
    """
    n_atoms, n_features = arrays_shape(vectors_h5, "vectors")
    rank, size = (0, 1) if comm is None else (comm.rank, comm.size)
    pool = read_arrays(vectors_h5, ["vectors"], rows_of_rank(n_atoms, rank, size))["vectors"]
    n_initial = (
        settings.n_points if strategy == "d_optimality" else min(settings.n_initial or n_features, settings.n_points)
    )
    chosen = d_optimality(pool, n_initial, ridge_lambda, comm=comm)
    if strategy != "d_optimality":
        criterion = {"uncertainty": uncertainty_reduction, "a_optimality": a_optimality}[strategy]
        more = criterion(pool, settings.n_points - n_initial, ridge_lambda, chosen, comm=comm)
        chosen = np.concatenate([chosen, more])
    if rank == 0:
        write_csv(out_csv, pd.DataFrame({"order": np.arange(len(chosen)), "atom": chosen}))


def tabulate_points(
    model_h5: str | Path,
    types_h5: str | Path,
    optimal_csv: Mapping[Strategy, str | Path],
    out_csv: str | Path,
    settings: Selection,
    evaluation: Evaluation,
    lattice: str,
    n_reference: int,
    seed: int,
) -> None:
    """Write the points of all strategies, of the test sets and of the reference, `POINTS_COLUMNS`.

    Those without chance have the seed 0. A test atom may by chance be in a training set too; it does not count there, see
    `gbscape.replica.evaluate`.

    Args:
        model_h5: the model.
        types_h5: types of its atoms, of `gbscape.replica.atom_types`.
        optimal_csv: tables of `select_optimal` by strategy.
        out_csv: the table.
        settings, evaluation: which sets.
        lattice: of the crystal.
        n_reference: number of reference atoms, see `deepest_atoms`.
        seed: of the draws; the n-th takes `seed + n`.

    Raises:
        ValueError: fewer atoms than are to be drawn, or none of a coordination number that is tested.
    """
    types = read_arrays(types_h5)
    crystal = types["structure_type"] == type_of_lattice(lattice)
    parts = []
    for strategy in settings.strategies:
        if strategy in OPTIMAL:
            parts.append(_rows(strategy, 0, pd.read_csv(optimal_csv[strategy])["atom"].to_numpy()))
            continue
        for number in range(evaluation.seeds):
            parts.append(_rows(strategy, number, _drawn(strategy, crystal, settings.n_points, seed + number)))
    for number in range(evaluation.seeds):
        rng = np.random.default_rng([seed + number, 1])
        parts.append(_rows(TEST, number, draw_test_atoms(types["coordination"], evaluation, rng)))
    if n_reference:
        parts.append(_rows(REFERENCE, 0, deepest_atoms(model_h5, crystal, n_reference)))
    write_csv(out_csv, pd.concat(parts, ignore_index=True))


def deepest_atoms(model_h5: str | Path, crystal: NDArray[np.bool_], n: int) -> NDArray[np.int64]:
    """Atoms of the crystal far from all that is not and from each other, so that they are of different grains: one after the
    other that for which the smaller of the distance to what is no crystal and half that to the atoms before is largest.

    Args:
        model_h5: the model.
        crystal: (n_atoms,) true for its atoms.
        n: number of atoms.

    Raises:
        ValueError: fewer atoms are of the crystal.
    """
    if crystal.sum() < n:
        raise ValueError(f"{n} reference atoms were asked for, but {crystal.sum()} atoms are of the crystal")
    arrays = read_arrays(model_h5, ["positions", "edges"])
    edges, inside = arrays["edges"], np.flatnonzero(crystal)
    positions = arrays["positions"][inside]
    depth = np.full(len(inside), np.inf)
    if not crystal.all():
        depth = cKDTree(arrays["positions"][~crystal], boxsize=edges).query(positions)[0]
    found: list[int] = []
    for _ in range(n):
        found.append(int(np.argmax(depth)))
        offset = positions - positions[found[-1]]
        offset -= edges * np.rint(offset / edges)
        depth = np.minimum(depth, np.linalg.norm(offset, axis=1) / 2)
        depth[found] = -1.0
    return inside[found]


def draw_test_atoms(
    coordination: NDArray[np.int64], evaluation: Evaluation, rng: np.random.Generator
) -> NDArray[np.int64]:
    """Atoms of a test set: so many of each coordination number, drawn at random; all where there are fewer.

    Raises:
        ValueError: no atom has any of the coordination numbers.
    """
    first, last = evaluation.coordinations
    drawn = []
    for number in range(first, last + 1):
        members = np.flatnonzero(coordination == number)
        drawn.append(rng.choice(members, size=min(evaluation.atoms_each, len(members)), replace=False))
    found = np.concatenate(drawn)
    if len(found) == 0:
        raise ValueError(f"no atom of the model has a coordination number from {first} to {last}")
    return found.astype(np.int64)


def select_round(
    vectors_h5: str | Path,
    points_csv: str | Path,
    energies_csv: Sequence[str | Path],
    before_csv: Sequence[str | Path],
    out_csv: str | Path,
    settings: Selection,
    number: int,
    comm: "MPI.Comm | None" = None,
) -> None:
    """Write the atoms of a round of uncertainty reduction, columns `order` and `atom`. Collective under MPI, as `select_optimal`.

    Args:
        vectors_h5: vectors of all atoms.
        points_csv: points of the strategies, of which those of uncertainty reduction come first.
        energies_csv: energies by then, of those points and of the rounds before; an atom without one is not gone on from and
            not chosen again.
        before_csv: atoms of the rounds before.
        out_csv: the table.
        settings: of the selection.
        number: of the round, from 1.
        comm: communicator; None: all rows are here.

    Raises:
        ValueError: fewer than two atoms have an energy.
    """
    rank, size = (0, 1) if comm is None else (comm.rank, comm.size)
    rows = rows_of_rank(arrays_shape(vectors_h5, "vectors")[0], rank, size)
    pool = read_arrays(vectors_h5, ["vectors"], rows)["vectors"]
    computed = pd.concat([pd.read_csv(path) for path in energies_csv]).set_index("atom")["energy_ev"]
    asked = atoms_of_rounds(pd.read_csv(points_csv), before_csv, settings.first_points)
    known = with_energies(asked, computed)
    # The zero of the energies does not matter to the regression, whose vectors have a constant.
    known_vectors = _rows_of_all(pool, rows, known, comm)
    model = fit_ridge(known_vectors, (computed[known] - computed[known].mean()).to_numpy(), None)
    share = (settings.n_points - settings.first_points) * number // settings.rounds
    wanted = settings.first_points + share - len(known)
    failed = np.setdiff1d(asked, known)
    chosen = uncertainty_reduction(pool, wanted, model.ridge_lambda, known, excluded=failed, comm=comm)
    if rank == 0:
        write_csv(out_csv, pd.DataFrame({"order": np.arange(len(chosen)), "atom": chosen}))


def _rows_of_all(
    pool: NDArray[np.float64], rows: slice, wanted: NDArray[np.int64], comm: "MPI.Comm | None"
) -> NDArray[np.float64]:
    """(n, d) rows by their numbers in the whole pool, wherever they are."""
    here = (wanted >= rows.start) & (wanted < rows.stop)
    found = np.zeros((len(wanted), pool.shape[1]))
    found[here] = pool[wanted[here] - rows.start]
    return found if comm is None else np.asarray(comm.allreduce(found))  # each from one rank, 0 from the others


def select_for_dft(points_csv: str | Path, out_csv: str | Path, strategy: str, n_atoms: int) -> None:
    """Write the first atoms of a strategy and the first reference atom, column `atom`."""
    points = pd.read_csv(points_csv)
    chosen = [*points_of(points, strategy, 0)[:n_atoms], points_of(points, REFERENCE, 0)[0]]
    write_csv(out_csv, pd.DataFrame({"atom": chosen}))


def _rows(strategy: str, seed: int, atoms: Sequence[int] | NDArray[np.int64]) -> pd.DataFrame:
    return pd.DataFrame({"strategy": strategy, "seed": seed, "order": np.arange(len(atoms)), "atom": atoms})[
        POINTS_COLUMNS
    ]


def _drawn(strategy: Strategy, crystal: NDArray[np.bool_], n_points: int, seed: int) -> NDArray[np.int64]:
    of_crystal = OF_CRYSTAL_IN_RANDOM_2 if strategy == "random_2" else 0
    for what, there, wanted in (
        ("of the crystal", crystal.sum(), of_crystal),
        ("not of the crystal", (~crystal).sum(), n_points - of_crystal),
    ):
        if there < wanted:
            raise ValueError(
                f"{strategy} draws {wanted} atoms that are {what}, but the model has {there}: lower "
                f"replica.selection.n_points = {n_points}, or take {strategy} out of strategies"
            )
    return random_points([(crystal, of_crystal), (~crystal, n_points - of_crystal)], np.random.default_rng([seed, 0]))
