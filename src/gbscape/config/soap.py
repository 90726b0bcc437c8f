"""Settings of SOAP and of the representations made of it."""

import itertools
from typing import Annotated, Literal, Self

from pydantic import Field, StringConstraints, field_validator, model_validator

from gbscape.config.base import Settings
from gbscape.config.quippy_range import CLOSEST_APPROACH_ANGSTROM, LARGEST_ERROR, quippy_error
from gbscape.config.sweep import Sweepable

SoapEngine = Literal["native", "torch", "quippy"]
MOST_SIGMA_IN_CUTOFF = 400
"""Narrower Gaussians would take tables too large for memory, and see next to nothing."""
Averaging = Literal["none", "spectra", "coefficients"]
Statistic = Literal["mean", "standard_deviation", "skewness", "minimum", "maximum", "excess_per_area"]
ChemicalSymbol = Annotated[str, StringConstraints(pattern=r"^[A-Z][a-z]?$")]


def require_sound_quippy(n_max: int, l_max: int, cutoff_angstrom: float, sigma_angstrom: float) -> None:
    """Refuse settings with which quippy is numerically unstable."""
    error = quippy_error(n_max, l_max, cutoff_angstrom, sigma_angstrom)
    if not error <= LARGEST_ERROR:
        raise ValueError(
            f"quippy is numerically unstable for n_max={n_max}, l_max={l_max}, cutoff_angstrom={cutoff_angstrom:g}, "
            f"sigma_angstrom={sigma_angstrom:g}: its power spectrum (norm 1) would be wrong by about {error:.0e} for "
            f"an atom {CLOSEST_APPROACH_ANGSTROM:g} Angstrom away, and at most {LARGEST_ERROR:.0e} is allowed; "
            "choose a smaller sigma_angstrom, l_max or n_max"
        )


class SoapParameters(Settings):
    """Parameters of the SOAP descriptor, for any structure."""

    n_max: int = Field(ge=1, le=40)
    """Number of radial basis functions."""
    l_max: int = Field(ge=0, le=30)
    """Highest angular momentum."""
    cutoff_angstrom: float = Field(gt=0, le=20)
    """Radius of the neighbourhood."""
    sigma_angstrom: float = Field(gt=0, le=5)
    """Width (standard deviation) of the Gaussian on each neighbour."""
    cutoff_transition_width_angstrom: float = Field(default=0.5, ge=0.01, le=10)
    """The neighbours fade out over this length inside the cut-off; 0.5 is quippy's default."""
    central_weight: float = Field(default=1.0, ge=0, le=100)
    """Weight of the Gaussian on the central atom itself; 0 leaves it out of the density."""
    normalise: bool = True
    """Divide each vector by its norm."""
    averaging: Averaging = "none"
    """Over the centres: none, the mean of their vectors, or the power spectrum of their mean coefficients (which quippy
    calls average=T)."""
    neighbour_species: tuple[ChemicalSymbol, ...] | None = Field(default=None, min_length=1)
    """Chemical symbols of the neighbours that count, each with a density of its own; other atoms are not seen. None stands
    for the one species that the structure has."""

    @field_validator("neighbour_species")
    @classmethod
    def _distinct(cls, species: tuple[str, ...] | None) -> tuple[str, ...] | None:
        if species is not None and len(set(species)) < len(species):
            raise ValueError(f"each species may be named once, got {', '.join(species)}")
        return species

    @model_validator(mode="after")
    def _sound(self) -> Self:
        _require_sound_lengths(self.cutoff_transition_width_angstrom, self.cutoff_angstrom, self.sigma_angstrom)
        return self

    @property
    def n_features(self) -> int:
        """Length of a vector."""
        functions = self.n_max * (1 if self.neighbour_species is None else len(self.neighbour_species))
        return functions * (functions + 1) // 2 * (self.l_max + 1) + 1


