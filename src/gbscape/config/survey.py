"""Settings of the grain-boundary survey: enumeration, potential, relaxation, boundary atoms."""

from typing import Literal

from pydantic import Field, model_validator

from gbscape.config.base import Label, Name, Settings
from gbscape.config.jobs import Shards

Lattice = Literal["fcc", "bcc", "sc"]
PairStyle = Literal[
    "eam",
    "eam/alloy",
    "eam/fs",
    "eam/he",
    "adp",
    "tersoff",
    "tersoff/mod",
    "tersoff/mod/c",
    "tersoff/zbl",
    "sw",
    "edip",
    "edip/multi",
    "vashishta",
    "gw",
    "gw/zbl",
    "meam/spline",
    "comb",
    "polymorphic",
    "pace",
]
"""Styles of LAMMPS that one file of numbers and the species determine; others (`python`, `mliap`, ...) may run what files say."""


class Enumeration(Settings):
    """Which coincidence boundaries are built."""

    lattice: Lattice = "fcc"
    """Bravais lattice of the crystal."""
    max_length: float = Field(default=15.0, gt=0, le=100)
    """Longest periodic vector (normal, y or z), in units of a0/2; 15 gives the 388 of Olmsted 2009."""
    order_by: Literal["area", "sigma"] = "area"
    """Order of the list before it is cut to `count`."""
    count: int | None = Field(default=None, gt=0)
    """Keep only the first `count` boundaries of the list; null keeps all."""
    ids: list[Label] | None = None
    """Keep only these boundary ids; null keeps all."""


class Potential(Settings):
    """The interatomic potential, either shipped (`name`) or the user's own (`pair_style` and `file`)."""

    name: Name | None = "foiles-hoyt-ni"
    """`foiles-hoyt-ni` (tabulated from its formula) or a file name of LAMMPS' own potentials folder, e.g. `Cu_mishin1.eam.alloy`; null when `file` is given."""
    pair_style: PairStyle | None = None
    """LAMMPS pair style of `file`, e.g. `eam/alloy` or `eam/fs`; null deduces it from the ending of a shipped name."""
    file: str | None = None
    """Path of the user's own potential file."""
    species: str = Field(default="Ni", pattern=r"^[A-Z][a-z]?$")
    """Chemical symbol; the potential must know it."""

    @model_validator(mode="after")
    def _one_source(self) -> "Potential":
        if (self.name is None) == (self.file is None):
            raise ValueError("give either 'name' (a shipped potential) or 'file' (your own), and set the other to null")
        if self.file is not None and self.pair_style is None:
            raise ValueError("'file' needs 'pair_style', e.g. eam/alloy or eam/fs")
        return self


