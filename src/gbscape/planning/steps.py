"""The steps of a run that take time: how much work each is, and in how many jobs it is done.

Everything follows from the configuration, and of files from their names, their sizes and their first lines: it has to be known
before anything runs, and again by every job of a cluster, which reads the workflow anew.
"""

import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from gbscape.config.alloy import CRYSTALS, DATASET, KNOWN, LARGER, PACKED, PATHS, STRAINED
from gbscape.config.crystal import FileSample, FourGrains, Map, Polycrystal, Superalloy, SurveyBoundary
from gbscape.config.features import Representation, expand
from gbscape.config.jobs import Jobs, Shards
from gbscape.config.model import Config
from gbscape.config.network import Network
from gbscape.config.replica import OPTIMAL, ReplicaModel, SoapVectors, Vectors
from gbscape.energies.valence import atomic_number, valence_electrons
from gbscape.planning import costs
from gbscape.planning.boundaries import areas
from gbscape.planning.rates import Rate, rate_of

# Of typical metals, where a potential or a file would have to be read to know better.
_A0_ANGSTROM = {"fcc": 3.6, "bcc": 2.9, "sc": 3.0}
_ATOMS_PER_A0_CUBED = {"fcc": 4, "bcc": 2, "sc": 1}
_ATOMS_PER_ANGSTROM3 = 0.085
_DISORDERED_ANGSTROM = 3.5  # thickness of a boundary, without the buffer on either side
_BOUNDARY_SHARE = 0.3  # of the atoms of a slab that is read from a file
_BYTES_PER_ATOM = 60  # of a structure file
_CELL_ATOMS_PER_ANGSTROM3 = 0.058  # of replica cells, of which atoms too close are left out
_CLASS_WORK, _LARGEST_CLASS_WORK = 3700.0, 27_000.0  # of the shipped classes: mean, largest; see costs.crystal_class
_REFINED_SHARE = 0.6  # of the boxes of a finer level that are classified
PASSES = Network().passes
"""Of the network, where a map does not say."""
_STEPS_OF_A_RELAXATION = 18  # of a path or its ends by DFT
_ABOVE_SHARE = 0.18  # of the boundaries that were above their published energies when they had been relaxed
DFT_BATCH = "by_dft"


@dataclass(frozen=True, slots=True)
class Step:
    """A step, or one of the same rule for another representation, map or batch."""

    rule: str
    of: str
    """Values of the rule's wildcards but `shard`, as in the paths of its benchmark files; empty where there are none."""
    rate: str
    """Row of the table of costs."""
    items: float
    work: float
    """Of all items, in the unit of the rate."""
    largest: float
    """Work of the item that takes longest."""
    shards: Shards = 1
    cores: int = 1
    """That a job takes."""
    resident: float | None = None
    """Items that every job holds in memory, where these are not those of its share."""

    @property
    def name(self) -> str:
        """Of the step in tables."""
        return f"{self.rule}/{self.of}" if self.of else self.rule

    def held_items(self, jobs: int) -> float:
        """Items that a job of so many holds in memory."""
        return self.items / jobs if self.resident is None else self.resident


def steps_of(config: Config, project: str | Path, everything: bool = False) -> list[Step]:
    """The steps of a run.

    Args:
        config: the configuration.
        project: folder of the project, whose tables are read.
        everything: also those of parts that the run does not ask for.
    """
    parts = ("survey", "crystal", "replica", "alloy") if everything else config.parts
    return [
        *(_survey(config, project) if "survey" in parts else ()),
        *(_crystal(config, everything) if "crystal" in parts else ()),
        *(_replica(config) if "replica" in parts else ()),
        *(_alloy(config) if "alloy" in parts else ()),
    ]


def number_of_jobs(step: Step, rates: Mapping[str, Rate], settings: Jobs) -> int:
    """Jobs of a step: as its `shards` says, or so many that each takes `settings.minutes`.

    With `auto` there are never more than items, than `settings.most`, or than the work of the largest item is contained in the
    whole: then, however the items are dealt out (the costliest first, each to the shard with the least), no job has more than
    twice the mean.
    """
    if step.shards != "auto":
        return step.shards
    rate = rate_of(rates, step.rate)
    wanted = math.ceil(step.work * rate.seconds_per_unit / step.cores / (60 * settings.minutes))
    even = math.floor(step.work / step.largest * (1 + 1e-9))
    return max(1, min(wanted, even, math.floor(step.items), settings.most))


