"""Columns of the tables of the atomic energies, and names of sets of atoms in them; a module of its own, so that drawing takes
none of the libraries that compute."""

POINTS_COLUMNS = ["strategy", "seed", "order", "atom"]
TEST, REFERENCE = "test", "reference"
"""Names, in the place of a strategy, of test sets and of the atoms whose energy is the zero of all."""
ERROR_COLUMNS = [
    "strategy", "seed", "size", "n_training", "n_test", "rmse_ev", "max_error_ev", "rmse_all_ev", "max_error_all_ev",
]  # fmt: skip
"""`size`: atoms of the training set as asked for; `n_training`: those of them that have an energy."""
PREDICTION_COLUMNS = ["strategy", "seed", "set", "atom", "computed_ev", "predicted_ev", "standard_deviation_ev"]
SUMMARY_COLUMNS = ["quantity", "value", "unit"]
SLICE_COLUMNS = ["x", "y", "type", "coordination", "predicted_ev", "standard_deviation_ev", "exact_ev"]
COMPONENT_COLUMNS = ["set", "type", "first", "second", "first_share", "second_share"]
COMPUTED_COLUMNS = ["atom", "type", "coordination", "computed_ev", "potential_ev"]
DESCRIPTION_COLUMNS = ["vectors", "n_features", *ERROR_COLUMNS]
DFT_COLUMNS = [
    "atom", "type", "coordination", "potential_ev", "computed_ev", "dft_ev", "n_atoms", "magnetic_moment_bohr", "charge_e",
    "volume_angstrom3",
]  # fmt: skip
RADIUS_COLUMNS = ["coordination", "atom", "radius_angstrom", "atoms", "averaged_error_ev"]
