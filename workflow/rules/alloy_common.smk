# What the rules of the alloy share: its settings, batches of structures, patterns of paths.
ALLOY = f"{RESULTS}/alloy"
STRUCTURES = f"{ALLOY}/structures/{{batch}}.h5"
ALLOY_ENERGIES = f"{ALLOY}/energies/{{batch}}.h5"
ALLOY_BATCHES = CONFIG.alloy.structures.batches
# Structures that are not learned from.
UNSEEN_BATCHES = ["crystals", "strained"] if CONFIG.alloy.crystals else []
# What makes a structure: whoever asks for more rounds keeps those that are there.
OF_STRUCTURES = leaf(CONFIG.alloy.structures, without=["rounds"])


def of_alloy_batches_before(pattern, round_number):
    """Files of the batches that a round goes on from."""
    return expand(pattern, batch=ALLOY_BATCHES[: int(round_number)])