def _survey(config: Config, project: str | Path) -> Iterator[Step]:
    survey = config.survey
    lattice = survey.enumeration.lattice
    a0 = _A0_ANGSTROM[lattice]
    if survey.structures is not None:
        atoms = np.array(_atoms_of_slabs(survey.structures)) * _BOUNDARY_SHARE
        n = len(atoms)
    else:
        area = areas(survey.enumeration, project)
        n = len(area)
        # Periods are repeated until they are long enough; cells are about square.
        period = a0 * np.sqrt(area)
        repeated = area * np.ceil(survey.relaxation.min_period_angstrom / period) ** 2
        thickness = 2 * survey.boundary_atoms.buffer_angstrom + _DISORDERED_ANGSTROM
        atoms = repeated * (thickness / a0) * _ATOMS_PER_A0_CUBED[lattice]
        yield Step("enumerate_boundaries", "", "enumerate_boundaries", n, n, 1)
        if survey.source == "compute":
            relaxed = costs.relaxation(area, survey.relaxation)
            yield _sharded("relax_boundaries", "", "relax_boundaries", relaxed, survey.shards)
            yield Step("gather_relaxed", "", "gather_relaxed", n, n, 1)
            if survey.local_search is not None:
                share = _ABOVE_SHARE if config.compared.table or config.compared.supplement else 0.0
                few, many = (
                    costs.local_search(repeated * a0**2, survey.local_search, above) for above in (False, True)
                )
                searched = _sharded("search_locally", "", "search_locally", few + share * (many - few), survey.shards)
                yield replace(searched, largest=float((many if share else few).max()))
    described = costs.description(atoms)
    yield Step("select_boundary_atoms", "", "select_boundary_atoms", n, float(np.sum(atoms)), float(np.max(atoms)))
    representations = expand(config.features.representations)
    of_snapshots = _parts(config, representations) if config.snapshots.boundary is not None else set()
    for name, its in representations.items():
        if its.kind == "concatenate":
            continue
        # Local environments are found first and counted then, in as many jobs.
        rule = "find_environments" if its.kind == "local_environments" else "featurize"
        yield _sharded(rule, name, f"featurize:{its.kind}", described, config.features.shards)
        if name in of_snapshots:
            work = np.full(config.snapshots.n_snapshots, np.median(described))
            yield _sharded("featurize_snapshots", name, f"featurize:{its.kind}", work, config.snapshots.learning.shards)


def _parts(config: Config, representations: Mapping[str, Representation]) -> set[str]:
    """Representations of the snapshots, members of sweeps by their full names, of concatenated ones their parts."""
    wanted = config.snapshots.learning.representations
    learned = {name: its for name, its in representations.items() if name.split("~")[0] in wanted}
    return {part for name, its in learned.items() for part in (its.of if its.kind == "concatenate" else (name,))}


def _sharded(rule: str, of: str, rate: str, work: costs.Array, shards: Shards) -> Step:
    return Step(rule, of, rate, len(work), math.fsum(work.tolist()), float(work.max()), shards)


