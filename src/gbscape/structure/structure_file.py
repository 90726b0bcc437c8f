"""A structure from a file of a format that ASE reads and that is nothing but data."""

from pathlib import Path
from typing import get_args

import ase.io
import numpy as np
from ase import Atoms
from ase.io.formats import UnknownFileTypeError, filetype

from gbscape.config.structure_formats import StructureFormat

LARGEST_ANGSTROM = 1e7
"""Of a coordinate."""


def read_structure(path: str | Path, format: str | None = None) -> Atoms:
    """The structure of a file; of several the last.

    Args:
        path: the file, whose name is no pattern and no URL, whatever is in it.
        format: ASE's name of its format, e.g. `aims`; None tells it by name and content.

    Raises:
        ValueError: it cannot be read, or is no structure (see `check_structure`), and why.
    """
    file = str(Path(path).absolute())
    try:
        name = format or filetype(file)
        if name not in get_args(StructureFormat):
            raise _NotReadError(
                f"{path}: ASE takes it for the format {name!r}, which is not read; name it by `format`, one of "
                f"{', '.join(get_args(StructureFormat))}"
            )
        atoms = ase.io.read(file, index=-1, format=name, do_not_split_by_at_sign=True)
    except _NotReadError:
        raise
    except UnknownFileTypeError as error:
        raise ValueError(
            f"{path}: ASE does not know the format ({error}); name it by `format`, e.g. format: aims"
        ) from None
    except StopIteration:
        raise ValueError(f"{path} cannot be read as a structure: it holds none") from None
    except MemoryError:
        raise
    except Exception as error:  # whatever the readers raise
        reason = " ".join(str(error).split())[:300]
        raise ValueError(f"{path} cannot be read as a structure: {type(error).__name__}: {reason}") from None
    assert isinstance(atoms, Atoms)
    check_structure(atoms, path)
    return atoms


def check_structure(atoms: Atoms, path: str | Path) -> None:
    """Refuse what no calculation can start from.

    Raises:
        ValueError: no atoms, an element that does not exist, a position or cell that is not finite or beyond 1e7, periodic
            cell vectors that span no volume.
    """
    if len(atoms) == 0:
        raise ValueError(f"{path} holds no atoms")
    if (atoms.numbers <= 0).any():
        first = int(np.argmax(atoms.numbers <= 0))
        raise ValueError(f"{path}: atom {first} is of an unknown element (X); chemical symbols are allowed")
    for what, values in (("positions", atoms.positions), ("cell", np.asarray(atoms.cell))):
        if not (np.abs(values) <= LARGEST_ANGSTROM).all():  # also false for NaN
            raise ValueError(f"{path}: {what} must be finite numbers, at most {LARGEST_ANGSTROM:g}")
    periodic = np.asarray(atoms.cell)[atoms.pbc]
    if len(periodic) and np.linalg.matrix_rank(periodic, tol=1e-3) < len(periodic):
        raise ValueError(f"{path}: it is periodic, but its cell vectors span no volume: {atoms.cell[:].tolist()}")


class _NotReadError(ValueError):
    pass
