"""Crystals recognised box by box.

>>> from gbscape.crystal import classify, load_model, strided_map
>>> model = load_model()
>>> strided_map(atoms, model, box_angstrom=16.0, stride_angstrom=2.0)  # doctest: +SKIP
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from gbscape.crystal.classification import Classification, classify, load_model
    from gbscape.crystal.map_file import StridedMap, read_map, write_map
    from gbscape.crystal.strided import strided_map

_MODULE_OF = {
    "Classification": "classification",
    "StridedMap": "map_file",
    "classify": "classification",
    "load_model": "classification",
    "read_map": "map_file",
    "strided_map": "strided",
    "write_map": "map_file",
}

__all__ = [
    "Classification",
    "StridedMap",
    "classify",
    "load_model",
    "read_map",
    "strided_map",
    "write_map",
]


def __getattr__(name: str) -> Any:
    # Only when they are asked for: torch takes a second to import, and not all modules here need it.
    if name not in _MODULE_OF:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_MODULE_OF[name]}"), name)
