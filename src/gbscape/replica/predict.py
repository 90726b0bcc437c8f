"""The energy of every atom of a model, predicted from those of a few, with an uncertainty; and that of its boundaries."""

from pathlib import Path

import ase.io
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from gbscape.config.replica import Strategy
from gbscape.learn.ridge import fit_ridge
from gbscape.replica.atom_types import TYPE_NAMES
from gbscape.replica.model import model_atoms
from gbscape.replica.points import points_of, with_energies
from gbscape.replica.tables import SUMMARY_COLUMNS
from gbscape.store.arrays import read_arrays, write_arrays
from gbscape.store.atomic import atomic_path
from gbscape.store.provenance import Provenance
from gbscape.store.tables import write_csv
from gbscape.structure.units import EV_PER_ANGSTROM2_IN_J_M2

Array = NDArray[np.float64]


def predict_energies(
    vectors_h5: str | Path,
    points_csv: str | Path,
    energies_csv: str | Path,
    out: str | Path,
    strategy: Strategy,
    ridge_lambda: float | None,
    code: str,
    exact_ev: Array | None = None,
) -> None:
    """Write `predicted_ev` and `standard_deviation_ev` (n,) of all atoms over an atom of the crystal, learned from the atoms
    of one strategy (of its first seed), and `exact_ev` where it is known."""
    vectors = read_arrays(vectors_h5, ["vectors"])["vectors"]
    computed = pd.read_csv(energies_csv).set_index("atom")["energy_ev"]
    training = with_energies(points_of(pd.read_csv(points_csv), strategy, 0), computed)
    model = fit_ridge(vectors[training], computed[training].to_numpy(), ridge_lambda)
    arrays = {"predicted_ev": model.predict(vectors), "standard_deviation_ev": model.standard_deviation(vectors)}
    if exact_ev is not None:
        arrays["exact_ev"] = exact_ev
    inputs = {"vectors": vectors_h5, "points": points_csv, "energies": energies_csv}
    write_arrays(out, arrays, Provenance.of({"strategy": strategy, "ridge_lambda": ridge_lambda}, code, inputs))


def export_predictions(
    model_h5: str | Path, types_h5: str | Path, predicted_h5: str | Path, out_xyz: str | Path
) -> None:
    """Write all atoms with their energies, uncertainties and types as extended XYZ, for OVITO."""
    atoms = model_atoms(model_h5)
    for name, values in (read_arrays(predicted_h5) | read_arrays(types_h5)).items():
        atoms.set_array(name, values.astype(np.int32) if values.dtype.kind in "iu" else values)
    with atomic_path(out_xyz) as temporary:
        ase.io.write(temporary, atoms, format="extxyz")


def summarise_predictions(
    built_h5: str | Path, model_h5: str | Path, types_h5: str | Path, predicted_h5: str | Path, out_csv: str | Path
) -> None:
    """Write what is to be known of the model and the predictions, `SUMMARY_COLUMNS`: numbers of atoms by type, energies, the
    energy of the boundaries per area where this is known (given by the user, or of a polycrystal that was built: that of the
    planes between its grains before they moved), errors and calibration where the exact energies are known."""
    types, predicted = read_arrays(types_h5), read_arrays(predicted_h5)
    model = read_arrays(model_h5, ["edges", "max_force_ev_angstrom", "pressure_gpa"])
    rows: list[tuple[str, float, str]] = [("atoms", len(predicted["predicted_ev"]), "")]
    counts = np.bincount(types["structure_type"], minlength=len(TYPE_NAMES))
    rows += [(f"atoms {name}", count, "") for name, count in zip(TYPE_NAMES, counts.tolist(), strict=True)]
    rows += [
        ("edge", float(model["edges"][0]), "Å"),
        ("largest force", float(model["max_force_ev_angstrom"]), "eV/Å"),
        ("pressure", float(model["pressure_gpa"]), "GPa"),
        ("mean predicted energy", float(predicted["predicted_ev"].mean()), "eV"),
        ("largest predicted energy", float(predicted["predicted_ev"].max()), "eV"),
        ("mean standard deviation", float(predicted["standard_deviation_ev"].mean()), "eV"),
    ]
    exact = predicted.get("exact_ev")
    area = _boundary_area(built_h5, model["edges"])
    if area is not None:
        rows += [("area of the boundaries", area, "Å²")]
        rows += [("energy of the boundaries, predicted", _j_m2(predicted["predicted_ev"], area), "J/m²")]
    if exact is not None:
        if area is not None:
            rows += [("energy of the boundaries, exact", _j_m2(exact, area), "J/m²")]
        error = predicted["predicted_ev"] - exact
        scaled = np.abs(error) / predicted["standard_deviation_ev"]
        rows += [("RMSE over all atoms", float(np.sqrt((error**2).mean())), "eV"),
                 ("largest error over all atoms", float(np.abs(error).max()), "eV")]  # fmt: skip
        rows += [(f"atoms within {n} standard deviations", 100 * float((scaled <= n).mean()), "%") for n in (1, 2)]
    write_csv(out_csv, pd.DataFrame(rows, columns=SUMMARY_COLUMNS))


def _boundary_area(built_h5: str | Path, edges: Array) -> float | None:
    built = read_arrays(built_h5)
    if "boundary_area_angstrom2" not in built:
        return None
    return float(built["boundary_area_angstrom2"] * (edges[0] / built["edges"][0]) ** 2)


def _j_m2(energies: Array, area_angstrom2: float) -> float:
    return float(energies.sum() / area_angstrom2 * EV_PER_ANGSTROM2_IN_J_M2)
