"""Which item goes into which shard: balanced by cost, deterministic."""

import heapq
from collections.abc import Mapping


def balance(costs: Mapping[str, float], n_shards: int) -> list[list[str]]:
    """Distribute items over `n_shards` so that the total costs are nearly equal (longest processing time first).

    The result depends on names and costs only, not on the order in which they are given. Shards may be empty when
    there are fewer items than shards.

    Args:
        costs: positive cost of each item, in any unit.
        n_shards: number of shards, at least 1.

    Raises:
        ValueError: a cost is not positive or `n_shards` is below 1.
    """
    if n_shards < 1:
        raise ValueError(f"number of shards is {n_shards}, but at least 1 is needed")
    for name, cost in costs.items():
        if not cost > 0:
            raise ValueError(f"cost of {name} is {cost}, but it must be positive")
    shards: list[list[str]] = [[] for _ in range(n_shards)]
    heap = [(0.0, i) for i in range(n_shards)]
    for name in sorted(costs, key=lambda n: (-costs[n], n)):
        total, i = heapq.heappop(heap)
        shards[i].append(name)
        heapq.heappush(heap, (total + costs[name], i))
    return shards
