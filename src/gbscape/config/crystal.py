"""Settings of the crystal classification: the classes, the models, and the maps of samples.

Defaults are those of Leitherer, Ziletti and Ghiringhelli, Nat. Commun. 12, 6234 (2021), and of Leitherer's thesis (2021).
"""

from typing import Annotated, Literal

from pydantic import Field, model_validator

from gbscape.config.base import Label, Name, Settings
from gbscape.config.crystal_descriptor import CrystalDescriptor, DefectGrid, Ratio, TrainingGrid
from gbscape.config.jobs import Shards
from gbscape.config.network import Network, NetworkSearch
from gbscape.config.soap import ChemicalSymbol
from gbscape.config.structure_formats import StructureFormat

PROTOTYPE_FILES = tuple(
    f"resources/prototypes/{name}.yaml"
    for name in ("elemental", "binary", "ternary", "quaternary", "two_dimensional", "nanotubes")
)
OtherMethod = Literal["spglib_loose", "spglib_tight", "ptm", "cna", "a-cna", "baa"]
Length = Annotated[float, Field(gt=0, le=100_000)]


class Augmentation(Settings):
    """Defective structures among those that a model is trained on. The published model has none."""

    displacements: tuple[Ratio, ...] = ()
    """Largest displacement along each axis, in nearest-neighbour distances; each is one realisation of each structure."""
    missing: tuple[Ratio, ...] = ()
    """Fractions of atoms removed, likewise."""
    both: tuple[tuple[Ratio, Ratio], ...] = ()
    """Displacement and fraction removed together, likewise."""
    repeats: int = Field(default=1, ge=1, le=1000)
    """Random realisations of each."""
    seed: int = Field(default=1, ge=0)
    """Seed of the random numbers; not that of the test structures."""


class Background(Settings):
    """Boxes of atoms at random places, as dense as a close-packed crystal: gases that are no crystal. What is nearer to them
    than to any class, in the space of a hidden layer, is not known. The boxes that models are tested on are others."""

    closest: tuple[Annotated[float, Field(ge=0, le=0.7)], ...] = Field(default=(0.0, 0.3, 0.5, 0.6, 0.7), min_length=1)
    """No two atoms are closer, in nearest-neighbour distances of the crystal; each is a kind of gas with each of the edges."""
    edges_nn: tuple[Annotated[float, Field(ge=3, le=40)], ...] = Field(default=(4.0, 5.2, 6.4, 8.0), min_length=1)
    """Of the boxes, in nearest-neighbour distances of the crystal."""
    boxes: int = Field(default=16, ge=1)
    """Of each kind."""
    seed: int = Field(default=3, ge=0)
    """Of the positions."""


class CrystalModel(Settings):
    """A model and how it is trained, or the file of one that is."""

    file: str | None = None
    """A trained model: it is tested as it is, and of all below only `network.passes` is used. Null trains one."""
    augmentation: Augmentation = Augmentation()
    """Defective structures in training."""
    network: Network = Network()
    """The network and its training; with `search` what the search does not vary."""
    search: NetworkSearch | None = None
    """Search for the network; null takes `network` as it is."""
    calibration: Augmentation | None = Augmentation(displacements=(0.1, 0.15), missing=(0.4, 0.5, 0.6), seed=2)
    """Defective structures, neither trained nor tested on, by which the temperature of the probabilities and the threshold of
    the distance from the training set are set; null: neither is, as published. So many defects that some are misread: no
    temperature follows from what is always right."""
    background: Background | None = Background()
    """Boxes of no class, by whose distance liquids and gases are told from crystals; null: none, as published."""


class Outside(Settings):
    """Boxes that are of no class: random gases and a liquid, which is of the survey's potential."""

    boxes: int = Field(default=500, ge=1)
    """Number of each kind: ideal gas, gas without close pairs, liquid."""
    edge_angstrom: Length = 16.0
    """Of the boxes."""
    atoms: int = Field(default=4000, ge=500, le=1_000_000)
    """Of the liquid, at least."""
    temperature_kelvin: float = Field(default=2000.0, gt=0, le=20_000)
    """Of the liquid."""
    snapshots: int = Field(default=5, ge=1)
    """Of the liquid, from which boxes are cut in turns."""
    seed: int = Field(default=1, ge=1, lt=2**31)
    """Of positions and velocities."""


class Defects(Settings):
    """Defects put into a sample."""

    displacement: Ratio = 0.0
    """Largest displacement along each axis, in nearest-neighbour distances."""
    missing: Ratio = 0.0
    """Fraction of atoms removed."""
    seed: int = Field(default=0, ge=0)
    """Seed of the random numbers."""


class StructureFile(Settings):
    """A file with a structure."""

    path: str
    """File of a plain format that ASE reads; of several structures the last is taken."""
    format: StructureFormat | None = None
    """ASE's name of the format, e.g. `aims`; null tells it by the file's name and content."""


