# What the rules of the alloy share: its settings, batches of cells, patterns of paths.
from gbscape.config.alloy import CRYSTALS, DATASET, KNOWN, LARGER, PATHS, STRAINED

STRUCTURES = f"{ALLOY}/structures/{{batch}}.h5"
ALLOY_ENERGIES = f"{ALLOY}/energies/{{batch}}.h5"
ALLOY_PATH = f"{ALLOY}/paths/{{path}}.xyz"
ALLOY_VECTORS = f"{ALLOY}/vectors/{{description}}/{{batch}}.h5"
ALLOY_DESCRIPTIONS = ["scattering", "soap"]
ALLOY_BATCHES = CONFIG.alloy.structures.batches
COMPUTED_HERE = [*CONFIG.alloy.structures.made_batches, LARGER, CRYSTALS, STRAINED]
COMPUTED_BEFORE = CONFIG.alloy.computed
# What makes a structure: whoever asks for more rounds keeps those that are there.
OF_STRUCTURES = leaf(
    CONFIG.alloy.structures, without=["known", "rounds", "first_round"]
)

# Batches of cells as extended XYZ, made here or before: what is learned from, and what models are asked for.
ALLOY_CELLS = {
    batch: [getattr(COMPUTED_BEFORE, batch, None) or f"{ALLOY}/cells/{batch}.xyz"]
    for batch in [DATASET, *CONFIG.alloy.unseen]
}
if CONFIG.alloy.path_names:
    ALLOY_CELLS[PATHS] = (
        list(COMPUTED_BEFORE.paths.values())
        if COMPUTED_BEFORE
        else expand(ALLOY_PATH, path=CONFIG.alloy.path_names)
    )
UNSEEN_CELLS = [batch for batch in ALLOY_CELLS if batch != DATASET]


wildcard_constraints:
    description=one_of(ALLOY_DESCRIPTIONS),
    draw=r"\d+",


def of_alloy_batches_before(pattern, batch):
    """Files of the batches that a round, or that of larger cells, goes on from."""
    before = (
        ALLOY_BATCHES
        if batch == LARGER
        else ALLOY_BATCHES[: ALLOY_BATCHES.index(batch)]
    )
    return expand(pattern, batch=before)


def of_alloy(pattern, batches):
    """Files of each description, of some batches."""
    return {
        f"{description}_{batch}": pattern.format(description=description, batch=batch)
        for description in ALLOY_DESCRIPTIONS
        for batch in batches
    }
