"""Names of the modules that the points of a sweep are in Snakemake."""

import itertools
import re
from collections.abc import Collection, Mapping, Sequence
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


def set_in_all_points(settings: Any) -> None:
    """Let what a profile or the command line sets for a rule, resources and threads, hold for that rule of every point, too.

    Without that a point's rules, whose names are others, would ask for the GPUs that a profile says there are none of.

    Args:
        settings: of resources, of Snakemake's workflow, before any rule of a point is read.
    """
    for name in ("_parsed_overwrite_resources", "_parsed_overwrite_threads"):
        vars(settings)[name] = _OfRules(getattr(settings, name))


class _OfRules(dict[str, Any]):
    """What is set, by rule. Snakemake asks with `get`, and hands the items as they are to its jobs."""

    def get(self, rule: str, default: Any = None) -> Any:
        """What is set for a rule; for one of a point also what is set for that rule in all, where its own does not say otherwise."""
        own, of_all = super().get(rule), super().get(plain_rule(rule))
        if own is None:
            return default if of_all is None else of_all
        if isinstance(own, Mapping) and isinstance(of_all, Mapping):
            kind: Any = type(own)
            return kind({**of_all, **own})
        return own


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
