"""Scorecard: what was measured beside what was published, each with a verdict that follows from a rule."""

from collections.abc import Mapping
from dataclasses import dataclass, field
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
compared only where all boundaries of the paper, and no others, were split as there, into halves; elsewhere: not comparable. \
Goals: reached if the best row's mean is no lower. Errors of snapshots: reached if the mean over the splits is no larger than \
the published one, rounded alike; the note says what predicting the mean would give, without which an error says little. \
Relevance: structural units count as highlighted if the area under the ROC curve of the atoms' relevance magnitudes is at \
least 0.7 (0.5: no better than chance). Table 2: entries that a computation decides, and how many agree with the published mark."""

COLUMNS = ["item", "published", "measured", "spread", "verdict", "note"]


_ROUNDING = 0.5  # the paper gives whole percents
_HIGHLIGHTED = 0.7
_MAPS = {
    "survey": ("learned from the survey (A)", "not highlighted"),
    "snapshots": ("learned from snapshots (B)", "highlighted"),
    "snapshots_from_rest": ("of snapshots' displacements (C)", ""),
}


@dataclass(frozen=True)
class Extras:
    """Tables of the parts that a run may lack."""

    snapshots: pd.DataFrame | None = None
    """As `gbscape.figures.snapshots.snapshot_learning_data` returns it."""
    relevance: pd.DataFrame | None = None
    """As `gbscape.relevance.statistics.tabulate_statistics` returns it."""
    properties: pd.DataFrame | None = None
    """Entries of Table 2, columns ENTRY_COLUMNS of `gbscape.descriptor_properties.tables`."""
    environments: Mapping[str, pd.DataFrame] = field(default_factory=dict)
    """Unique environments of each local environment representation, a row an environment."""


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
    extras: Extras = Extras(),
) -> pd.DataFrame:
    """Return the scorecard, columns `COLUMNS`.

    Args:
        n_enumerated: see `enumerated_as_published`.
        energies: the survey's table (columns id, energy_j_m2, published_energy_j_m2, difference_j_m2); `converged`, where it is known,
            gives a row of its own.
        accuracies: as `gbscape.figures.accuracies.accuracies_data` returns them.
        n_published: number of boundaries of the published survey; None without one.
        settings: tolerances and goals.
        extras: results of the other parts of the run.
    """
    rows = []
    if n_enumerated is not None and n_published is not None:
        verdict = "reached" if n_enumerated == n_published else f"missed by {abs(n_enumerated - n_published)}"
        rows.append(scorecard_row("Coincidence boundaries enumerated", n_published, n_enumerated, "", verdict))
    rows += _convergence_rows(energies)
    rows += _energy_rows(energies.dropna(subset=["difference_j_m2"]), settings)
    rows += _accuracy_rows(accuracies, energies, n_published)
    rows += _goal_rows(accuracies, settings)
    rows += _environment_rows(extras.environments)
    if extras.snapshots is not None:
        rows += _snapshot_rows(extras.snapshots)
    if extras.relevance is not None:
        rows += _relevance_rows(extras.relevance)
    if extras.properties is not None:
        rows += _property_rows(extras.properties)
    return pd.DataFrame(rows, columns=COLUMNS)


def write_scorecard(data: pd.DataFrame, path: str | Path) -> None:
    """Write the scorecard as an HTML table."""
    write_with_rules(data, path, "Scorecard", RULES)


def write_with_rules(data: pd.DataFrame, path: str | Path, title: str, rules: str) -> None:
    """Write a scorecard, `COLUMNS`, as an HTML table with the rules of its verdicts."""
    table = data.fillna("").rename(columns=str.capitalize)
    write_html_table(path, table, title, f"Rules of the verdicts. {rules}")


def scorecard_row(
    item: str, published: object, measured: object, spread: object = "", verdict: str = "", note: str = ""
) -> dict[str, object]:
    """A row of a scorecard, see `COLUMNS`."""
    return dict(zip(COLUMNS, (item, published, measured, spread, verdict, note), strict=True))


def _convergence_rows(energies: pd.DataFrame) -> list[dict[str, object]]:
    known = energies.dropna(subset=["converged"]) if "converged" in energies else energies[:0]
    if known.empty:
        return []  # structures of one's own do not say
    loose = known.loc[~known["converged"].astype(bool), "id"]
    return [
        scorecard_row(
            "Relaxations not converged to the force tolerance", "", len(loose), "", "", ", ".join(map(str, loose))
        )
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
        scorecard_row(
            f"Energies no higher than published + {tolerance:g} J/m²",
            f"goal {goal:g} %",
            f"{share:.1f} % ({reached.sum()} of {len(difference)})",
            "",
            verdict,
            ", ".join(f"{item}: +{value:.4f}" for item, value in difference[~reached].sort_values().items()),
        ),
        scorecard_row(
            "Largest energy above the published one",
            "",
            f"{difference[worst]:+.4f} J/m²",
            "",
            "",
            str(worst),
        ),
        scorecard_row(
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
        rows.append(scorecard_row(item, f"{published:g} %", f"{measured:.1f} %", f"± {spread:.1f}", verdict, note))
    return rows


def _goal_rows(accuracies: pd.DataFrame, settings: Figures) -> list[dict[str, object]]:
    rows = []
    for target, goal in settings.goals_percent.items():
        of_target = accuracies[accuracies["target"] == target] if "target" in accuracies else accuracies
        if of_target.empty:
            continue
        best = of_target.loc[of_target["mean_percent"].idxmax()]
        verdict = "reached" if best["mean_percent"] >= goal else f"missed by {goal - best['mean_percent']:.1f} %"
        rows.append(
            scorecard_row(
                f"Best accuracy, {target_label(target)}",
                f"goal {goal:g} %",
                f"{best['mean_percent']:.1f} %",
                f"± {best['std_percent']:.1f}",
                verdict,
                representation_label(best["representation"]),
            )
        )
    return rows


def _environment_rows(environments: Mapping[str, pd.DataFrame]) -> list[dict[str, object]]:
    return [
        scorecard_row(f"Unique environments, {representation_label(name)}", "", len(table), "", "")
        for name, table in environments.items()
    ]


def _snapshot_rows(learning: pd.DataFrame) -> list[dict[str, object]]:
    rows = []
    for (name, model), part in learning.groupby(["representation", "model"], sort=False):
        first = part.iloc[0]
        mae, published = float(first["mae_mean_j_m2"]), first["published_mae_j_m2"]
        verdict = ""
        if not pd.isna(published):
            # Half of the last digit that is given: 0.0015 or 0.002.
            rounding = 0.5 * 10.0 ** -len(f"{published:g}".partition(".")[2])
            verdict = "reached" if mae <= published + rounding else f"missed by {mae - published:.4f}"
        rows.append(
            scorecard_row(
                f"Error of snapshots' energies, {representation_label(str(name))}, {str(model).replace('_', ' ')}",
                "" if pd.isna(published) else f"{published:g} J/m²",
                f"{mae:.4f} J/m²",
                f"± {float(first['mae_std_j_m2']):.4f}",
                verdict,
                f"{first['n_train']} for training, {first['n_test']} for testing; predicting the mean: "
                f"{float(first['baseline_mae_j_m2']):.4f} J/m²; R² {float(first['r2_mean']):.3f}",
            )
        )
    return rows


def _relevance_rows(statistics: pd.DataFrame) -> list[dict[str, object]]:
    rows = []
    for name, part in statistics.groupby("map", sort=False):
        splits = part[part["split"] != "mean"]["auc_of_magnitude"].astype(float)
        label, published = _MAPS[str(name)]
        measured = "highlighted" if splits.mean() >= _HIGHLIGHTED else "not highlighted"
        verdict = ("reached" if measured == published else "not reproduced") if published else ""
        share = part["unit_share_of_relevance"].astype(float).mean()
        rows.append(
            scorecard_row(
                f"Structural units in the relevance {label}, area under the ROC curve",
                published,
                f"{splits.mean():.2f}",
                f"± {splits.std(ddof=0):.2f}",
                verdict,
                f"{measured}; they hold {100 * share:.0f} % of the relevance and are "
                f"{100 * float(part['unit_share_of_atoms'].iloc[0]):.0f} % of the atoms",
            )
        )
    return rows


def _property_rows(entries: pd.DataFrame) -> list[dict[str, object]]:
    rows = []
    decided = entries[entries["verdict"].isin(["yes", "partly", "no"]) & entries["published"].notna()]
    for name, part in decided.groupby("descriptor", sort=False):
        other = part[part["verdict"] != part["published"]]
        listed = ", ".join(
            f"{r['property']}: {r['verdict']}, published {r['published']}" for r in other.to_dict("records")
        )
        rows.append(
            scorecard_row(
                f"Entries of Table 2, {representation_label(str(name))}",
                len(part),
                len(part) - len(other),
                "",
                "",
                listed,
            )
        )
    return rows
