"""Columns of the tables."""

from collections.abc import Callable

import numpy as np
from ase import Atoms
from numpy.typing import NDArray

Vector = NDArray[np.float64]
Describe = Callable[[Atoms], Vector]
"""Description of a structure whose array `boundary` marks the boundary's atoms."""

MEASUREMENT_COLUMNS = ["descriptor", "property", "quantity", "boundary", "x", "value"]
"""One number each. `x` is the length in Angstrom or the number of steps it belongs to, empty where there is none. Changes of a
description are Euclidean distances over the typical distance between two boundaries of the survey (see
`measure.typical_distance`), unless the quantity says otherwise."""

ENTRY_COLUMNS = [
    "descriptor", "property", "quantity", "value", "verdict", "published", "certainty", "rule", "note"
]  # fmt: skip
"""An entry of the table: the number that decides, the verdict (`yes`, `partly`, `no`, `not measured`) by the rule, and the
published mark with how certain its place in the table is (see resources/published/README.md)."""

FOUND, LISTED = "unique environments found", "structure types in a list made beforehand"
"""Quantities of the discovery of subunits."""

TOGETHER = "two defects together, of one"
"""Quantity of pairs of defects."""
