"""Looks into files of the user in a process of its own, with little memory and time, that cannot write.

`python -m gbscape.config.file_contents` reads a JSON list of `[kind, path, format]` from standard input and prints the problem
of each, or null, as a line of JSON. Whoever starts it knows by the number of lines which file ended it.
"""

import bz2
import gzip
import json
import lzma
import resource
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from gbscape.config.plain_yaml import read_plain_yaml

MEMORY_BYTES = 2**30
CPU_SECONDS = 3
READ_BYTES = 2**20
"""Structure files are read in full as long as all of them together are no larger; jobs check the others."""
CIF_BYTES = 2**14
"""The same of a single CIF, whose reader takes a time that grows with the square of the number of atoms."""
_LARGEST_EXPANSION = 200
_HEAD_BYTES = 4096
_LARGEST_HEADER_BYTES = 2**20


def check_text(path: Path) -> None:
    """Refuse what is not text.

    Raises:
        ValueError: it is binary.
    """
    with open(path, "rb") as file:
        if b"\0" in file.read(_HEAD_BYTES):
            raise ValueError(f"{path} is binary; a text file is allowed only")


def check_network(path: Path) -> None:
    """Refuse what is not a complete safetensors file, by its header.

    Raises:
        ValueError: a header that is no JSON, or tensors that are not in the file.
    """
    with open(path, "rb") as file:
        length = int.from_bytes(file.read(8), "little")
        if not 2 <= length <= _LARGEST_HEADER_BYTES:
            raise ValueError(f"{path} is no model: a safetensors file is allowed only, as training writes it")
        header = file.read(length)
    try:
        ends = [its["data_offsets"][1] for name, its in json.loads(header).items() if name != "__metadata__"]
        complete = 8 + length + max(ends) == path.stat().st_size
    except (ValueError, KeyError, TypeError, AttributeError, IndexError, RecursionError):
        raise ValueError(f"{path} is no model: its header is not that of a safetensors file") from None
    if not complete:
        raise ValueError(f"{path} is damaged: its size is not that of its tensors")


def structure_bytes(path: Path) -> int:
    """Bytes of a structure file, those that it unpacks to if it is packed, as far as `READ_BYTES`.

    Raises:
        ValueError: it is not what its name says, or unpacks to more than 200 times its size, as text does not.
    """
    size = path.stat().st_size
    openers: dict[str, Callable[..., Any]] = {".gz": gzip.open, ".bz2": bz2.open, ".xz": lzma.open}
    if path.suffix not in openers:
        return size
    limit = min(_LARGEST_EXPANSION * size, 64 * READ_BYTES)
    unpacked = 0
    try:
        with openers[path.suffix](path) as file:
            while unpacked <= limit and (block := file.read(2**20)):
                unpacked += len(block)
    except (OSError, EOFError, lzma.LZMAError) as error:
        raise ValueError(f"{path} cannot be unpacked: {error}") from None
    if unpacked > _LARGEST_EXPANSION * size:
        raise ValueError(f"{path} unpacks to more than {_LARGEST_EXPANSION} times its size, which no structure does")
    return unpacked


def check_classes(path: Path) -> list[tuple[Path, str | None]]:
    """Files of structures, and their formats, that a file of classes names.

    Raises:
        ValueError: it is no plain YAML.
    """
    content = read_plain_yaml(path)
    rows = content.get("prototypes") if isinstance(content, dict) else None
    if not isinstance(rows, list):
        raise ValueError(f"{path} must hold one key, 'prototypes', with a list of rows")
    return [
        (path.parent / str(row["structure"]), row.get("format"))
        for row in rows
        if isinstance(row, dict) and "structure" in row
    ]


def main() -> None:
    """Check the files of standard input; see above."""
    wanted = json.load(sys.stdin)
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    resource.setrlimit(resource.RLIMIT_CPU, (CPU_SECONDS, CPU_SECONDS + 1))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    read = 0
    for kind, name, format in wanted:
        problem = None
        try:
            read = _check(kind, Path(name), format, read)
        except ValueError as error:
            problem = str(error)
        except MemoryError:
            problem = f"{name} takes more than 1 GiB of memory to read"
        except OSError as error:
            problem = f"{name}: {error.strerror}"
        print(json.dumps(problem), flush=True)


def _check(kind: str, path: Path, format: str | None, read: int) -> int:
    """Check one file; returns the bytes of structures that were read so far."""
    if kind == "text":
        check_text(path)
    elif kind == "network":
        check_network(path)
    elif kind == "survey":
        from gbscape.store.plain_hdf5 import check_hdf5

        check_hdf5(path)
    elif kind == "classes":
        from gbscape.config.user_files import path_problem

        for structure, its_format in check_classes(path):
            if problem := path_problem(structure, "structure"):
                raise ValueError(f"{path}: structure {str(structure)!r}: {problem}")
            read = _check("structure", structure, its_format, read)
    else:
        size = structure_bytes(path)
        read += size
        is_cif = format == "cif" or ".cif" in path.suffixes
        if read <= READ_BYTES and not (is_cif and size > CIF_BYTES):
            from gbscape.structure.structure_file import read_structure

            read_structure(path, format)
    return read


if __name__ == "__main__":
    main()
