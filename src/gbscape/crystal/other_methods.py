"""Established methods that recognise crystals, asked the questions of Leitherer's thesis (2021), section 5.1 and appendix A.

spglib finds the space group of a periodic structure. Polyhedral template matching (PTM), common-neighbour analysis with a
fixed cut-off (CNA) and an adaptive one (a-CNA), and bond-angle analysis (BAA; Ackland and Jones) give each atom a type. The thesis
compares them by space groups: an atom counts as right where its type has the space group of the atom's class, and the
accuracy is the share of right atoms among those of all structures; for spglib it is that of right structures.
Settings are those of its authors' scripts (angeloziletti/ai4materials, scripts/benchmarking_*.py).
"""

import os
from typing import NamedTuple, get_args

import numpy as np
import spglib
from ase import Atoms
from numpy.typing import NDArray

from gbscape.config.crystal import OtherMethod
from gbscape.structure.boundary_atoms import adaptive_cna
from gbscape.structure.ovito_analysis import analysed, modifiers

# Failures are exceptions, as spglib asks for, which warns at every call otherwise; and it writes no lines about structures
# whose symmetry is broken, which is what it is asked about here.
spglib.error.OLD_ERROR_HANDLING = False
os.environ.setdefault("SPGLIB_WARNING", "OFF")

METHODS: tuple[OtherMethod, ...] = get_args(OtherMethod)

TITLES: dict[OtherMethod, str] = {
    "spglib_loose": "spglib (loose)",
    "spglib_tight": "spglib (tight)",
    "ptm": "PTM",
    "cna": "CNA",
    "a-cna": "a-CNA",
    "baa": "BAA",
}
"""Names of the methods in tables."""

SPACE_GROUPS: dict[str, int] = {
    "fcc": 225, "hcp": 194, "bcc": 229, "sc": 221, "diamond": 227, "hexagonal_diamond": 194, "graphene": 191, "BN": 187,
    "L1_0": 123, "L1_2": 221, "CsCl": 221, "zinc_blende": 216, "wurtzite": 186,
}  # fmt: skip
"""Space group of each class that a method can name; labels are those of the prototypes."""

_NO_SYMMETRY = 1
_TOLERANCES = {"spglib_loose": (0.1, 5.0), "spglib_tight": (1e-4, 1.0)}
"""Of positions in Angstrom and of angles in degrees."""
_CNA_CUTOFF_ANGSTROM = 3.2
"""OVITO's default; it suits neither every class nor hcp and bcc at once."""
_RMSD_CUTOFF = 0.1
"""OVITO's default, in nearest-neighbour distances."""

_SIMPLE = ("", "fcc", "hcp", "bcc", "")  # other, fcc, hcp, bcc, icosahedral: types of CNA, a-CNA and BAA
_TYPE = modifiers.PolyhedralTemplateMatchingModifier.Type
_ORDER = modifiers.PolyhedralTemplateMatchingModifier.OrderingType
_TEMPLATES = {
    (_TYPE.FCC, _ORDER.PURE): "fcc",
    (_TYPE.FCC, _ORDER.L10): "L1_0",
    (_TYPE.FCC, _ORDER.L12_A): "L1_2",
    (_TYPE.FCC, _ORDER.L12_B): "L1_2",
    (_TYPE.HCP, _ORDER.PURE): "hcp",
    (_TYPE.BCC, _ORDER.PURE): "bcc",
    (_TYPE.BCC, _ORDER.B2): "CsCl",
    (_TYPE.SC, _ORDER.PURE): "sc",
    (_TYPE.CUBIC_DIAMOND, _ORDER.PURE): "diamond",
    (_TYPE.CUBIC_DIAMOND, _ORDER.ZINCBLENDE_WURTZITE): "zinc_blende",
    (_TYPE.HEX_DIAMOND, _ORDER.PURE): "hexagonal_diamond",
    (_TYPE.HEX_DIAMOND, _ORDER.ZINCBLENDE_WURTZITE): "wurtzite",
    (_TYPE.GRAPHENE, _ORDER.PURE): "graphene",
    (_TYPE.GRAPHENE, _ORDER.BORON_NITRIDE): "BN",
}  # fmt: skip


class Answers(NamedTuple):
    """What a method says: of each atom, or of the structure as a whole (m = 1)."""

    label: NDArray[np.str_]
    """(m,) class, empty where the method names none."""
    space_group: NDArray[np.int64]
    """(m,) number of the space group, 0 where there is none."""


class Score(NamedTuple):
    """Right answers among all; scores of several structures add up field by field."""

    right_space_group: int
    """Answers with the space group of the class: the thesis's measure."""
    right_class: int
    """Answers with the class itself; 0 for spglib, which names none."""
    answers: int
    """All answers."""


