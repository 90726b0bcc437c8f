"""Progress of long steps: a bar on a terminal, plain lines in a log."""

import sys
import time
from collections.abc import Iterable, Iterator
from typing import TypeVar

from tqdm import tqdm

T = TypeVar("T")


def progress(items: Iterable[T], total: int, what: str, every_seconds: float = 10.0) -> Iterator[T]:
    """Yield `items`; report on standard error how many of `total` are done.

    On a terminal a bar is drawn; elsewhere a line is written at most every `every_seconds`, and one at the end of what took
    a second or more.
    """
    if sys.stderr.isatty():
        yield from tqdm(items, total=total, desc=what, unit="")
        return
    start = last = time.monotonic()
    for done, item in enumerate(items, start=1):
        yield item
        now = time.monotonic()
        if now - last >= every_seconds or (done == total and now - start >= 1):
            last = now
            remaining = (now - start) / done * (total - done)
            print(f"{what}: {done}/{total}, {now - start:.0f} s, {remaining:.0f} s to go", file=sys.stderr, flush=True)
