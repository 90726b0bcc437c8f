"""Settings of ARISE's descriptor, and of the structures that a model is trained and tested on.

Lengths are in units of d_nn, the nearest-neighbour distance of the substructure that is described. Defaults are those of
Leitherer, Ziletti and Ghiringhelli, Nat. Commun. 12, 6234 (2021), and of Leitherer's thesis (2021), section 4.3.3.2.
"""

from itertools import product
from typing import Annotated

from pydantic import Field, model_validator

from gbscape.config.base import Settings
from gbscape.config.soap import SoapParameters

Cutoff = Annotated[float, Field(gt=0.5, le=20)]
Sigma = Annotated[float, Field(gt=0, le=5)]
Scaling = Annotated[float, Field(ge=0.1, le=10)]
Ratio = Annotated[float, Field(ge=0, lt=1)]


class CrystalDescriptor(Settings):
    """The vector of a structure: averaged SOAP of each pair of species, averaged over the pairs."""

    n_max: int = Field(default=9, ge=1, le=40)
    """Number of radial basis functions."""
    l_max: int = Field(default=6, ge=0, le=30)
    """Highest angular momentum."""
    cutoff_nn: Cutoff = 4.0
    """Radius of the neighbourhood, in nearest-neighbour distances."""
    sigma_nn: Sigma = 0.1
    """Width (standard deviation) of the Gaussian on each neighbour, in nearest-neighbour distances."""
    cutoff_transition_width_nn: float = Field(default=0.5, ge=0.01, le=10)
    """Neighbours fade out over this length inside the cut-off, in nearest-neighbour distances; quippy's default, which the
    thesis does not mention."""
    extrinsic_scaling: Scaling = 1.0
    """The nearest-neighbour distance is multiplied by this before it serves as unit of length."""

    @model_validator(mode="after")
    def _sound(self) -> "CrystalDescriptor":
        self.soap(None)
        return self

    def soap(self, neighbour: str | None) -> SoapParameters:
        """SOAP of one pair of species, for positions in nearest-neighbour distances; `neighbour` as in `SoapParameters`."""
        return SoapParameters(
            n_max=self.n_max,
            l_max=self.l_max,
            cutoff_angstrom=self.cutoff_nn,
            sigma_angstrom=self.sigma_nn,
            cutoff_transition_width_angstrom=self.cutoff_transition_width_nn,
            central_weight=0.0,
            averaging="coefficients",
            neighbour_species=None if neighbour is None else (neighbour,),
        )

    @property
    def n_features(self) -> int:
        """Length of a vector."""
        return self.soap(None).n_features


class TrainingGrid(Settings):
    """Settings of the descriptor under which each structure of the training set appears."""

    cutoffs_nn: tuple[Cutoff, ...] = Field(
        default=(3.0, 3.2, 3.4, 3.6, 3.8, 4.0, 4.2, 4.4, 4.6, 4.8, 5.0), min_length=1
    )
    """Cut-offs in nearest-neighbour distances."""
    sigmas_nn: tuple[Sigma, ...] = Field(default=(0.08, 0.1, 0.12), min_length=1)
    """Widths of the Gaussians in nearest-neighbour distances."""
    extrinsic_scalings: tuple[Scaling, ...] = Field(default=(0.95, 1.0, 1.05), min_length=1)
    """Factors on the nearest-neighbour distance, for what defects may do to it."""

    @model_validator(mode="after")
    def _distinct(self) -> "TrainingGrid":
        for name in ("cutoffs_nn", "sigmas_nn", "extrinsic_scalings"):
            values = getattr(self, name)
            if len(set(values)) < len(values):
                raise ValueError(f"{name}: each value may be given once, got {values}")
        return self

    def settings(self, base: CrystalDescriptor) -> tuple[CrystalDescriptor, ...]:
        """All combinations, cut-offs slowest; what the grid does not vary is as in `base`.

        Raises:
            ValueError: a combination that SOAP does not allow.
        """
        return tuple(
            CrystalDescriptor.model_validate(
                base.model_dump() | {"cutoff_nn": cutoff, "sigma_nn": sigma, "extrinsic_scaling": scaling}
            )
            for cutoff, sigma, scaling in product(self.cutoffs_nn, self.sigmas_nn, self.extrinsic_scalings)
        )


class DefectGrid(Settings):
    """Defects of the structures that a model is tested on.

    Of the eight levels of each kind the thesis names 7 and 10 %, 10, 25 and 30 %, and says that three of each are below 1 %
    (displacements) and up to 5 % (missing atoms). The authors' code (ai4materials: `calc_SOAP_dataset`, `benchmarking_spglib`) adds
    0.1, 0.2, 0.6, 1, 2, 4 % and 1, 2, 5, 10, 20 %; 15 % missing atoms is the one level that is ours.
    """

    displacements: tuple[Ratio, ...] = (0.001, 0.002, 0.006, 0.01, 0.02, 0.04, 0.07, 0.1)
    """Largest displacement along each axis, in nearest-neighbour distances."""
    missing: tuple[Ratio, ...] = (0.01, 0.02, 0.05, 0.1, 0.15, 0.2, 0.25, 0.3)
    """Fractions of atoms that are removed."""
    both: bool = True
    """Also apply displacements and missing atoms together, the first level of each, the second, and so on."""
    repeats: int = Field(default=10, ge=1, le=1000)
    """Random realisations of each defect in each structure."""
    seed: int = Field(default=0, ge=0)
    """Seed of the random numbers."""

    @model_validator(mode="after")
    def _paired(self) -> "DefectGrid":
        if self.both and len(self.displacements) != len(self.missing):
            raise ValueError(
                f"both: needs as many displacements as fractions of missing atoms, got {len(self.displacements)} and "
                f"{len(self.missing)}"
            )
        return self

    def levels(self) -> tuple[tuple[float, float], ...]:
        """(displacement, missing) of each defect: displacements alone, missing atoms alone, both."""
        return (
            *((displacement, 0.0) for displacement in self.displacements),
            *((0.0, missing) for missing in self.missing),
            *(zip(self.displacements, self.missing, strict=True) if self.both else ()),
        )
