"""A structure from a file of any format that ASE reads."""

from pathlib import Path

import ase.io
from ase import Atoms
from ase.io.formats import UnknownFileTypeError


def read_structure(path: str | Path, format: str | None = None) -> Atoms:
    """The structure of a file; of several the last.

    Args:
        path: the file.
        format: ASE's name of its format, e.g. `aims`; None tells it by name and content.

    Raises:
        ValueError: it cannot be read, and why.
    """
    try:
        atoms = ase.io.read(path, index=-1, format=format)
    except UnknownFileTypeError as error:
        hint = "`ase info --formats` lists them" if format else "name it by `format`, e.g. format: aims"
        raise ValueError(f"{path}: ASE does not know the format ({error}); {hint}") from None
    except Exception as error:  # whatever the readers raise
        raise ValueError(f"{path} cannot be read as a structure: {type(error).__name__}: {error}") from None
    assert isinstance(atoms, Atoms)
    return atoms
