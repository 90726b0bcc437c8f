"""All contests, by key; each is made only when it is asked for, since it holds its structures."""

from collections.abc import Callable, Iterator, Sequence

from boxes_contests import boxes, nearest_neighbours
from dropout_contests import dropout
from measure import Contest
from orbital_contests import orbital_scattering_64
from scattering_contests import scattering_96, scattering_128
from selection_contests import selection
from soap_contests import soap_arise, soap_fe, soap_million, soap_ni
from strided_contests import strided

CONTESTS: dict[str, Callable[[bool], Contest]] = {
    "soap-fe": soap_fe,
    "soap-ni": soap_ni,
    "soap-arise": soap_arise,
    "soap-million": soap_million,
    "scattering-96": scattering_96,
    "scattering-128": scattering_128,
    "orbital-scattering-64": orbital_scattering_64,
    "boxes": boxes,
    "nearest-neighbours": nearest_neighbours,
    "dropout": dropout,
    "strided": strided,
    "selection": selection,
}


def all_contests(quick: bool, keys: Sequence[str] | None = None) -> Iterator[Contest]:
    """The contests with these keys (None: all), tiny ones where `quick`."""
    for key in keys or CONTESTS:
        yield CONTESTS[key](quick)
