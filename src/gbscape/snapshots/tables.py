"""Columns of the tables of snapshots; a module of its own, so that reading them takes none of the libraries that learn."""

SCORE_COLUMNS = ["representation", "model", "split", "n_train", "n_test", "mae_j_m2", "r2", "baseline_mae_j_m2"]
PREDICTION_COLUMNS = ["representation", "model", "split", "id", "y_true", "y_pred"]
TIME_COLUMNS = ["id", "time_ps", "energy_j_m2", "temperature_kelvin", "quenched_energy_j_m2", "quenched_shift_angstrom"]
CHECK_COLUMNS = ["quantity", "unit", "value", "standard_error", "expected", "meaning"]
