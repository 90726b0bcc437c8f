"""Tables behind the pictures of the alloy: errors of all that models are asked for, elastic constants, migration paths."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from gbscape.alloy.dataset import Cell, DatasetError, read_cells
from gbscape.alloy.elastic import (
    Moduli,
    constants_from_stresses,
    moduli,
    single_strains,
    size_of_strains,
    stress_from_energies,
)
from gbscape.alloy.migration import distances_along
from gbscape.alloy.tables import (
    ASKED_COLUMNS,
    BARRIER_COLUMNS,
    BARRIERS,
    JUDGED_MODULI,
    LARGER_CELLS,
    MODULI,
    MODULUS_COLUMNS,
)
from gbscape.config.alloy import CRYSTALS, LARGER, PATHS, STRAINED
from gbscape.store.tables import write_csv

Array = NDArray[np.float64]
Species = tuple[str, str]


def tabulate_moduli(
    predictions_csv: str | Path, strained_xyz: str | Path | None, out_csv: str | Path, species: Species, strain: float
) -> None:
    """Write bulk, shear and Young's moduli by DFT and by models, `MODULUS_COLUMNS`: of both from stresses of strained cells.

    Args:
        predictions_csv: of `gbscape.alloy.extrapolate`.
        strained_xyz: cells `NAME:STRAIN` with their stresses by DFT; none where there is no file.
        out_csv: the table.
        species: the alloy's.
        strain: size of the strains under which the models were asked for each of these cells; how large their own are they say
            themselves.

    Raises:
        DatasetError: a cell that cannot be used.
    """
    predictions = _of_batch(predictions_csv, STRAINED)
    cells_of = read_strained(strained_xyz, species) if strained_xyz else {}
    sizes, by_dft = {}, {}
    for name, cells in cells_of.items():
        try:
            sizes[name] = size_of_strains({label: cell.atoms for label, cell in cells.items()})
        except ValueError as error:
            raise DatasetError(f"{strained_xyz}: {name}: {error}") from None
        stresses = {label: cell.stress_ev_angstrom3 for label, cell in cells.items()}
        by_dft[name] = _moduli({label: its for label, its in stresses.items() if its is not None}, sizes[name])
    rows = []
    for (model, seed), table in predictions[predictions["strain"] != ""].groupby(["model", "seed"], sort=False):
        energies = {name: its.set_index("strain")["predicted_ev_atom"] for name, its in table.groupby("cell")}
        for name, dft in by_dft.items():
            cells = cells_of[name]
            if not all(cell.name in energies for cell in cells.values()):
                continue
            predicted = _moduli(
                {
                    label: stress_from_energies(
                        (energies[cell.name] * len(cell.atoms)).to_dict(), cell.atoms.cell.volume, strain
                    )
                    for label, cell in cells.items()
                },
                sizes[name],
            )
            rows += [
                [name, field.removesuffix("_gpa"), model, seed, table["n_features"].iloc[0], value, its]
                for field, value, its in zip(Moduli._fields, dft, predicted, strict=True)
            ]
    write_csv(out_csv, pd.DataFrame(rows, columns=MODULUS_COLUMNS))


def read_strained(path: str | Path, species: Species) -> dict[str, dict[str, Cell]]:
    """Strained cells with their stresses by name and strain; cells of which a strain is missing, since it failed, are left out.

    Raises:
        DatasetError: a frame that is not called `NAME:STRAIN`, or has no stress.
    """
    known = single_strains(1.0)
    cells: dict[str, dict[str, Cell]] = {}
    for cell in read_cells([path], species):
        name, _, label = cell.name.rpartition(":")
        if not name or label not in known:
            raise DatasetError(f"{path}: a frame is called '{cell.name}'; allowed: NAME:STRAIN with {', '.join(known)}")
        if cell.stress_ev_angstrom3 is None:
            raise DatasetError(f"{path}: {cell.name} has no stress")
        cells.setdefault(name, {})[label] = cell
    return {name: its for name, its in cells.items() if len(its) == len(known)}


def _moduli(stresses: dict[str, Array], strain: float) -> Moduli:
    return moduli(constants_from_stresses(stresses, strain))


def tabulate_barriers(
    predictions_csv: str | Path,
    paths_xyz: Sequence[str | Path],
    out_csv: str | Path,
    species: Species,
    names: Sequence[str],
) -> None:
    """Write the energies along migration paths over their first images, by DFT and by models, `BARRIER_COLUMNS`.

    Args:
        predictions_csv: of `gbscape.alloy.extrapolate`; paths of one of whose images there is none are left out.
        paths_xyz: images of each path, in their order.
        out_csv: the table.
        species: the alloy's.
        names: of the paths.

    Raises:
        DatasetError: images that cannot be used.
    """
    predictions = _of_batch(predictions_csv, PATHS)
    tables = []
    for name, file in zip(names, paths_xyz, strict=True):
        images = read_cells([file], species)
        n_atoms = len(images[0].atoms)
        along = pd.DataFrame(
            {
                "cell": [image.name for image in images],
                "path": name,
                "image": range(len(images)),
                "distance_angstrom": distances_along([image.atoms for image in images]),
                "dft_ev": np.array([image.energy_ev for image in images]) - images[0].energy_ev,
            }
        )
        table = along.merge(predictions, on="cell").sort_values("image", kind="stable")
        if not set(along["cell"]) <= set(table["cell"]):  # a barrier without its summit would be another
            continue
        of_model = table.groupby(["model", "seed"])["predicted_ev_atom"]
        table["predicted_ev"] = n_atoms * (table["predicted_ev_atom"] - of_model.transform("first"))
        tables.append(table)
    write_csv(out_csv, pd.concat([*tables, pd.DataFrame(columns=BARRIER_COLUMNS)])[BARRIER_COLUMNS])


def tabulate_errors(
    errors_csv: str | Path,
    predictions_csv: str | Path,
    moduli_csv: str | Path,
    barriers_csv: str | Path,
    out_csv: str | Path,
) -> None:
    """Write the mean absolute error of each model in all that it is asked for, `ASKED_COLUMNS`, a row a draw.

    Energies are an atom's; moduli are bulk and shear, of all cells (Young's has a pole); a barrier is the highest energy of a path over its first image.

    Args:
        errors_csv: of `gbscape.alloy.evaluate`.
        predictions_csv: of `gbscape.alloy.extrapolate`.
        moduli_csv, barriers_csv: the tables above.
        out_csv: the table.
    """
    of_tasks = pd.read_csv(errors_csv).rename(columns={"task": "asked", "n_test": "n_asked", "mae_mev": "error"})
    tables = [of_tasks.assign(unit="meV/atom")]
    for batch, asked in {LARGER: LARGER_CELLS, CRYSTALS: CRYSTALS}.items():
        its = _of_batch(predictions_csv, batch)
        tables.append(
            _mean_error(its, 1e3 * (its["predicted_ev_atom"] - its["energy_ev_atom"]), "cell", asked, "meV/atom")
        )
    its = pd.read_csv(moduli_csv)
    its = its[its["modulus"].isin(JUDGED_MODULI)]
    tables.append(_mean_error(its, its["predicted_gpa"] - its["dft_gpa"], "cell", MODULI, "GPa"))
    its = barrier_heights(pd.read_csv(barriers_csv))
    tables.append(_mean_error(its, 1e3 * (its["predicted_ev"] - its["dft_ev"]), "path", BARRIERS, "meV"))
    write_csv(out_csv, pd.concat([table[ASKED_COLUMNS] for table in tables if len(table)]))


def _mean_error(table: pd.DataFrame, error: "pd.Series[float]", of: str, asked: str, unit: str) -> pd.DataFrame:
    """Mean absolute error of each model and draw, over what the column `of` names."""
    by_draw = table.assign(error=error.abs()).groupby(["model", "seed", "n_features"], sort=False)
    errors = by_draw.agg(error=("error", "mean"), n_asked=(of, "nunique"))
    return errors.reset_index().assign(asked=asked, unit=unit)


def barrier_heights(along: pd.DataFrame) -> pd.DataFrame:
    """Highest energies of paths over their first images, a row a path, model and seed."""
    keys = ["path", "model", "seed", "n_features"]
    return along.groupby(keys, sort=False)[["dft_ev", "predicted_ev"]].max().reset_index()


def _of_batch(predictions_csv: str | Path, batch: str) -> pd.DataFrame:
    table = pd.read_csv(predictions_csv, dtype={"cell": str}, keep_default_na=False, na_values={"energy_ev_atom": [""]})
    return table[table["batch"] == batch].copy()
