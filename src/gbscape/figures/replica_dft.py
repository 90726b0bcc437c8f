"""Atoms computed by DFT beside what the potential says of them."""

from pathlib import Path

import pandas as pd

from gbscape.figures.columns import require_columns
from gbscape.figures.html_table import write_html_table
from gbscape.replica.tables import DFT_COLUMNS

_CAPTION = (
    "Energies in eV over an atom of the crystal: by the potential in the whole model and in a replica cell, and by DFT in a "
    "replica cell, whose size and number of atoms are its own. Magnetic moments in Bohr magnetons, charges in elementary "
    "charges and volumes in cubic Angstrom are those of the atom by DFT."
)


def write_dft_table(data: pd.DataFrame, path: str | Path) -> None:
    """Write the table as HTML.

    Args:
        data: of `gbscape.replica.figure_data.tabulate_by_dft`.
        path: the page.

    Raises:
        ValueError: a column is missing.
    """
    require_columns(data, DFT_COLUMNS, "the atoms computed by DFT")
    table = pd.DataFrame(
        {
            "Atom": data["atom"].astype(str),
            "Type": data["type"],
            "Coordination": data["coordination"].astype(str),
            "Potential, model": data["potential_ev"].map("{:.3f}".format),
            "Potential, cell": data["computed_ev"].map("{:.3f}".format),
            "DFT, cell": data["dft_ev"].map("{:.3f}".format),
            "Atoms": data["n_atoms"].astype(str),
            "Moment": data["magnetic_moment_bohr"].map("{:.2f}".format),
            "Charge": data["charge_e"].map("{:+.2f}".format),
            "Volume": data["volume_angstrom3"].map("{:.1f}".format),
        }
    )
    write_html_table(path, table, "Atoms by DFT", _CAPTION)
