"""Tables that the figures of the atomic energies are drawn from (figures 2, 3, 6, 7 and 8 of Tamura et al. 2020)."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from gbscape.replica.atom_types import TYPE_NAMES
from gbscape.replica.exact import exact_energies
from gbscape.replica.points import points_of, reference_atoms
from gbscape.replica.tables import (
    COMPONENT_COLUMNS,
    COMPUTED_COLUMNS,
    DESCRIPTION_COLUMNS,
    DFT_COLUMNS,
    RADIUS_COLUMNS,
    SLICE_COLUMNS,
    TEST,
)
from gbscape.store.arrays import arrays_shape, read_arrays
from gbscape.store.tables import write_csv

Array = NDArray[np.float64]

_SLICE_ANGSTROM = 3.0
_MOST_OF_A_TYPE = 1000
"""Points drawn of each structure type, as in the paper."""
_RADII_ANGSTROM = np.arange(0.0, 6.01, 0.25)


def tabulate_slice(model_h5: str | Path, types_h5: str | Path, predicted_h5: str | Path, out_csv: str | Path) -> None:
    """Write the atoms of a slice through the middle of the model, `SLICE_COLUMNS`, x and y in Angstrom."""
    model, types, predicted = (
        read_arrays(model_h5, ["positions", "edges"]),
        read_arrays(types_h5),
        read_arrays(predicted_h5),
    )
    height = model["positions"][:, 2] - model["edges"][2] / 2
    inside = np.flatnonzero(np.abs(height) <= _SLICE_ANGSTROM / 2)
    inside = inside[np.argsort(height[inside], kind="stable")]  # those above are drawn over those below
    table = pd.DataFrame(
        {
            "x": model["positions"][inside, 0],
            "y": model["positions"][inside, 1],
            "type": np.array(TYPE_NAMES)[types["structure_type"][inside]],
            "coordination": types["coordination"][inside],
            "predicted_ev": predicted["predicted_ev"][inside],
            "standard_deviation_ev": predicted["standard_deviation_ev"][inside],
            "exact_ev": predicted["exact_ev"][inside] if "exact_ev" in predicted else np.nan,
        }
    )
    write_csv(out_csv, table[SLICE_COLUMNS])


def tabulate_components(
    vectors_h5: str | Path, types_h5: str | Path, points_csv: str | Path, out_csv: str | Path, seed: int
) -> None:
    """Write the first two components of up to 1000 atoms of each structure type, drawn at random (`set` is "model"), and of
    the atoms of the first training set of every strategy and of the first test set, `COMPONENT_COLUMNS`."""
    arrays = read_arrays(vectors_h5, ["vectors", "variances"])
    kinds = read_arrays(types_h5, ["structure_type"])["structure_type"]
    shares = arrays["variances"][:2] / arrays["variances"].sum()
    rng = np.random.default_rng(seed)
    sets = []
    for number in range(len(TYPE_NAMES)):
        members = np.flatnonzero(kinds == number)
        sets.append(("model", rng.choice(members, size=min(_MOST_OF_A_TYPE, len(members)), replace=False)))
    points = pd.read_csv(points_csv)
    sets += [(name, points_of(points, name, 0)) for name in points["strategy"].unique()]
    parts = [
        pd.DataFrame(
            {
                "set": name,
                "type": np.array(TYPE_NAMES)[kinds[atoms]],
                "first": arrays["vectors"][atoms, 0],
                "second": arrays["vectors"][atoms, 1],
                "first_share": shares[0],
                "second_share": shares[1],
            }
        )
        for name, atoms in sets
    ]
    write_csv(out_csv, pd.concat(parts, ignore_index=True)[COMPONENT_COLUMNS])


def tabulate_computed(
    model_h5: str | Path,
    types_h5: str | Path,
    energies_csv: str | Path,
    potential_json: str | Path,
    points_csv: str | Path,
    out_csv: str | Path,
) -> None:
    """Write the computed energies beside those of the same atoms in the whole model by the potential that relaxed it, each over
    that of an atom of the crystal, `COMPUTED_COLUMNS`."""
    types, computed = read_arrays(types_h5), pd.read_csv(energies_csv)
    atoms = computed["atom"].to_numpy(np.int64)
    table = pd.DataFrame(
        {
            "atom": atoms,
            "type": np.array(TYPE_NAMES)[types["structure_type"][atoms]],
            "coordination": types["coordination"][atoms],
            "computed_ev": computed["energy_ev"],
            "potential_ev": exact_energies(model_h5, potential_json, points_csv)[atoms],
        }
    )
    write_csv(out_csv, table[COMPUTED_COLUMNS])


def tabulate_by_dft(computed_csv: str | Path, dft_csv: str | Path, points_csv: str | Path, out_csv: str | Path) -> None:
    """Write what DFT says of some atoms beside the potential in the whole model and the backend in its own cells, each over that
    of the crystal: of a reference atom in the same kind of cell, `DFT_COLUMNS`.

    Args:
        computed_csv: of `tabulate_computed`.
        dft_csv: energies by DFT, of `gather_energies` there; atoms that failed are not in it.
        points_csv: with the reference atoms.
        out_csv: the table; empty where the reference failed.
    """
    dft = pd.read_csv(dft_csv)
    reference = reference_atoms(points_csv)[0]
    zero = dft.loc[dft["atom"] == reference, "energy_ev"]
    table = dft[dft["atom"] != reference].merge(pd.read_csv(computed_csv), on="atom", validate="one_to_one")
    table["dft_ev"] = table["energy_ev"] - zero.iloc[0] if len(zero) else np.nan
    write_csv(out_csv, table.dropna(subset="dft_ev")[DFT_COLUMNS])


def tabulate_descriptions(
    vectors_h5: Sequence[str | Path], errors_csv: Sequence[str | Path], out_csv: str | Path, names: Sequence[str]
) -> None:
    """Write the errors with the model's own vectors and with the alternatives, at the largest size of the training set and of
    the strategies that all have, `DESCRIPTION_COLUMNS`; no rows where they have none in common.

    Args:
        vectors_h5: vectors of each.
        errors_csv: errors of each, of `gbscape.replica.evaluate`.
        out_csv: the table.
        names: of each.
    """
    tables = []
    for name, vectors, errors in zip(names, vectors_h5, errors_csv, strict=True):
        table = pd.read_csv(errors)
        table = table[table["size"] == table.groupby("strategy")["size"].transform("max")]
        tables.append(table.assign(vectors=name, n_features=arrays_shape(vectors, "directions")[1]))
    common = set.intersection(*(set(table["strategy"]) for table in tables))
    joined = pd.concat(tables, ignore_index=True)
    write_csv(out_csv, joined[joined["strategy"].isin(common)][DESCRIPTION_COLUMNS])


def tabulate_radii(
    model_h5: str | Path,
    types_h5: str | Path,
    points_csv: str | Path,
    predicted_h5: str | Path,
    out_csv: str | Path,
) -> None:
    """Write the error averaged over the atoms within a radius of a central one (equation 16), `RADIUS_COLUMNS`.

    The central atoms are those of the first test set with the largest error of their coordination number, by the model that
    predicts all atoms. Without the exact energies of the atoms around them the table is empty.
    """
    predicted = read_arrays(predicted_h5)
    if "exact_ev" not in predicted:
        write_csv(out_csv, pd.DataFrame(columns=RADIUS_COLUMNS))
        return
    model = read_arrays(model_h5, ["positions", "edges"])
    coordination = read_arrays(types_h5, ["coordination"])["coordination"]
    error: Array = predicted["predicted_ev"] - predicted["exact_ev"]
    test = points_of(pd.read_csv(points_csv), TEST, 0)
    tree = cKDTree(model["positions"], boxsize=model["edges"])
    rows = []
    for number in np.unique(coordination[test]):
        members = test[coordination[test] == number]
        centre = int(members[np.argmax(np.abs(error[members]))])
        for radius in _RADII_ANGSTROM:
            around = tree.query_ball_point(model["positions"][centre], radius + 1e-9)
            rows.append((number, centre, radius, len(around), abs(float(error[around].mean()))))
    write_csv(out_csv, pd.DataFrame(rows, columns=RADIUS_COLUMNS))