class FileSample(Settings):
    """A structure of your own."""

    kind: Literal["file"] = "file"
    path: str | None = None
    """File of a plain format that ASE reads; of several structures the last is taken. Null: the one that `structure` names."""
    format: StructureFormat | None = None
    """ASE's name of the format, e.g. `aims`; null tells it by the file's name and content."""
    unit: Literal["Å", "pixels"] = "Å"
    """Of its positions, for the axes of pictures. With pixels, box and stride are in pixels, too."""


class FourGrains(Settings):
    """Slab of fcc, bcc, hcp and diamond grains (thesis, section 6.2)."""

    kind: Literal["four_grains"] = "four_grains"
    species: ChemicalSymbol = "Fe"
    """Of all atoms."""
    edge_angstrom: Length = 80.0
    """Period of the pattern of grains."""
    thickness_angstrom: Length = 15.0
    """Of the slab."""
    orientation_seed: int = Field(default=0, ge=0)
    """Of the random orientations of the grains."""


class Superalloy(Settings):
    """Cube of disordered fcc with a cube of L1_2 in its middle (thesis, section 6.3)."""

    kind: Literal["superalloy"] = "superalloy"
    edge_angstrom: Length = 120.0
    """Of the sample."""
    precipitate_edge_angstrom: Length = 60.0
    """Of the precipitate."""
    aluminium_fraction: float = Field(default=0.25, ge=0, le=1)
    """Of the matrix."""
    orientation_seed: int = Field(default=32, ge=0)
    """Of the orientation of the crystal; the default gives the published number of atoms."""
    seed: int = Field(default=0, ge=0)
    """Of the species in the matrix."""


class Polycrystal(Settings):
    """Voronoi polycrystal with grains of random orientation."""

    kind: Literal["polycrystal"] = "polycrystal"
    classes: tuple[Name, ...] = Field(default=("fcc",), min_length=1)
    """Crystal of each grain, by class label, in turns."""
    grains: int = Field(default=8, ge=1, le=100_000)
    """Number of grains, with random centres."""
    edge_angstrom: Length = 100.0
    """Edge of the cubic, periodic cell."""
    nearest_neighbour_angstrom: float | None = Field(default=None, gt=0.5, le=10)
    """All crystals are scaled to this nearest-neighbour distance; null leaves them as the table of classes has them."""
    species: ChemicalSymbol | None = None
    """Of all atoms; null leaves the elements that the table of classes has: boxes that hold grains of several elements are
    then described as compounds."""
    seed: int = Field(default=0, ge=0)
    """Of centres and orientations."""


class SurveyBoundary(Settings):
    """A relaxed boundary of the survey."""

    kind: Literal["boundary"] = "boundary"
    id: Label
    """Its id in the survey."""
    min_length_angstrom: float = Field(default=30.0, ge=0, le=1000)
    """It is repeated in y and z until its periods are at least this long."""


Sample = Annotated[FileSample | FourGrains | Superalloy | Polycrystal | SurveyBoundary, Field(discriminator="kind")]


class Refinement(Settings):
    """Coarse boxes first, finer ones only where the model is unsure: the thesis's future work (section 6.1.2)."""

    levels: int = Field(default=2, ge=1, le=5)
    """Times that the stride is halved to arrive at `stride_angstrom`: the first stride is 2^levels of it."""
    quantile: float = Field(default=0.7, ge=0, le=1)
    """Boxes whose mutual information is above this quantile of that of the coarsest boxes, or whose neighbours are of another
    class or not classified, are surrounded by finer ones; the others are interpolated. 0 classifies all."""
    checked: int = Field(default=500, ge=0)
    """Interpolated boxes, drawn at random, that are classified after all, so that the map's summary states the error."""
    seed: int = Field(default=0, ge=0)
    """Of this draw."""


class Clustering(Settings):
    """Clusters of boxes by the hidden representations of the network, and a two-dimensional map of these."""

    layers: tuple[Annotated[int, Field(ge=0)], ...] = Field(default=(0,), min_length=1)
    """Hidden layers, from 0; each is clustered by itself, the first one is that of the pictures."""
    of_class: Name | None = None
    """Only boxes of this class; null: all."""
    min_cluster_size: int = Field(default=500, ge=2)
    """Fewest boxes of a cluster (HDBSCAN)."""
    min_samples: int | None = Field(default=None, ge=1)
    """How conservative HDBSCAN is; null: as `min_cluster_size`."""
    soft_threshold: float | None = Field(default=None, ge=0, le=1)
    """Boxes join the cluster they most probably belong to unless this probability is below the threshold; null: hard clusters."""
    neighbours: int = Field(default=500, ge=2)
    """Of the UMAP map."""
    min_distance: float = Field(default=0.1, ge=0, le=1)
    """Of points in the UMAP map."""
    distances: tuple[ChemicalSymbol, ChemicalSymbol] | None = None
    """Two species, e.g. [Fe, Pt]: the difference of their nearest-neighbour distances is shown for each cluster."""
    seed: int = Field(default=0, ge=0, lt=2**31)
    """Of the UMAP map."""


