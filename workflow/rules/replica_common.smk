# What the rules of atomic energies share: settings, batches of atoms, and inputs that depend on them.
from gbscape.config.replica import OPTIMAL

ITS = CONFIG.replica
OPTIMAL_STRATEGIES = [s for s in ITS.selection.strategies if s in OPTIMAL]
RIDGE_LAMBDA = None if ITS.cross_validated_lambda else ITS.ridge_lambda
BACKEND_MODULE = {
    "eam": "gbscape.energies.eam",
    "gpaw": "gbscape.energies.gpaw_backend",
    "tblite": "gbscape.energies.tight_binding",
}[ITS.backend]
ROUND_NUMBERS = range(1, ITS.selection.rounds + 1)
# Atoms are computed in batches: those of all points, of each round, which waits for the rounds before it, and of each alternative.
ROUND_BATCHES = ["points", *(f"round_{number}" for number in ROUND_NUMBERS)]
BATCHES = [*ROUND_BATCHES, *(f"alternative_{name}" for name in ITS.alternatives)]
ATOMS = f"{REPLICA}/{{batch}}.csv"
BATCH_ENERGIES = f"{REPLICA}/energies/{{batch}}.csv"
# The potential that relaxed the model tells the energy of every atom, if it is also what computes those of the cells.
EXACT = ITS.backend == "eam"


wildcard_constraints:
    strategy=one_of(OPTIMAL_STRATEGIES),
    batch=one_of(BATCHES),
    round=r"\d+",
    alternative=one_of(ITS.alternatives),


def of_batches_before(pattern, number):
    """Files of the batches that a round goes on from."""
    return expand(pattern, batch=ROUND_BATCHES[: int(number)])
