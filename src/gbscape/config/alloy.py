"""Settings of energies that extrapolate: an amorphous alloy, its energies, what learns them, what it is asked."""

from typing import Annotated, Literal

from pydantic import Field, model_validator

from gbscape.config.base import LeastAndMost, Name, Settings
from gbscape.config.dft import TotalEnergyDft
from gbscape.config.jobs import Shards
from gbscape.config.orbital_scattering import OrbitalScattering
from gbscape.config.soap import ChemicalSymbol, SoapParameters

PACKED, KNOWN = "packed", "known"
"""Names of the first batch of structures: random packings, or those whose energies are known."""
LARGER = "larger"
CRYSTALS = "crystals"
STRAINED = "strained"
"""Names of the batches that are not learned from."""
DATASET = "dataset"
PATHS = "paths"
"""Names of what is learned from, and of the images of all migration paths."""
_LITHIUM_SILICIDES = "resources/lisi/crystals.csv"
_Ratio = Annotated[float, Field(gt=0, le=100)]
_Repeat = Annotated[int, Field(ge=1, le=20)]
_Kelvin = Annotated[float, Field(ge=0, le=10_000)]
_Atoms = Annotated[int, Field(ge=2, le=1000)]
_AtomsRange = Annotated[tuple[_Atoms, _Atoms], LeastAndMost]
_Factor = Annotated[float, Field(gt=0, le=100)]
_Steps = Annotated[int, Field(ge=1, le=100_000)]


class Packing(Settings):
    """Random packings: atoms anywhere in a cube, but not too close."""

    n_atoms: _AtomsRange = (24, 32)
    """Fewest and most atoms of a cell; evenly between them."""
    volume_angstrom3: dict[ChemicalSymbol, Annotated[float, Field(gt=0, le=200)]] = {"Li": 15.0, "Si": 20.0}
    """Volume that an atom of each species takes, on average; in lithium silicides an atom of lithium adds about 15."""
    volume_range: Annotated[tuple[_Factor, _Factor], LeastAndMost] = (0.9, 1.2)
    """Smallest and largest volume of a cell over that of its atoms."""
    closest_fraction: float = Field(default=0.95, gt=0, le=1.2)
    """No two atoms are closer than this, in sums of their covalent radii."""


class CheapPotential(Settings):
    """A linear SNAP potential (Thompson et al., J. Comput. Phys. 285, 316, 2015), fitted to the energies and forces of all
    structures so far, which moves the next ones; a repulsion (ZBL) keeps atoms apart."""

    two_j_max: int = Field(default=6, ge=2, le=12)
    """Twice the highest angular momentum of the bispectrum: 6 makes 30 components of each species."""
    cutoff_angstrom: float = Field(default=5.0, gt=1, le=12)
    """Radius of an atom's surroundings."""
    force_weight: float = Field(default=0.05, gt=0, le=100)
    """Weight of a force component (eV/Angstrom) beside the energy of a structure (eV an atom)."""
    ridge_lambda: float = Field(default=1e-6, gt=0, le=1)
    """Ridge penalty on the weights of columns that are scaled to length 1."""


class Heating(Settings):
    """Molecular dynamics that makes packings amorphous, by the cheap potential: short steps, each of which is kept only if no
    atoms have come too close."""

    temperatures_kelvin: tuple[_Kelvin, ...] = Field(default=(0.0, 300.0, 600.0, 1000.0, 1500.0), min_length=1)
    """One for each structure, in turn; 0 relaxes it instead."""
    step_ps: float = Field(default=0.1, gt=0, le=100)
    """Time of a step."""
    steps: Annotated[tuple[_Steps, _Steps], LeastAndMost] = (3, 20)
    """Fewest and most steps; evenly between them."""
    timestep_fs: float = Field(default=0.5, gt=0, le=5)
    """Time step; lithium is light."""
    relaxation_steps: _Steps = 60
    """Most steps of a minimisation: the first thing that is done to a packing, and all that is at 0 K."""


class LargerCells(Settings):
    """Cells that are larger than those of the training, relaxed or heated, a temperature each in turn."""

    n_atoms: _AtomsRange = (64, 64)
    """Fewest and most atoms."""
    of_each: int = Field(default=1, ge=1, le=1000)
    """Cells of each concentration."""