def _crystal(config: Config, everything: bool) -> Iterator[Step]:
    its = config.crystal
    n_classes = sum(_count_labels(path) for path in its.prototypes)
    if everything or its.models or its.other_methods:

        def of_classes(rule: str, of: str, rate: str, variants: float) -> Step:
            work, largest = n_classes * _CLASS_WORK * variants, _LARGEST_CLASS_WORK * variants
            return Step(rule, of, rate, n_classes, work, largest, its.shards)

        defects = its.defects
        grid = len(its.grid.cutoffs_nn) * len(its.grid.sigmas_nn) * len(its.grid.extrinsic_scalings)
        # The grid is of pieces in three sizes and the cell, defects of those and three periodic ones.
        yield of_classes("describe_classes", "pristine", "describe_classes:pristine", grid / 2)
        tested = len(defects.levels()) * defects.repeats
        yield of_classes("describe_classes", "defective", "describe_classes:defective", tested)
        for name, model in its.models.items():
            if model.file is None:
                for kind, made in (("augmentation", model.augmentation), ("calibration", model.calibration)):
                    levels = 0 if made is None else len(made.displacements) + len(made.missing) + len(made.both)
                    if made is not None and levels:
                        of = f"{name}/{kind}"
                        rate = "describe_classes:defective"
                        yield of_classes("describe_more_classes", of, rate, levels * made.repeats)
                candidates = model.search.candidates if model.search else 1
                yield Step("train_candidate", name, "train_candidate", candidates, candidates, 1, candidates)
            yield Step("judge_model", name, "judge_model", 1, model.network.passes / PASSES, 1)
        for method in its.other_methods:
            asked = len(defects.levels()) * its.other_methods_repeats
            yield of_classes("ask_other_method", method, "ask_other_method", asked)
    for name, of_map in config.maps.items():
        yield from _map(name, of_map)


def _map(name: str, its: Map) -> Iterator[Step]:
    edges, per_volume = _extent(its)
    strides = its.stride_angstrom if isinstance(its.stride_angstrom, tuple) else (its.stride_angstrom,) * 3
    in_grid = full = 1.0
    volume = 1.0
    for edge, stride in zip(edges, strides, strict=True):
        volume *= edge if stride is None else min(its.box_angstrom, edge)
        if stride is not None:
            in_grid *= math.ceil((edge + 2 * its.padding * its.box_angstrom) / stride)
            full *= math.ceil(edge / stride)
    passes = its.passes or PASSES
    # Boxes that reach beyond the sample are a part of the grid and hold little.
    of_box = float(costs.boxes([max(round(per_volume * volume), its.fewest_atoms)], passes, its.fewest_atoms)[0])
    levels = its.refinement.levels if its.refinement else 0
    axes = sum(stride is not None for stride in strides)
    for level in range(levels + 1):
        share = 2.0 ** (-axes * (levels - level)) * (_REFINED_SHARE if level else 1)
        boxes, work = share * in_grid, share * min(full, in_grid) * of_box
        yield Step(
            "classify_boxes", f"{name}/{level}", "classify_boxes", max(boxes, 1), max(work, of_box), of_box, its.shards
        )
    n_atoms = math.prod(edges) * per_volume
    yield Step("make_sample", name, "make_sample", n_atoms, n_atoms, 1)
    yield Step("finish_map", name, "finish_map", in_grid, in_grid, 1)
    yield Step("export_map", name, "export_map", in_grid, in_grid, 1)


def _extent(its: Map) -> tuple[tuple[float, float, float], float]:
    """Edges of a map's sample, and its atoms per volume."""
    match its.structure:
        case FourGrains(edge_angstrom=edge, thickness_angstrom=thickness):
            return (edge, edge, thickness), _ATOMS_PER_ANGSTROM3
        case Superalloy(edge_angstrom=edge) | Polycrystal(edge_angstrom=edge):
            return (edge, edge, edge), _ATOMS_PER_ANGSTROM3
        case SurveyBoundary(min_length_angstrom=length):
            return (60.0, max(length, 10.0), max(length, 10.0)), _ATOMS_PER_ANGSTROM3
        case FileSample(path=path):
            n_atoms = atoms_of_file(path) if path else 1
            edge = (n_atoms / _ATOMS_PER_ANGSTROM3) ** (1 / 3)
            if its.structure.unit == "pixels":  # an image: boxes hold some 50 spots
                edge = math.sqrt(n_atoms / 50) * its.box_angstrom
                return (edge, edge, 1.0), n_atoms / edge**2
            return (edge, edge, edge), _ATOMS_PER_ANGSTROM3


