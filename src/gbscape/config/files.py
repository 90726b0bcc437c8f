"""The default configuration as commented YAML and the JSON schema, both written from the typed models.

`python -m gbscape.config.files` rewrites them; a test holds them equal to the models.
"""

import inspect
import json
import textwrap
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, get_args

import yaml
from pydantic import BaseModel

from gbscape.config.features import Computed, Features
from gbscape.config.learn import Average, KernelModel, RandomisedTrees
from gbscape.config.model import Config
from gbscape.config.plain_yaml import read_plain_yaml
from gbscape.store.atomic import atomic_path

DEFAULTS = "config/config.yaml"
SCHEMA = "workflow/schemas/config.schema.json"

_HEADER = """\
# Every setting of gbscape with its default value. Written by `make config` from the models in src/gbscape/config:
# change defaults there. For your own runs leave this file alone: make a small file that holds only what differs (as
# config/demo.yaml does) and give it with `snakemake --configfile my.yaml`; it is laid over this one.
"""


def defaults_yaml() -> str:
    """Return the default configuration as YAML, each key under a comment with its description."""
    return _HEADER + "\n" + "\n".join([*_lines(Config(), indent=0), *_other_kinds()]) + "\n"


def schema_json() -> str:
    """Return the JSON schema of the configuration."""
    dialect = {"$schema": "https://json-schema.org/draft/2020-12/schema"}
    return json.dumps(dialect | Config.model_json_schema(), indent=2) + "\n"


def resolved_yaml(config: Config) -> str:
    """Return `config` in full as YAML; laid over the defaults it gives the same run again."""
    resolved = config.model_dump(mode="json")
    absent = Features().representations.keys() - config.features.representations.keys()
    resolved["features"]["representations"] |= dict.fromkeys(sorted(absent))
    return yaml.safe_dump(resolved, sort_keys=False, allow_unicode=True)


def sweep_yaml(raw: Mapping[str, Any]) -> str:
    """Return the configuration of a sweep, the defaults included, as YAML; laid over the defaults it gives the same sweep again."""
    return yaml.safe_dump(json.loads(json.dumps(raw)), sort_keys=False, allow_unicode=True)


def read_raw(paths: Sequence[str | Path], project: str | Path) -> dict[str, Any]:
    """What Snakemake makes of these files: each laid over those before, and all over the defaults.

    Raises:
        ValueError: a file does not hold a mapping.
    """
    raw: dict[str, Any] = {}
    for path in (Path(project) / DEFAULTS, *paths):
        read = read_plain_yaml(path)
        if read is not None and not isinstance(read, Mapping):
            raise ValueError(f"{path}: a configuration is a mapping of keys to values")
        raw = _laid_over(raw, read or {})
    return raw


def _laid_over(below: Mapping[str, Any], above: Mapping[str, Any]) -> dict[str, Any]:
    merged = dict(below)
    for key, value in above.items():
        old = merged.get(key)
        merged[key] = _laid_over(old, value) if isinstance(old, Mapping) and isinstance(value, Mapping) else value
    return merged


def write_files(root: str | Path = ".") -> None:
    """Write both files under the project folder `root`."""
    for name, text in ((DEFAULTS, defaults_yaml()), (SCHEMA, schema_json())):
        with atomic_path(Path(root) / name) as temporary:
            temporary.write_text(text)


def _other_kinds() -> list[str]:
    """The kinds of representations and models that are not computed by default, as comments: a `#` before each line."""
    present = {type(representation) for representation in Features().representations.values()}
    lines = ["# Kinds of representations that are not computed by default:", "# features:", "#   representations:"]
    for representation in (kind() for kind in get_args(Computed) if kind not in present):
        lines += _commented(representation.kind, representation)
    lines += [
        "# Kinds of further models, with the representations or models that they are of:",
        "# learn:",
        "#   models:",
    ]
    kernel, trees = KernelModel(of=("soap",)), RandomisedTrees(of=("soap",))
    for model in (kernel, trees, Average(models=(kernel.kind, trees.kind))):
        lines += _commented(model.kind, model)
    return lines


def _commented(name: str, settings: BaseModel) -> list[str]:
    text = " ".join((inspect.getdoc(settings) or "").split())
    description = textwrap.wrap(text, 110, initial_indent="    # ", subsequent_indent="    # ")
    return [f"# {line}" for line in (*description, *_entry(name, settings, indent=2))]


def _lines(model: BaseModel, indent: int) -> list[str]:
    lines: list[str] = []
    pad = "  " * indent
    for name, field in type(model).model_fields.items():
        if field.description:
            lines += textwrap.wrap(field.description, 116, initial_indent=f"{pad}# ", subsequent_indent=f"{pad}# ")
        lines += _entry(name, getattr(model, name), indent)
    return lines


def _entry(name: str, value: Any, indent: int) -> list[str]:
    pad = "  " * indent
    if isinstance(value, BaseModel):
        return [f"{pad}{name}:", *_lines(value, indent + 1)]
    if isinstance(value, Mapping) and any(isinstance(v, BaseModel) for v in value.values()):
        return [f"{pad}{name}:", *(line for k, v in value.items() for line in _entry(k, v, indent + 1))]
    if isinstance(value, list | tuple):
        value = [v.model_dump(mode="json") if isinstance(v, BaseModel) else v for v in value]
    text = yaml.safe_dump(value, default_flow_style=True, sort_keys=False, width=10_000, allow_unicode=True)
    return [f"{pad}{name}: {text.rstrip().removesuffix('...').rstrip()}"]


if __name__ == "__main__":
    write_files()
