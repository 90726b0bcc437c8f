"""Units of boundary energies."""

EV_PER_ANGSTROM2_IN_J_M2 = 16.02176634
"""One eV per square Angstrom in J/m^2, exact since the SI of 2019."""
