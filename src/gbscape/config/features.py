"""Settings of the representations: how a boundary's atoms become a vector of numbers."""

import itertools
from collections.abc import Iterator, Mapping, Sequence
from typing import Annotated, Any, Literal, get_origin

from pydantic import Field, StringConstraints, ValidationError, field_validator, model_validator

from gbscape.config.base import Settings
from gbscape.config.quippy_range import CLOSEST_APPROACH_ANGSTROM, LARGEST_ERROR, quippy_error

RepresentationName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.+-]*$", max_length=80)]
"""Becomes part of file names; `~` and `=` are kept for the names that a sweep makes."""

LONGEST_EXPANDED_NAME = 200
"""Characters of a name that a sweep makes: file names hold up to 255 bytes, some for what stands around it."""

SweepValue = int | float | str


class _Sweepable(Settings):
    """What the representations that compute something share."""

    sweep: dict[str, Annotated[list[SweepValue], Field(min_length=1)]] = Field(default={})
    """Parameters and the values each shall take; every combination becomes a representation of its own, e.g.
    `cutoff_angstrom: [4.0, 5.0]` makes `soap~cutoff_angstrom=4.0` and `soap~cutoff_angstrom=5.0`."""


def _require_sound_quippy(n_max: int, l_max: int, cutoff_angstrom: float, sigma_angstrom: float) -> None:
    error = quippy_error(n_max, l_max, cutoff_angstrom, sigma_angstrom)
    if not error <= LARGEST_ERROR:
        raise ValueError(
            f"quippy is numerically unstable for n_max={n_max}, l_max={l_max}, cutoff_angstrom={cutoff_angstrom:g}, "
            f"sigma_angstrom={sigma_angstrom:g}: its power spectrum (norm 1) would be wrong by about {error:.0e} for "
            f"an atom {CLOSEST_APPROACH_ANGSTROM:g} Angstrom away, and at most {LARGEST_ERROR:.0e} is allowed; "
            "choose a smaller sigma_angstrom, l_max or n_max"
        )


class Soap(_Sweepable):
    """SOAP power spectrum of every boundary atom, averaged over them (Bartok, Kondor and Csanyi 2013; the averaged
    representation of Rosenbrock et al. 2017)."""

    kind: Literal["soap"] = "soap"
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
    engine: Literal["quippy"] = "quippy"
    """Code that computes the power spectrum."""

    @model_validator(mode="after")
    def _sound(self) -> "Soap":
        _require_transition_inside(self.cutoff_transition_width_angstrom, self.cutoff_angstrom)
        _require_sound_quippy(self.n_max, self.l_max, self.cutoff_angstrom, self.sigma_angstrom)
        return self


def _require_transition_inside(width_angstrom: float, cutoff_angstrom: float) -> None:
    if width_angstrom >= cutoff_angstrom:
        raise ValueError(
            f"cutoff_transition_width_angstrom={width_angstrom:g} must be smaller than the cut-off, {cutoff_angstrom:g}"
        )


class SoapScale(Settings):
    """One length scale of a multi-scale SOAP."""

    cutoff_angstrom: float = Field(gt=0, le=20)
    """Radius of the neighbourhood."""
    sigma_angstrom: float = Field(gt=0, le=5)
    """Width (standard deviation) of the Gaussian on each neighbour."""