class AtomicSoap(Sweepable):
    """What the representations made of the boundary atoms' SOAP vectors share."""

    kind: str
    n_max: int = Field(default=18, ge=1, le=40)
    """Number of radial basis functions; 18 in Homer et al. 2019."""
    l_max: int = Field(default=18, ge=0, le=30)
    """Highest angular momentum; 18 in Homer et al. 2019."""
    cutoff_angstrom: float = Field(default=5.0, gt=0, le=20)
    """Radius of the neighbourhood; 5.0 in Homer et al. 2019."""
    sigma_angstrom: float = Field(default=0.5, gt=0, le=5)
    """Width (standard deviation) of the Gaussian on each neighbour. Homer et al. 2019 do not give theirs;
    0.5 is the usual choice for metals."""
    cutoff_transition_width_angstrom: float = Field(default=0.5, ge=0.01, le=10)
    """The neighbours fade out over this length inside the cut-off; not given in Homer et al. 2019, 0.5 is
    quippy's default."""
    central_weight: float = Field(default=1.0, ge=0, le=100)
    """Weight of the Gaussian on the central atom itself; 0 leaves it out of the density."""

    @model_validator(mode="after")
    def _sound_lengths(self) -> Self:
        _require_sound_lengths(self.cutoff_transition_width_angstrom, self.cutoff_angstrom, self.sigma_angstrom)
        return self

    def parameters(self, averaging: Averaging = "none") -> SoapParameters:
        """The descriptor's parameters."""
        return SoapParameters.model_validate(
            self.model_dump(include=set(AtomicSoap.model_fields) - {"kind", "sweep"}) | {"averaging": averaging}
        )


class Soap(AtomicSoap):
    """SOAP power spectrum of the boundary atoms, averaged over them (Bartok, Kondor and Csanyi 2013; the averaged
    representation of Rosenbrock et al. 2017)."""

    kind: Literal["soap"] = "soap"
    averaging: Literal["spectra", "coefficients"] = "spectra"
    """Over the boundary's atoms: the mean of their power spectra, or the power spectrum of their mean coefficients."""
    engine: SoapEngine = "native"
    """Code that computes: the compiled kernel, PyTorch, or quippy, the reference that the others agree with."""

    @model_validator(mode="after")
    def _accurate(self) -> "Soap":
        if self.engine == "quippy":
            require_sound_quippy(self.n_max, self.l_max, self.cutoff_angstrom, self.sigma_angstrom)
            if self.averaging == "coefficients":
                raise ValueError(
                    "quippy averages coefficients over whole structures, not over a boundary's atoms; choose another engine "
                    "or averaging 'spectra'"
                )
        return self

    def parameters(self, averaging: Averaging | None = None) -> SoapParameters:
        """The descriptor's parameters, averaged as the settings say if not said otherwise."""
        return super().parameters(averaging or self.averaging)


class PooledSoap(AtomicSoap):
    """Statistics of the boundary atoms' SOAP vectors, one after the other.

    Beyond the mean of Rosenbrock et al. 2017: how the environments spread, and their excess over the perfect crystal
    per area, on which a boundary energy depends linearly if an atom's energy does on its SOAP vector.
    """

    kind: Literal["pooled_soap"] = "pooled_soap"
    statistics: tuple[Statistic, ...] = Field(default=("mean", "excess_per_area"), min_length=1)
    """Statistics over the boundary's atoms, component by component, in this order. `mean`, `standard_deviation`,
    `skewness` (0 where nothing varies), `minimum`, `maximum`; `excess_per_area`: the sum of the atoms' vectors less that of
    as many atoms of the slab's own bulk, over the boundary's area in square Angstrom."""

    @field_validator("statistics")
    @classmethod
    def _distinct(cls, statistics: tuple[Statistic, ...]) -> tuple[Statistic, ...]:
        if len(set(statistics)) < len(statistics):
            raise ValueError(f"each statistic may be named once, got {', '.join(statistics)}")
        return statistics


class LocalEnvironments(AtomicSoap):
    """Local environment representation: fractions of the boundary's atoms in each of the unique environments that the
    whole survey is made of (Rosenbrock et al. 2017).

    The environments are found among all boundaries without looking at their properties, as in the paper: also among those
    that a model is tested on.
    """

    kind: Literal["local_environments"] = "local_environments"
    threshold: float = Field(default=0.07, ge=0.005, le=1.4)
    """Distance of normalised SOAP vectors p and q, |p - q| = sqrt(2 - 2 p.q), above which two environments are different.
    The smaller, the more environments: in 220 Ni boundaries of 60 000 atoms 35 at 0.1, 114 at 0.07, 487 at 0.05; Rosenbrock
    et al. 2017 found 145 in 800 000 atoms, Priedeman et al. 2018 55 in 494 495."""


