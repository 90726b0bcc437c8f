"""Stages of a run: rules that depend on the same settings, so that points that agree in these share what they make.

What is not listed here belongs to a point alone, and a setting that no stage lists concerns every stage: what is forgotten is
computed more often than it has to be, and never shared wrongly. `tests/workflow/test_sweep_stages.py` holds the table to the rules.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

from gbscape.config.learn import TASKS
from gbscape.sweeps.axes import Key


@dataclass(frozen=True)
class Stage:
    """Rules, what they depend on, and where they write."""

    settings: tuple[str, ...]
    """That concern these rules, besides those of the stages before."""
    rules: tuple[str, ...]
    paths: tuple[str, ...]
    """Beginnings of the paths of all that the rules write, in the folder of a run; none is the beginning of another."""
    after: tuple[str, ...] = ()
    """Stages whose files the rules read."""
    by_name: tuple[str, ...] = ()
    """Those of the rules whose files belong to a representation, or a model of representations, whose settings concern them alone."""


_FEATURES = (
    "featurize",
    "find_environments",
    "merge_environments",
    "count_environments",
    "gather_features",
    "tabulate_environments",
    "concatenate_features",
)

STAGES: Mapping[str, Stage] = {
    "boundaries": Stage(
        settings=("survey.enumeration", "survey.potential", "survey.structures"),
        rules=("enumerate_boundaries", "prepare_potential"),
        paths=("survey/boundaries.csv", "survey/potential/"),
    ),
    "relaxation": Stage(
        after=("boundaries",),
        settings=("survey.relaxation", "survey.source", "survey.shards"),
        rules=("relax_boundaries",),
        paths=("survey/relaxed/",),
    ),
    "structures": Stage(
        after=("relaxation",),
        settings=(
            "survey.local_search",
            "survey.shipped",
            "survey.ship_with",
            "published",
            "figures.reached_within_j_m2",
        ),
        rules=(
            "gather_relaxed",
            "search_locally",
            "gather_local_search",
            "read_shipped_survey",
            "import_structures",
            "ship_survey",
        ),
        paths=("survey/searched.h5", "survey/local_search/", "survey/relaxed.h5", "survey/shipped.h5"),
    ),
    "survey": Stage(
        after=("structures",),
        settings=("survey.boundary_atoms",),
        rules=("select_boundary_atoms", "export_structures", "tabulate_energies"),
        paths=("survey/survey.h5", "survey/structures", "survey/energies.csv"),
    ),
    "survey_pictures": Stage(
        after=("survey",),
        settings=("figures",),
        rules=(
            "select_lower_than_published",
            "export_lower_than_published",
            "gallery_data",
            "plot_gallery",
            "lower_than_published_data",
            "plot_lower_than_published",
            "energy_against_published_data",
            "plot_energy_against_published",
            "energy_against_disorientation_data",
            "plot_energy_against_disorientation",
        ),
        paths=(
            "survey/lower_than_published",
            "figures/gallery.",
            "figures/lower_than_published.",
            "figures/energy_against_",
        ),
    ),
    "features": Stage(
        after=("survey",),
        settings=("features.shards",),
        rules=_FEATURES,
        paths=("features/",),
        by_name=_FEATURES,
    ),
    "learning": Stage(
        after=("features",),
        settings=(
            "seed",
            "learn.targets",
            "learn.test_fraction",
            "learn.n_splits",
            "learn.trees",
            "learn.smote",
            "learn.models",
            "learn.learning_curve",
        ),
        rules=("learn", "learn_curve", "learn_model", "learn_random"),
        paths=("learn/{target}/", *(f"learn/{target}/" for target in TASKS)),
        by_name=("learn", "learn_curve", "learn_model"),
    ),
    "snapshots": Stage(
        after=("survey",),
        settings=(
            "snapshots.boundary",
            "snapshots.min_length_angstrom",
            "snapshots.dynamics",
            "snapshots.n_snapshots",
            "snapshots.snapshots_per_segment",
            "snapshots.quenched",
        ),
        rules=("equilibrate_boundary", "run_segment", "gather_segments", "export_trajectory", "check_snapshots"),
        paths=(
            "snapshots/start.h5",
            "snapshots/segments/",
            "snapshots/snapshots.h5",
            "snapshots/trajectory.xyz",
            "snapshots/energies.csv",
            "snapshots/checks.csv",
        ),
    ),
    "crystal_classes": Stage(
        settings=(
            "crystal.prototypes",
            "crystal.descriptor",
            "crystal.grid",
            "crystal.defects",
            "crystal.other_methods",
            "crystal.other_methods_repeats",
            "crystal.shards",
        ),
        rules=(
            "describe_classes",
            "gather_classes",
            "ask_other_method",
            "gather_other_method",
            "tabulate_other_methods",
        ),
        paths=(
            "crystal/{kind}/",
            "crystal/{kind}.h5",
            "crystal/pristine",
            "crystal/defective",
            "crystal/other_methods",
        ),
    ),
    "crystal_models": Stage(
        after=("crystal_classes", "boundaries"),
        settings=("crystal.models", "crystal.outside"),
        rules=(
            "describe_more_classes",
            "gather_more_classes",
            "search_network",
            "train_candidate",
            "choose_candidate",
            "train_member",
            "assemble_model",
            "describe_outside",
            "judge_model",
        ),
        paths=("crystal/models/", "crystal/outside.h5"),
    ),
    "crystal_maps": Stage(
        after=("crystal_models", "survey"),
        settings=("crystal.model", "crystal.maps", "structure"),
        rules=(
            "make_sample",
            "choose_boxes",
            "classify_boxes",
            "join_level",
            "finish_map",
            "check_refinement",
            "export_map",
            "summarise_map",
            "cluster_map",
        ),
        paths=("crystal/maps/",),
    ),
    "replica_model": Stage(
        settings=(
            "replica.lattice",
            "replica.potential",
            "replica.model",
            "replica.cells.edge_angstrom",
            "replica.also_by_dft",
        ),
        rules=("prepare_replica_potential", "build_model", "relax_model", "classify_atoms"),
        paths=("replica/potential/", "replica/built.h5", "replica/model.h5", "replica/types.h5"),
    ),
    "replica_vectors": Stage(
        after=("replica_model",),
        settings=("replica.vectors",),
        rules=("describe_atoms",),
        paths=("replica/vectors.h5",),
    ),
    "replica_energies": Stage(
        after=("replica_vectors",),
        settings=(
            "seed",
            "replica.alternatives",
            "replica.ridge_lambda",
            "replica.selection",
            "replica.cells",
            "replica.backend",
            "replica.dft",
            "replica.evaluation",
            "replica.shards",
        ),
        rules=(
            "select_optimal",
            "describe_alternative",
            "select_alternative",
            "tabulate_points",
            "cut_cells",
            "compute_energies",
            "gather_energies",
            "select_round",
            "select_dft_atoms",
            "compute_reference",
            "tabulate_atoms_that_failed",
            "tabulate_atomic_energies",
        ),
        paths=(
            "replica/selected/",
            "replica/{batch}.csv",
            "replica/points.csv",
            "replica/round_",
            "replica/alternative_",
            "replica/alternatives/{alternative}.h5",
            "replica/by_dft.csv",
            "replica/cells/",
            "replica/energies/",
            "replica/energies.csv",
            "replica/reference.json",
            "replica/scratch/",
            "replica/failures.tsv",
        ),
    ),
    "alloy": Stage(
        settings=(
            "alloy.species",
            "alloy.computed",
            "alloy.structures",
            "alloy.dft",
            "alloy.crystals",
            "alloy.elastic",
            "alloy.migration",
            "alloy.shards",
        ),
        rules=(
            "pack_structures",
            "read_known_structures",
            "fit_cheap_potential",
            "heat_structures",
            "collect_crystals",
            "strain_cells",
            "compute_structures",
            "gather_structures",
            "relax_path",
            "write_cells",
        ),
        paths=(
            "alloy/structures/",
            "alloy/potentials/",
            "alloy/energies/",
            "alloy/paths/",
            "alloy/cells/",
            "alloy/scratch/",
        ),
    ),
    "alloy_vectors": Stage(
        after=("alloy",),
        settings=("alloy.descriptions",),
        rules=("describe_cells", "gather_cells"),
        paths=("alloy/vectors/",),
    ),
}

# Settings that concern no stage, but only what a point makes of them.
_OF_A_POINT = (
    "features.representations",
    "learn.representations",
    "snapshots.learning",
    "relevance",
    "descriptor_properties",
    "crystal.bain_path",
    "crystal.structures",
    "crystal.structure_passes",
    "crystal.annealing_minutes",
    "replica.cross_validated_lambda",
    "alloy.regression",
)


_LISTED = {setting for its in STAGES.values() for setting in its.settings}.union(_OF_A_POINT)


@cache
def settings_of(stage: str) -> frozenset[str]:
    """Settings that concern a stage or one before it; those that no stage lists concern it, too, see `concerns`."""
    its = STAGES[stage]
    return frozenset(its.settings).union(*(settings_of(before) for before in its.after))


def concerns(key: Key, stage: str) -> bool:
    """Whether a setting, or one that is in it, concerns a stage. Of representations each concerns files of its own only."""
    if not any(_in(key, setting) for setting in _LISTED):
        return True
    # What a stage lists is its own even where it is in something that concerns points only.
    return any(_in(key, setting) or _in(tuple(setting.split(".")), ".".join(key)) for setting in settings_of(stage))


def _in(key: Key, setting: str) -> bool:
    outer = tuple(setting.split("."))
    return key[: len(outer)] == outer


def stage_of(rule: str) -> str | None:
    """Stage of a rule; None for those of a point alone."""
    return _STAGE_OF.get(rule)


_STAGE_OF = {rule: name for name, stage in STAGES.items() for rule in stage.rules}

RULES_BY_NAME = frozenset(rule for stage in STAGES.values() for rule in stage.by_name)
