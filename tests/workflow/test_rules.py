"""Rules, scripts and environments keep the project's conventions."""

import re
import tomllib
from pathlib import Path

import pytest
import yaml

PROJECT = Path(__file__).resolve().parents[2]
RULE_FILES = sorted((PROJECT / "workflow" / "rules").glob("*.smk"))
RULES = {
    match[2] or re.search(r'f"(\w*\{\w+\}\w*)"', match[3])[1]: match[3]  # type: ignore[index]
    for path in RULE_FILES
    for match in re.finditer(r"^( *)rule ?(\w*):\n((?:\1    .*\n|\n)+)", path.read_text(), flags=re.MULTILINE)
}


def _pins(lines: list[str]) -> dict[str, str]:
    pairs = (line.split("==") for line in lines if "==" in line)
    return {re.sub(r"[-_.]+", "-", name).lower(): version for name, version in pairs}


def test_rules_are_found() -> None:
    assert {"enumerate_boundaries", "relax_boundaries", "featurize", "learn"} <= RULES.keys()


@pytest.mark.parametrize("name", RULES)
def test_every_rule_logs_is_measured_and_says_what_it_needs(name: str) -> None:
    body = RULES[name]
    if "localrule: True" in body:
        return  # collects files, runs nothing
    for part in ("log:", "benchmark:", "mem_mb=", "runtime=", "tasks=", "conda:", "code="):
        assert part in body, f"rule {name} lacks {part}"
    assert not re.search(r"(mem_mb|runtime)=\d", body), f"what rule {name} asks for does not grow with attempts"
    wildcards = [
        set(re.findall(r"\{\{(\w+)\}\}", body.split(f"{part}:")[1].split("\n    ")[0])) for part in ("log", "benchmark")
    ]
    assert wildcards[0] == wildcards[1]


@pytest.mark.parametrize("script", sorted((PROJECT / "workflow" / "scripts").glob("*.py")), ids=lambda p: p.name)
def test_scripts_are_adapters(script: Path) -> None:
    lines = [line for line in script.read_text().splitlines() if line.strip() and not line.lstrip().startswith("#")]
    assert len(lines) <= 30
    assert re.search(rf'"\.\./scripts/{script.name}"', "".join(p.read_text() for p in RULE_FILES)), "no rule uses it"


@pytest.mark.parametrize("path", sorted((PROJECT / "envs").glob("*.yaml")), ids=lambda p: p.name)
def test_conda_environments_agree_with_the_lock(path: Path) -> None:
    lock = _pins((PROJECT / "requirements.lock").read_text().splitlines())
    (packages,) = [d["pip"] for d in yaml.safe_load(path.read_text())["dependencies"] if isinstance(d, dict)]
    assert all("==" in package for package in packages)
    pins = _pins(packages)
    assert {name: lock.get(name) for name in pins} == pins


def test_pinned_dependencies_agree_with_the_lock() -> None:
    lock = _pins((PROJECT / "requirements.lock").read_text().splitlines())
    project = tomllib.loads((PROJECT / "pyproject.toml").read_text())["project"]
    # `peers` are for the benchmark alone and not part of the environment.
    pins = _pins([d for d in project["dependencies"] + project["optional-dependencies"]["dev"] if "==" in d])
    assert pins
    assert {name: lock.get(name) for name in pins} == pins
