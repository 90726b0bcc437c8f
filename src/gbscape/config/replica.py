"""Settings of atomic energies by replica cells: the model, its descriptors, the selection, the backends, their evaluation."""

from typing import Annotated, Literal

from pydantic import Field, model_validator

from gbscape.config.atomic_scattering import AtomicScattering
from gbscape.config.base import LeastAndMost, Name, Settings
from gbscape.config.dft import DftSettings
from gbscape.config.jobs import Shards
from gbscape.config.soap import SoapEngine, SoapParameters, require_sound_quippy
from gbscape.config.survey import Potential

Strategy = Literal["uncertainty", "random_1", "random_2", "d_optimality", "a_optimality"]
OPTIMAL: tuple[Strategy, ...] = ("uncertainty", "d_optimality", "a_optimality")
"""Strategies that pick the best atom by a criterion."""
ROUNDS = "rounds"
"""Name, among the strategies, of uncertainty reduction in rounds."""
WITHOUT_CHANCE = (*OPTIMAL, ROUNDS)
"""Strategies whose atoms are the same for every seed."""
OF_CRYSTAL_IN_RANDOM_2 = 10
"""Atoms of the crystal among those of the strategy `random_2`."""
Backend = Literal["eam", "gpaw", "tblite"]


class Anneal(Settings):
    """Molecular dynamics at zero pressure before a model is minimised."""

    temperature_kelvin: float = Field(default=1400.0, gt=0, le=10_000)
    """Temperature of the anneal; 1400 K in Tamura et al. 2020."""
    hold_ps: float = Field(default=3.0, ge=0, le=1e6)
    """Time at this temperature."""
    cool_ps: float = Field(default=1.5, ge=0, le=1e6)
    """Time of cooling from it."""
    end_kelvin: float = Field(default=300.0, gt=0, le=10_000)
    """Temperature at the end of cooling."""
    timestep_fs: float = Field(default=2.0, gt=0, le=100)
    """Time step."""
    segment_ps: float = Field(default=0.5, gt=0, le=1e4)
    """The state is kept after every so many picoseconds: a job that is killed goes on from there."""
    seed: int = Field(default=0, ge=0, lt=2**32)
    """Of the first velocities."""

    @model_validator(mode="after")
    def _whole_segments(self) -> "Anneal":
        _require_whole_segments(self.segment_ps, hold_ps=self.hold_ps, cool_ps=self.cool_ps)
        return self


class Solidification(Settings):
    """Molecular dynamics at zero pressure that melts the polycrystal but for a nucleus in each grain, and lets these grow."""

    nucleus_angstrom: float = Field(default=12.0, ge=0, le=1000)
    """Radius of the crystal about the middle of each grain that does not melt; 0: nuclei have to form by themselves, which takes
    a lower `grow_kelvin` and longer."""
    melt_kelvin: float = Field(default=3000.0, gt=0, le=10_000)
    """Temperature at which the rest melts."""
    melt_ps: float = Field(default=5.0, gt=0, le=1e6)
    """Time at this temperature."""
    cool_ps: float = Field(default=5.0, ge=0, le=1e6)
    """Time of cooling to `grow_kelvin`, before the nuclei may move."""
    grow_kelvin: float = Field(default=1300.0, gt=0, le=10_000)
    """Temperature at which the crystals grow."""
    grow_ps: float = Field(default=100.0, ge=0, le=1e6)
    """Time at this temperature: as long as the crystals take to meet."""
    timestep_fs: float = Field(default=2.0, gt=0, le=100)
    """Time step."""
    segment_ps: float = Field(default=1.0, gt=0, le=1e4)
    """The state is kept after every so many picoseconds: a job that is killed goes on from there."""
    seed: int = Field(default=0, ge=0, lt=2**32)
    """Of the first velocities."""

    @model_validator(mode="after")
    def _whole_segments(self) -> "Solidification":
        _require_whole_segments(self.segment_ps, melt_ps=self.melt_ps, cool_ps=self.cool_ps, grow_ps=self.grow_ps)
        return self


