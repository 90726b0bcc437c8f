"""Steps that run under MPI: `mpiexec -n RANKS python -m gbscape.replica STEP ARGUMENTS`, the arguments as JSON."""

import json
import sys
from typing import Any

from mpi4py import MPI

from gbscape.config.replica import ReplicaModel, Selection
from gbscape.replica.model import relax_model
from gbscape.replica.select_points import select_optimal, select_round
from gbscape.store.job import check_inputs, claim, end_if_told, seal_outputs

_SEVERAL_RANKS = MPI.COMM_WORLD if MPI.COMM_WORLD.size > 1 else None


def relax(settings: dict[str, Any], **arguments: str) -> None:
    """`gbscape.replica.model.relax_model`."""
    relax_model(settings=ReplicaModel(**settings), rank=MPI.COMM_WORLD.rank, **arguments)


def select(settings: dict[str, Any], **arguments: Any) -> None:
    """`gbscape.replica.select_points.select_optimal`."""
    select_optimal(settings=Selection(**settings), comm=_SEVERAL_RANKS, **arguments)


def select_further(settings: dict[str, Any], **arguments: Any) -> None:
    """`gbscape.replica.select_points.select_round`."""
    select_round(settings=Selection(**settings), comm=_SEVERAL_RANKS, **arguments)


def run(step: str, arguments: dict[str, Any]) -> None:
    """Do as every job does (`gbscape.store.job`): the file that a step writes is `out` or `out_csv`."""
    out = next(arguments[name] for name in ("out", "out_csv") if name in arguments)
    if MPI.COMM_WORLD.rank == 0:
        end_if_told([out])
        claim([out])
        given = [its for name, its in arguments.items() if name.endswith(("_h5", "_json", "_csv")) and its != out]
        check_inputs(path for its in given for path in ([its] if isinstance(its, str) else its))
    {"relax": relax, "select": select, "select_round": select_further}[step](**arguments)
    if MPI.COMM_WORLD.rank == 0:
        seal_outputs([out])


if __name__ == "__main__":
    try:
        run(sys.argv[1], json.loads(sys.argv[2]))
    except BaseException:
        # One rank alone would leave the others waiting for it.
        if MPI.COMM_WORLD.size > 1:
            import traceback

            traceback.print_exc()
            MPI.COMM_WORLD.Abort(1)
        raise
