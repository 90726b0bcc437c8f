"""Models beside the boosted trees: kernel machines, randomised trees and their averages.

Everything that is tuned is tuned in cross-validation inside the training rows, and no function here is given a target of
another row.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from sklearn.ensemble import ExtraTreesClassifier, ExtraTreesRegressor
from sklearn.linear_model import LogisticRegression
from sklearn.svm import SVC

from gbscape.config.learn import KernelModel, RandomisedTrees, Task
from gbscape.learn.splits import Rows, cross_validation_folds

Part = KernelModel | RandomisedTrees


def fit_and_predict(
    parts: Sequence[Part],
    features: Mapping[str, np.ndarray],
    train: Rows,
    train_target: np.ndarray,
    rows: Rows,
    task: Task,
    seed: int,
) -> tuple[np.ndarray, dict[str, float]]:
    """Fit the models `parts` to the training rows and predict others with the mean of what they say.

    Args:
        parts: one model, or those that are averaged: their energies, or their probabilities of the classes.
        features: matrix (n, d) of each representation that the models name, float64.
        train: (m,) training rows.
        train_target: (m,) their energies in J/m^2, or labels.
        rows: (k,) rows to predict.
        seed: of folds and trees.

    Returns:
        (k,) energies or labels, and the numbers that were chosen, by name (empty for an average).

    Raises:
        ValueError: fewer training rows than folds, a single class, or a class with a single training row.
    """
    classes = None
    target = train_target
    if task == "classification":
        classes, target = np.unique(train_target, return_inverse=True)
        if len(classes) < 2:
            raise ValueError(f"classification needs at least two classes, all training rows are {classes[0]}")
        counts = np.bincount(target)
        if counts.min() < 2:
            raise ValueError(
                f"class {classes[counts.argmin()]} has one training row: a kernel or an average needs two; merge the class"
            )
    outputs: list[np.ndarray] = []
    chosen: dict[str, float] = {}
    for part in parts:
        matrix = (
            np.concatenate([features[name] for name in part.of], axis=1) if len(part.of) > 1 else features[part.of[0]]
        )
        output, chosen = _FITS[part.kind, task](part, matrix, train, target, rows, seed)
        outputs.append(output)
    mean = np.mean(outputs, axis=0)
    return (mean if classes is None else classes[mean.argmax(axis=1)]), (chosen if len(parts) == 1 else {})


def kernel_matrix(settings: KernelModel, squared_distances: np.ndarray, length: float) -> np.ndarray:
    """Gaussian or Matern kernel (nu = 5/2; Rasmussen and Williams 2006, eq. 4.17) of squared distances, same shape."""
    scaled = squared_distances / length**2
    if settings.kernel == "gaussian":
        return np.exp(-scaled / 2)
    root = np.sqrt(5 * scaled)
    return (1 + root + root**2 / 3) * np.exp(-root)


def ridge_in_kernel(
    kernel: np.ndarray, target: np.ndarray, weights: np.ndarray, penalty: float
) -> tuple[np.ndarray, float]:
    """Coefficients a (n,) and constant b that minimise sum(w (y - K a - b)^2) + penalty a.K.a for `kernel` K (n, n)."""
    n = len(target)
    system = np.ones((n + 1, n + 1))
    system[:n, :n] = kernel
    system[np.arange(n), np.arange(n)] += penalty / weights
    system[n, n] = 0.0
    solution = np.linalg.solve(system, np.append(target, 0.0))
    return solution[:n], float(solution[n])


def _kernel_ridge(
    settings: KernelModel, matrix: np.ndarray, train: Rows, target: np.ndarray, rows: Rows, seed: int
) -> tuple[np.ndarray, dict[str, float]]:
    weights = _energy_weights(target, settings.relative_error)
    folds = cross_validation_folds(target, "regression", settings.folds, seed)

    def loss(kernel: np.ndarray, penalty: float) -> float:
        total = 0.0
        for fit, validation in folds:
            a, b = ridge_in_kernel(kernel[np.ix_(fit, fit)], target[fit], weights[fit], penalty)
            residual = kernel[np.ix_(validation, fit)] @ a + b - target[validation]
            total += float(np.sum(weights[validation] * residual**2))
        return total

    kernels = _kernels(settings, matrix, train, rows)
    _, length, penalty = min(
        (loss(of_train, penalty), length, penalty)
        for length, (of_train, _) in kernels.items()
        for penalty in settings.penalties
    )
    of_train, to_train = kernels[length]
    a, b = ridge_in_kernel(of_train, target, weights, penalty)
    return to_train @ a + b, _chosen(settings, length) | {"penalty": penalty}


def _support_vectors(
    settings: KernelModel, matrix: np.ndarray, train: Rows, codes: np.ndarray, rows: Rows, seed: int
) -> tuple[np.ndarray, dict[str, float]]:
    """Probabilities (k, n_classes): logistic regression on decision values that were cross-validated (Platt 1999)."""
    folds = cross_validation_folds(codes, "classification", min(settings.folds, int(np.bincount(codes).min())), seed)
    weight = "balanced" if settings.balanced else None
    row_weights = _class_weights(codes, settings.balanced)

    def machine(cost: float) -> SVC:
        return SVC(C=cost, kernel="precomputed", class_weight=weight, decision_function_shape="ovr")

    def held_out_decisions(kernel: np.ndarray, cost: float) -> tuple[float, np.ndarray]:
        decisions, right = np.empty((len(codes), _decisions(codes))), np.empty(len(codes), dtype=bool)
        for fit, validation in folds:
            fitted = machine(cost).fit(kernel[np.ix_(fit, fit)], codes[fit])
            block = kernel[np.ix_(validation, fit)]
            right[validation] = fitted.predict(block) == codes[validation]
            decisions[validation] = fitted.decision_function(block).reshape(len(validation), -1)
        return float(row_weights @ right), decisions

    kernels = _kernels(settings, matrix, train, rows)
    best = (-1.0, 0.0, 0.0, np.empty(0))
    for length, (of_train, _) in kernels.items():
        for cost in settings.costs:
            score, decisions = held_out_decisions(of_train, cost)
            if score > best[0]:
                best = (score, length, cost, decisions)
    _, length, cost, decisions = best
    of_train, to_train = kernels[length]
    calibration = LogisticRegression(class_weight=weight, max_iter=1000).fit(decisions, codes)
    machine_decisions = machine(cost).fit(of_train, codes).decision_function(to_train).reshape(len(rows), -1)
    return calibration.predict_proba(machine_decisions), _chosen(settings, length) | {"cost": cost}


def _trees_for_energies(
    settings: RandomisedTrees, matrix: np.ndarray, train: Rows, target: np.ndarray, rows: Rows, seed: int
) -> tuple[np.ndarray, dict[str, float]]:
    forest = ExtraTreesRegressor(**_forest(settings, seed))
    forest.fit(matrix[train], target, sample_weight=_energy_weights(target, settings.relative_error))
    return forest.predict(matrix[rows]), {}


def _trees_for_classes(
    settings: RandomisedTrees, matrix: np.ndarray, train: Rows, codes: np.ndarray, rows: Rows, seed: int
) -> tuple[np.ndarray, dict[str, float]]:
    """Probabilities (k, n_classes)."""
    forest = ExtraTreesClassifier(**_forest(settings, seed))
    forest.fit(matrix[train], codes, sample_weight=_class_weights(codes, settings.balanced))
    return forest.predict_proba(matrix[rows]), {}


def _forest(settings: RandomisedTrees, seed: int) -> dict[str, Any]:
    return {
        "n_estimators": settings.n_trees,
        "min_samples_leaf": settings.rows_per_leaf,
        "max_features": "sqrt",
        "random_state": seed,
    }


def _kernels(
    settings: KernelModel, matrix: np.ndarray, train: Rows, rows: Rows
) -> dict[float, tuple[np.ndarray, np.ndarray]]:
    """Kernels (m, m) among the training rows and (k, m) of `rows` with them, by length (0 for the linear one)."""
    mean, spread = matrix[train].mean(axis=0), matrix[train].std(axis=0)
    # A column that varies by rounding alone says nothing.
    varies = spread > 1e-10 * np.abs(matrix[train]).max(axis=0)
    scale = np.where(varies, spread, 1.0) * np.sqrt(max(1, varies.sum()))
    at_train, at_rows = ((matrix[which] - mean) / scale * varies for which in (train, rows))
    products = at_train @ at_train.T, at_rows @ at_train.T
    if settings.kernel == "linear":
        return {0.0: products}
    norms = np.diag(products[0])
    squares = (
        np.maximum(0.0, norms[:, None] + norms - 2 * products[0]),
        np.maximum(0.0, np.sum(at_rows**2, axis=1)[:, None] + norms - 2 * products[1]),
    )
    return {
        length: (kernel_matrix(settings, squares[0], length), kernel_matrix(settings, squares[1], length))
        for length in settings.lengths
    }


def _energy_weights(energies_j_m2: np.ndarray, relative_error: bool) -> np.ndarray:
    """Weights of mean 1."""
    weights = energies_j_m2**-2.0 if relative_error else np.ones(len(energies_j_m2))
    return weights / weights.mean()


def _class_weights(codes: np.ndarray, balanced: bool) -> np.ndarray:
    """Weights of mean 1."""
    counts = np.bincount(codes)
    return len(codes) / (len(counts) * counts[codes]) if balanced else np.ones(len(codes))


def _decisions(codes: np.ndarray) -> int:
    n_classes = int(codes.max()) + 1
    return 1 if n_classes == 2 else n_classes


def _chosen(settings: KernelModel, length: float) -> dict[str, float]:
    return {} if settings.kernel == "linear" else {"length": length}


_FITS: dict[tuple[str, Task], Callable[..., tuple[np.ndarray, dict[str, float]]]] = {
    ("kernel", "regression"): _kernel_ridge,
    ("kernel", "classification"): _support_vectors,
    ("randomised_trees", "regression"): _trees_for_energies,
    ("randomised_trees", "classification"): _trees_for_classes,
}