class Relaxation(Settings):
    """Search for the lowest-energy structure of one boundary: many cheap trials, few full minimisations."""

    min_period_angstrom: float = Field(default=10.0, gt=0, le=100)
    """The common period is repeated in y and z until it is at least this long in the final slab, in Angstrom."""
    half_thickness_angstrom: float = Field(default=30.0, ge=10, le=200)
    """Relaxed thickness of each grain in the final slab, in Angstrom; rigid layers come on top."""
    search_half_thickness_angstrom: float = Field(default=14.0, ge=5, le=200)
    """Relaxed thickness of each grain during the search, in Angstrom."""
    search_min_period_angstrom: float = Field(default=0.0, ge=0, le=100)
    """The common period is repeated in y and z until it is at least this long in the search, in Angstrom; 0: one period. Some
    boundaries are lower when their structure is that of two periods: with 7, 0.018 J/m^2 in Sigma 25 (430), whose shorter
    period is 3.5 Angstrom."""
    translation_spacing_angstrom: float = Field(default=0.7, gt=0, le=5)
    """Largest spacing of the coarse grid of displacements along the boundary, in Angstrom."""
    min_translations: int = Field(default=6, ge=1, le=1000)
    """The coarse grid has at least this many displacements, however few are distinct by symmetry."""
    max_translations: int = Field(default=64, ge=1, le=10_000)
    """The coarse grid has at most this many displacements."""
    overlap_cutoffs: tuple[float, float] = (0.35, 0.95)
    """Pairs across the boundary closer than a cut-off lose an atom; range of cut-offs, in nearest-neighbour distances."""
    max_overlap_cutoffs: int = Field(default=4, ge=1, le=50)
    """Cut-offs tried for one displacement, placed in the gaps between the pair distances that occur."""
    removals: tuple[Literal["right", "left", "merge"], ...] = Field(default=("right",), min_length=1)
    """Ways to resolve a pair that is too close: remove the right atom, the left atom, or merge both at their midpoint."""
    stage_steps: tuple[int, ...] = Field(default=(30, 80, 250), min_length=1)
    """Conjugate-gradient steps of the successive stages of the search; each continues from the one before."""
    keep_fraction: float = Field(default=0.2, gt=0, le=1)
    """Share of the candidates, best first, that enters the next stage."""
    keep_at_least: int = Field(default=8, ge=1, le=1000)
    """Candidates that enter the next stage however small their share."""
    refine_rounds: int = Field(default=1, ge=0, le=10)
    """Rounds of finer displacements around the best candidates; each halves the spacing."""
    refine_best: int = Field(default=1, ge=1, le=100)
    """Candidates around which displacements are refined."""
    shaking_angstrom: tuple[float, ...] = (0.5, 0.8)
    """Random displacements (standard deviation along each axis, in Angstrom) of the atoms near the boundary, from which the
    best candidates are minimised again. Empty: no shaking."""
    shaking_rounds: int = Field(default=2, ge=0, le=100)
    """Rounds of shaking; each starts from the best candidates so far."""
    shake_best: int = Field(default=8, ge=1, le=1000)
    """Candidates shaken in a round, at every displacement; the best ones repeatedly if fewer are distinct."""
    vacancies: int = Field(default=1, ge=0, le=100)
    """Times that a round also removes an atom of high energy, another each time, from each of those candidates."""
    annealing_kelvin: tuple[float, ...] = (700.0, 1000.0)
    """Temperatures at which the best candidates are annealed, in kelvin; each is then cooled to a third of it. 0.4 to 0.6 of
    the melting point do well (that of Ni is 1728 K). Empty: no annealing."""
    annealing_steps: int = Field(default=1500, ge=1, le=1_000_000)
    """Time steps of one annealing, of 3 fs for Ni."""
    annealing_rounds: int = Field(default=1, ge=0, le=100)
    """Rounds of annealing; each starts from the best candidates so far."""
    anneal_best: int = Field(default=2, ge=1, le=100)
    """Candidates annealed in a round, at every temperature; the best ones repeatedly if fewer are distinct."""
    finalists: int = Field(default=2, ge=1, le=100)
    """Candidates minimised in the full slab; the lowest is the result."""
    force_tolerance_ev_angstrom: float = Field(default=1e-3, gt=0, le=0.1)
    """Largest force on any atom of a converged structure, in eV/Angstrom."""
    max_steps: int = Field(default=3000, ge=1, le=1_000_000)
    """Conjugate-gradient steps allowed to the minimisation of a finalist."""
    seed: int = Field(default=0, ge=0, lt=2**32)
    """Seed of the random displacements and of the annealings' velocities."""

    @model_validator(mode="after")
    def _ordered(self) -> "Relaxation":
        low, high = self.overlap_cutoffs
        if not 0 < low < high <= 1:
            raise ValueError(
                f"overlap_cutoffs must rise within 0 to 1 nearest-neighbour distances, got {low} and {high}"
            )
        if self.search_half_thickness_angstrom > self.half_thickness_angstrom:
            raise ValueError("search_half_thickness_angstrom must not exceed half_thickness_angstrom")
        if any(not 0 < shaking <= 2 for shaking in self.shaking_angstrom):
            raise ValueError(f"shaking_angstrom must be positive and at most 2, got {self.shaking_angstrom}")
        if any(not 0 < kelvin <= 10_000 for kelvin in self.annealing_kelvin):
            raise ValueError(f"annealing_kelvin must be positive and at most 10000 K, got {self.annealing_kelvin}")
        if any(steps < 1 for steps in self.stage_steps):
            raise ValueError(f"stage_steps must be positive, got {self.stage_steps}")
        if self.min_translations > self.max_translations:
            raise ValueError("min_translations must not exceed max_translations")
        return self


