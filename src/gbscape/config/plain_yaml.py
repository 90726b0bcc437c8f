"""YAML that is data and nothing else: read within limits, and nothing in it is run.

Snakemake reads configuration files as YTE, which runs `?...` values of a file with the key `__use_yte__` as Python, and it
reads those of the command line before any line of this workflow. `guard_snakemake`, which the profiles call, comes first.
"""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any, NoReturn

import yaml

LARGEST_BYTES = 2**20
MOST_VALUES = 20_000
"""In all, keys and lists included, with every alias written out."""
DEEPEST = 40
CODE_KEYS = ("__use_yte__", "__definitions__", "__variables__")
_PLAIN_TAGS = {
    f"tag:yaml.org,2002:{kind}"
    for kind in ("null", "bool", "int", "float", "str", "timestamp", "seq", "map", "merge", "value")
}


class PlainYamlError(ValueError):
    """A file that is not plain YAML; the message names the file, the line and what is allowed."""


def read_plain_yaml(path: str | Path) -> Any:
    """What a YAML or JSON file holds.

    Raises:
        PlainYamlError: it is no regular file of at most 1 MiB in UTF-8, no YAML, asks for code or for types other than
            plain values, lists and mappings, or is deeper or, with its aliases written out, larger than allowed.
    """
    path = Path(path)
    if not path.is_file():
        raise PlainYamlError(f"{path}: no such file" if not path.exists() else f"{path}: not a regular file")
    if path.stat().st_size > LARGEST_BYTES:
        raise PlainYamlError(f"{path}: {path.stat().st_size:,} bytes; at most {LARGEST_BYTES:,} are allowed")
    try:
        return _parsed(path.read_bytes().decode("utf-8-sig"))
    except _Refused as error:
        raise PlainYamlError(f"{path}, line {error.line}: {error}") from None
    except UnicodeDecodeError:
        raise PlainYamlError(f"{path}: not text in UTF-8") from None
    except RecursionError:
        raise PlainYamlError(f"{path}: nested deeper than the {DEEPEST} levels that are allowed") from None
    except yaml.MarkedYAMLError as error:
        line = f", line {error.problem_mark.line + 1}" if error.problem_mark else ""
        raise PlainYamlError(f"{path}{line}: not valid YAML: {error.problem}") from None
    except (yaml.YAMLError, ValueError) as error:  # a value that cannot be, e.g. the date 2020-13-45
        raise PlainYamlError(f"{path}: not valid YAML: {' '.join(str(error).split())}") from None


def guard_snakemake() -> bool:
    """Let Snakemake, in this process, read every configuration file by `read_plain_yaml`, or end with one message.

    Returns:
        Whether it did so before.
    """
    import snakemake.common.configfile
    import snakemake.settings.types

    done = snakemake.settings.types.load_configfile.__module__ == __name__
    snakemake.common.configfile.load_configfile = _load_configfile
    snakemake.settings.types.load_configfile = _load_configfile
    return done


def refuse_late(paths: Iterable[str | Path]) -> None:
    """End Snakemake with one message if a configuration file that it has read by its own reader is not plain YAML."""
    for path in paths:
        _load_configfile(
            path,
            ". Snakemake read it without the profile of this project, so that code in it may have run already: start it in the "
            "project's folder and without `--workflow-profile`",
        )


def end_snakemake(message: str) -> NoReturn:
    """End Snakemake before it plans anything, with a message and without the lines of code that it shows with errors."""
    from snakemake.logging import logger

    logger.error(message)
    raise SystemExit(1)


def _load_configfile(path: str | Path, hint: str = "") -> dict[str, Any]:
    try:
        content = read_plain_yaml(path)
    except PlainYamlError as error:
        end_snakemake(f"The configuration file is refused: {error}{hint}")
    if not isinstance(content, dict | None):
        end_snakemake(f"The configuration file is refused: {path}: a mapping (key: value) is allowed only")
    return content or {}


class _Refused(Exception):
    def __init__(self, what: yaml.Node | yaml.Event, message: str) -> None:
        super().__init__(message)
        self.line = what.start_mark.line + 1 if what.start_mark else 1


class _Loader(yaml.SafeLoader):
    """Stops in good time: the parser of YAML is slow."""

    values = 0
    depth = 0

    def compose_node(self, parent: yaml.Node | None, index: Any) -> yaml.Node | None:
        self.values += 1
        self.depth += 1
        _check_size(self.peek_event(), self.values, self.depth)
        node = super().compose_node(parent, index)
        self.depth -= 1
        return node


def _check_size(what: yaml.Node | yaml.Event, values: int, levels: int) -> None:
    if values > MOST_VALUES:
        raise _Refused(what, f"more than {MOST_VALUES:,} values, aliases (*) written out, are not allowed")
    if levels > DEEPEST:
        raise _Refused(what, f"nested deeper than the {DEEPEST} levels that are allowed")


def _parsed(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        loader = _Loader(text)
    try:
        node = loader.get_single_node()
        if node is None:
            return None
        _measure(node, {})
        return loader.construct_document(node)
    finally:
        loader.dispose()


def _measure(node: yaml.Node, known: dict[int, tuple[int, int] | None]) -> tuple[int, int]:
    """Values and levels of a node, its aliases written out; refuses what is not plain."""
    if id(node) in known:
        measured = known[id(node)]
        if measured is None:
            raise _Refused(node, "an alias (*) of a part that it is in itself is not allowed")
        return measured
    known[id(node)] = None
    if node.tag not in _PLAIN_TAGS:
        raise _Refused(node, f"the type {node.tag!r} is not allowed; plain values, lists and mappings are")
    below: list[yaml.Node] = []
    if isinstance(node, yaml.SequenceNode):
        below = node.value
    elif isinstance(node, yaml.MappingNode):
        for key, _ in node.value:
            if key.value in CODE_KEYS:
                raise _Refused(key, f"the key {key.value!r} lets a file run code, which is not allowed; write values")
        below = [part for pair in node.value for part in pair]
    measures = [_measure(part, known) for part in below]
    values = 1 + sum(count for count, _ in measures)
    levels = 1 + max((depth for _, depth in measures), default=0)
    _check_size(node, values, levels)
    known[id(node)] = values, levels
    return values, levels