def _require_whole_segments(segment_ps: float, **times_ps: float) -> None:
    for name, time_ps in times_ps.items():
        segments = time_ps / segment_ps
        if abs(segments - round(segments)) > 1e-6 * max(segments, 1):
            raise ValueError(f"{name} = {time_ps:g} must be a whole number of segment_ps = {segment_ps:g}")


class ReplicaModel(Settings):
    """The large model, all of whose atoms get an energy: a polycrystal that is built and annealed, or a file."""

    structure: str | None = None
    """File of a model of your own (a plain format that ASE reads), in an orthogonal periodic cell; null builds one."""
    boundary_area_angstrom2: float | None = Field(default=None, gt=0)
    """Area of the boundaries of a model of your own, which the energy per area needs; null: not known."""
    n_atoms: int = Field(default=1_037_880, ge=100, le=2**31 - 1)
    """Atoms of the polycrystal; 1 037 880 in Tamura et al. 2020."""
    n_grains: int = Field(default=16, ge=2, le=100_000)
    """Grains of the polycrystal, randomly placed and turned."""
    overlap: float = Field(default=0.7, gt=0, le=1)
    """Atoms of two grains that are closer than this, in nearest-neighbour distances, are thinned out."""
    seed: int = Field(default=0, ge=0, lt=2**32)
    """Of the grains."""
    solidify: Solidification | None = None
    """Grains that grow from the melt instead of those of the polycrystal; takes hours. Null: none."""
    anneal: Anneal | None = Anneal()
    """Molecular dynamics before the minimisation; null: none."""
    relax: bool = True
    """Minimise the energy, the cell's volume included; false takes the model as it is (without `anneal`)."""
    max_steps: int = Field(default=1000, ge=1, le=1_000_000)
    """Most steps of the minimisation (FIRE, each one evaluation of the forces)."""
    force_tolerance_ev_angstrom: float = Field(default=0.02, gt=0, le=1)
    """Largest force on an atom of a relaxed model."""
    ranks: int = Field(default=2, ge=1, le=100_000)
    """MPI ranks of anneal and minimisation. With another number of them the last digits differ, and with these the positions
    after an anneal."""

    @model_validator(mode="after")
    def _solidify_what_is_built(self) -> "ReplicaModel":
        if self.solidify is not None and (self.structure is not None or not self.relax):
            raise ValueError(
                "solidify is for a polycrystal that is built and relaxed: remove structure, set relax to true"
            )
        if self.boundary_area_angstrom2 is not None and self.structure is None and self.solidify is None:
            raise ValueError(
                "boundary_area_angstrom2 of a polycrystal that is built follows from its grains: remove it"
            )
        return self


class SoapVectors(Settings):
    """The vector of every atom: SOAP, projected to its principal components."""

    kind: Literal["soap"] = "soap"
    soap: SoapParameters = SoapParameters(n_max=10, l_max=6, cutoff_angstrom=4.0, sigma_angstrom=0.5)
    """SOAP; n_max = 10, l_max = 6 and 4.0 Angstrom are those of Tamura et al. 2020, who do not give sigma."""
    engine: SoapEngine = "native"
    """Code that computes: the compiled kernel, PyTorch (on a CUDA device where there is one), or quippy, the reference that the
    others agree with."""
    kept_variance: float = Field(default=0.9999, gt=0, lt=1)
    """As many components as keep this share of the variance; 0.9999 in Tamura et al. 2020, which gave 39."""
    n_components: int | None = Field(default=None, ge=2)
    """So many components instead; null: by `kept_variance`."""

    @model_validator(mode="after")
    def _a_vector_for_every_atom(self) -> "SoapVectors":
        if self.soap.averaging != "none":
            raise ValueError(
                f"soap.averaging = '{self.soap.averaging}': every atom has a vector of its own here, set it to none"
            )
        if self.engine == "quippy":
            require_sound_quippy(self.soap.n_max, self.soap.l_max, self.soap.cutoff_angstrom, self.soap.sigma_angstrom)
        return self


