"""Settings of the measured table of descriptors' properties (Homer et al. 2019, Table 2)."""

from typing import Annotated, Literal

from pydantic import Field, field_validator, model_validator

from gbscape.config.base import Label, Settings, SmallestFirst

Classification = Literal["cna", "ptm", "ptm_rmsd"]
Length = Annotated[float, Field(gt=0, le=1000)]


class DescriptorProperties(Settings):
    """Which properties a description of boundaries has, measured: invariance, response to small displacements, smoothness,
    automation, length scales. Off unless a representation or a classification is named."""

    representations: list[str] = []
    """Names of `features.representations`, not of concatenations; a swept one stands for each of its members."""
    classifications: list[Classification] = []
    """Shares of structure types among the boundary's atoms: by adaptive common-neighbour analysis; by polyhedral template
    matching; and the latter with the mean deviation from the templates (RMSD): `cna`, `ptm`, `ptm_rmsd`."""
    boundaries: list[Label] = Field(
        default=[
            "S5_3.1.0_3.1.0_7cac86de",
            "S3_1.1.1_1.1.1_9e537718",
            "S5_1.0.0_1.0.0_1957e233",
            "S15_7.1.0_4.1.1_0b0db296",
        ],
        min_length=1,
    )
    """Ids of the survey's boundaries that are changed and described again; pairs of defects are set in the first. The default
    ones are small: a symmetric tilt, the coherent twin, a twist, and a mixed boundary without a short period."""
    relaxations: int = Field(default=2, ge=1, le=100)
    """How often each of them is shaken and relaxed again."""
    shaken_angstrom: float = Field(default=0.1, gt=0, le=1)
    """Standard deviation, along each axis, of the displacements that precede a relaxation."""
    displacements_angstrom: Annotated[tuple[Length, ...], SmallestFirst] = Field(
        default=(1e-4, 3e-4, 1e-3, 3e-3, 1e-2, 3e-2, 0.1), min_length=3
    )
    """Standard deviations, along each axis, of the random displacements whose effect is measured; smallest first."""
    draws: int = Field(default=2, ge=1, le=100)
    """Sets of random displacements, each scaled to all of these lengths."""
    path_steps: int = Field(default=32, ge=8, le=1024)
    """Steps of a path, a power of two: they are compared with half as many, and with a quarter."""
    grain_path_angstrom: Length = 1.0
    """Length of the path on which one grain slides along the other."""
    atom_path_angstrom: Length = 0.5
    """Length of the path on which one atom at the boundary moves."""
    separations_angstrom: Annotated[tuple[Length, ...], SmallestFirst] = Field(
        default=(2.5, 4.0, 5.0, 6.0, 7.0, 8.0, 9.0, 10.0, 12.0, 14.0, 17.0, 20.0, 24.0, 28.0), min_length=2
    )
    """Distances between two displaced atoms, smallest first; a boundary is repeated to hold more than twice the largest."""
    defect_angstrom: float = Field(default=1.0, gt=0, le=1)
    """Displacement of each of the two atoms, large enough to change structure types."""
    long_range_angstrom: Length = 20.0
    """What counts as long-range: two defects this far apart must change the description by more than each alone. The
    default is the median of the longer common period of the 388 boundaries of fcc Ni (19.8 Angstrom)."""
    seed: int = Field(default=0, ge=0, lt=2**32)
    """Seed of all random displacements."""

    @property
    def wanted(self) -> bool:
        """Whether anything is measured."""
        return bool(self.representations or self.classifications)

    @field_validator("representations", "classifications", "boundaries")
    @classmethod
    def _distinct(cls, names: list[str]) -> list[str]:
        if len(set(names)) < len(names):
            raise ValueError(f"each name may be given once, got {names}")
        return names

    @field_validator("path_steps")
    @classmethod
    def _power_of_two(cls, steps: int) -> int:
        if steps & (steps - 1):
            raise ValueError("must be a power of two, so that it can be halved")
        return steps

    @model_validator(mode="after")
    def _names_tell_descriptors_apart(self) -> "DescriptorProperties":
        both = sorted(set(self.representations) & set(self.classifications))
        if both:
            raise ValueError(
                f"{', '.join(both)} is a representation and a classification; give the representation another name"
            )
        return self

    @model_validator(mode="after")
    def _long_range_is_seen(self) -> "DescriptorProperties":
        if self.separations_angstrom[-1] < self.long_range_angstrom:
            raise ValueError(
                f"separations_angstrom end at {self.separations_angstrom[-1]:g}, below long_range_angstrom = "
                f"{self.long_range_angstrom:g}: what is to be found there would not be seen"
            )
        return self