def classify_by(method: OtherMethod, atoms: Atoms) -> Answers:
    """Ask one method what a structure is.

    Args:
        method: one of `METHODS`.
        atoms: the structure with its periodicity. spglib takes the cell as it is, repeated in all three directions.

    Returns:
        one answer for spglib, one for each atom otherwise.

    Raises:
        ValueError: an unknown method; no atoms; positions that are not finite; for spglib no cell.
    """
    if method not in METHODS:
        raise ValueError(f"unknown method {method!r}; allowed: {', '.join(METHODS)}")
    if len(atoms) == 0 or not np.isfinite(atoms.positions).all():
        raise ValueError(f"a structure needs atoms at finite positions, got {len(atoms)} atoms")
    match method:
        case "spglib_loose" | "spglib_tight":
            group = space_group(atoms, *_TOLERANCES[method])
            return Answers(np.array([""]), np.array([group], dtype=np.int64))
        case "ptm":
            label = _template_matching(atoms)
        case "cna":
            fixed = modifiers.CommonNeighborAnalysisModifier(
                mode=modifiers.CommonNeighborAnalysisModifier.Mode.FixedCutoff, cutoff=_CNA_CUTOFF_ANGSTROM
            )
            label = np.array(_SIMPLE)[_types(atoms, fixed)]
        case "a-cna":
            label = np.array(_SIMPLE)[adaptive_cna(atoms)]
        case "baa":
            label = np.array(_SIMPLE)[_types(atoms, modifiers.AcklandJonesModifier())]
    return Answers(label, np.array([SPACE_GROUPS.get(name, 0) for name in label], dtype=np.int64))


def space_group(atoms: Atoms, tolerance_angstrom: float, angle_tolerance_degrees: float) -> int:
    """Number of the space group that spglib finds, 0 where it finds none.

    Raises:
        ValueError: a structure without a cell of three vectors.
    """
    if abs(np.linalg.det(atoms.cell.array)) < 1e-9:
        raise ValueError("spglib needs a cell of three vectors; nanotubes and clusters have no space group")
    cell = (atoms.cell.array, atoms.cell.scaled_positions(atoms.positions), atoms.numbers)
    try:
        found = spglib.get_symmetry_dataset(cell, symprec=tolerance_angstrom, angle_tolerance=angle_tolerance_degrees)
    except spglib.SpglibError:
        return 0
    return 0 if found is None else int(found.number)


def score(method: OtherMethod, atoms: Atoms, label: str, space_group: int | None) -> Score:
    """Count how many answers of a method are right.

    Args:
        method: one of `METHODS`.
        atoms: a periodic structure, or one without a space group. (Of finite pieces of crystals the thesis asks nothing:
            what their surface atoms should be called is a matter of taste.)
        label: its class.
        space_group: that of the class; None for a nanotube. Of these and of classes of space group 1 all answers count as wrong
            without being asked for: to find no symmetry in a spoiled structure is not to recognise it.

    Raises:
        ValueError: as `classify_by`.
    """
    if space_group in (None, _NO_SYMMETRY):
        return Score(0, 0, 1 if method in _TOLERANCES else len(atoms))
    answers = classify_by(method, atoms)
    return Score(
        int((answers.space_group == space_group).sum()), int((answers.label == label).sum()), len(answers.space_group)
    )


def accuracy(scores: list[Score], by_class: bool = False) -> float:
    """Share of right answers among those of all structures: of right space groups as in the thesis, or of right classes.

    Raises:
        ValueError: no answers.
    """
    answers = sum(one.answers for one in scores)
    if answers == 0:
        raise ValueError("an accuracy needs at least one answer")
    return sum(one.right_class if by_class else one.right_space_group for one in scores) / answers


def is_made_for(method: OtherMethod, label: str, category: str) -> bool:
    """Whether the thesis counts a class among those that a method is made for (tables 5.1 to 5.3).

    These are elemental and binary crystals for spglib; fcc, hcp and bcc for CNA, a-CNA and BAA; and twelve classes for
    PTM. (PTM also knows the order of CsCl, which the thesis does not list; the authors' script takes it in place of BN.)

    Args:
        method: one of `METHODS`.
        label: the class.
        category: its kind of material, as in the files of prototypes.
    """
    if method in _TOLERANCES:
        return category in ("elemental", "binary")
    if method == "ptm":
        return label in SPACE_GROUPS and label != "CsCl"
    return label in _SIMPLE[1:4]


def _types(
    atoms: Atoms, modifier: modifiers.CommonNeighborAnalysisModifier | modifiers.AcklandJonesModifier
) -> NDArray[np.int64]:
    return np.array(analysed(atoms, modifier)["Structure Type"], dtype=np.int64)


def _template_matching(atoms: Atoms) -> NDArray[np.str_]:
    modifier = modifiers.PolyhedralTemplateMatchingModifier(rmsd_cutoff=_RMSD_CUTOFF, output_ordering=True)
    for kind in {kind for kind, _ in _TEMPLATES}:
        modifier.structures[int(kind)].enabled = True
    particles = analysed(atoms, modifier)
    label = np.full(len(atoms), "", dtype=f"<U{max(map(len, SPACE_GROUPS))}")
    kinds, orders = np.array(particles["Structure Type"]), np.array(particles["Ordering Type"])
    for (kind, order), name in _TEMPLATES.items():
        label[(kinds == int(kind)) & (orders == int(order))] = name
    return label
