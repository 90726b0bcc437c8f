"""The configuration: written files agree with the models; what is wrong is said by key, before anything runs."""

import json
from pathlib import Path
from typing import Any, get_args

import pytest
import yaml
from jsonschema import Draft202012Validator
from snakemake.utils import update_config

from gbscape.config.crystal import PROTOTYPE_FILES
from gbscape.config.features import Computed, Features
from gbscape.config.files import DEFAULTS, SCHEMA, defaults_yaml, resolved_yaml, schema_json
from gbscape.config.learn import Learn, Model
from gbscape.config.model import Config, ConfigError, load
from gbscape.sweeps.points import points_of

PROJECT = Path(__file__).resolve().parents[2]


def test_written_files_agree_with_the_models() -> None:
    """If this fails: `make config`."""
    assert (PROJECT / DEFAULTS).read_text() == defaults_yaml()
    assert (PROJECT / SCHEMA).read_text() == schema_json()


def test_default_file_gives_the_defaults() -> None:
    assert load(yaml.safe_load((PROJECT / DEFAULTS).read_text()), project=PROJECT) == Config()


def test_kinds_that_no_default_has_are_listed_as_comments_that_load() -> None:
    commented = (
        (PROJECT / DEFAULTS).read_text().split("# Kinds of representations that are not computed by default:\n")[1]
    )
    listed = yaml.safe_load("\n".join(line.removeprefix("# ") for line in commented.splitlines()))
    defaults = {type(representation) for representation in Features().representations.values()}
    missing = [kind() for kind in get_args(Computed) if kind not in defaults]
    assert missing
    representations = Features.model_validate(listed["features"]).representations
    assert representations == {representation.kind: representation for representation in missing}
    models = Learn.model_validate(listed["learn"]).models
    assert {name: model.kind for name, model in models.items()} == {name: name for name in models}
    # Each model in the union of kinds.
    assert {type(model) for model in models.values()} == set(get_args(get_args(Model)[0]))


@pytest.mark.parametrize("name", sorted(path.name for path in (PROJECT / "config").glob("*.yaml")))
def test_shipped_configurations_are_valid(name: str) -> None:
    below = ["homer2019.yaml"] if name == "table1.yaml" else []
    raw: dict[str, Any] = {}
    for layer in ("config.yaml", *below, name):
        update_config(raw, yaml.safe_load((PROJECT / "config" / layer).read_text()))
    if name == "spm.yaml":
        with pytest.raises(ConfigError, match="sample names no structure; give one by --config structure=FILE"):
            load(raw, project=PROJECT)
        raw["structure"] = "README.md"
    for point in points_of(raw, project=PROJECT):
        assert all(getattr(its.structure, "path", "") is not None for its in point.config.maps.values())
        Draft202012Validator(json.loads(schema_json())).validate(point.raw)


def test_every_setting_is_described() -> None:
    schema = Config.model_json_schema()
    models = {"Config": schema, **schema["$defs"]}
    undescribed = [
        f"{name}.{key}"
        for name, model in models.items()
        for key, its in model["properties"].items()
        if "description" not in its and "$ref" not in its and key != "kind"
    ]
    assert undescribed == []
    assert [name for name, model in models.items() if "description" not in model] == []


