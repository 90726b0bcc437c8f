"""Which of a survey's boundaries a shard of a step describes."""

from gbscape.planning.costs import description
from gbscape.store.balance import balance
from gbscape.store.shards import Shard


def boundaries_of_shard(survey: Shard, shard: int, n_shards: int) -> list[str]:
    """Ids of the boundaries of one shard of an open survey, balanced by their numbers of boundary atoms."""
    atoms = [survey.value(item, "structure/arrays/boundary").sum() for item in survey.ids]
    return balance(dict(zip(survey.ids, description(atoms).tolist(), strict=True)), n_shards)[shard]