def _require_sound_lengths(width_angstrom: float, cutoff_angstrom: float, sigma_angstrom: float) -> None:
    if width_angstrom >= cutoff_angstrom:
        raise ValueError(
            f"cutoff_transition_width_angstrom={width_angstrom:g} must be smaller than the cut-off, {cutoff_angstrom:g}"
        )
    if cutoff_angstrom > MOST_SIGMA_IN_CUTOFF * sigma_angstrom:
        raise ValueError(
            f"sigma_angstrom={sigma_angstrom:g} is too narrow for cutoff_angstrom={cutoff_angstrom:g}: the least is "
            f"{cutoff_angstrom / MOST_SIGMA_IN_CUTOFF:g}"
        )


class SoapScale(Settings):
    """One length scale of a multi-scale SOAP."""

    cutoff_angstrom: float = Field(gt=0, le=20)
    """Radius of the neighbourhood."""
    sigma_angstrom: float = Field(gt=0, le=5)
    """Width (standard deviation) of the Gaussian on each neighbour."""


class MultiScaleSoap(Sweepable):
    """Averaged SOAP at several length scales, one after the other: the wider the neighbourhood, the wider the
    Gaussians (Bartok et al. 2017; Willatt, Musil and Ceriotti 2018).

    Homer et al. 2019 do not give their scales. The default takes half-octave steps about their single scale of 5
    Angstrom with sigma in proportion, and n_max = l_max = 12: with sigma a tenth of the cut-off that resolves all that
    the Gaussians leave.
    """

    kind: Literal["multi_scale_soap"] = "multi_scale_soap"
    scales: tuple[SoapScale, ...] = (
        SoapScale(cutoff_angstrom=3.5, sigma_angstrom=0.35),
        SoapScale(cutoff_angstrom=5.0, sigma_angstrom=0.5),
        SoapScale(cutoff_angstrom=7.0, sigma_angstrom=0.7),
    )
    """Cut-off and Gaussian width of each scale, smallest first; both grow from one to the next."""
    n_max: int = Field(default=12, ge=1, le=40)
    """Number of radial basis functions at every scale."""
    l_max: int = Field(default=12, ge=0, le=30)
    """Highest angular momentum at every scale."""
    cutoff_transition_width_angstrom: float = Field(default=0.5, ge=0.01, le=10)
    """The neighbours fade out over this length inside each cut-off."""
    engine: SoapEngine = "native"
    """Code that computes: the compiled kernel, PyTorch, or quippy, the reference that the others agree with."""

    @field_validator("scales")
    @classmethod
    def _growing(cls, scales: tuple[SoapScale, ...]) -> tuple[SoapScale, ...]:
        if len(scales) < 2:
            raise ValueError("a multi-scale SOAP needs at least two scales; use kind 'soap' for one")
        for narrow, wide in itertools.pairwise(scales):
            if not (narrow.cutoff_angstrom < wide.cutoff_angstrom and narrow.sigma_angstrom < wide.sigma_angstrom):
                raise ValueError("cutoff_angstrom and sigma_angstrom must both grow from each scale to the next")
        return scales

    @model_validator(mode="after")
    def _sound(self) -> "MultiScaleSoap":
        for scale in self.scales:
            _require_sound_lengths(self.cutoff_transition_width_angstrom, scale.cutoff_angstrom, scale.sigma_angstrom)
            if self.engine == "quippy":
                require_sound_quippy(self.n_max, self.l_max, scale.cutoff_angstrom, scale.sigma_angstrom)
        return self

    def single_scales(self) -> tuple[Soap, ...]:
        """The SOAP settings of each scale."""
        return tuple(
            Soap(
                n_max=self.n_max,
                l_max=self.l_max,
                cutoff_angstrom=scale.cutoff_angstrom,
                sigma_angstrom=scale.sigma_angstrom,
                cutoff_transition_width_angstrom=self.cutoff_transition_width_angstrom,
                engine=self.engine,
            )
            for scale in self.scales
        )
