"""What every settings model shares."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

Name = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._+-]*$", max_length=60)]
"""Of something that a configuration lists by name; it becomes part of file names."""

Label = Annotated[str, Field(pattern=r"^[^\x00-\x1f\x7f/{}]+$", max_length=120)]
"""Of a boundary, which may come from the name of a file: no control characters, '/', '{' or '}'."""


class Settings(BaseModel):
    """Immutable settings that refuse unknown keys; attribute docstrings become the schema's descriptions."""

    model_config = ConfigDict(
        extra="forbid",
        frozen=True,
        validate_default=True,
        use_attribute_docstrings=True,
        allow_inf_nan=False,
    )
