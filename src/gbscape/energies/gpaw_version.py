"""The GPAW that the energy density is written for: it reads GPAW's internals, which change from version to version."""

from importlib.metadata import PackageNotFoundError, version

from gbscape.energies.atomic_energy import BackendMissing

GPAW_SERIES = "26.7"
"""Versions 26.7.x."""


def require_gpaw() -> str:
    """Version of the GPAW that is installed, without importing it.

    Raises:
        BackendMissing: there is none, or one of another series.
    """
    try:
        found = version("gpaw")
    except PackageNotFoundError:
        raise BackendMissing("DFT energies need GPAW, which is not installed: make setup-dft") from None
    if found.split(".")[:2] != GPAW_SERIES.split("."):
        raise BackendMissing(
            f"DFT energies read the internals of GPAW {GPAW_SERIES} and would be wrong with the GPAW {found} that is "
            "installed: pip uninstall gpaw, then make setup-dft"
        )
    return found
