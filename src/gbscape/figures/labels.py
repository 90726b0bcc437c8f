"""How representations, properties, planes and directions are written for readers."""

import re
from collections.abc import Iterable, Sequence

from gbscape.figures.style import BLUE, GREEN, GREY, INK, ORANGE, PURPLE, SKY, VERMILION
from gbscape.learn.tables import RANDOM

_REPRESENTATIONS = {
    "soap": ("SOAP", BLUE),
    "st": ("ST", VERMILION),
    "soap+st": ("SOAP+ST", GREEN),
    "multi_scale_soap": ("Multi-scale SOAP", PURPLE),
    RANDOM: ("Random", GREY),
}
_FURTHER = {
    "st_invariant": "Invariant ST",
    "ler": "LER",
    "ler+st": "LER+ST",
    "pooled_soap": "Pooled SOAP",
}
_TARGETS = {
    "energy": "Boundary energy",
    "published_energy": "Boundary energy, published",
    "mobility_3_class": "Mobility (3 classes)",
    "mobility_4_class": "Mobility (4 classes)",
    "shear_class": "Shear coupling",
}


def representation_label(name: str) -> str:
    """Name of a representation as it is printed, e.g. `SOAP (cutoff 4.0 Å, l_max 6)` for a member of a sweep."""
    base, *parameters = name.split("~")
    label = _REPRESENTATIONS[base][0] if base in _REPRESENTATIONS else _FURTHER.get(base, base.replace("_", " "))
    return f"{label} ({', '.join(map(parameter_label, parameters))})" if parameters else label


def parameter_label(parameter: str) -> str:
    """A parameter with its value or, from its name alone, without, e.g. `cutoff 4.0 Å` of `cutoff_angstrom=4.0`."""
    key, _, value = parameter.partition("=")
    if key.endswith("_angstrom"):
        name = key.removesuffix("_angstrom").replace("_", " ")
        return f"{name} {value} Å" if value else f"{name} (Å)"
    return f"{key} {value}".rstrip()


def class_label(name: str) -> str:
    """Name of a class as it is printed, with blanks for underscores."""
    return name.replace("_", " ")


def target_label(name: str) -> str:
    """Name of a property as it is printed; unknown ones with blanks for underscores."""
    return _TARGETS.get(name, name.replace("_", " "))


def representation_colours(names: Iterable[str]) -> dict[str, str]:
    """Colour of each representation: the same in every figure for those of the paper, free ones for the others."""
    names = list(names)
    colours = {n: _REPRESENTATIONS[n][1] for n in names if n in _REPRESENTATIONS}
    others = [n for n in names if n not in _REPRESENTATIONS]
    spare = [c for c in (ORANGE, SKY, INK, BLUE, VERMILION, GREEN, PURPLE) if c not in colours.values()]
    return colours | {n: spare[i % len(spare)] for i, n in enumerate(others)}


def in_usual_order(names: Iterable[str]) -> list[str]:
    """Representations or properties without repeats: first those of the paper in its order, each followed by its sweep, then the
    others, the Random baseline last.

    Numbers within names count as numbers: a cut-off of 10 comes after one of 4.
    """
    known = [name for name in (*_REPRESENTATIONS, *_FURTHER, *_TARGETS) if name != RANDOM]

    def place(name: str) -> tuple[int, list[tuple[float, str]]]:
        base = name.split("~")[0]
        parts = re.findall(r"(\d+(?:\.\d+)?)|(\D+)", name)
        rank = known.index(base) if base in known else len(known) + (name == RANDOM)
        return rank, [(float(n or -1), text) for n, text in parts]

    return sorted(set(names), key=lambda n: (*place(n), n))


def miller(indices: Sequence[int], brackets: str = "()") -> str:
    """Miller indices as mathtext with bars for minus signs, e.g. `(3 1 0)`; indices of one digit stand close."""
    opening, closing = (f"\\{b}" if b in "{}" else b for b in brackets)
    close = all(abs(i) < 10 for i in indices)
    digits = [rf"\bar{{{-i}}}" if i < 0 else str(i) for i in map(int, indices)]
    return f"${opening}{(chr(92) + ',' if close else chr(92) + ' ').join(digits)}{closing}$"


_COINCIDENCE_ID = re.compile(r"S(\d+)_(\d+(?:\.\d+){2})_(\d+(?:\.\d+){2})_[0-9a-f]{8}")


def is_coincidence_id(item: str) -> bool:
    """Whether a boundary's id is of the form that the enumeration gives, e.g. `S3_2.1.1_2.1.1_79fc5aa6`."""
    return _COINCIDENCE_ID.fullmatch(item) is not None


def boundary_label(item: str) -> str:
    """Sigma and families of the boundary planes, e.g. `Σ3 {2 1 1}`, of an enumerated boundary; other ids, shortened."""
    match = _COINCIDENCE_ID.fullmatch(item)
    if match is None:
        return shortened(item, 22)
    families = dict.fromkeys(miller([int(i) for i in match[k].split(".")], "{}") for k in (2, 3))
    return f"Σ{match[1]} {'|'.join(families)}"


def shortened(text: str, length: int) -> str:
    """`text` with its middle left out if it is longer than `length`; dollar signs are escaped for matplotlib."""
    if len(text) > length:
        head = (length - 1) // 2
        text = f"{text[:head]}…{text[len(text) - (length - 1 - head) :]}"
    return text.replace("$", r"\$")
