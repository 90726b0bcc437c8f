"""Compiled kernels: C++ beside the module that calls it, loaded through its C interface.

A module `x.py` that needs compiled code has `x.cpp` beside it, with `extern "C"` functions, and `x` in the list of
`setup.py`. Installing the package compiles each for the instruction sets of `LEVELS`, and `load` takes the best that the
processor runs, so that one installation serves the different nodes of a cluster. The libraries do not depend on the
version of Python. Each knows the sources that it was compiled from, and is refused where they have changed since.
"""

import ctypes
import hashlib
import re
from functools import cache
from pathlib import Path

LEVELS = {4: "avx512", 3: "avx2", 0: "generic"}
"""Builds of a kernel by level, best first; a processor runs those up to its own level."""

_PACKAGE = Path(__file__).resolve().parents[1]


@cache
def load(module: str) -> ctypes.CDLL:
    """The compiled library of a module.

    Args:
        module: full name, e.g. `gbscape.crystal.boxes`.

    Raises:
        ImportError: it has not been compiled, or from other sources than stand beside the module now.
    """
    own_level = _open("gbscape.native.cpu", "generic").gbscape_simd_level()
    for level, name in LEVELS.items():
        if level <= own_level and _path(module, name).is_file():
            return _open(module, name)
    raise _missing(module)


def _path(module: str, build: str) -> Path:
    *folders, name = module.split(".")[1:]
    return _PACKAGE.joinpath(*folders, f"_{name}_{build}.so")


def _source(module: str) -> Path:
    return _PACKAGE.joinpath(*module.split(".")[1:]).with_suffix(".cpp")


def fingerprint(module: str) -> str:
    """12 hexadecimal digits that change with a module's C++ file and the headers of this package that it includes."""
    files = [_source(module)]
    for file in files:  # which grows on the way
        for name in re.findall(r'^#include "(.+)"', file.read_text(), re.MULTILINE):
            header = _PACKAGE / "native" / name
            if header not in files:
                files.append(header)
    return hashlib.sha256(b"".join(file.read_bytes() for file in files)).hexdigest()[:12]


def _open(module: str, build: str) -> ctypes.CDLL:
    path = _path(module, build)
    if not path.is_file():
        raise _missing(module)
    library = ctypes.CDLL(str(path))
    # An installed wheel has no sources, and they cannot change.
    if _source(module).is_file() and _compiled_from(library) != fingerprint(module):
        raise ImportError(
            f"{path} was compiled from other sources than are there now: compile it anew by "
            f"`touch {_source(module)}` and `make setup` (or `pip install -e .`)"
        )
    return library


def _compiled_from(library: ctypes.CDLL) -> str | None:
    try:
        function = library.gbscape_sources
    except AttributeError:
        return None
    function.restype = ctypes.c_char_p
    return function().decode()


def _missing(module: str) -> ImportError:
    return ImportError(
        f"{module} has not been compiled for this machine: run `make setup` (or `pip install -e .`), which needs a C++ "
        "compiler, e.g. Debian's g++"
    )
