"""Settings of wavelet scattering."""

import itertools
from typing import Annotated, Literal

from pydantic import Field, field_validator, model_validator

from gbscape.config.sweep import Sweepable


class Scattering(Sweepable):
    """Rotation-invariant solid-harmonic wavelet scattering of the boundary's density (Eickenberg et al. 2018), per
    boundary area."""

    kind: Literal["scattering"] = "scattering"
    spacing_angstrom: float = Field(default=0.5, gt=0, le=2)
    """Largest distance between grid points; each axis gets the next finer grid that suits a fast Fourier transform."""
    atom_width_angstrom: float = Field(default=0.5, gt=0, le=5)
    """Width (standard deviation) of the Gaussian, of integral 1, that stands for each atom."""
    sigma_0_angstrom: float = Field(default=0.8, gt=0, le=10)
    """Width of the narrowest wavelet; wavelet j has width sigma_0 2^j."""
    j_max: int = Field(default=3, ge=0, le=6)
    """Index of the widest wavelet: there are j_max + 1 widths."""
    l_max: int = Field(default=4, ge=0, le=8)
    """Highest angular momentum of the wavelets."""
    integral_powers: tuple[Annotated[float, Field(ge=0.25, le=4)], ...] = (0.5, 1.0, 2.0)
    """Powers to which the moduli are raised before they are integrated, smallest first."""
    engine: Literal["kymatio"] = "kymatio"
    """Code that computes the transform."""

    @field_validator("integral_powers")
    @classmethod
    def _increasing(cls, powers: tuple[float, ...]) -> tuple[float, ...]:
        if not powers or any(not a < b for a, b in itertools.pairwise(powers)):
            raise ValueError("give at least one power, smallest first, each once")
        return powers

    @model_validator(mode="after")
    def _resolved(self) -> "Scattering":
        # The density's Fourier transform falls as exp(-(k w)^2 / 2); at the grid's wave number 2 pi / h a squared
        # density keeps exp(-(pi w / h)^2) of it, which is 5e-5 at h = w and 9e-2 at h = 2 w.
        if self.spacing_angstrom > self.atom_width_angstrom:
            raise ValueError(
                f"spacing_angstrom={self.spacing_angstrom:g} is too coarse for atom_width_angstrom="
                f"{self.atom_width_angstrom:g}: the spacing may be at most the width of the atoms"
            )
        return self
