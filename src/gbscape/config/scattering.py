"""Settings of wavelet scattering."""

from typing import Annotated, Literal

from pydantic import Field, model_validator

from gbscape.config.base import SmallestFirst
from gbscape.config.sweep import Sweepable

Precision = Literal["single", "double"]
ScatteringEngine = Literal["torch", "kymatio"]
Samples = Annotated[int, Field(ge=1, le=1024)]


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
    integral_powers: Annotated[tuple[Annotated[float, Field(ge=0.25, le=4)], ...], SmallestFirst] = Field(
        default=(0.5, 1.0, 2.0), min_length=1
    )
    """Powers to which the moduli are raised before they are integrated, smallest first."""
    tolerance: float = Field(default=1e-4, ge=0, le=1e-2)
    """Relative error of the features up to which grids are coarsened for wide wavelets; 0 leaves every grid fine."""
    precision: Precision = "double"
    """Floating-point numbers of the transform. Powers below 1 make much of rounding where there is next to no density:
    in the vacuum beside a boundary single precision changes features of power 0.5 by up to 1e-2."""
    engine: ScatteringEngine = "torch"
    """Code that computes the transform: PyTorch with compiled passes, or Kymatio, the reference that it agrees with, on
    the full grid in double precision."""

    @model_validator(mode="after")
    def _resolved(self) -> "Scattering":
        require_resolved(self.spacing_angstrom, self.atom_width_angstrom)
        return self


class OrientedScattering(Sweepable):
    """Scattering by oriented wavelets, as profiles along the boundary normal (Homer et al. 2019).

    Wavelets of one order l point in many directions; the modulus of what each leaves of the density is averaged over the
    boundary plane, blurred along the normal and sampled. The paper's code was never published. From the paper: the
    density's spacing, layers, order, scales and directions. Not from the paper: widths, blur and window.
    """

    kind: Literal["oriented_scattering"] = "oriented_scattering"
    spacing_angstrom: float = Field(default=0.25, gt=0, le=2)
    """Largest distance between grid points; 0.25 in Homer et al. 2019. Each axis gets the next finer grid that suits a
    fast Fourier transform."""
    atom_width_angstrom: float = Field(default=0.5, gt=0, le=5)
    """Width (standard deviation) of the Gaussian, of integral 1, that stands for each atom."""
    order: int = Field(default=4, ge=0, le=8)
    """Angular momentum l of the wavelets; 4 in Homer et al. 2019."""
    component: int = Field(default=0, ge=0, le=8)
    """Component m of the wavelets about their direction, at most the order; 0 is symmetric about it."""
    n_scales: int = Field(default=16, ge=1, le=64)
    """Number of widths of the wavelets, 16 in Homer et al. 2019; each is the same multiple of the one before."""
    smallest_width_angstrom: float = Field(default=0.5, gt=0, le=10)
    """Width of the narrowest wavelet."""
    largest_width_angstrom: float = Field(default=4.0, gt=0, le=20)
    """Width of the widest wavelet."""
    n_azimuthal: int = Field(default=16, ge=1, le=64)
    """Number of azimuthal angles of the directions about the z axis, from 0 in equal steps; 16 in Homer et al. 2019."""
    n_polar: int = Field(default=16, ge=1, le=64)
    """Number of polar angles of the directions from the z axis, in the middle of equal steps; 16 in Homer et al. 2019.
    Opposite directions give the same, and one of each pair is kept."""
    layers: int = Field(default=2, ge=1, le=3)
    """1: the blurred density; 2: also moduli of its wavelet transform, as Homer et al. 2019; 3: also moduli of those
    moduli's transforms by wider wavelets of the same direction."""
    blur_angstrom: float = Field(default=1.0, gt=0, le=20)
    """Width of the Gaussian that blurs before samples are taken."""
    window_angstrom: float = Field(default=32.0, gt=0, le=500)
    """Length along the boundary normal, centred on the mean position of the boundary's atoms, that is sampled."""
    samples: tuple[Samples, Samples, Samples] = (32, 1, 1)
    """Samples along x (the normal, in the window), y and z (over the period). A sample each blur_angstrom keeps all that
    the blur leaves, to 1 %; the length of the vectors of Homer et al. 2019 stands for 128. Along y and z, 1 means the
    average over the period; more make the vector depend on where the period begins and how often it is repeated."""
    tolerance: float = Field(default=1e-3, ge=0, le=1e-2)
    """Error, relative to the largest value of each profile, up to which grids are coarsened for wide wavelets; 0 leaves
    every grid fine. In 24 Ni boundaries one profile in a thousand passed it, by up to 1.7 times; 1e-2 takes 0.6 of the time of
    1e-3 and changes half of the columns by less than 4e-4 of their spread between boundaries, 99 % by less than 7e-3."""
    precision: Precision = "single"
    """Floating-point numbers of the transform."""

    @model_validator(mode="after")
    def _consistent(self) -> "OrientedScattering":
        require_resolved(self.spacing_angstrom, self.atom_width_angstrom)
        if self.component > self.order:
            raise ValueError(f"component={self.component} must be at most the order, {self.order}")
        if self.smallest_width_angstrom > self.largest_width_angstrom or (
            self.n_scales > 1 and self.smallest_width_angstrom == self.largest_width_angstrom
        ):
            raise ValueError(
                f"smallest_width_angstrom={self.smallest_width_angstrom:g} must be smaller than "
                f"largest_width_angstrom={self.largest_width_angstrom:g}"
            )
        return self


def require_resolved(spacing_angstrom: float, atom_width_angstrom: float) -> None:
    """Refuse a grid on which the atoms' Gaussians are not resolved."""
    # The density's Fourier transform falls as exp(-(k w)^2 / 2); at the grid's wave number 2 pi / h a squared
    # density keeps exp(-(pi w / h)^2) of it, which is 5e-5 at h = w and 9e-2 at h = 2 w.
    if spacing_angstrom > atom_width_angstrom:
        raise ValueError(
            f"spacing_angstrom={spacing_angstrom:g} is too coarse for atom_width_angstrom={atom_width_angstrom:g}: the "
            "spacing may be at most the width of the atoms"
        )
