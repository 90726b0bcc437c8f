"""A hash of the code that a rule runs, so that a changed module re-runs what used it.

The hash covers what a script imports of this package and, transitively, every module that those import, with the data
files beside them, the C++ source of a module that is compiled (`x.cpp` beside `x.py`) and, with `gbscape.native`, the
headers of all. Comments (but those in C++), docstrings and formatting do not count, and neither do the modules that only
report or move results (`_NOT_COUNTED`). Sources are parsed, never imported, so it is cheap at planning time.
"""

import ast
import hashlib
from functools import cache
from pathlib import Path

_ROOT = Path(__file__).resolve().parents[2]  # the folder that holds the package
_PACKAGE = "gbscape"
_NOT_COUNTED = {f"gbscape.store.{name}" for name in (
    "atomic", "job", "output_check", "processes", "progress", "provenance", "seal", "shards"
)}  # fmt: skip


def code_hash(script: str | Path, *modules: str) -> str:
    """Return 12 hexadecimal digits that change when the code behind a script changes.

    Args:
        script: Python file; the package modules that it imports are covered. (Snakemake itself notices a changed script.)
        modules: further package modules, for scripts that import by name.

    Raises:
        ModuleNotFoundError: a name is not a module of this package.
    """
    return modules_hash(*modules, *_imported_by(ast.parse(Path(script).read_bytes(), filename=str(script))))


@cache
def modules_hash(*modules: str) -> str:
    """Return 12 hexadecimal digits that change when one of these modules of the package, or what they import, changes.

    Raises:
        ModuleNotFoundError: a name is not a module of this package.
    """
    digest = hashlib.sha256()
    for name in sorted(_closure(modules)):
        digest.update(f"{name}={_fingerprint(name)};".encode())
    return digest.hexdigest()[:12]


def _closure(modules: tuple[str, ...]) -> set[str]:
    found: set[str] = set()
    todo = list(modules)
    while todo:
        name = todo.pop()
        if name in found:
            continue
        if _source(name) is None:
            raise ModuleNotFoundError(f"no module {name!r} under {_ROOT}")
        found.add(name)
        todo.extend(_imports(name))
    return found


def _source(name: str) -> Path | None:
    base = _ROOT.joinpath(*name.split("."))
    for candidate in (base.with_suffix(".py"), base / "__init__.py"):
        if candidate.is_file():
            return candidate
    return None


@cache
def _tree(name: str) -> ast.Module:
    source = _source(name)
    assert source is not None
    return ast.parse(source.read_bytes(), filename=str(source))


@cache
def _imports(name: str) -> tuple[str, ...]:
    return _imported_by(_tree(name))


def _imported_by(tree: ast.Module) -> tuple[str, ...]:
    names: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
            names.add(node.module)
            names.update(f"{node.module}.{alias.name}" for alias in node.names)
    return tuple(
        n for n in sorted(names) if n.split(".")[0] == _PACKAGE and n not in _NOT_COUNTED and _source(n) is not None
    )


@cache
def _fingerprint(name: str) -> str:
    tree = _tree(name)
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            # Attribute docstrings (bare strings after a field) go too: they describe, they do not compute.
            node.body = [s for s in node.body if not _is_string(s)] or [ast.Pass()]
    digest = hashlib.sha256(ast.dump(tree).encode())
    source = _source(name)
    assert source is not None
    for data in sorted(p for p in source.parent.iterdir() if p.is_file() and _counts(p, source)):
        digest.update(data.read_bytes())
    return digest.hexdigest()


def _counts(data: Path, source: Path) -> bool:
    """Whether a file beside a module's source is part of the module."""
    if data.suffix == ".cpp":
        return data.stem == source.stem
    return data.suffix not in (".py", ".pyc", ".so")


def _is_string(statement: ast.stmt) -> bool:
    return (
        isinstance(statement, ast.Expr)
        and isinstance(statement.value, ast.Constant)
        and isinstance(statement.value.value, str)
    )
