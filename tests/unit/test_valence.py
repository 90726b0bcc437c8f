"""Valence electrons and atomic numbers, against ASE's table."""

import pytest
from ase.data import chemical_symbols

from gbscape.energies.valence import atomic_number, valence_electrons


def test_atomic_numbers_are_those_of_ase():
    assert [atomic_number(symbol) for symbol in chemical_symbols[1:]] == list(range(1, len(chemical_symbols)))
    with pytest.raises(ValueError, match="Xx"):
        atomic_number("Xx")


@pytest.mark.parametrize(
    ("symbol", "expected"),
    [
        ("Li", 1),
        ("Si", 4),
        ("Fe", 8),
        ("Ni", 10),
        ("Ne", 8),
        ("H", 1),
        ("Zn", 12),
        ("Ge", 4),
        ("Sn", 4),
        ("Yb", 16),
        ("Au", 11),
        ("Pb", 4),
        ("Cs", 1),
    ],
)
def test_valence_electrons(symbol, expected):
    assert valence_electrons(atomic_number(symbol)) == expected
