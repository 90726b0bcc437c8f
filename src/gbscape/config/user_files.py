"""Files and folders that a configuration names: what they are and what is in them, before any job is planned."""

import contextlib
import json
import os
import signal
import stat
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Literal, NamedTuple

import gbscape
from gbscape.config.file_contents import CPU_SECONDS

Kind = Literal["structure", "survey", "potential", "classes", "network", "text"]
FOLDERS: tuple[Kind, ...] = ("classes",)
"""Kinds of which a folder may be named where a file may."""
WAIT_SECONDS = 60
"""For all files together, which may be on a slow file system."""
_PICKLES = (".pkl", ".pickle", ".p", ".dill", ".joblib", ".pt", ".pth", ".ckpt", ".npy", ".npz")
_PICKLE_STARTS = (b"\x80\x02", b"\x80\x03", b"\x80\x04", b"\x80\x05", b"PK\x03\x04", b"\x93NUMPY")
_CONTENT: dict[Kind, str] = {"potential": "text"}


class UserFile(NamedTuple):
    """A file that the configuration names."""

    key: str
    path: str
    kind: Kind
    folder: bool = False
    """Whether a folder with files of this kind is meant."""
    format: str | None = None
    """ASE's name of a structure's format."""


def name_problem(path: str | Path) -> str | None:
    """What is wrong with the name of a file, if anything: it takes part in Snakemake's patterns and in tables."""
    if not all(character.isprintable() for character in str(path)):
        return "control characters are not allowed in names of files"
    if set("{}") & set(str(path)):
        return "braces are not allowed in names of files: they are wildcards to Snakemake"
    return None


def path_problem(path: str | Path, kind: Kind, folder: bool = False) -> str | None:
    """What is wrong with a file or folder, if anything, without opening what is no regular file."""
    if problem := name_problem(path):
        return problem
    name = Path(path).name
    if kind == "potential" and (not name.isascii() or '"' in name):
        return "ASCII characters without double quotes are allowed only in the name of a potential: LAMMPS crashes on others"
    try:
        mode = os.stat(path).st_mode
    except FileNotFoundError:
        return "a link to nothing" if os.path.islink(path) else "no such file or folder"
    except OSError as error:
        return error.strerror or "cannot be looked at"
    if stat.S_ISDIR(mode):
        return None if folder or kind in FOLDERS else "a folder, where a file is allowed only"
    if not stat.S_ISREG(mode):
        return "not a regular file (a device, pipe or socket), which is not allowed"
    if folder:
        return "a file, where a folder is allowed only"
    return _pickle_problem(Path(path))


def begin_checks(files: Sequence[UserFile], results: str | Path, trusted: str | Path) -> Callable[[], list[str]]:
    """Look at files, and begin to look into them in another process.

    Args:
        files: what the configuration names.
        results: folder of the run, in which nothing may be that it starts from.
        trusted: folder that is not looked into, the project's own.

    Returns:
        A function that waits for the end and returns the problems, each with its key and path.
    """
    problems: list[str] = []
    wanted: list[tuple[UserFile, Path]] = []
    for file in files:
        if Path(file.path).resolve().is_relative_to(Path(trusted).resolve()):
            continue
        members, found = _members(file, Path(results))
        problems += found
        wanted += [(file, member) for member in members]
    if not wanted:
        return lambda: problems
    listed = [(_CONTENT.get(file.kind, file.kind), str(path), file.format) for file, path in wanted]
    search = [str(Path(gbscape.__file__).parents[1]), *filter(None, [os.environ.get("PYTHONPATH")])]
    process = subprocess.Popen(
        [sys.executable, "-m", "gbscape.config.file_contents"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        env=os.environ | {"PYTHONPATH": os.pathsep.join(search), "OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"},
    )

    assert process.stdin is not None
    with contextlib.suppress(BrokenPipeError), process.stdin as stream:
        stream.write(json.dumps(listed))
    process.stdin = None

    def finish() -> list[str]:
        try:
            answers, _ = process.communicate(timeout=WAIT_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            answers, _ = process.communicate()
        found = [json.loads(line) for line in answers.splitlines()]
        if len(found) < len(wanted):
            path = wanted[len(found)][1]
            slow = process.returncode in (-signal.SIGXCPU, -signal.SIGKILL)
            found.append(
                f"{path} takes more than {CPU_SECONDS} s of computing, or {WAIT_SECONDS} s of waiting, to read"
                if slow
                else f"{path} cannot be read: its reader ended with {process.returncode}"
            )
        named = zip(wanted, found, strict=False)
        return [*problems, *(f"{file.key} = {file.path!r}: {problem}" for (file, _), problem in named if problem)]

    return finish


def _members(file: UserFile, results: Path) -> tuple[list[Path], list[str]]:
    """Files to look into, of a folder all but those that begin with a dot, and problems."""
    path = Path(file.path)
    problem = path_problem(path, file.kind, file.folder)
    if problem is None and path.resolve().is_relative_to(results.resolve()):
        problem = f"it is in {results}, where this run writes; take a copy that is elsewhere"
    if problem is not None:
        return [], [f"{file.key} = {file.path!r}: {problem}"]
    if not path.is_dir():
        return [path], []
    pattern = "*.yaml" if file.kind == "classes" else "[!.]*"
    members = sorted(member for member in path.glob(pattern) if not member.is_dir())
    found = [(member, path_problem(member, file.kind)) for member in members]
    problems = [f"{file.key} = {file.path!r}: {member.name}: {its}" for member, its in found if its]
    return [member for member, its in found if its is None], problems


def _pickle_problem(path: Path) -> str | None:
    try:
        with open(path, "rb") as file:
            start = file.read(8)
    except OSError as error:
        return error.strerror or "cannot be opened"
    name = path.with_suffix("") if path.suffix in (".gz", ".bz2", ".xz") else path
    if name.suffix.lower() in _PICKLES or start.startswith(_PICKLE_STARTS):
        return "a pickle, or an archive that may hold one, runs code when it is read; it is not allowed"
    return None