class AmorphousStructures(Settings):
    """Structures that are made here: packings, and further ones in rounds."""

    concentrations: tuple[_Ratio, ...] = Field(
        default=(0.1, 0.25, 0.5, 0.75, 1.0, 1.25, 1.5, 1.75, 2.0, 2.5, 3.0, 3.75), min_length=1
    )
    """Nominal concentrations; a cell has whole atoms, so that its own differs a little."""
    packed: int = Field(default=6, ge=1, le=10_000)
    """Random packings of each concentration, the first structures whose energies are computed."""
    known: str | None = None
    """Extended XYZ of cells with energies and forces that were computed before, with the settings of `dft`: they take the place of the
    packings, and the rounds add to them. Null: packings."""
    rounds: int = Field(default=3, ge=0, le=50)
    """Rounds of further structures, heated by a potential that is fitted to those before."""
    first_round: int = Field(default=1, ge=1, le=1000)
    """Number of the first of them, above those that known cells are of."""
    heated: int = Field(default=10, ge=1, le=10_000)
    """Structures of each concentration in a round."""
    packing: Packing = Packing()
    """The random packings."""
    potential: CheapPotential = CheapPotential()
    """What moves them."""
    heating: Heating = Heating()
    """How."""
    larger: LargerCells | None = LargerCells()
    """Larger cells, which a model is asked for; null for none."""
    seed: int = Field(default=0, ge=0, lt=2**32)
    """Of packings and velocities."""

    @property
    def batches(self) -> list[str]:
        """Names of the batches of structures, in the order in which they are made."""
        rounds = range(self.first_round, self.first_round + self.rounds)
        return [KNOWN if self.known else PACKED, *(f"round_{number}" for number in rounds)]

    @property
    def made_batches(self) -> list[str]:
        """Those of them whose energies are computed here."""
        return [batch for batch in self.batches if batch != KNOWN]

    def of_each(self, batch: str) -> int:
        """Structures of each concentration in a batch."""
        if batch == LARGER:
            return self.larger.of_each if self.larger else 0
        return self.packed if batch == PACKED else self.heated

    def packing_of(self, batch: str) -> Packing:
        """How the structures of a batch are packed."""
        larger = self.larger if batch == LARGER else None
        return self.packing.model_copy(update={"n_atoms": larger.n_atoms}) if larger else self.packing


class Descriptions(Settings):
    """Vectors of whole cells."""

    scattering: OrbitalScattering = OrbitalScattering()
    """The wavelet-scattering invariants."""
    soap: SoapParameters = SoapParameters(n_max=8, l_max=4, cutoff_angstrom=4.0, sigma_angstrom=0.6, normalise=False)
    """SOAP, which they are compared with: the mean over the atoms of each species."""

    @model_validator(mode="after")
    def _of_species(self) -> "Descriptions":
        if self.soap.averaging != "none" or self.soap.neighbour_species:
            raise ValueError(
                "soap: averaging and neighbour_species are not for it: it is averaged over the atoms of each of the alloy's species"
            )
        return self


RegressionName = Literal["greedy", "bootstrapped", "unstopped", "ridge", "averaged_ridge", "lasso", "trees"]


class Regression(Settings):
    """How energies are learned, and on what that is tested."""

    models: tuple[RegressionName, ...] = Field(
        default=("greedy", "bootstrapped", "unstopped", "ridge", "averaged_ridge", "lasso", "trees"), min_length=1
    )
    """Of the scattering invariants: `greedy`, orthogonal least squares with as many features as cross-validation says;
    `bootstrapped`, an ensemble of it; `unstopped`, as many features as allowed; `ridge`, all features; `averaged_ridge`, an ensemble of it;
    `lasso`; `trees`, boosted."""
    curves: tuple[RegressionName, ...] = ("greedy", "bootstrapped", "ridge")
    """Those of the models of which there is a learning curve."""
    seeds: int = Field(default=5, ge=1, le=1000)
    """Draws of training and test cells."""
    test_fraction: float = Field(default=0.2, gt=0, lt=1)
    """Cells of each concentration that are not learned from."""
    left_out: tuple[_Ratio, ...] | None = None
    """Concentrations that are left out in turn, and predicted from the others; null: four of those that at least five cells have."""
    seed: int = Field(default=0, ge=0, lt=2**32)
    """Of the draws, and of what is left to chance in learning."""

    most_features: int = Field(default=150, ge=1, le=10_000)
    """Most features of a greedy model."""
    folds: int = Field(default=5, ge=2, le=100)
    """Of the cross-validation, inside the training cells, that chooses the number of features of `greedy` and the penalty of `lasso`."""
    members: int = Field(default=50, ge=1, le=10_000)
    """Models of an ensemble."""
    subset: float = Field(default=0.1, gt=0, le=1)
    """Share of the features among which a step of one of them may choose."""


class Elastic(Settings):
    """Elastic constants, atoms clamped to the strained cell: by DFT from stresses, by models from energies."""

    strain: float = Field(default=0.01, gt=0, le=0.1)
    """Size of the strains."""
    most_atoms: int = Field(default=40, ge=0, le=1000)
    """Crystals with more atoms in their primitive cells are left out."""
    concentrations: tuple[_Ratio, ...] = (0.5, 1.0, 2.0, 3.75)
    """Of each the first relaxed amorphous cell of the last round, with the volume that it was packed in; a model that is asked for
    its constants does not learn from it."""


_Fractions = tuple[float, float, float]


class MigrationPath(Settings):
    """An atom that moves from one site of a crystal to another."""

    crystal: str
    """Name in the table of crystals."""
    repeat: tuple[_Repeat, _Repeat, _Repeat]
    """Primitive cells along each vector of the supercell."""
    species: ChemicalSymbol
    """Of the atom that moves."""
    start: _Fractions
    """Where from, in fractions of the primitive cell's vectors. Where there is no atom, one is added."""
    end: _Fractions
    """Where to; an atom that is there is taken away."""


