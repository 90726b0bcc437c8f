# What all rules share: the checked configuration, folders, hashes of code, names and patterns of paths.
import json
import os
import re

from gbscape.config.features import (
    Concatenate,
    computed_by_torch,
    expand as expand_sweeps,
)
from gbscape.config.files import resolved_yaml
from gbscape.config.learn import TASKS
from gbscape.config.model import ConfigError, begin_file_checks, load
from gbscape.planning.estimate import plan
from gbscape.store.code import code_hash, modules_hash
from gbscape.sweeps.layout import Layout, taken_layout

try:
    LAYOUT = taken_layout(config)
    CONFIG = load(config, project=PROJECT)
    LAYOUT = LAYOUT or Layout(f"results/{CONFIG.name}")
    RESULTS = LAYOUT.folder
    # Once for a run: jobs parse the workflow again.
    FILES_CHECKED = (
        begin_file_checks([CONFIG], RESULTS, PROJECT)
        if workflow.is_main_process and not LAYOUT.point
        else None
    )
    PLAN = plan(CONFIG, PROJECT)
except ValueError as error:  # a ConfigError, or the table of costs
    end_snakemake(str(error))
validate(config, "../schemas/config.schema.json", set_default=False)

LOGS = f"{RESULTS}/logs"
BENCHMARKS = f"{RESULTS}/benchmarks"
SURVEY = f"{RESULTS}/survey"
FEATURES = f"{RESULTS}/features"
LEARN = f"{RESULTS}/learn"
CRYSTAL = f"{RESULTS}/crystal"
REPLICA = f"{RESULTS}/replica"
ALLOY = f"{RESULTS}/alloy"

# One scorecard for the run: that of its only part, or those of all joined.
SCORECARD = f"{RESULTS}/scorecard.csv"
SURVEY_SCORECARD, CRYSTAL_SCORECARD, REPLICA_SCORECARD, ALLOY_SCORECARD = (
    SCORECARD if CONFIG.parts == (part,) else f"{folder}/scorecard.csv"
    for part, folder in (
        ("survey", SURVEY),
        ("crystal", CRYSTAL),
        ("replica", REPLICA),
        ("alloy", ALLOY),
    )
)
SCORECARD_OF = {
    "survey": SURVEY_SCORECARD,
    "crystal": CRYSTAL_SCORECARD,
    "replica": REPLICA_SCORECARD,
    "alloy": ALLOY_SCORECARD,
}

# Inputs that a run may lack are an empty list then.
BOUNDARIES = f"{SURVEY}/boundaries.csv" if CONFIG.survey.structures is None else []
PUBLISHED = CONFIG.compared.supplement or CONFIG.compared.table or []
PUBLISHED_ACCURACIES = CONFIG.compared.accuracies or []
RULE_FILES = [
    os.path.relpath(p) for p in sorted((PROJECT / "workflow" / "rules").glob("*.smk"))
]
RELAXED_HERE = CONFIG.survey.structures is None and CONFIG.survey.source == "compute"
SEARCHED_LOCALLY = RELAXED_HERE and CONFIG.survey.local_search is not None
# Gathered file of each step that can fail.
SURVEY_STEPS = (
    {"structures": "searched", "local_search": "relaxed"}
    if SEARCHED_LOCALLY
    else {"structures": "relaxed"}
) | {"boundary_atoms": "survey"}
REPRESENTATIONS = expand_sweeps(CONFIG.features.representations)
CONCATENATED = {
    name: r.of for name, r in REPRESENTATIONS.items() if isinstance(r, Concatenate)
}
COMPUTED = {name: r for name, r in REPRESENTATIONS.items() if name not in CONCATENATED}
# By the names of the files of representations and models, which have others in a sweep.
NAME_OF = {
    LAYOUT.file_name(name): name for name in [*REPRESENTATIONS, *CONFIG.learn.models]
}
LEARNED_FROM = CONFIG.learn.representations or tuple(REPRESENTATIONS)
TARGETS = CONFIG.learn.targets
REGRESSION_TARGETS = [t for t in TARGETS if TASKS[t] == "regression"]
SNAPSHOTS_LEARNED = (
    CONFIG.snapshots.boundary is not None and CONFIG.snapshots.learning.representations
)
MAPPED = CONFIG.relevance.boundary is not None
JUDGED = [
    *CONFIG.descriptor_properties.representations,
    *CONFIG.descriptor_properties.classifications,
]
LEARNED = ["scores", "predictions", "importance", "confusion"] if TARGETS else []
LEARNED += ["learning_curve"] if REGRESSION_TARGETS else []


