"""Settings of wavelet scattering by atomic orbitals, for whole periodic cells of several species."""

from typing import Annotated, Literal

from pydantic import Field, model_validator

from gbscape.config.base import Settings, SmallestFirst
from gbscape.config.scattering import require_resolved

Channel = Literal["atoms", "species", "valence", "charge"]


class OrbitalScattering(Settings):
    """Rotation-invariant scattering of the densities of a cell's atoms by wavelets that are shaped like atomic orbitals."""

    spacing_angstrom: float = Field(default=0.3, gt=0, le=2)
    """Largest distance between grid points along the cell's vectors; each gets the next finer grid that suits a fast Fourier
    transform."""
    atom_width_angstrom: float = Field(default=0.4, gt=0, le=5)
    """Width (standard deviation) of the Gaussian that stands for each atom."""
    channels: tuple[Channel, ...] = Field(default=("atoms", "species", "valence"), min_length=1)
    """Densities, by what their Gaussians integrate to: `atoms`, 1; `species`, a density of each species, 1 for its atoms and 0 for
    others; `valence`, valence electrons; `charge`, the atomic number."""
    smallest_width_angstrom: float = Field(default=0.5, gt=0, le=10)
    """Width of the narrowest wavelets; those of scale j are 2^j times as wide."""
    n_scales: int = Field(default=2, ge=1, le=6)
    """Number of widths."""
    n_max: int = Field(default=4, ge=1, le=6)
    """Shells of orbitals: n = 1 ... n_max, l = 0 ... n - 1."""
    second_order: bool = True
    """Also wavelets of the moduli, of all wider scales, with n = l + 1."""
    powers: Annotated[tuple[Annotated[float, Field(ge=0.25, le=4)], ...], SmallestFirst] = Field(
        default=(1.0, 4 / 3, 5 / 3, 2.0), min_length=1
    )
    """To which densities and moduli are raised before they are integrated, smallest first."""

    @model_validator(mode="after")
    def _resolved(self) -> "OrbitalScattering":
        require_resolved(self.spacing_angstrom, self.atom_width_angstrom)
        return self
