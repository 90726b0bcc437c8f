"""What every backend says of one atom, and the errors that say that it cannot."""

from dataclasses import asdict, dataclass, field
from typing import Any

TBLITE_MISSING = "the backend tblite needs the package tblite: pip install tblite"


class BackendMissing(ImportError):
    """The code behind a backend is not installed, or has another version; the message says how to install it."""


class EnergyRejected(RuntimeError):
    """An energy was computed but must not be used (not converged, an odd magnetic solution, too large an error)."""


@dataclass(frozen=True)
class AtomicEnergy:
    """The energy of the target atom of a replica cell, and what tells how far to trust it."""

    energy_ev: float
    """Of the target atom, on the backend's own zero: subtract that of an atom of the perfect crystal."""
    total_ev: float
    """Of the whole cell."""
    sum_rule_error_ev: float = 0.0
    """Sum of all atoms' energies less the energy of the cell."""
    gauge_errors_ev: dict[str, float] = field(default_factory=dict)
    """Change of the energy with equivalent forms of the energy density; empty where there is no such choice."""
    charge_e: float | None = None
    """Electrons that the atom has gained or lost (positive: lost), in elementary charges."""
    volume_angstrom3: float | None = None
    """Of the atom."""
    magnetic_moment_bohr: float | None = None
    """Of the atom, in Bohr magnetons."""
    converged: bool = True
    """The self-consistent cycle reached its criteria."""
    provenance: dict[str, Any] = field(default_factory=dict)
    """Code, version and settings that made it."""

    def record(self) -> dict[str, Any]:
        """As a record of `gbscape.store.records`; what is not known is left out."""
        fields = asdict(self)
        provenance = {
            name: value if isinstance(value, int | float | str) else repr(value)
            for name, value in fields.pop("provenance").items()
        }
        known = {name: value for name, value in fields.items() if value is not None}
        return known | {"provenance": provenance}
