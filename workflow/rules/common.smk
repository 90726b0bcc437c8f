# What all rules share: the checked configuration, folders, hashes of code, names and patterns of paths.
import re

from gbscape.config.features import Concatenate, expand as expand_sweeps
from gbscape.config.files import resolved_yaml
from gbscape.config.learn import TASKS
from gbscape.config.model import ConfigError, load
from gbscape.store.code import code_hash

try:
    CONFIG = load(config)
except ConfigError as error:
    raise WorkflowError(str(error)) from None
validate(config, "../schemas/config.schema.json", set_default=False)

RESULTS = f"results/{CONFIG.name}"
LOGS = f"{RESULTS}/logs"
BENCHMARKS = f"{RESULTS}/benchmarks"
SURVEY = f"{RESULTS}/survey"
FEATURES = f"{RESULTS}/features"
LEARN = f"{RESULTS}/learn"

# Inputs that a run may lack are an empty list then.
BOUNDARIES = f"{SURVEY}/boundaries.csv" if CONFIG.survey.structures is None else []
PUBLISHED = CONFIG.compared.supplement or CONFIG.compared.table or []
PUBLISHED_ACCURACIES = CONFIG.compared.accuracies or []
REPRESENTATIONS = expand_sweeps(CONFIG.features.representations)
CONCATENATED = {
    name: r.of for name, r in REPRESENTATIONS.items() if isinstance(r, Concatenate)
}
COMPUTED = {name: r for name, r in REPRESENTATIONS.items() if name not in CONCATENATED}
TARGETS = CONFIG.learn.targets
REGRESSION_TARGETS = [t for t in TARGETS if TASKS[t] == "regression"]


def leaf(settings):
    """A leaf of the configuration as plain data, for the `params` of the rules that use it."""
    return settings.model_dump(mode="json")


def shards(pattern, count):
    """Paths of all shards of a step; `pattern` holds {shard}."""
    return [pattern.replace("{shard}", str(i)) for i in range(count)]


def one_of(names):
    """Regular expression that matches exactly these names."""
    return "|".join(re.escape(name) for name in names) or "(?!)"


def learned(table, targets=TARGETS, baseline=False):
    """Paths of one table of every target and representation."""
    names = [*REPRESENTATIONS, *(["random"] if baseline else [])]
    return [
        f"{LEARN}/{target}/{name}/{table}.csv" for target in targets for name in names
    ]


wildcard_constraints:
    shard=r"\d+",
    target=one_of(TASKS),