def _replica(config: Config) -> Iterator[Step]:
    its, model = config.replica, config.replica.model
    n = float(model.n_atoms if model.structure is None else atoms_of_file(model.structure))
    yield Step("build_model", "", "build_model", n, n, 1)
    steps = model_steps(model)
    yield Step("relax_model", "", "relax_model", n, n * steps * 1e-6, steps * 1e-6, 1, model.ranks)
    yield Step("classify_atoms", "", "classify_atoms", n, n, 1)
    optimal = [s for s in its.selection.strategies if s in OPTIMAL]
    yield _vectors("describe_atoms", "", its.vectors, n)
    for strategy in optimal:
        work = n * its.selection.n_points * 1e-6
        yield Step("select_optimal", strategy, "select_optimal", n, work, 1e-6, 1, its.selection.ranks)
    for name, vectors in its.alternatives.items():
        yield _vectors("describe_alternative", name, vectors, n)
        work = n * its.selection.n_points * 1e-6
        yield Step("select_alternative", name, "select_optimal", n, work, 1e-6, 1, its.selection.ranks)
    for number in range(1, its.selection.rounds + 1):
        work = n * its.selection.n_points / its.selection.rounds * 1e-6
        yield Step("select_round", str(number), "select_optimal", n, work, 1e-6, 1, its.selection.ranks)
    for batch, atoms in _batches(config, n).items():
        by_dft = its.also_by_dft if batch == DFT_BATCH else None
        backend = "gpaw" if by_dft else its.backend
        edge = (by_dft or its.cells).edge_angstrom
        cell = costs.cell(_CELL_ATOMS_PER_ANGSTROM3 * edge**3, backend, its.dft)
        cores = its.dft.ranks if backend == "gpaw" else 1
        yield Step("cut_cells", batch, "cut_cells", atoms, atoms, 1, its.shards, resident=n)
        rate = f"compute_energies:{backend}"
        yield Step("compute_energies", batch, rate, atoms, atoms * cell, cell, its.shards, cores, resident=n)
    yield Step("evaluate_strategies", "", "evaluate_strategies", n, n, 1)
    for name in its.alternatives:
        yield Step("evaluate_alternative", name, "evaluate_strategies", n, n, 1)
    yield Step("predict_energies", "", "predict_energies", n, n, 1)
    yield Step("export_predictions", "", "export_predictions", n, n, 1)


def _alloy(config: Config) -> Iterator[Step]:
    its, made = config.alloy, config.alloy.structures
    n_made = len(made.concentrations)
    if its.computed is not None:
        cells = {name: path for name, path in its.computed.model_dump().items() if path and name != PATHS}
        sizes = {name: _frames_of(path) for name, path in cells.items()}
        paths = sum(_frames_of(path) for path in its.computed.paths.values())
    else:
        n_crystals = _rows_of(its.crystals) if its.crystals else 0
        sizes = {batch: n_made * made.of_each(batch) for batch in [*made.batches, LARGER]}
        if made.known:
            sizes[KNOWN] = _frames_of(made.known)
        sizes |= {CRYSTALS: n_crystals, STRAINED: 12 * (n_crystals + len(its.elastic.concentrations))}
        made_here = [*made.made_batches, *its.unseen]
        yield from (_by_dft(config, batch, sizes[batch]) for batch in made_here if sizes[batch])
        of_cell = _by_dft(config, PACKED, 1).work
        images = its.migration.images
        # Its two ends, then all images, and these again with one that climbs.
        cycles = min(its.migration.most_steps, _STEPS_OF_A_RELAXATION) * (2 + 2 * images)
        for name in its.path_names:
            cores = its.dft.ranks * images
            yield Step("relax_path", name, "compute_structures", cycles, cycles * of_cell, of_cell, 1, cores)
        sizes = {DATASET: sum(sizes[batch] for batch in made.batches)} | {
            name: sizes[name] for name in its.unseen if sizes[name]
        }
        paths = len(its.path_names) * (its.migration.images + 2)
    if paths:
        sizes[PATHS] = paths
    for description in ("scattering", "soap"):
        for batch, items in sizes.items():
            of_each = 13 if batch == STRAINED else 1  # under twelve strains too
            work = of_each * float(np.mean(made.packing_of(batch).n_atoms))
            rate, name = f"describe_cells:{description}", f"{description}/{batch}"
            yield Step("describe_cells", name, rate, items, items * work, work, its.shards)


