"""Which atoms of a large pool to compute, so that a linear model of all of them learns the most."""

from gbscape.selection.optimal_design import a_optimality, d_optimality, rows_of_rank, uncertainty_reduction
from gbscape.selection.random_points import random_points

__all__ = ["a_optimality", "d_optimality", "random_points", "rows_of_rank", "uncertainty_reduction"]
