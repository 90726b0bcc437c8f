"""The table of stages against the rules: what a stage does not list does not change its jobs."""

import json
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Literal, get_args, get_origin

import pytest
import yaml

from gbscape.config.files import read_raw
from gbscape.config.model import Config, ConfigError, load
from gbscape.sweeps.axes import Key, below, with_value
from gbscape.sweeps.stages import STAGES, concerns, stage_of

PROJECT = Path(__file__).resolve().parents[2]
BOUNDARY = "S5_3.1.0_3.1.0_7cac86de"
CONFIG: dict[str, Any] = {
    "name": "full",
    "parts": ["survey", "crystal", "replica", "alloy"],
    # Numbers of jobs follow from the settings.
    "survey": {"enumeration": {"count": 60}, "shards": "auto"},
    "features": {"shards": "auto", "representations": {"ler": {"kind": "local_environments"}}},
    "learn": {
        "targets": ["energy", "mobility_3_class"],
        "models": {
            "kernel": {"kind": "kernel", "of": ["soap"]},
            "forest": {"kind": "randomised_trees", "of": ["soap", "ler"]},
            "both": {"kind": "average", "models": ["kernel", "forest"]},
        },
    },
    "snapshots": {"boundary": BOUNDARY, "learning": {"shards": "auto"}},
    "relevance": {"boundary": BOUNDARY},
    "descriptor_properties": {"representations": ["soap"], "classifications": ["cna"]},
    "crystal": {
        "shards": "auto",
        "other_methods": ["cna"],
        "models": {"small": {"search": {}, "network": {"members": 2}}},
        "maps": {
            "grains": {
                "structure": {"kind": "four_grains"},
                "stride_angstrom": 6.0,
                "refinement": {"levels": 1},
                "clustering": {},
                "shards": "auto",
            },
            "boundary": {"structure": {"kind": "boundary", "id": BOUNDARY}},
        },
    },
    "replica": {
        "shards": "auto",
        "model": {"n_atoms": 20000, "n_grains": 4},
        "selection": {"rounds": 2},
        "alternatives": {"other": {"kind": "soap", "n_components": 5}},
    },
}
# Of runs that this is none of: a survey from files, energies by DFT, an alloy from known cells.
ELSEWHERE = {
    "read_shipped_survey", "import_structures", "ship_survey", "select_dft_atoms", "compute_reference", "read_known_structures",
}  # fmt: skip
Jobs = dict[str, dict[str, Any]]


def _planned(configs: Mapping[str, Mapping[str, Any]], folder: Path) -> dict[str, Jobs]:
    for name, config in configs.items():
        (folder / f"{name}.yaml").write_text(yaml.safe_dump(config))
    done = subprocess.run(
        [sys.executable, "-m", "tests.workflow.planned_jobs", *(str(folder / f"{name}.yaml") for name in configs)],
        cwd=PROJECT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-2000:]
    return dict(zip(configs, map(json.loads, done.stdout.splitlines()), strict=True))


def _leaves(value: Any, annotations: list[Any], key: Key) -> Iterator[tuple[Key, Any, list[Any]]]:
    if isinstance(value, Mapping):
        for name, inner in value.items():
            yield from _leaves(inner, below(annotations, value, name), (*key, name))
    else:
        yield key, value, annotations


def _others(value: Any, annotations: list[Any]) -> list[Any]:
    """Values that a setting might have instead."""
    if isinstance(value, bool):
        return [not value]
    if isinstance(value, int):
        return [value + 1, value - 1, 2 * value]
    if isinstance(value, float):
        return [1.1 * value, 0.9 * value, value + 0.01]
    if isinstance(value, str):
        return [o for its in annotations if get_origin(its) is Literal for o in get_args(its) if o != value]
    if isinstance(value, list) and value and all(isinstance(v, int | float) for v in value):
        return [[other, *value[1:]] for other in _others(value[0], [])] + [value[:-1]]
    return []


def _is_valid(raw: Mapping[str, Any]) -> bool:
    try:
        load(raw, project=PROJECT)
    except ConfigError:
        return False
    return True


def _with(raw: dict[str, Any], values: Mapping[Key, Any]) -> dict[str, Any]:
    for key, value in values.items():
        raw = with_value(raw, key, value)
    return raw


