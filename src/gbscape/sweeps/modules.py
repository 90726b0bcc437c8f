"""Names of the modules that the points of a sweep are in Snakemake."""

import itertools
import re
from collections.abc import Collection, Sequence
from typing import Any

from gbscape.sweeps.points import Point
from gbscape.sweeps.stages import RULES_BY_NAME

_PREFIX = re.compile(r"^p\d+_")


def module_name(point: Point) -> str:
    """Name of a point's module; its rules have this name and `_` before theirs."""
    return f"p{point.number}"


def plain_rule(rule: str) -> str:
    """Name of a rule without that of its module."""
    return _PREFIX.sub("", rule)


def leave_out(workflow: Any, module: str, rules: Collection[str], makers: dict[tuple[str, ...], Any]) -> None:
    """Take rules out of the module that Snakemake has read last: what they make is made by an earlier one, under the same paths.

    Snakemake's `exclude` does not serve: rules that are derived from an excluded one, or have its output as input, are left without
    it. Here they find what they need by its path.

    Args:
        workflow: of Snakemake.
        module: name of the module.
        rules: names of the rules in the module that are taken out.
        makers: the rules of the modules before by what they make; those of this module are added.

    Raises:
        ValueError: a rule has other parameters than that which makes its files, so that these would be shared wrongly.
    """
    prefix = f"{module}_"
    own = list(itertools.takewhile(lambda name: name.startswith(prefix), reversed(workflow._rules)))
    absent = {f"{prefix}{name}" for name in rules}.intersection(own)
    elsewhere = absent | {f"{prefix}{name}" for name in RULES_BY_NAME}
    for name in own:
        rule = workflow._rules[name]
        maker = makers.setdefault(tuple(map(str, rule.output)), rule)
        if name in absent and maker is not rule:
            if _plain_parameters(rule) != _plain_parameters(maker):
                raise ValueError(
                    f"{name} and {maker.name} would make the same files by different parameters: gbscape/sweeps/stages.py lacks a setting"
                )
            del workflow._rules[name]
        else:
            for path in [path for path, its in rule.dependencies.items() if its in elsewhere]:
                del rule.dependencies[path]


def _plain_parameters(rule: Any) -> dict[str, Any]:
    """Parameters that do not depend on wildcards."""
    return {name: value for name, value in rule.params.items() if not callable(value)}


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
