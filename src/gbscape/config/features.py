"""Settings of the representations: how a boundary's atoms become a vector of numbers."""

import itertools
from collections.abc import Iterator, Mapping, Sequence
from typing import Annotated, Any, Literal, get_origin

from pydantic import Field, StringConstraints, ValidationError, model_validator

from gbscape.config.base import Settings
from gbscape.config.jobs import Shards
from gbscape.config.scattering import OrientedScattering, Scattering
from gbscape.config.soap import LocalEnvironments, MultiScaleSoap, PooledSoap, Soap

RepresentationName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.+-]*$", max_length=80)]
"""Becomes part of file names; `~` and `=` are kept for the names that a sweep makes."""

LONGEST_EXPANDED_NAME = 200
"""Characters of a name that a sweep makes: file names hold up to 255 bytes, some for what stands around it."""


class Concatenate(Settings):
    """Other representations of the same boundary, one after the other (SOAP+ST)."""

    kind: Literal["concatenate"] = "concatenate"
    of: tuple[str, ...] = Field(min_length=2)
    """Names of the representations that are joined, in this order; a swept one stands for each of its members."""


Computed = Soap | MultiScaleSoap | PooledSoap | LocalEnvironments | Scattering | OrientedScattering
"""The representations that are computed from atoms; a concatenation is put together from them."""
Representation = Annotated[
    Soap | MultiScaleSoap | PooledSoap | LocalEnvironments | Scattering | OrientedScattering | Concatenate,
    Field(discriminator="kind"),
]


def computed_by_torch(settings: Settings) -> bool:
    """Whether PyTorch computes a representation, which it does on a CUDA device where there is one."""
    return getattr(settings, "kind", None) == "oriented_scattering" or getattr(settings, "engine", None) == "torch"


def _allow_null_members(schema: dict[str, Any]) -> None:
    members = schema["patternProperties"]
    schema["patternProperties"] = {name: {"anyOf": [member, {"type": "null"}]} for name, member in members.items()}


class Features(Settings):
    """The representations that are computed for every boundary."""

    representations: dict[RepresentationName, Representation] = Field(
        default={
            "soap": Soap(),
            "multi_scale_soap": MultiScaleSoap(),
            "st": OrientedScattering(),
            "soap+st": Concatenate(of=("soap", "st")),
        },
        min_length=1,
        json_schema_extra=_allow_null_members,
    )
    """Representations by name; the name becomes part of file names. Null takes a default one away."""
    shards: Shards = 8
    """Number of jobs for each representation; 10 to 30 minutes each is a good size; `auto`: by the estimated time, see `jobs`."""

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
