"""Columns of the tables of the alloy, and names in them; a module of its own, so that drawing takes none of the libraries that
compute."""

ERROR_COLUMNS = ["task", "model", "seed", "n_train", "n_test", "n_features", "mae_mev", "rmse_mev"]
PREDICTION_COLUMNS = [
    "model", "seed", "cell", "concentration", "energy_ev_atom", "predicted_ev_atom", "spread_ev_atom",
]  # fmt: skip
SIZE_COLUMNS = ["selection", "seed", "n_features", "training_mev", "test_mev"]
UNSEEN_COLUMNS = ["batch", "cell", "strain", "model", "seed", "n_features", "energy_ev_atom", "predicted_ev_atom"]
"""`strain`: empty, or one of `gbscape.alloy.elastic.single_strains` that the cell is under."""
MODULUS_COLUMNS = ["cell", "modulus", "model", "seed", "n_features", "dft_gpa", "predicted_gpa"]
BARRIER_COLUMNS = ["path", "image", "distance_angstrom", "model", "seed", "n_features", "dft_ev", "predicted_ev"]
ASKED_COLUMNS = ["asked", "model", "seed", "n_features", "n_asked", "error", "unit"]
"""`n_asked`: cells, crystals, strained cells or paths over which the error is a mean."""

UNSEEN = "unseen cells"
LARGER_CELLS, MODULI, BARRIERS = "larger cells", "elastic moduli", "migration barriers"
"""What is asked of the models, besides crystals and concentrations."""
JUDGED_MODULI = ["bulk", "shear"]
"""Of the elastic moduli those whose errors are averaged."""
SOAP_RIDGE = "soap ridge"
"""The model on another description, which the others are compared with."""
