"""Settings of wavelet scattering seen from single atoms."""

from pydantic import Field, model_validator

from gbscape.config.base import Settings
from gbscape.config.scattering import Precision, require_resolved


class AtomicScattering(Settings):
    """Moduli of the invariant scattering transform of a whole model at the positions of its atoms."""

    spacing_angstrom: float = Field(default=0.4, gt=0, le=2)
    """Largest distance between grid points; each axis gets the next finer grid that suits a fast Fourier transform."""
    atom_width_angstrom: float = Field(default=0.5, gt=0, le=5)
    """Width (standard deviation) of the Gaussian, of integral 1, that stands for each atom."""
    sigma_0_angstrom: float = Field(default=0.7, gt=0, le=10)
    """Width of the narrowest wavelet; wavelet j has width sigma_0 2^j."""
    j_max: int = Field(default=2, ge=0, le=5)
    """Index of the widest wavelet: there are j_max + 1 widths."""
    l_max: int = Field(default=6, ge=0, le=8)
    """Highest angular momentum of the wavelets."""
    second_order: bool = True
    """Also moduli of the moduli's transforms by wider wavelets."""
    precision: Precision = "single"
    """Floating-point numbers of the transform."""

    @property
    def n_features(self) -> int:
        """Length of a vector."""
        scales = self.j_max + 1
        pairs = scales * (scales - 1) // 2 if self.second_order else 0
        return 1 + (self.l_max + 1) * (scales + pairs)

    @model_validator(mode="after")
    def _resolved(self) -> "AtomicScattering":
        require_resolved(self.spacing_angstrom, self.atom_width_angstrom)
        return self