class ScatteringVectors(Settings):
    """The vector of every atom: moduli of the wavelet scattering transform at its position, each scaled to the same spread,
    projected to their principal components."""

    kind: Literal["scattering"] = "scattering"
    scattering: AtomicScattering = AtomicScattering()
    """The transform."""
    kept_variance: float = Field(default=0.999999, gt=0, lt=1)
    """As many components as keep this share of the variance."""
    n_components: int | None = Field(default=None, ge=2)
    """So many components instead; null: by `kept_variance`."""


Vectors = Annotated[SoapVectors | ScatteringVectors, Field(discriminator="kind")]


class Selection(Settings):
    """Which atoms are computed."""

    n_points: int = Field(default=150, ge=2)
    """Atoms of a training set, the initial ones included; 150 in Tamura et al. 2020."""
    n_initial: int | None = Field(default=None, ge=1)
    """Atoms that uncertainty reduction starts from, those of D-optimality, since what has never been seen has no variance yet;
    null: as many as the vectors have components."""
    strategies: tuple[Strategy, ...] = Field(default=("uncertainty", "random_1", "random_2"), min_length=1)
    """`uncertainty`: uncertainty reduction. `random_1`: atoms that are not of the crystal. `random_2`: 10 atoms of it, the others not.
    `d_optimality`, `a_optimality`: for the weights instead of the predictions."""
    rounds: int = Field(default=0, ge=0, le=100)
    """Rounds of uncertainty reduction that wait for the energies of those before them (the strategy `rounds`); 0: none. The first
    `first_points` are those of `uncertainty`; the others are spread evenly over the rounds. A round takes its lambda from the
    energies that are there (leave-one-out), and replaces atoms that could not be computed (with `on_failure: skip`)."""
    first_points: int = Field(default=70, ge=2)
    """Atoms computed before the first round."""
    ranks: int = Field(default=1, ge=1, le=100_000)
    """MPI ranks over which the atoms are spread; the selection does not depend on it."""

    @model_validator(mode="after")
    def _enough_points(self) -> "Selection":
        if len(set(self.strategies)) < len(self.strategies):
            raise ValueError(f"strategies: each may be named once, got {', '.join(self.strategies)}")
        if "random_2" in self.strategies and self.n_points < OF_CRYSTAL_IN_RANDOM_2:
            raise ValueError(
                f"random_2 takes {OF_CRYSTAL_IN_RANDOM_2} atoms of the crystal: n_points must be no fewer, it is {self.n_points}"
            )
        if self.rounds and "uncertainty" not in self.strategies:
            raise ValueError("rounds go on from the strategy 'uncertainty': add it to strategies")
        if self.rounds and not self.first_points + self.rounds <= self.n_points:
            raise ValueError(
                f"first_points = {self.first_points} and {self.rounds} rounds need more than n_points = {self.n_points}"
            )
        return self


class ReplicaCells(Settings):
    """The cell in which an atom's energy is computed."""

    edge_angstrom: float = Field(default=10.0, ge=3, le=100)
    """Edge of the cube; 10 in Tamura et al. 2020."""
    closest_angstrom: float = Field(default=2.2, gt=0, le=10)
    """Of atoms that the faces bring closer than this one is left out; 2.2 in Tamura et al. 2020."""
    removal: Literal["farther", "fewest"] = "farther"
    """Which one: that farther from the target, or as few as possible."""
    reference_atoms: int = Field(default=10, ge=0, le=1000)
    """The zero of the energies: the mean over so many atoms deep inside different grains, in
    replica cells as all others, whose systematic error goes with it; 0: an atom of the perfect crystal."""

    @model_validator(mode="after")
    def _room_for_the_closest(self) -> "ReplicaCells":
        if self.edge_angstrom < 3 * self.closest_angstrom:
            raise ValueError(
                f"edge_angstrom = {self.edge_angstrom:g} must be at least three times closest_angstrom = {self.closest_angstrom:g}"
            )
        return self