def _by_dft(config: Config, batch: str, items: int) -> Step:
    """Energies of a batch of an alloy's structures."""
    its = config.alloy
    first, second = (valence_electrons(atomic_number(name)) for name in its.species)
    least, most = its.structures.packing_of(batch).n_atoms
    of_atom = [(first * ratio + second) / (1 + ratio) for ratio in its.structures.concentrations]
    mean = np.mean([costs.self_consistent_cycle(share * n) for share in of_atom for n in range(least, most + 1)])
    largest = costs.self_consistent_cycle(max(of_atom) * most)
    work = float(items * mean)
    return Step("compute_structures", batch, "compute_structures", items, work, largest, its.shards, its.dft.ranks)


def _frames_of(path_xyz: str) -> int:
    """How many frames an extended XYZ file has; a file that is not there one: the workflow says so itself."""
    path = Path(path_xyz)
    return max(1, path.read_bytes().count(b"Lattice=")) if path.is_file() else 1


def _rows_of(table_csv: str) -> int:
    """Different names in the first column of a table."""
    lines = Path(table_csv).read_text(encoding="utf-8").splitlines()[1:]
    return len({line.split(",", 1)[0] for line in lines})


def _batches(config: Config, n_atoms: float) -> dict[str, float]:
    """Atoms of each batch whose energies are computed."""
    its = config.replica
    selection, evaluation = its.selection, its.evaluation
    random = sum(s not in OPTIMAL for s in selection.strategies)
    first, last = evaluation.coordinations
    # Those that several strategies or seeds name are computed once; of rare coordinations a model has few.
    drawn = 0.95 * evaluation.seeds * (random * selection.n_points + 0.9 * (last - first + 1) * evaluation.atoms_each)
    optimal = 0.95 * (len(selection.strategies) - random) * selection.n_points
    batches = {"points": min(optimal + drawn + its.cells.reference_atoms, n_atoms)}
    for number in range(1, selection.rounds + 1):
        batches[f"round_{number}"] = max(1.0, (selection.n_points - selection.first_points) / selection.rounds / 2)
    batches |= {f"alternative_{name}": min(selection.n_points, n_atoms) for name in its.alternatives}
    return batches | ({DFT_BATCH: its.also_by_dft.atoms + 1} if its.also_by_dft else {})


def _vectors(rule: str, of: str, its: Vectors, n: float) -> Step:
    kind = "soap" if isinstance(its, SoapVectors) else "scattering"
    return Step(rule, of, f"describe_atoms:{kind}", n, n, 1)


def model_steps(model: ReplicaModel) -> float:
    """Evaluations of the forces in anneal, solidification and minimisation; one of a model that is taken as it is."""
    if not model.relax:
        return 1.0
    steps = float(model.max_steps)
    if model.anneal is not None:
        steps += 1000 * (model.anneal.hold_ps + model.anneal.cool_ps) / model.anneal.timestep_fs
    if model.solidify is not None:
        its = model.solidify
        steps += 1000 * (its.melt_ps + its.cool_ps + its.grow_ps) / its.timestep_fs
    return steps


def atoms_of_file(path: str | Path) -> int:
    """About how many atoms a structure file has: XYZ says it in its first line, of others the size does. A file that is not
    there has one: the workflow says so itself."""
    path = Path(path)
    if not path.is_file():
        return 1
    with path.open("rb") as handle:
        first = handle.readline(100).strip()
    if path.suffix in (".xyz", ".extxyz") and re.fullmatch(rb"\d{1,10}", first):
        return max(1, int(first))
    return max(1, path.stat().st_size // _BYTES_PER_ATOM)


def _atoms_of_slabs(folder: str) -> list[int]:
    """Atoms of the structures of a folder, in the order of their names; each is taken for as large as its file."""
    files = sorted(p for p in Path(folder).iterdir() if p.is_file() and not p.name.startswith("."))
    if not files:
        return [1]
    per_byte = atoms_of_file(files[0]) / max(files[0].stat().st_size, 1)
    return [max(1, round(per_byte * path.stat().st_size)) for path in files]


def _count_labels(path: str) -> int:
    # What is wrong with a file is told where it is read.
    text = Path(path).read_text(encoding="utf-8", errors="replace") if Path(path).is_file() else ""
    return max(1, len(re.findall(r"^ *- label:", text, flags=re.MULTILINE)))