class LocalSearch(Settings):
    """How relaxed boundaries are improved by moves of a few atoms: displacing those in a small sphere, removing or inserting one."""

    half_thickness_angstrom: float = Field(default=14.0, ge=5, le=200)
    """Thickness of each grain that relaxes during the search."""
    patience_per_angstrom2: float = Field(default=0.35, gt=0, le=100)
    """The search of a boundary ends when this many moves, times its area, have not lowered the energy once."""
    patience_after_success_per_angstrom2: float = Field(default=1.0, gt=0, le=100)
    """The same once a move has lowered it: where the relaxation missed one better structure it may have missed more."""
    patience_above_published_per_angstrom2: float = Field(default=3.0, gt=0, le=100)
    """The least patience while the energy is above the published one (by more than `figures.reached_within_j_m2`), where
    `compared` has one: a better structure is known to exist. It directs effort only; energies are never fitted to it."""
    max_moves_per_angstrom2: float = Field(default=6.0, gt=0, le=1000)
    """Most moves tried, times the boundary's area."""
    removals: float = Field(default=0.25, ge=0, le=1)
    """Share of the moves that remove an atom."""
    insertions: float = Field(default=0.2, ge=0, le=1)
    """Share of the moves that insert an atom; the rest only displaces."""
    seed: int = Field(default=0, ge=0, lt=2**32)
    """Seed of the moves."""

    @model_validator(mode="after")
    def _shares(self) -> "LocalSearch":
        if self.removals + self.insertions > 1:
            raise ValueError("removals and insertions are shares of all moves: together at most 1")
        return self


class BoundaryAtoms(Settings):
    """Which atoms of a relaxed slab belong to the boundary."""

    buffer_angstrom: float = Field(default=4.0, ge=0, le=100)
    """Atoms within this distance of an atom that is not bulk crystal are boundary atoms too: means over the boundary then hold
    its transition to the grains, and a boundary as thin as a coherent twin still has atoms on both sides. 4 lies between the
    second and third neighbours of Ni (3.5 and 4.3), so that thermal or elastic displacements do not change the choice."""


class Survey(Settings):
    """The grain-boundary survey."""

    source: Literal["compute", "shipped"] = "compute"
    """`compute` builds and relaxes the boundaries; `shipped` takes those of `shipped`, relaxed before, and `relaxation` and
    `local_search` play no part."""
    shipped: str = "resources/survey/ni_foiles_hoyt_15.h5"
    """A relaxed survey in one file: the 388 boundaries of Ni that the project ships, or one that the rule `ship_survey` made."""
    ship_with: tuple[str, ...] = ()
    """Files of this kind that the rule `ship_survey` joins with the survey, taking the lower energy of each boundary: so a
    search that went further for some boundaries improves a survey of many."""
    structures: str | None = None
    """Folder with relaxed slabs of your own, which then take the place of enumeration and relaxation: extended XYZ or another
    format of ASE that stores periodicity; one species, boundary normal along x, periodic in y and z only. Extended XYZ may
    give `energy_j_m2` in its comment. `enumeration.lattice` says which crystal it is."""
    enumeration: Enumeration = Enumeration()
    """Which coincidence boundaries are built."""
    potential: Potential = Potential()
    """The interatomic potential."""
    relaxation: Relaxation = Relaxation()
    """How the structure of lowest energy is searched."""
    local_search: LocalSearch | None = LocalSearch()
    """How what the relaxation found is improved by moves of a few atoms; null leaves it as it is. Large boundaries (periods
    of some 20 Angstrom) gain most."""
    boundary_atoms: BoundaryAtoms = BoundaryAtoms()
    """Which atoms belong to the boundary."""
    shards: Shards = 40
    """Number of relaxation jobs, and of local searches; 10 to 30 minutes each is a good size; `auto`: by the estimated time, see `jobs`."""

    @model_validator(mode="after")
    def _one_source(self) -> "Survey":
        if self.source == "shipped" and self.structures is not None:
            raise ValueError("structures of your own (`structures`) cannot be had with `source: shipped`; remove one")
        return self
