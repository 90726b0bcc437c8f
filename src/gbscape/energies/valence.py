"""Valence electrons. Without ASE, whose import would take longer than all of the planning that asks for them."""

_NOBLE_GASES = (0, 2, 10, 18, 36, 54, 86)
_XENON, _F_BLOCK_ENDS, _D_BLOCK_ENDS = 54, 17, 12
"""Yb and Lu have 16 and 17 electrons beyond xenon, Zn 12 beyond argon."""
_SYMBOLS = """
    H He Li Be B C N O F Ne Na Mg Al Si P S Cl Ar K Ca Sc Ti V Cr Mn Fe Co Ni Cu Zn Ga Ge As Se Br Kr Rb
    Sr Y Zr Nb Mo Tc Ru Rh Pd Ag Cd In Sn Sb Te I Xe Cs Ba La Ce Pr Nd Pm Sm Eu Gd Tb Dy Ho Er Tm Yb Lu
    Hf Ta W Re Os Ir Pt Au Hg Tl Pb Bi Po At Rn Fr Ra Ac Th Pa U Np Pu Am Cm Bk Cf Es Fm Md No Lr Rf Db
    Sg Bh Hs Mt Ds Rg Cn Nh Fl Mc Lv Ts Og
"""


def valence_electrons(number: int) -> int:
    """Electrons of the element with this atomic number beyond the last noble gas before it, without the f shell of elements after the
    lanthanides (actinides) and the d shell of those of the p block: Ge 4, Fe 8, Zn 12, Au 11, Pb 4."""
    electrons = number - max(core for core in _NOBLE_GASES if core < number)
    if number > _XENON:
        if electrons <= _F_BLOCK_ENDS:
            return electrons
        electrons -= 14
    return electrons - 10 if electrons > _D_BLOCK_ENDS else electrons


def atomic_number(symbol: str) -> int:
    """Atomic number of an element.

    Raises:
        ValueError: there is no such element.
    """
    return _SYMBOLS.split().index(symbol) + 1