def _with_all_that_can_be(raw: dict[str, Any], values: Mapping[Key, Any]) -> tuple[dict[str, Any], int]:
    """A configuration with other values, but for those that do not go together, and how many it has."""
    changed = _with(raw, values)
    if _is_valid(changed):
        return changed, len(values)
    if len(values) == 1:
        return raw, 0
    half = len(values) // 2
    raw, first = _with_all_that_can_be(raw, dict(list(values.items())[:half]))
    raw, second = _with_all_that_can_be(raw, dict(list(values.items())[half:]))
    return raw, first + second


@pytest.fixture(scope="module")
def raw(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """The configuration in full."""
    path = tmp_path_factory.mktemp("config") / "config.yaml"
    path.write_text(yaml.safe_dump(CONFIG))
    config = load(read_raw([path], PROJECT), project=PROJECT)
    whole: dict[str, Any] = json.loads(json.dumps(config.model_dump(mode="json")))
    return whole | {"published": read_raw([path], PROJECT)["published"]}


@pytest.fixture(scope="module")
def base(raw: dict[str, Any], tmp_path_factory: pytest.TempPathFactory) -> Jobs:
    """Jobs of the configuration."""
    return _planned({"base": raw}, tmp_path_factory.mktemp("base"))["base"]


@pytest.fixture(scope="module")
def plans(raw: dict[str, Any], tmp_path_factory: pytest.TempPathFactory) -> dict[str, Jobs]:
    """For each stage the jobs of a configuration in which all that does not concern it has changed."""
    others = {
        key: next((other for other in _others(value, its) if _is_valid(with_value(raw, key, other))), None)
        for key, value, its in _leaves(raw, [Config], ())
    }
    configs = {}
    for stage, its in STAGES.items():
        # Of the representations those that the test below leaves out.
        free = {
            key: other
            for key, other in others.items()
            if other is not None
            and not concerns(key, stage)
            and (not its.by_name or key[:2] != ("features", "representations") or key[2] == "st")
        }
        configs[stage], changed = _with_all_that_can_be(raw, free)
        assert changed > 100, stage
    return _planned(configs, tmp_path_factory.mktemp("plans"))


@pytest.mark.parametrize("stage", STAGES)
def test_jobs_of_a_stage_do_not_depend_on_other_settings(stage: str, base: Jobs, plans: dict[str, Jobs]) -> None:
    before, after = (
        {
            key: job
            for key, job in jobs.items()
            if stage_of(job["rule"]) == stage and not re.search(r'"(representation|model)": "(soap\+)?st"', key)
        }
        for jobs in (base, plans[stage])
    )
    assert before
    assert after == before


def test_stages_read_only_what_stages_before_them_wrote(base: Jobs) -> None:
    def before(stage: str) -> set[str]:
        return {stage}.union(*(before(other) for other in STAGES[stage].after))

    found = set()
    for key, job in base.items():
        stage = stage_of(job["rule"])
        if stage is not None:
            found.add(job["rule"])
            assert {stage_of(rule) for rule in job["after"]} <= before(stage), key
    assert {rule for its in STAGES.values() for rule in its.rules} - found == ELSEWHERE


def test_paths_say_of_which_stage_a_file_is(base: Jobs) -> None:
    paths = {path: name for name, its in STAGES.items() for path in its.paths}
    assert not [(a, b) for a in paths for b in paths if a != b and b.startswith(a)]
    for key, job in base.items():
        stage = stage_of(job["rule"])
        for path in job["patterns"]:
            owners = {name for beginning, name in paths.items() if path.startswith(f"results/full/{beginning}")}
            assert owners == ({stage} if stage else set()), (key, path)
        if stage is not None:
            for path, kind, ending in zip(job["records"], ("logs", "benchmarks"), ("log", "tsv"), strict=True):
                its = f"results/full/{kind}/{job['rule']}"
                assert path == f"{its}.{ending}" or path.startswith(f"{its}/"), key
            # A path in the parameters is one that is the same in all points.
            for path in re.findall(r"results/full/([^\"\\ ]*)", json.dumps(job["params"])):
                known = any(path.startswith(beginning) for beginning in paths)
                assert known or f"results/full/{path}" in job["input"] + job["output"], (key, path)
