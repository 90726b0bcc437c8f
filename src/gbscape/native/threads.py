"""How many threads the passes that numba compiles may use."""

from collections.abc import Iterator
from contextlib import contextmanager

import numba


@contextmanager
def numba_threads(number: int) -> Iterator[None]:
    """Let passes use so many threads, at most those that numba has."""
    before = numba.get_num_threads()
    numba.set_num_threads(max(1, min(number, numba.config.NUMBA_NUM_THREADS)))  # type: ignore[attr-defined]
    try:
        yield
    finally:
        numba.set_num_threads(before)
