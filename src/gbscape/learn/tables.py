"""Columns of the tables that learning writes; a module of its own, so that reading them takes none of the libraries that learn."""

RANDOM = "random"
"""Representation under which the baseline is listed."""

SCORE_COLUMNS = ["representation", "target", "split", "metric", "value", "n_train", "n_test"]
PREDICTION_COLUMNS = ["representation", "target", "split", "id", "set", "y_true", "y_pred"]
IMPORTANCE_COLUMNS = ["representation", "target", "feature", "importance_mean", "importance_std"]
CONFUSION_COLUMNS = ["representation", "target", "split", "y_true", "y_pred", "count"]
LEARNING_CURVE_COLUMNS = ["representation", "target", "repeat", "n_train", "n_test", "set", "mae_j_m2"]