class MultiScaleSoap(_Sweepable):
    """Averaged SOAP at several length scales, one after the other: the wider the neighbourhood, the wider the
    Gaussians (Bartok et al. 2017; Willatt, Musil and Ceriotti 2018).

    Homer et al. 2019 do not give their scales. The default takes half-octave steps about their single scale of 5
    Angstrom with sigma in proportion, and n_max = l_max = 12: with sigma a tenth of the cut-off that resolves all that
    the Gaussians leave, and quippy is sound there, which it is not at 18 and 18 with wide Gaussians.
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
    engine: Literal["quippy"] = "quippy"
    """Code that computes the power spectrum."""

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
            _require_transition_inside(self.cutoff_transition_width_angstrom, scale.cutoff_angstrom)
            _require_sound_quippy(self.n_max, self.l_max, scale.cutoff_angstrom, scale.sigma_angstrom)
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


class Scattering(_Sweepable):
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


class Concatenate(Settings):
    """Other representations of the same boundary, one after the other (SOAP+ST)."""

    kind: Literal["concatenate"] = "concatenate"
    of: tuple[str, ...] = Field(min_length=2)
    """Names of the representations that are joined, in this order; a swept one stands for each of its members."""


Representation = Annotated[Soap | MultiScaleSoap | Scattering | Concatenate, Field(discriminator="kind")]
Computed = Soap | MultiScaleSoap | Scattering
"""The representations that are computed from atoms; a concatenation is put together from them."""


def _allow_null_members(schema: dict[str, Any]) -> None:
    members = schema["patternProperties"]
    schema["patternProperties"] = {name: {"anyOf": [member, {"type": "null"}]} for name, member in members.items()}


class Features(Settings):
    """The representations that are computed for every boundary."""

    representations: dict[RepresentationName, Representation] = Field(
        default={
            "soap": Soap(),
            "multi_scale_soap": MultiScaleSoap(),
            "st": Scattering(),
            "soap+st": Concatenate(of=("soap", "st")),
        },
        min_length=1,
        json_schema_extra=_allow_null_members,
    )
    """Representations by name; the name becomes part of file names. Null takes a default one away."""
    shards: int = Field(default=8, gt=0, le=2000)
    """Number of jobs for each representation; 10 to 30 minutes each is a good size."""

    @model_validator(mode="after")
    def _complete(self) -> "Features":
        if "random" in self.representations:
            raise ValueError("representations.random: this name is kept for the baseline; choose another")
        expand(self.representations)
        return self


def expand(representations: Mapping[str, Representation]) -> dict[str, Representation]:
    """Replace each swept representation by its members, and each concatenation of swept ones by every combination.

    The members of `soap` swept over two parameters are named `soap~cutoff_angstrom=4.0~l_max=6`, parameters in the
    order of the sweep, values as the settings print them. A concatenation `soap+st` of it is expanded alike, with the
    part's name before each parameter: `soap+st~soap.cutoff_angstrom=4.0~soap.l_max=6`. Without a sweep nothing changes.

    Returns:
        Representations without sweeps, in the order given, each sweep in the order of its values, the last parameter
        running fastest.

    Raises:
        ValueError: a sweep over an unknown parameter or with a value that it cannot take, or a concatenation of something
            that is not there or is itself a concatenation, or a name too long for a file name; the message names the
            representation and the key.
    """
    # name -> suffix of each member ("" without a sweep) and its settings
    members: dict[str, list[tuple[tuple[str, ...], Computed]]] = {
        name: list(_members(name, representation))
        for name, representation in representations.items()
        if not isinstance(representation, Concatenate)
    }
    expanded: dict[str, Representation] = {}
    for name, representation in representations.items():
        if isinstance(representation, Concatenate):
            _check_parts(name, representation, representations)
            for combination in itertools.product(*(members[part] for part in representation.of)):
                chosen = list(zip(representation.of, (suffix for suffix, _ in combination), strict=True))
                suffixes = [f"{part}.{item}" for part, suffix in chosen for item in suffix]
                expanded[_expanded_name(name, suffixes)] = Concatenate(
                    of=tuple("~".join((part, *suffix)) for part, suffix in chosen)
                )
        else:
            for suffix, member in members[name]:
                expanded[_expanded_name(name, suffix)] = member
    return expanded


def _expanded_name(name: str, suffixes: Sequence[str]) -> str:
    expanded = "~".join((name, *suffixes))
    if len(expanded) > LONGEST_EXPANDED_NAME:
        raise ValueError(
            f"representations.{name}: the sweep makes the name '{expanded}' of {len(expanded)} characters; it becomes "
            f"part of file names, so at most {LONGEST_EXPANDED_NAME} are allowed: sweep over fewer parameters at once "
            "or choose shorter names"
        )
    return expanded


def _check_parts(name: str, concatenation: Concatenate, representations: Mapping[str, Representation]) -> None:
    allowed = [other for other, its in representations.items() if not isinstance(its, Concatenate)]
    for part in concatenation.of:
        if part not in allowed:
            message = f"representations.{name}.of: '{part}' is not one of the representations {allowed}"
            if part not in representations:
                message += f"; if it was set to null, set {name} to null too, or give its `of` anew"
            raise ValueError(message)
    if len(set(concatenation.of)) < len(concatenation.of):
        raise ValueError(f"representations.{name}.of: each representation may be named once, got {concatenation.of}")


def _members(name: str, representation: Computed) -> Iterator[tuple[tuple[str, ...], Computed]]:
    """Yield (suffixes, settings) of each member of a sweep."""
    where = f"representations.{name}.sweep"
    fields = type(representation).model_fields
    sweepable = [key for key in fields if key not in ("kind", "sweep") and not _holds_several(fields[key].annotation)]
    for parameter in representation.sweep:
        if parameter not in sweepable:
            raise ValueError(f"{where}: '{parameter}' cannot be swept; '{representation.kind}' allows {sweepable}")
    fixed = representation.model_dump(exclude={"sweep"})
    seen: set[tuple[str, ...]] = set()
    for values in itertools.product(*representation.sweep.values()):
        chosen: dict[str, Any] = dict(zip(representation.sweep, values, strict=True))
        try:
            member = type(representation).model_validate(fixed | chosen)
        except ValidationError as error:
            reasons = "; ".join(
                ": ".join([*(str(key) for key in problem["loc"]), problem["msg"].removeprefix("Value error, ")])
                for problem in error.errors()
            )
            raise ValueError(f"{where}: {chosen} is not allowed: {reasons}") from error
        suffix = tuple(f"{parameter}={getattr(member, parameter)}" for parameter in representation.sweep)
        if suffix in seen:
            raise ValueError(f"{where}: {chosen} is given twice")
        seen.add(suffix)
        yield suffix, member


def _holds_several(annotation: Any) -> bool:
    return get_origin(annotation) is tuple
