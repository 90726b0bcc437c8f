"""Valence electrons."""

_NOBLE_GASES = (0, 2, 10, 18, 36, 54, 86)


def valence_electrons(number: int) -> int:
    """Electrons of the element with this atomic number beyond the last noble gas before it."""
    return number - max(core for core in _NOBLE_GASES if core < number)
