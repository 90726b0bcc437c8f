# What all rules share: the checked configuration, folders, hashes of code.
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


wildcard_constraints:
    shard=r"\d+",


def leaf(settings):
    """A leaf of the configuration as plain data, for the `params` of the rules that use it."""
    return settings.model_dump(mode="json")


def shards(pattern, count):
    """Paths of all shards of a step; `pattern` holds {shard}."""
    return [pattern.replace("{shard}", str(i)) for i in range(count)]
