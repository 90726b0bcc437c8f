"""Where the files of each point of a sweep are, and which point makes those that several share."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from gbscape.config.features import Concatenate, expand
from gbscape.config.model import Config
from gbscape.sweeps.axes import Key
from gbscape.sweeps.names import value_name
from gbscape.sweeps.points import Point, folder_name
from gbscape.sweeps.stages import RULES_BY_NAME, STAGES, concerns, stage_of


@dataclass(frozen=True)
class Layout:
    """Of a run, or of one point of a sweep."""

    folder: str
    """`results/NAME`, of a point a folder in it."""
    point: str | None = None
    """Name of the point; None for a run that is no sweep."""
    file_names: Mapping[str, str] = field(default_factory=dict)
    """Of representations and models whose files have other names than themselves, because points differ in their settings."""
    replaced: Mapping[str, str] = field(default_factory=dict)
    """Beginnings of paths of this point that are elsewhere, and what stands there for them."""
    made_elsewhere: frozenset[str] = frozenset()
    """Rules of which an earlier point makes all files."""
    files_elsewhere: Mapping[str, frozenset[str]] = field(default_factory=dict)
    """Of the stages whose files have names: names of files that an earlier point makes."""

    def placed(self, path: str) -> str:
        """Where a path of this run or point is."""
        for beginning, elsewhere in self.replaced.items():
            if path.startswith(beginning):
                return elsewhere + path.removeprefix(beginning)
        return path

    def makes(self, rule: str, name: str = "") -> bool:
        """Whether this point makes the files of a rule, for rules of representations those of the one of this name."""
        if rule in RULES_BY_NAME:
            return self.file_name(name) not in self.files_elsewhere.get(stage_of(rule) or "", frozenset())
        return rule not in self.made_elsewhere

    def point_of(self, path: str) -> str:
        """Name of the point of a file of this point: with the settings that concern the file only, `all` where there are none."""
        placed = Path(self.placed(path)).relative_to(Path(self.folder).parent).parts[0]
        return placed if "=" in placed else "all"

    def file_name(self, name: str) -> str:
        """Name of the files of a representation or a model."""
        return self.file_names.get(name, name)

    def made_here(self, stage: str, names: Iterable[str]) -> dict[str, str]:
        """Of representations or models, those whose files of a stage this point makes, by the names of their files."""
        elsewhere = self.files_elsewhere.get(stage, frozenset())
        return {self.file_name(name): name for name in names if self.file_name(name) not in elsewhere}


LAYOUT_KEY = "layout"
"""In the configuration of a point; what is there comes from the workflow, never from a file, in which nothing has that type."""


def taken_layout(config: dict[str, Any]) -> Layout | None:
    """The layout that a sweep has put into a point's configuration, taken out of it; None where there is none."""
    return config.pop(LAYOUT_KEY) if isinstance(config.get(LAYOUT_KEY), Layout) else None


def layouts_of(points: Sequence[Point]) -> list[Layout]:
    """Layouts of the points of a sweep, which are in the order in which they make what they share."""
    found = []
    made: set[tuple[str, str]] = set()
    for point in points:
        run = f"results/{point.config.name}"
        folder = f"{run}/{point.name}"
        names = _file_names(point.config, point.values)
        at = {stage: _folder(run, stage, point.values) for stage in STAGES}
        elsewhere, files = set(), {}
        for stage, its in STAGES.items():
            if its.by_name:
                candidates = {names.get(name, name) for name in _named(point.config)}
                files[stage] = frozenset(name for name in candidates if (at[stage], f"{stage}/{name}") in made)
                made |= {(at[stage], f"{stage}/{name}") for name in candidates}
            if (at[stage], stage) in made:
                elsewhere |= set(its.rules) - set(its.by_name)
            made.add((at[stage], stage))
        found.append(Layout(folder, point.name, names, _replaced(folder, at), frozenset(elsewhere), files))
    return found


def _folder(run: str, stage: str, values: Mapping[Key, object]) -> str:
    name = folder_name({key: value for key, value in values.items() if concerns(key, stage)})
    return f"{run}/{name}" if name else run


def _replaced(folder: str, at: Mapping[str, str]) -> dict[str, str]:
    replaced: dict[str, str] = {}
    for stage, its in STAGES.items():
        if at[stage] != folder:
            records = [
                beginning
                for rule in its.rules
                for kind, ending in (("logs", "log"), ("benchmarks", "tsv"))
                for beginning in (f"{kind}/{rule}/", f"{kind}/{rule}.{ending}")
            ]
            replaced |= {f"{folder}/{path}": f"{at[stage]}/{path}" for path in (*its.paths, *records)}
    return replaced


def _named(config: Config) -> list[str]:
    """Representations, models and the baseline."""
    return [*expand(config.features.representations), *config.learn.models, "random"]


def _file_names(config: Config, values: Mapping[Key, object]) -> dict[str, str]:
    """Names with the settings of representations that are swept over, where there are any: `soap~cutoff_angstrom=4`."""
    names = {}
    representations = expand(config.features.representations)
    for name in _named(config):
        entries = {
            part.split("~")[0]
            for representation in _representations_behind(name, config)
            for part in _parts(representation, representations)
        }
        ours = {key: value for key, value in values.items() if _is_in_entry(key, entries)}
        if ours:
            names[name] = "~".join([name, *sorted(f"{_parameter(k, name)}={value_name(v)}" for k, v in ours.items())])
    return names


def _parameter(key: Key, name: str) -> str:
    """A setting of representations as in the names that `gbscape.config.features.expand` makes."""
    below = key[3:] if len(key) > 3 and key[2] == name else key[2:]
    return re.sub(r"[^A-Za-z0-9._+-]+", "-", ".".join(below or key[1:]))


def _representations_behind(name: str, config: Config) -> list[str]:
    if name in config.learn.models:
        return [its for part in config.learn.parts(name).values() for its in part.of]
    return [] if name == "random" else [name]


def _parts(name: str, representations: Mapping[str, object]) -> list[str]:
    """A representation, and those that it puts one after the other."""
    its = representations[name]
    return [name, *(its.of if isinstance(its, Concatenate) else ())]


def _is_in_entry(key: Key, entries: Iterable[str]) -> bool:
    return key[:2] == ("features", "representations") and (len(key) == 2 or key[2] in entries)
