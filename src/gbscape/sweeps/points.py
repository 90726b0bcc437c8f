"""The points of a sweep: every combination of the values, each the configuration of a run."""

import itertools
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gbscape.config.model import Config, ConfigError, listed, load
from gbscape.sweeps.axes import Axis, Key, axes_of, with_value
from gbscape.sweeps.names import setting_name, value_name

MOST_POINTS = 400
"""Each takes about a second to plan."""
LONGEST_NAME = 200
"""Characters of a folder's name: file systems allow 255 bytes."""


@dataclass(frozen=True)
class Point:
    """One run of a sweep."""

    number: int
    values: Mapping[Key, Any]
    """Of the settings that are swept over."""
    raw: Mapping[str, Any]
    """Its configuration, as if read from YAML."""
    config: Config

    @property
    def name(self) -> str:
        """Of its folder."""
        return folder_name(self.values)

    @property
    def row(self) -> dict[str, Any]:
        """The swept settings by their names; values that are no numbers or text as in the name of the folder."""
        return {
            setting_name(key): value if isinstance(value, int | float | str) else value_name(value)
            for key, value in self.values.items()
        }


def folder_name(values: Mapping[Key, Any]) -> str:
    """Name of a folder by settings and their values, whatever their order: `learn.test_fraction=0.5,relaxation.seed=1`."""
    return ",".join(sorted(f"{setting_name(key)}={value_name(value)}" for key, value in values.items()))


def points_of(raw: Mapping[str, Any], project: str | Path = ".") -> list[Point]:
    """The points of a configuration as read from YAML, the last axis running fastest; one without a name if it is no sweep.

    Args:
        raw: nested mapping, the defaults included.
        project: folder of the project.

    Raises:
        ConfigError: as `axes_of` and `load` raise it, the latter with the point; or two points would be the same, there are more than
            `MOST_POINTS`, or their names are too long.
    """
    axes = axes_of(raw)
    count = math.prod(len(axis.values) for axis in axes)
    if count > MOST_POINTS:
        by_axis = " x ".join(str(len(axis.values)) for axis in axes)
        raise ConfigError(listed([f"sweep: {by_axis} = {count} points; at most {MOST_POINTS} are allowed"]))
    _require_distinct_names(axes)
    points: dict[str, Point] = {}
    for number, steps in enumerate(itertools.product(*(axis.values for axis in axes))):
        values = {
            key: v for axis, step in zip(axes, steps, strict=True) for key, v in zip(axis.keys, step, strict=True)
        }
        settings: dict[str, Any] = {key: value for key, value in raw.items() if key != "sweep"}
        for key, value in values.items():
            settings = with_value(settings, key, value)
        name = folder_name(values)
        if len(name) > LONGEST_NAME:
            raise ConfigError(
                listed([f"sweep: {name}: {len(name)} characters, of a folder; at most {LONGEST_NAME} are allowed"])
            )
        if name in points:
            raise ConfigError(listed([f"sweep: {name} is given twice"]))
        try:
            points[name] = Point(number, values, settings, load(settings, project=project))
        except ConfigError as error:
            if not axes:
                raise
            raise ConfigError(f"Point {name} of the sweep: {error}") from None
    return list(points.values())


def _require_distinct_names(axes: Sequence[Axis]) -> None:
    names: dict[str, Key] = {}
    for key in (key for axis in axes for key in axis.keys):
        other = names.setdefault(setting_name(key), key)
        if other != key:
            both = f"{'.'.join(other)} and {'.'.join(key)}"
            raise ConfigError(listed([f"sweep: {both} have the same short name; sweep over one of them at once"]))