class Map(Settings):
    """One sample, cut into overlapping boxes that are classified: strided pattern matching."""

    structure: Sample
    """The sample."""
    defects: Defects | None = None
    """Defects put into it first."""
    box_angstrom: Length = 16.0
    """Edge of the boxes along the strided axes, in the unit of the positions (pixels for a microscope's image)."""
    stride_angstrom: Length | tuple[Length | None, Length | None, Length | None] = 2.0
    """Step of the boxes along all axes, or along x, y and z; null: not strided, the boxes reach through the sample."""
    padding: float = Field(default=0.5, ge=0, le=1)
    """How far the grid reaches beyond the sample at each end, in edges of a box: 0.5 centres the outermost boxes on its faces."""
    fewest_atoms: int = Field(default=50, ge=2)
    """Boxes with fewer atoms are reported as such, not classified; 50 is the authors' (ai4materials)."""
    passes: int | None = Field(default=None, ge=1)
    """Passes of the network for each box; null: as many as the model's settings say."""
    refinement: Refinement | None = None
    """Adaptive refinement; null classifies every box."""
    clustering: Clustering | None = None
    """Clusters of boxes; null: none."""
    shards: Shards = 2
    """Number of jobs of each level, thousands of boxes each; `auto`: by the estimated time, see `jobs`."""
    classes_shown: tuple[Name, ...] | None = Field(default=None, min_length=1)
    """Classes whose probability is drawn and exported; null: the most frequent ones."""


class Crystal(Settings):
    """Which crystal every box of a sample is, and how sure that is: ARISE with strided pattern matching."""

    prototypes: tuple[str, ...] = Field(default=PROTOTYPE_FILES, min_length=1)
    """Files with the classes; add one of your own and train a model. See resources/prototypes/README.md."""
    descriptor: CrystalDescriptor = CrystalDescriptor()
    """The vector of a structure, of models that are trained here; one from a file brings its own."""
    grid: TrainingGrid = TrainingGrid()
    """Settings of the descriptor under which each pristine structure appears in training."""
    model: str = "resources/models/arise.safetensors"
    """The model that classifies the maps: a file, or the name of one of `models`."""
    models: dict[Name, CrystalModel] = {}
    """Models to train and to test, by name."""
    defects: DefectGrid = DefectGrid()
    """Defective structures that models and other methods are tested on."""
    other_methods: tuple[OtherMethod, ...] = ()
    """Established methods, tested on the same structures as far as they are periodic."""
    other_methods_repeats: int = Field(default=1, ge=1, le=1000)
    """Realisations of each defect that they are tested on, at most those of `defects`; some take seconds a structure."""
    outside: Outside = Outside()
    """Boxes of no class that models are tested on."""
    bain_path: bool = False
    """Draw the map of the Bain path (thesis, section 5.3)."""
    structures: dict[Name, str | StructureFile] = {}
    """Structure files (a path, or `{path: ..., format: ...}`) that are classified as a whole, by name: positions found in a
    microscope's image (thesis, section 5.2), or crystals of classes that no model knows (section 5.4)."""
    structure_passes: int = Field(default=100_000, ge=1)
    """Passes of the network for each of them; so many leave no noise in the probabilities, as in the thesis."""
    maps: dict[Name, Map] = {}
    """Samples that are mapped, by name."""
    annealing_minutes: dict[Name, Annotated[float, Field(ge=0)]] = {}
    """Maps of a sample after different times, by name, and the times: how the uncertainty changes is shown (thesis, section
    6.7)."""
    shards: Shards = 8
    """Number of jobs that describe the structures of training and test; `auto`: by the estimated time, see `jobs`."""

    @property
    def structure_files(self) -> dict[str, StructureFile]:
        """The files of `structures`."""
        return {
            name: its if isinstance(its, StructureFile) else StructureFile(path=its)
            for name, its in self.structures.items()
        }

    @model_validator(mode="after")
    def _annealed_maps_are_known(self) -> "Crystal":
        unknown = [name for name in self.annealing_minutes if name not in self.maps]
        if unknown:
            raise ValueError(f"annealing_minutes: {', '.join(unknown)} is not one of maps {list(self.maps)}")
        return self

    @model_validator(mode="after")
    def _model_is_known(self) -> "Crystal":
        looks_like_a_file = "/" in self.model or "." in self.model
        if self.model not in self.models and not looks_like_a_file:
            raise ValueError(f"model = {self.model!r} is neither a file nor one of models {list(self.models)}")
        return self
