# What the rules of atomic energies share: settings, batches of atoms, and inputs that depend on them.
from importlib.util import find_spec

from gbscape.config.replica import OPTIMAL

ITS = CONFIG.replica
OPTIMAL_STRATEGIES = [s for s in ITS.selection.strategies if s in OPTIMAL]
RIDGE_LAMBDA = None if ITS.cross_validated_lambda else ITS.ridge_lambda
# Run by name in processes of their own, so that nothing imports them.
BACKEND_MODULES = ["gbscape.energies.gpaw_scf", "gbscape.energies.gpaw_partition"]
BY_DFT = ITS.also_by_dft if find_spec("gpaw") else None
ROUND_NUMBERS = range(1, ITS.selection.rounds + 1)
# Atoms are computed in batches: those of all points, of each round, which waits for the rounds before it, and of each alternative;
# what an earlier batch has is not computed again.
ROUND_BATCHES = ["points", *(f"round_{number}" for number in ROUND_NUMBERS)]
ALTERNATIVE_BATCHES = [f"alternative_{name}" for name in ITS.alternatives]
BATCHES = [*ROUND_BATCHES, *ALTERNATIVE_BATCHES]
DFT_BATCH = "by_dft"
COMPUTED_BATCHES = [*BATCHES, *([DFT_BATCH] if BY_DFT else [])]
ATOMS = f"{REPLICA}/{{batch}}.csv"
BATCH_ENERGIES = f"{REPLICA}/energies/{{batch}}.csv"
# The potential that relaxed the model tells the energy of every atom, if it is also what computes those of the cells.
EXACT = ITS.backend == "eam"


wildcard_constraints:
    strategy=one_of(OPTIMAL_STRATEGIES),
    batch=one_of([*BATCHES, DFT_BATCH]),
    round=r"\d+",
    alternative=one_of(ITS.alternatives),


def of_batches_before(pattern, number):
    """Files of the batches that a round goes on from."""
    return expand(pattern, batch=ROUND_BATCHES[: int(number)])


def atoms_before(wildcards):
    """Atoms of the batches before one, which has none of them."""
    if wildcards.batch in ALTERNATIVE_BATCHES:
        place = len(ROUND_BATCHES) + ALTERNATIVE_BATCHES.index(wildcards.batch)
        return expand(ATOMS, batch=BATCHES[:place])
    if wildcards.batch in ROUND_BATCHES:
        return of_batches_before(ATOMS, ROUND_BATCHES.index(wildcards.batch))
    return []


def cells_of(wildcards):
    """Settings of the cells of a batch."""
    its = leaf(ITS.cells)
    of_dft = wildcards.batch == DFT_BATCH
    return its | {"edge_angstrom": BY_DFT.edge_angstrom} if of_dft else its


def backend_of(wildcards):
    """Backend of a batch."""
    return "gpaw" if wildcards.batch == DFT_BATCH else ITS.backend


def ranks_of(wildcards):
    """Processes of a job that computes energies of a batch."""
    return ITS.dft.ranks if backend_of(wildcards) == "gpaw" else 1


def round_arguments(wildcards, input, output):
    """Of the step that selects the atoms of a round."""
    return as_json(
        vectors_h5=input.vectors,
        points_csv=input.points,
        energies_csv=list(input.energies),
        before_csv=list(input.before),
        out_csv=output[0],
        settings=leaf(ITS.selection),
        number=int(wildcards.round),
    )


def selection_arguments(wildcards, input, output):
    """Of the step that selects by one of the optimal strategies, for other vectors by uncertainty reduction."""
    return as_json(
        vectors_h5=input[0],
        out_csv=output[0],
        settings=leaf(ITS.selection),
        ridge_lambda=ITS.ridge_lambda,
        strategy=wildcards.get("strategy", "uncertainty"),
    )
