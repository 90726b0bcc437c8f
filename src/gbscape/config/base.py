"""What every settings model shares."""

import itertools
from typing import Annotated, TypeVar

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

_Numbers = TypeVar("_Numbers", bound=tuple[float, ...])

Name = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._+-]*$", max_length=60)]
"""Of something that a configuration lists by name; it becomes part of file names."""

Label = Annotated[str, Field(pattern=r"^[^\x00-\x1f\x7f/{}]+$", max_length=120)]
"""Of a boundary, which may come from the name of a file: no control characters, '/', '{' or '}'."""


def _smallest_first(numbers: _Numbers) -> _Numbers:
    if any(not low < high for low, high in itertools.pairwise(numbers)):
        raise ValueError(f"must be given smallest first, each once, got {list(numbers)}")
    return numbers


def _least_and_most(numbers: _Numbers) -> _Numbers:
    if numbers[0] > numbers[-1]:
        raise ValueError(f"must be the least and the most, got {list(numbers)}")
    return numbers


SmallestFirst = AfterValidator(_smallest_first)
"""Of numbers: each larger than the one before."""
LeastAndMost = AfterValidator(_least_and_most)
"""Of two numbers: the first not above the second."""


class Settings(BaseModel):
    """Immutable settings that refuse unknown keys; attribute docstrings become the schema's descriptions."""

    model_config = ConfigDict(
        extra="forbid",
        frozen=True,
        validate_default=True,
        use_attribute_docstrings=True,
        allow_inf_nan=False,
    )