BAD = [
    ({"sede": 1}, r"sede: unknown key; did you mean 'seed'\? Allowed: name, structure, seed, "),
    ({"survey": {"enumeration": {"max_lenght": 9}}}, r"survey\.enumeration\.max_lenght: .*did you mean 'max_length'"),
    ({"survey": {"enumeration": {"max_length": -3}}}, r"survey\.enumeration\.max_length = -3: .*greater than 0"),
    ({"survey": {"enumeration": {"max_length": "long"}}}, r"survey\.enumeration\.max_length = 'long': .*number"),
    ({"survey": {"enumeration": {"lattice": "hcp"}}}, r"survey\.enumeration\.lattice = 'hcp': .*'fcc', 'bcc' or 'sc'"),
    ({"survey": {"shards": 0}}, r"survey\.shards = 0: input should be greater than or equal to 1; or should be 'auto'"),
    ({"survey": {"potential": {"name": None}}}, r"survey\.potential: give either 'name'"),
    (
        {"survey": {"potential": {"name": None, "file": "ni.eam", "pair_style": "eam; shell rm"}}},
        r"pair_style = 'eam; shell",
    ),
    (
        {"survey": {"potential": {"name": None, "file": "no/such.eam.alloy", "pair_style": "eam/alloy"}}},
        r"survey\.potential\.file = 'no/such\.eam\.alloy': no such file",
    ),
    (
        {"features": {"representations": {"soap": {"kind": "soap", "cutoff_angstrom": -5}}}},
        r"features\.representations\.soap\.cutoff_angstrom = -5: .*greater than 0",
    ),
    (
        {"features": {"representations": {"soap": {"kind": "soap", "cutoff_angstorm": 5}}}},
        r"features\.representations\.soap\.cutoff_angstorm: unknown key; did you mean 'cutoff_angstrom'\? Allowed: .*n_max",
    ),
    (
        {"features": {"representations": {"soap": {"kind": "sopa"}}}},
        r"features\.representations\.soap.*'soap', .*'scattering'",
    ),
    ({"features": {"representations": {"a/b": {"kind": "soap"}}}}, r"features\.representations\.a/b.*pattern"),
    ({"features": {"representations": {"s": {"kind": "concatenate", "of": ["x", "y"]}}}}, r"'x' is not one of"),
    ({"features": {"representations": {"random": {"kind": "soap"}}}}, r"random: this name is kept"),
    (
        {"survey": {"relaxation": {"half_thickness_angstrom": 14.0}, "boundary_atoms": {"buffer_angstrom": 9.5}}},
        r"soap: cutoff_angstrom = 5 reaches out of the slab; allowed",
    ),
    ({"learn": {"test_fraction": 1.5}}, r"learn\.test_fraction = 1\.5: .*less than 1"),
    ({"learn": {"targets": ["colour"]}}, r"learn\.targets\.0 = 'colour': .*'energy'"),
    (
        {
            "survey": {"potential": {"name": "Cu_mishin1.eam.alloy", "species": "Cu"}},
            "learn": {"targets": ["shear_class"]},
        },
        r"learn\.targets: shear_class need published figures for this potential",
    ),
    (
        {"features": {"representations": {"m": {"kind": "multi_scale_soap", "scales": [{"sigma_angstorm": 1}]}}}},
        r"features\.representations\.m\.scales\.0\.sigma_angstorm: unknown key; did you mean 'sigma_angstrom'\? Allowed: cutoff_angstrom, sigma_angstrom",
    ),
    ({"seed": True}, r"seed = True: .*integer"),
    ({"survey": {"shards": "3"}}, r"survey\.shards = '3': .*integer"),
    ({"survey": {"enumeration": {"lattice": "sc"}}}, r"knows fcc and bcc only"),
    (
        {"survey": {"enumeration": {"ids": ["S5_3.1.0_3.1.0_7cac86de"]}}},
        r"1 boundaries leave 1 for training.*set learn\.targets to \[\]",
    ),
    ({"name": "../outside"}, r"name = '\.\./outside': .*pattern"),
    ({"published": {"table": "no.csv"}}, r"published\.table = 'no\.csv': no such file"),
]


