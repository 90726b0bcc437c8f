"""Names of the modules that the points of a sweep are in Snakemake."""

import re
from collections.abc import Collection, Sequence
from typing import Any

from gbscape.sweeps.points import Point

_PREFIX = re.compile(r"^p\d+_")


def module_name(point: Point) -> str:
    """Name of a point's module; its rules have this name and `_` before theirs."""
    return f"p{point.number}"


def plain_rule(rule: str) -> str:
    """Name of a rule without that of its module."""
    return _PREFIX.sub("", rule)


def leave_out(workflow: Any, module: str, rules: Collection[str], by_name: Collection[str]) -> None:
    """Take rules of a module out of Snakemake's workflow: what they make is made by those of another module, under the same paths.

    Snakemake's `exclude` does not serve: rules that are derived from an excluded one, or have its output as input, are left without
    it. Here they find what they need by its path.

    Args:
        workflow: of Snakemake.
        module: name of the module.
        rules: names of the rules in the module that are taken out.
        by_name: names of those of which some files are made elsewhere; they stay.
    """
    absent = {f"{module}_{name}" for name in rules}
    for name in absent & workflow._rules.keys():
        del workflow._rules[name]
    elsewhere = absent | {f"{module}_{name}" for name in by_name}
    for rule in workflow.rules:
        for path in [path for path, maker in rule.dependencies.items() if maker in elsewhere]:
            del rule.dependencies[path]


def modules_of_job(arguments: Sequence[str], names: Collection[str]) -> list[str]:
    """Those of the modules that a process of Snakemake needs: a job that of its rule or none, everything else all.

    Args:
        arguments: of the command line, `--target-jobs RULE:WILDCARDS...` among them in the process of a job.
        names: of all modules.
    """
    if "--target-jobs" not in arguments:
        return list(names)
    jobs = list(arguments[arguments.index("--target-jobs") + 1 :])
    rules = [job.partition(":")[0] for job in jobs if not job.startswith("-")]
    return [name for name in names if any(rule.startswith(f"{name}_") for rule in rules)]
