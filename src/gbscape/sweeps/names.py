"""Names of swept settings and of their values, for folders and tables: short, and of safe characters only."""

import hashlib
import json
import re
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any, get_origin

from gbscape.config.model import Config
from gbscape.sweeps.axes import Key, below

_LONGEST_VALUE = 40


def setting_name(key: Key) -> str:
    """The last parts of a key, two or so many that no other setting has them, with what the user has named (a representation, a map).

    It depends on the key alone, so that folders keep their names when another setting is swept over, too.
    """
    others = [other for other in _default_keys() if other != key]
    for start in range(max(0, min(_last_named(key), len(key) - 2)), -1, -1):
        if not any(other[-(len(key) - start) :] == key[start:] for other in others):
            break
    return _safe(".".join(key[start:]))


def value_name(value: Any) -> str:
    """A value as text: `4` for 4.0, `null`, `700_1000` for a list; a hash ends what cannot be told by few safe characters."""
    text = _plain(value)
    if text and len(text) <= _LONGEST_VALUE and _safe(text) == text:
        return text
    whole = json.dumps(value, sort_keys=True, default=str)
    return f"{_safe(whole)[:24].strip('-')}-{hashlib.sha256(whole.encode()).hexdigest()[:6]}"


def _plain(value: Any) -> str | None:
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e15:
        return str(int(value))
    if value is None or isinstance(value, bool):
        return json.dumps(value)
    if isinstance(value, str | int | float):
        return str(value)
    if isinstance(value, list) and value:
        parts = [_plain(part) for part in value]
        return "_".join(part for part in parts if part) if all(parts) else None
    return None


def _safe(text: str) -> str:
    return re.sub(r"[^A-Za-z0-9._+-]+", "-", text)


def _last_named(key: Key) -> int:
    """Place of the last part of a key that the user chose, or of its last part."""
    here: list[Any] = [Config]
    named = len(key) - 1
    for i, part in enumerate(key):
        if any(get_origin(its) is dict for its in here):
            named = i
        here = below(here, None, part)
    return named


@cache
def _default_keys() -> tuple[Key, ...]:
    return tuple(_keys(Config().model_dump(), ()))


def _keys(settings: Mapping[str, Any], key: Key) -> Iterator[Key]:
    for name, value in settings.items():
        yield (*key, name)
        if isinstance(value, Mapping):
            yield from _keys(value, (*key, name))