class DftCheck(Settings):
    """A few atoms computed by DFT too, beside what the backend says of them."""

    atoms: int = Field(default=1, ge=1, le=1000)
    """Atoms, the first of the first strategy; a reference atom, deep inside a grain, comes with them."""
    edge_angstrom: float = Field(default=8.0, ge=5, le=100)
    """Edge of their cells: 8 Angstrom hold some 30 atoms of iron, which take a core some ten minutes at 400 eV."""


class Evaluation(Settings):
    """Test sets, and the sizes of training sets that are compared on them."""

    seeds: int = Field(default=10, ge=1, le=1000)
    """Random draws: of the random training sets, and of the test sets."""
    coordinations: Annotated[tuple[int, int], LeastAndMost] = (11, 18)
    """Coordination numbers of the atoms of a test set, first and last; 11 to 18 in Tamura et al. 2020."""
    atoms_each: int = Field(default=10, ge=1)
    """Test atoms of each coordination number (all, where there are fewer); 10 in Tamura et al. 2020."""
    sizes: tuple[Annotated[int, Field(ge=2)], ...] = (40, 50, 60, 70, 80, 90, 100, 110, 120, 130, 140, 150)
    """Sizes of the training set at which the errors are shown, beside the whole of it."""


class Replica(Settings):
    """Atomic energies of a large model from few small cells (Tamura et al. 2020)."""

    lattice: Literal["fcc", "bcc"] = "bcc"
    """Of the crystal."""
    potential: Potential = Potential(name="Fe_mm.eam.fs", species="Fe")
    """Relaxes the model, and is the backend `eam`; Mendelev's iron, which Tamura et al. 2020 used too, in a later form."""
    model: ReplicaModel = ReplicaModel()
    """The model."""
    vectors: Vectors = SoapVectors()
    """The vectors of its atoms."""
    alternatives: dict[Name, Vectors] = {}
    """Other vectors, by name, each with as many atoms of its own uncertainty reduction: errors at equal cost of computing energies."""
    ridge_lambda: float = Field(default=1e-5, gt=0)
    """Of the ridge regression, and of the selection for it; for vectors of norm 1 as those of SOAP. Tamura et al. 2020 do not
    give theirs."""
    cross_validated_lambda: bool = False
    """Let the regression find its own lambda by leave-one-out cross-validation over the training set."""
    selection: Selection = Selection()
    """Which atoms are computed."""
    cells: ReplicaCells = ReplicaCells()
    """Their cells."""
    backend: Backend = "eam"
    """What computes the energies of atoms: `eam`, the potential; `gpaw`, DFT (after `make setup-dft`); `tblite`, tight binding, to try
    the machinery."""
    dft: DftSettings = DftSettings()
    """Settings of the backend `gpaw`."""
    also_by_dft: DftCheck | None = None
    """Atoms computed by DFT too, where GPAW is installed; left out where it is not. Null: none."""
    evaluation: Evaluation = Evaluation()
    """Test sets, and the sizes of training sets that are compared on them."""
    shards: Shards = "auto"
    """Number of jobs that compute energies, of each batch; `auto`: by the estimated time, see `jobs`."""

    @model_validator(mode="after")
    def _reference_for_dft(self) -> "Replica":
        if self.also_by_dft is not None and self.cells.reference_atoms < 1:
            raise ValueError("also_by_dft needs a reference atom: set cells.reference_atoms to 1 or more")
        if self.also_by_dft is not None and self.also_by_dft.edge_angstrom < 3 * self.cells.closest_angstrom:
            raise ValueError(
                f"also_by_dft.edge_angstrom = {self.also_by_dft.edge_angstrom:g} must be at least three times "
                f"cells.closest_angstrom = {self.cells.closest_angstrom:g}"
            )
        return self

    @model_validator(mode="after")
    def _alternatives_have_names_of_their_own(self) -> "Replica":
        if self.vectors.kind in self.alternatives:
            raise ValueError(
                f"alternatives: '{self.vectors.kind}' is what the model's own vectors are called; take another name"
            )
        return self
