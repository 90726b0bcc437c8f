"""Scorecard: what was measured beside what was published, each with a verdict that follows from a rule."""

from pathlib import Path

import pandas as pd

from gbscape.config.figures import Figures
from gbscape.config.survey import Enumeration
from gbscape.figures.html_table import write_html_table
from gbscape.figures.labels import representation_label, target_label
from gbscape.learn.tables import RANDOM
from gbscape.survey.enumeration import enumerate_boundaries

RULES = """\
Number of boundaries: reached if equal. Energies: reached if at least the wanted share of the compared boundaries has an \
energy no higher than the published one plus the tolerance; structures of lower energy are listed, to be looked at. \
Accuracies: reached if the mean over the splits, rounded as the paper rounds, is no lower than the published number; the \
Random baseline, which is to agree, if it is no further from it than one standard deviation of the splits. Accuracies are \
compared only where all boundaries of the paper, and no others, were split as there, into halves; elsewhere: not comparable."""

COLUMNS = ["item", "published", "measured", "spread", "verdict", "note"]


_ROUNDING = 0.5  # the paper gives whole percents


def enumerated_as_published(settings: Enumeration) -> int | None:
    """Number of boundaries before any selection, where the settings are those of the published survey; else None."""
    if (settings.lattice, settings.max_length) != ("fcc", 15.0):
        return None
    return len(enumerate_boundaries(settings.lattice, settings.max_length))


def scorecard_data(
    n_enumerated: int | None,
    energies: pd.DataFrame,
    accuracies: pd.DataFrame,
    n_published: int | None,
    settings: Figures,
) -> pd.DataFrame:
    """Return the scorecard, columns `COLUMNS`.

    Args:
        n_enumerated: see `enumerated_as_published`.
        energies: the survey's table (columns id, energy_j_m2, published_energy_j_m2, difference_j_m2); `converged`, where it is known,
            gives a row of its own.
        accuracies: as `gbscape.figures.accuracies.accuracies_data` returns them.
        n_published: number of boundaries of the published survey; None without one.
        settings: tolerances.
    """
    rows = []
    if n_enumerated is not None and n_published is not None:
        verdict = "reached" if n_enumerated == n_published else f"missed by {abs(n_enumerated - n_published)}"
        rows.append(_row("Coincidence boundaries enumerated", n_published, n_enumerated, "", verdict))
    rows += _convergence_rows(energies)
    rows += _energy_rows(energies.dropna(subset=["difference_j_m2"]), settings)
    return pd.DataFrame(rows + _accuracy_rows(accuracies, energies, n_published), columns=COLUMNS)


def write_scorecard(data: pd.DataFrame, path: str | Path) -> None:
    """Write the scorecard as an HTML table."""
    table = data.fillna("").rename(columns=str.capitalize)
    write_html_table(path, table, "Scorecard", f"Rules of the verdicts. {RULES}")


def _row(
    item: str, published: object, measured: object, spread: object, verdict: str, note: str = ""
) -> dict[str, object]:
    return dict(zip(COLUMNS, (item, published, measured, spread, verdict, note), strict=True))


def _convergence_rows(energies: pd.DataFrame) -> list[dict[str, object]]:
    known = energies.dropna(subset=["converged"]) if "converged" in energies else energies[:0]
    if known.empty:
        return []  # structures of one's own do not say
    loose = known.loc[~known["converged"].astype(bool), "id"]
    return [
        _row("Relaxations not converged to the force tolerance", "", len(loose), "", "", ", ".join(map(str, loose)))
    ]


def _energy_rows(compared: pd.DataFrame, settings: Figures) -> list[dict[str, object]]:
    if compared.empty:
        return []
    tolerance, lower_by = settings.reached_within_j_m2, settings.lower_by_j_m2
    difference = compared.set_index("id")["difference_j_m2"]
    reached = difference <= tolerance
    share = 100 * reached.mean()
    goal = settings.reached_share_percent
    verdict = "reached" if share >= goal else f"missed by {goal - share:.1f} %"
    lower = difference[difference < -lower_by].sort_values()
    worst = difference.idxmax()
    return [
        _row(
            f"Energies no higher than published + {tolerance:g} J/m²",
            f"goal {goal:g} %",
            f"{share:.1f} % ({reached.sum()} of {len(difference)})",
            "",
            verdict,
            ", ".join(f"{item}: +{value:.4f}" for item, value in difference[~reached].sort_values().items()),
        ),
        _row(
            "Largest energy above the published one",
            "",
            f"{difference[worst]:+.4f} J/m²",
            "",
            "",
            str(worst),
        ),
        _row(
            f"Structures more than {lower_by:g} J/m² below the published energy",
            "",
            len(lower),
            "",
            "",
            ", ".join(f"{item}: {value:.4f}" for item, value in lower.items()),
        ),
    ]


def _accuracy_rows(
    accuracies: pd.DataFrame, energies: pd.DataFrame, n_published: int | None
) -> list[dict[str, object]]:
    same_boundaries = len(energies) == energies["published_energy_j_m2"].notna().sum() == n_published
    rows = []
    for r in accuracies.dropna(subset=["published_percent"]).to_dict("records"):
        measured, spread, published = r["mean_percent"], r["std_percent"], r["published_percent"]
        note = f"published above {r['splits_below_published_percent']:.0f} % of the {r['n_splits']} splits"
        if not same_boundaries:
            verdict, note = "not comparable", f"{len(energies)} boundaries, the paper has {n_published}"
        elif abs(r["n_train"] - r["n_test"]) > 1:
            verdict, note = "not comparable", f"{r['n_train']} boundaries for training, {r['n_test']} for testing"
        elif r["representation"] == RANDOM:
            off = abs(measured - published)
            verdict = "reached" if off <= spread + _ROUNDING else f"missed by {off:.1f} %"
        else:
            verdict = "reached" if measured >= published - _ROUNDING else f"missed by {published - measured:.1f} %"
        item = f"Accuracy, {target_label(r['target'])}, {representation_label(r['representation'])}"
        rows.append(_row(item, f"{published:g} %", f"{measured:.1f} %", f"± {spread:.1f}", verdict, note))
    return rows