def leaf(settings, without=()):
    """A leaf of the configuration as plain data, for the `params` of the rules that use it."""
    return settings.model_dump(mode="json", exclude=set(without))


def code_of(script, *modules):
    """Hash of the code behind a script, so that a changed module re-runs what used it."""
    return code_hash(PROJECT / "workflow" / "scripts" / script, *modules)


def as_json(**arguments):
    """Arguments of a step that a launcher starts, as text; see gbscape/replica/__main__.py."""
    return json.dumps(arguments, sort_keys=True)


def structure_files(folder):
    """The user's own structures: files of a folder; names that begin with a dot are left out."""
    files = sorted(Path(folder).iterdir())
    return [str(p) for p in files if p.is_file() and not p.name.startswith(".")]


def shards(pattern, count):
    """Paths of all shards of a step; `pattern` holds {shard}."""
    return [pattern.replace("{shard}", str(i)) for i in range(count)]


def planned(wildcards, rule, *names):
    """Estimate of a step, which the rule and the wildcards of these names make out; see gbscape/planning/estimate.py."""
    values = [wildcards[name] for name in names]
    return PLAN["/".join([rule, *(NAME_OF.get(value, value) for value in values)])]


def n_shards(*step):
    """Number of jobs of a step (rule, names of wildcards), as a function of the wildcards."""
    return lambda wildcards: planned(wildcards, *step).jobs


def runtime(least, *step):
    """Minutes that a job may take: so many at least, of a step three times its estimate, as often as it has been tried."""
    return lambda wildcards, attempt: (
        attempt
        * max(
            least,
            round(3 * planned(wildcards, *step).longest_minutes) if step else 0,
        )
    )


def mem_mb(least, *step):
    """Memory that a job may take, in MB, likewise: of a step 1.3 times its estimate."""
    return lambda wildcards, attempt: (
        attempt
        * max(
            least,
            round(1.3 * 1074 * planned(wildcards, *step).memory_gib) if step else 0,
        )
    )


def mpi(ranks):
    """Launcher of a step of so many ranks, which a profile may replace; one rank needs none."""
    return "mpiexec" if ranks > 1 else None


def launcher(wildcards, resources):
    """What the command of a step that may have several ranks begins with."""
    return f"{resources.mpi} -n {resources.tasks}" if resources.get("mpi") else ""


def shards_by(pattern, *step):
    """Paths of all shards of a step, likewise; `pattern` holds {shard} and the names of other wildcards."""
    count = n_shards(*step)
    return lambda wildcards: [
        pattern.format(shard=i, **dict(wildcards.items()))
        for i in range(count(wildcards))
    ]


def features_of(name):
    """File of a representation."""
    return f"{FEATURES}/{LAYOUT.file_name(name)}.h5"


def labelled(figure, path=""):
    """Labels of a picture in the report: what it is, and of which point of a sweep, or of which several if its path says so."""
    if not LAYOUT.point:
        return {"figure": figure}
    return {"figure": figure, "point": LAYOUT.point_of(path) if path else LAYOUT.point}


def one_of(names):
    """Regular expression that matches exactly these names."""
    return "|".join(re.escape(name) for name in names) or "(?!)"


def learned(table):
    """Paths of one kind of table: of every target that has it, every representation, and models and baseline where they have one."""
    targets = REGRESSION_TARGETS if table == "learning_curve" else TARGETS
    return [
        f"{LEARN}/{target}/{LAYOUT.file_name(name)}/{table}.csv"
        for target in targets
        for name in names_in(table, target)
    ]


def names_in(table, target):
    """Representations, models and the baseline that one kind of table lists for a target."""
    if table == "learning_curve":
        return CONFIG.learn.learning_curve.representations or LEARNED_FROM
    if table == "importance":
        return list(LEARNED_FROM)
    return [*LEARNED_FROM, *CONFIG.learn.models_for(target), "random"]


def learned_by(model):
    """Names of the representations that a model is of, each once."""
    parts = CONFIG.learn.parts(model).values()
    return list(dict.fromkeys(name for part in parts for name in part.of))


def models_behind(model):
    """Settings of a model, and of those that it averages."""
    return {
        name: leaf(CONFIG.learn.models[name], without=["targets"])
        for name in (model, *CONFIG.learn.parts(model))
    }


wildcard_constraints:
    shard=r"\d+",
    target=one_of(TASKS),
