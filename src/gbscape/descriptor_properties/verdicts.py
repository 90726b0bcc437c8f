"""What the measurements say: for each property a number, a rule with its thresholds, and a verdict."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from gbscape.config.descriptor_properties import DescriptorProperties
from gbscape.descriptor_properties.tables import ENTRY_COLUMNS, FOUND, TOGETHER
from gbscape.descriptor_properties.transformations import PERMUTATION, ROTATION, TRANSLATION

YES, PARTLY, NO, NOT_MEASURED = "yes", "partly", "no", "not measured"

ROUNDING = 1e-9
"""Of the typical distance between boundaries: smaller changes are those of rounding."""
SAME = 0.01
"""Of the typical distance between boundaries: a change up to this is none."""
CLOSE, APART = 0.5, 1.0
SMALL_DISPLACEMENT_ANGSTROM, SMALL_CHANGE = 0.01, 0.1
EXPONENTS = (0.7, 2.3)
"""Of a response that vanishes with the displacement: about 1, or 2 where the first order cancels in a mean."""
CONTINUOUS, JUMPS = 0.6, 0.75
"""Ratio of the largest step when steps are halved: 0.5 for a continuous slope, 0.71 for a root, 1 for a jump."""
SMOOTH = 0.35
"""Ratio of the largest second difference when steps are halved: 0.25 for a continuous curvature, 0.5 for a kink, 1 for a jump."""
MOST, MANY = 0.99, 0.9
ADDS_UP = 0.01
"""Of the effect of one defect: what two do together beyond what each does alone, from which they are independent."""


@dataclass(frozen=True)
class Entry:
    """What decides an entry of the table."""

    value: float | None
    verdict: str
    note: str = ""


@dataclass(frozen=True)
class Property:
    """A row of the published table, and how it is decided; `judge` is None where it stays a matter of judgement."""

    name: str
    quantity: str = ""
    rule: str = ""
    judge: Callable[[pd.DataFrame, DescriptorProperties], Entry] | None = None


def entries(
    measurements: pd.DataFrame,
    published: pd.DataFrame,
    settings: DescriptorProperties,
    published_as: Mapping[str, str] | None = None,
) -> pd.DataFrame:
    """The table, columns `ENTRY_COLUMNS`: a row for each property and descriptor, in the published order of properties.

    Args:
        measurements: columns `tables.MEASUREMENT_COLUMNS`, of all descriptors.
        published: columns property, descriptor, mark, certainty; may have no rows.
        settings: with which it was measured.
        published_as: the published table's name of each descriptor that has another one there.
    """
    marks = published.set_index(["property", "descriptor"])
    rows = []
    for its in PROPERTIES:
        for descriptor in measurements["descriptor"].unique():
            of_descriptor = measurements[measurements["descriptor"] == descriptor]
            relevant = of_descriptor[of_descriptor["property"] == its.name]
            entry = (
                Entry(None, NOT_MEASURED)
                if its.judge is None or relevant.empty
                else its.judge(relevant.set_index("quantity"), settings)
            )
            cell = (its.name, (published_as or {}).get(descriptor, descriptor))
            mark = marks.loc[cell] if cell in marks.index else None
            rows.append(
                {
                    "descriptor": descriptor,
                    "property": its.name,
                    "quantity": its.quantity,
                    "value": entry.value,
                    "verdict": entry.verdict,
                    "published": None if mark is None else mark["mark"],
                    "certainty": None if mark is None else mark["certainty"],
                    "rule": its.rule,
                    "note": entry.note,
                }
            )
    return pd.DataFrame(rows, columns=ENTRY_COLUMNS)


def _comparison(rows: pd.DataFrame, settings: DescriptorProperties) -> Entry:
    nearest = _where(rows, "nearest other boundary").set_index("boundary")["value"]
    again = _where(rows, "relaxed again").groupby("boundary")["value"].max().reindex(nearest.index).dropna()
    if again.empty:
        return Entry(None, NOT_MEASURED, "no relaxation came back to its boundary")
    with np.errstate(divide="ignore", invalid="ignore"):
        ratios = (again / nearest[again.index]).fillna(np.inf)  # 0 / 0: another boundary is described just the same
    worst = float(ratios.max())
    verdict = YES if worst <= CLOSE else PARTLY if worst < APART else NO
    note = f"worst of {len(ratios)} boundaries"
    alike = int((nearest == 0).sum())
    note += f"; {alike} of {len(nearest)} are described just as another boundary is" if alike else ""
    return Entry(worst, verdict, note)


def _invariance(rows: pd.DataFrame, settings: DescriptorProperties) -> Entry:
    ours = rows[~rows.index.str.startswith("of the norm")]
    largest = {kind: float(ours[ours.index.str.startswith(kind)]["value"].max()) for kind in _KINDS}
    kept = [kind for kind in _KINDS if largest[kind] <= SAME]
    verdict = YES if len(kept) == len(_KINDS) else PARTLY if kept else NO
    note = ", ".join(f"{kind}s {largest[kind]:.1g}" for kind in _KINDS)
    return Entry(max(largest.values()), verdict, note)


def _perturbations(rows: pd.DataFrame, settings: DescriptorProperties) -> Entry:
    same = _where(rows, "same atoms")
    small = same[same["x"] <= SMALL_DISPLACEMENT_ANGSTROM * (1 + 1e-9)]
    if small["x"].nunique() < 2:
        return Entry(None, NOT_MEASURED, "needs two displacements of at most 0.01 Angstrom")
    largest = small["x"] == small["x"].max()
    change, worst = float(small.loc[largest, "value"].median()), float(small.loc[largest, "value"].max())
    exponents = [_exponent(draws) for _, draws in small.groupby("boundary")]
    captured = sum(EXPONENTS[0] <= exponent <= EXPONENTS[1] for exponent in exponents)
    anew = _where(rows, "atoms selected anew")
    reselected = anew.loc[anew["x"] == small["x"].max(), "value"].max()
    note = f"largest {worst:.2g}, with the atoms selected anew {reselected:.2g}; captured in {captured} of {len(exponents)} boundaries"
    known = [exponent for exponent in exponents if np.isfinite(exponent)]
    note += f", exponents {min(known):.2f} to {max(known):.2f}" if known else ""
    verdict = NO if change > SMALL_CHANGE else YES if captured == len(exponents) else PARTLY
    return Entry(change, verdict, note)


def _exponent(draws: pd.DataFrame) -> float:
    """Exponent of the least response to each displacement; not a number where there is none."""
    response = draws.groupby("x")["value"].min()
    if not (response > ROUNDING).all():
        return float("nan")
    return float(np.polyfit(np.log(response.index.to_numpy(float)), np.log(response.to_numpy(float)), 1)[0])


def _smoothly_varying(rows: pd.DataFrame, settings: DescriptorProperties) -> Entry:
    steps = _halving_ratios(rows[rows.index.str.startswith("largest step")])
    bends = _halving_ratios(rows[rows.index.str.startswith("largest bend")])
    if not steps:
        return Entry(None, NO, "does not vary")
    worst, (bend, size) = max(steps)[0], max(bends, default=(0.0, 0.0))
    constant = _paths(rows) - len(steps)
    verdict = NO if worst > JUMPS else PARTLY if worst > CONTINUOUS or bend > SMOOTH or constant else YES
    note = f"second differences {bend:.2f}, there of {size:.1g}"
    note += f"; constant on {constant} of {_paths(rows)} paths" if constant else ""
    return Entry(worst, verdict, note)


def _paths(rows: pd.DataFrame) -> int:
    steps = rows[rows.index.str.startswith("largest step")]
    return len({(quantity, boundary) for quantity, boundary in zip(steps.index, steps["boundary"], strict=True)})


def _halving_ratios(rows: pd.DataFrame) -> list[tuple[float, float]]:
    """Ratio at the last halving of the steps and the value then, of each path on which anything changes."""
    ratios = []
    for _, path in rows.groupby([rows.index, "boundary"]):
        *_, coarse, fine = path.sort_values("x")["value"]
        if coarse > ROUNDING:
            ratios.append((float(fine / coarse), float(fine)))
    return ratios


def _share(rows: pd.DataFrame, settings: DescriptorProperties) -> Entry:
    share, number = (float(rows.iloc[0][column]) for column in ("value", "x"))
    verdict = YES if share >= MOST else PARTLY if share >= MANY else NO
    return Entry(share, verdict, f"of {number:.0f} boundaries")


def _multi_scale(rows: pd.DataFrame, settings: DescriptorProperties) -> Entry:
    if not float(rows.loc["effect of one defect", "value"]) > ROUNDING:
        return Entry(None, NO, "does not see a displaced atom")
    together = _where(rows, TOGETHER)
    seen = together.loc[together["value"] >= ADDS_UP, "x"]
    reach = float(seen.max()) if len(seen) else 0.0
    long = settings.long_range_angstrom
    # Pairs are found within an atom's distance of the length asked for.
    verdict = YES if reach >= 0.9 * long else PARTLY if reach >= 0.5 * long else NO
    there = together.iloc[int((together["x"] - long).abs().to_numpy().argmin())]
    return Entry(reach, verdict, f"at {there['x']:.1f} Angstrom {there['value']:.1g}")


def _subunit_discovery(rows: pd.DataFrame, settings: DescriptorProperties) -> Entry:
    quantity, value = str(rows.index[0]), float(rows.iloc[0]["value"])
    if quantity == FOUND:
        return Entry(value, YES if value > 1 else NO, "found by distance, without a list")
    return Entry(value, NO, "types of a list made beforehand")


def _where(rows: pd.DataFrame, quantity: str) -> pd.DataFrame:
    return rows[rows.index == quantity]


_KINDS = (TRANSLATION, PERMUTATION, ROTATION)

PROPERTIES = (
    Property("easily visualized"),
    Property("easily interpreted"),
    Property(
        "comparison",
        "distance to the same boundary relaxed again, over that to the nearest other boundary",
        f"yes up to {CLOSE:g}, partly below {APART:g}, for each boundary: two relaxations of one are closer than any other",
        _comparison,
    ),
    Property(
        "invariance",
        "largest change when the same boundary is written differently, over the typical distance",
        f"a change up to {SAME:g} is none; yes for translations (and repetitions), permutations and rotations, partly for "
        "some of these",
        _invariance,
    ),
    Property(
        "perturbations",
        f"median change by random displacements of {SMALL_DISPLACEMENT_ANGSTROM:g} Angstrom, over the typical distance",
        f"small: median up to {SMALL_CHANGE:g}, else no; captured: grows with the displacement to a power between {EXPONENTS[0]:g} and "
        f"{EXPONENTS[1]:g} in every boundary, down to the smallest displacement, else partly",
        _perturbations,
    ),
    Property(
        "smoothly varying",
        "largest step along a path after steps are halved, over that before (0.5: continuous, 1: jumps)",
        f"no above {JUMPS:g}; yes up to {CONTINUOUS:g} if largest second differences go down to {SMOOTH:g} (0.25: smooth, 0.5: "
        "kinks) and no path leaves it constant, else partly",
        _smoothly_varying,
    ),
    Property(
        "3D structures",
        "share described of the boundaries of mixed character without a short period",
        f"yes from {MOST:g}, partly from {MANY:g}",
        _share,
    ),
    Property(
        "automation", "share of the survey's boundaries described", f"yes from {MOST:g}, partly from {MANY:g}", _share
    ),
    Property("connectivity"),
    Property(
        "multi-scale",
        "distance in Angstrom up to which two defects do not just add up",
        f"two displaced atoms change the description by more than {ADDS_UP:g} of the effect of one beyond the sum of both: yes at the "
        "long range of the settings (less a tenth), partly at half of it",
        _multi_scale,
    ),
    Property(
        "subunit discovery",
        "environments told apart",
        "yes for more than one that were found without a list of them",
        _subunit_discovery,
    ),
)
"""Rows of Table 2 of Homer et al. 2019, in its order."""