@pytest.mark.parametrize(("raw", "message"), BAD, ids=[m[:40] for _, m in BAD])
def test_bad_settings_are_named_with_what_is_allowed(raw: dict, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        load(raw, project=PROJECT)


def test_every_problem_is_named_at_once() -> None:
    with pytest.raises(ConfigError, match=r"(?s)2 problems.*seed = -1.*survey\.shards = 0"):
        load({"seed": -1, "survey": {"shards": 0}}, project=PROJECT)


def test_null_takes_a_default_representation_away() -> None:
    raw = yaml.safe_load((PROJECT / DEFAULTS).read_text())
    raw["features"]["representations"].update({"st": None, "soap+st": None})
    Draft202012Validator(json.loads(schema_json())).validate(raw)
    assert list(load(raw, project=PROJECT).features.representations) == ["soap", "multi_scale_soap"]


def test_a_recorded_configuration_gives_the_same_run_again() -> None:
    config = load({"seed": 7, "features": {"representations": {"soap": {"kind": "soap", "n_max": 6}}}}, project=PROJECT)
    recorded = yaml.safe_load(resolved_yaml(config))
    assert recorded["features"]["representations"]["st"] is None
    assert load(recorded, project=PROJECT) == config


def test_figures_published_for_one_potential_are_not_compared_with_another() -> None:
    copper = load({"survey": {"potential": {"name": "Cu_mishin1.eam.alloy", "species": "Cu"}}}, project=PROJECT)
    assert copper.compared.table is None
    assert load({}, project=PROJECT).compared.table is not None
    own_table = {"published": {"potential": None}, "survey": copper.survey.model_dump()}
    assert load(own_table, project=PROJECT).compared.table is not None


def test_files_are_found_from_any_working_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    project, elsewhere = tmp_path / "project", tmp_path / "elsewhere"
    published = [
        f"resources/published/{name}.csv"
        for name in ("olmsted2009_ni", "homer2019_table1", "homer2019_snapshots", "leitherer2021", "tamura2020")
    ]
    model = "resources/models/arise.safetensors"
    for file in (*published, *PROTOTYPE_FILES, model, "resources/costs.csv", "al.eam.alloy"):
        (project / file).parent.mkdir(parents=True, exist_ok=True)
        (project / file).touch()
    elsewhere.mkdir()
    (elsewhere / "mine.csv").touch()
    monkeypatch.chdir(elsewhere)
    potential = {"name": None, "file": "al.eam.alloy", "pair_style": "eam/alloy", "species": "Al"}
    (elsewhere / "mine.safetensors").touch()
    models = {"mine": {"file": "mine.safetensors"}, "theirs": {"file": model}, "trained": {}}
    given = {"survey": {"potential": potential}, "published": {"table": "mine.csv"}, "crystal": {"models": models}}
    config = load(given, project=project)
    assert config.survey.potential.file == str(project / "al.eam.alloy")
    assert config.published.table == "mine.csv"
    assert config.crystal.prototypes == tuple(str(project / file) for file in PROTOTYPE_FILES)
    assert config.crystal.model == str(project / model)
    files = {name: its.file for name, its in config.crystal.models.items()}
    assert files == {"mine": "mine.safetensors", "theirs": str(project / model), "trained": None}
    models["mine"]["file"] = "lost.safetensors"
    with pytest.raises(ConfigError, match=r"crystal.models.mine.file = 'lost.safetensors': no such file"):
        load(given, project=project)
    assert config.published.accuracies == str(project / "resources/published/homer2019_table1.csv")
    assert config.published.crystals == str(project / "resources/published/leitherer2021.csv")


def test_an_endless_configuration_is_refused() -> None:
    """A few lines with aliases of YAML, from `--config`, can make one; files with them are refused before."""
    loop: dict[str, Any] = {}
    loop["survey"] = loop
    with pytest.raises(ConfigError, match="a part of it is in itself"):
        load(loop, project=PROJECT)
    thousand = [0] * 1000
    with pytest.raises(ConfigError, match="longer than 8,388,608 characters"):
        load({"survey": {"enumeration": {"ids": [[thousand] * 100] * 100}}}, project=PROJECT)


def test_messages_show_nothing_that_a_terminal_would_act_on() -> None:
    with pytest.raises(ConfigError) as raised:
        load({"\x1b[2J": 1, "name": "x\n" * 1000}, project=PROJECT)
    assert "\x1b" not in str(raised.value)
    assert max(map(len, str(raised.value).splitlines())) < 500
