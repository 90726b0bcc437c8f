"""Peak memory of one contestant, in bytes: `python benchmarks/peak_memory.py CONTEST CONTESTANT [--quick]`."""

import one_thread  # noqa: F401  # isort: skip
import argparse

from contests import all_contests
from measure import peak_bytes_of

if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("contest")
    parser.add_argument("contestant")
    parser.add_argument("--quick", action="store_true")
    asked = parser.parse_args()
    (contest,) = all_contests(asked.quick, [asked.contest])
    (contestant,) = (c for c in [*contest.ours, *contest.peers] if c.name == asked.contestant)
    print(peak_bytes_of(contestant.load()))