class Migration(Settings):
    """Barriers of moving atoms, by DFT and by the models along the same path."""

    paths: dict[Name, MigrationPath | None] = {
        "interstitial_in_si": MigrationPath(
            crystal="Si", repeat=(2, 2, 2), species="Li", start=(0.5, 0.5, 0.5), end=(0.75, 0.75, 0.75)
        ),
        "vacancy_in_lisi": MigrationPath(
            crystal="LiSi",
            repeat=(2, 1, 1),
            species="Li",
            start=(0.73952, 0.95534, 0.05508),
            end=(1.01048, 1.29466, 0.44492),
        ),
    }
    """The paths; null takes one away that is there by default."""
    images: int = Field(default=3, ge=1, le=100)
    """Images between start and end."""
    force_tolerance_ev_angstrom: float = Field(default=0.03, gt=0, le=1)
    """Largest force that is left on an atom."""
    most_steps: int = Field(default=200, ge=1, le=10_000)
    """Most steps of each relaxation."""


class Computed(Settings):
    """Extended XYZ files of energies that were computed before. What is null is not asked of a model."""

    dataset: str
    """Periodic cells with their energies in eV, which is learned from; `name` and `concentration` in their comment lines may be
    missing."""
    larger: str | None = None
    """Amorphous cells that are larger than those."""
    crystals: str | None = None
    """Crystals."""
    strained: str | None = None
    """Strained cells with their stresses in eV/Angstrom^3, positive under tension, of which elastic constants are made: frames
    `NAME:1+`, `NAME:1-`, ..., `NAME:6-`, each under a strain of one of Voigt's six components, all of one size."""
    paths: dict[Name, str] = {}
    """Images of migration paths, in their order, by the name of the path."""


class Alloy(Settings):
    """An amorphous alloy of two species and its energies."""

    species: tuple[ChemicalSymbol, ChemicalSymbol] = ("Li", "Si")
    """The alloy's; concentrations are atoms of the first for one of the second."""
    computed: Computed | None = None
    """Energies that were computed before; null makes structures and computes their energies here."""
    structures: AmorphousStructures = AmorphousStructures()
    """Those that are made here."""
    dft: TotalEnergyDft = TotalEnergyDft()
    """Their energies."""
    crystals: str | None = _LITHIUM_SILICIDES
    """Table of known crystals (gbscape.alloy.crystals), whose energies, elastic constants and migration paths are computed for a
    model to be asked for; null for none."""
    descriptions: Descriptions = Descriptions()
    """What cells are described by."""
    regression: Regression = Regression()
    """How energies are learned."""
    elastic: Elastic = Elastic()
    """Elastic constants that a model is asked for."""
    migration: Migration = Migration()
    """Barriers that a model is asked for."""
    shards: Shards = "auto"
    """Jobs of each batch's energies, and of the descriptions."""

    @property
    def unseen(self) -> list[str]:
        """Batches that are not learned from, and that models are asked for."""
        if self.computed is not None:
            return [batch for batch in (LARGER, CRYSTALS, STRAINED) if getattr(self.computed, batch)]
        larger = [LARGER] if self.structures.larger and self.structures.rounds else []
        return [*larger, *([CRYSTALS, STRAINED] if self.crystals else [])]

    @property
    def path_names(self) -> list[str]:
        """Migration paths that models are asked for."""
        if self.computed is not None:
            return list(self.computed.paths)
        return [name for name, path in self.migration.paths.items() if path] if self.crystals else []

    @model_validator(mode="after")
    def _known_cells_are_added_to(self) -> "Alloy":
        if self.structures.known and not self.structures.rounds:
            raise ValueError(
                "structures.rounds = 0 adds nothing to structures.known: learn from it as computed.dataset"
            )
        return self

    @model_validator(mode="after")
    def _volumes_are_known(self) -> "Alloy":
        missing = [name for name in self.species if name not in self.structures.packing.volume_angstrom3]
        if missing and self.computed is None:
            raise ValueError(f"structures.packing.volume_angstrom3 lacks {', '.join(missing)}")
        if self.species[0] == self.species[1]:
            raise ValueError(f"species must be two, got {self.species}")
        return self

    @model_validator(mode="after")
    def _crystals_are_of_the_species(self) -> "Alloy":
        if self.computed is not None or not self.crystals:
            return self
        if self.crystals == _LITHIUM_SILICIDES and set(self.species) != {"Li", "Si"}:
            raise ValueError(
                f"crystals = '{self.crystals}' are of Li and Si, and species are {' and '.join(self.species)}: name a table of "
                "your own, or null for none"
            )
        for name in self.path_names:
            path = self.migration.paths[name]
            if path and path.species not in self.species:
                raise ValueError(
                    f"migration.paths.{name} moves {path.species}, and species are {' and '.join(self.species)}: name one of "
                    "these, or set the path to null to take it away"
                )
        return self
