"""What a configuration sweeps over: lists where a single value is meant, and the entries of `sweep`."""

import types
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from pydantic import BaseModel

from gbscape.config.model import Config, ConfigError, listed

Key = tuple[str, ...]
"""Place of a setting: `("learn", "test_fraction")`."""

_FIXED = ("name", "sweep")


@dataclass(frozen=True)
class Axis:
    """Settings that take their values together, and these values."""

    keys: tuple[Key, ...]
    values: tuple[tuple[Any, ...], ...]
    """Of each step, one for each key."""


def is_sweep(raw: Mapping[str, Any]) -> bool:
    """Whether a configuration as read from YAML stands for several runs."""
    return bool(raw.get("sweep")) or any(True for _ in _lists(raw, (Config,), ()))


def axes_of(raw: Mapping[str, Any]) -> tuple[Axis, ...]:
    """The axes of a configuration as read from YAML; none for that of a single run.

    A list at a setting that takes no list is an axis; so is each entry of `sweep`, `key: [values]`, or `key, other: [[value, value],
    ...]` for settings that change together.

    Raises:
        ConfigError: an axis has no value, the same key has two, an entry of `sweep` is not of this form, or a key is none that can be
            swept over.
    """
    given = raw.get("sweep") or {}
    if not isinstance(given, Mapping):
        raise ConfigError(listed([f"sweep = {given!r}: a mapping of keys to lists of values is allowed only"]))
    rest = {key: value for key, value in raw.items() if key != "sweep"}
    axes = [Axis((key,), tuple((value,) for value in values)) for key, values in _lists(rest, (Config,), ())]
    problems = []
    for text, values in given.items():
        keys = tuple(_place(part.strip(), rest) for part in str(text).split(","))
        if problem := _problem(str(text), keys, values):
            problems.append(problem)
        else:
            axes.append(Axis(keys, tuple(tuple(v) if len(keys) > 1 else (v,) for v in values)))
    taken: set[Key] = set()
    for axis in axes:
        problems += [f"{'.'.join(key)}: no value is given to sweep over" for key in axis.keys if not axis.values]
        for key in axis.keys:
            if key[0] in _FIXED:
                problems.append(f"{'.'.join(key)}: it cannot be swept over")
            if any(key[: len(other)] == other or other[: len(key)] == key for other in taken):
                problems.append(f"{'.'.join(key)}: it is swept over twice")
            taken.add(key)
    if problems:
        raise ConfigError(listed(problems))
    return tuple(axes)


def with_value(raw: Mapping[str, Any], key: Key, value: Any) -> dict[str, Any]:
    """A copy of a configuration with another value at a key.

    Raises:
        ConfigError: what the key is below is not a mapping.
    """
    name, *below = key
    if not below:
        return {**raw, name: value}
    inner = raw.get(name)
    if inner is None:
        inner = {}
    if not isinstance(inner, Mapping):
        raise ConfigError(listed([f"sweep: {name!r} of {'.'.join(key)!r} is a value, it has no settings"]))
    return {**raw, name: with_value(inner, tuple(below), value)}


def below(annotations: Sequence[Any], raw: Any, name: str) -> list[Any]:
    """Types that a setting may have, by those that the mapping `raw`, in which it is, may have."""
    found: list[Any] = []
    for its in annotations:
        if isinstance(its, type) and issubclass(its, BaseModel):
            field, kind = its.model_fields.get(name), its.model_fields.get("kind")
            given = raw.get("kind") if isinstance(raw, Mapping) else None
            if field and (kind is None or not isinstance(given, str) or given == kind.default):
                found += _members(field.annotation)
        elif get_origin(its) is dict:
            found += _members(get_args(its)[1])
    return found


def _lists(raw: Any, annotations: Sequence[Any], key: Key) -> Iterator[tuple[Key, list[Any]]]:
    """Lists in the place of single values."""
    if isinstance(raw, Mapping):
        for name, value in raw.items():
            inner = below(annotations, raw, str(name))
            if inner:  # unknown keys are refused when the points are read
                yield from _lists(value, inner, (*key, str(name)))
    elif isinstance(raw, list) and not any(_takes_list(its) for its in annotations):
        yield key, raw


def _members(annotation: Any) -> list[Any]:
    """Types of which a value may be, without `Annotated` and unions."""
    if get_origin(annotation) is Annotated:
        return _members(get_args(annotation)[0])
    if get_origin(annotation) in (Union, types.UnionType):
        return [member for part in get_args(annotation) for member in _members(part)]
    return [annotation]


def _takes_list(annotation: Any) -> bool:
    origin = get_origin(annotation) or annotation
    return annotation is Any or (
        origin is not Literal and isinstance(origin, type) and issubclass(origin, list | tuple)
    )


def _place(text: str, raw: Any) -> Key:
    """A dotted key in parts, of which those that the configuration has may hold dots themselves."""
    if isinstance(raw, Mapping):
        for name in sorted(map(str, raw), key=len, reverse=True):
            if text.startswith(f"{name}."):
                return (name, *_place(text[len(name) + 1 :], raw.get(name)))
            if text == name:
                return (name,)
    first, _, rest = text.partition(".")
    return (first, *_place(rest, None)) if rest else (first,)


def _problem(text: str, keys: tuple[Key, ...], values: Any) -> str | None:
    """What is wrong with an entry of `sweep`, if anything."""
    if not all(part for key in keys for part in key):
        return f"sweep.{text}: a key, or several with commas between them, is allowed only"
    if not isinstance(values, list):
        return f"sweep.{text} = {values!r}: a list of values is allowed only"
    if len(keys) > 1 and not all(isinstance(value, list) and len(value) == len(keys) for value in values):
        return f"sweep.{text} = {values!r}: a list of lists of {len(keys)} values, one for each key, is allowed only"
    return None
