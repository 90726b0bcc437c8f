"""Points of sweeps, their names, what they share, and the table of their results."""

from collections import OrderedDict
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pandas as pd
import pytest

from gbscape.config.files import read_raw
from gbscape.config.model import ConfigError
from gbscape.figures.sweep_results import plot_sweep_results, sweep_results_data
from gbscape.sweeps.axes import axes_of, is_sweep
from gbscape.sweeps.layout import layouts_of
from gbscape.sweeps.modules import leave_out, module_name, modules_of_job, plain_rule
from gbscape.sweeps.names import setting_name, value_name
from gbscape.sweeps.points import points_of
from gbscape.sweeps.results import tabulate_sweep

PROJECT = Path(__file__).resolve().parents[2]


def _raw(text: str, tmp_path: Path) -> dict[str, Any]:
    (tmp_path / "sweep.yaml").write_text(text)
    return read_raw([tmp_path / "sweep.yaml"], PROJECT)


def _names(text: str, tmp_path: Path) -> list[str]:
    return [point.name for point in points_of(_raw(text, tmp_path), PROJECT)]


def test_the_defaults_are_no_sweep(tmp_path: Path) -> None:
    assert not is_sweep(_raw("{}", tmp_path))
    (point,) = points_of(_raw("{}", tmp_path), PROJECT)
    assert point.name == ""


def test_a_list_where_a_value_is_meant_is_an_axis_and_one_where_a_list_is_meant_is_not(tmp_path: Path) -> None:
    text = """
    learn: {test_fraction: [0.3, 0.5], targets: [energy]}
    survey: {relaxation: {annealing_kelvin: [500.0, 600.0]}, local_search: [null, {removals: 0.3}]}
    """
    raw = _raw(text, tmp_path)
    assert is_sweep(raw)
    assert {axis.keys[0]: len(axis.values) for axis in axes_of(raw)} == {
        ("survey", "local_search"): 2,
        ("learn", "test_fraction"): 2,
    }
    points = points_of(raw, PROJECT)
    assert [(p.config.survey.local_search is None, p.config.learn.test_fraction) for p in points] == [
        (True, 0.3), (True, 0.5), (False, 0.3), (False, 0.5),
    ]  # fmt: skip
    assert points[-1].config.survey.local_search.removals == 0.3  # type: ignore[union-attr]
    assert points[-1].config.survey.relaxation.annealing_kelvin == (500.0, 600.0)


def test_settings_that_take_lists_are_swept_over_explicitly(tmp_path: Path) -> None:
    text = "sweep: {survey.relaxation.annealing_kelvin: [[], [500.0, 700.0]]}"
    points = points_of(_raw(text, tmp_path), PROJECT)
    assert [point.config.survey.relaxation.annealing_kelvin for point in points] == [(), (500.0, 700.0)]
    assert points[1].name == "relaxation.annealing_kelvin=500_700"


def test_settings_that_change_together(tmp_path: Path) -> None:
    text = "sweep: {'survey.relaxation.seed, survey.local_search.seed': [[1, 2], [3, 4]], learn.n_splits: [5, 6]}"
    points = points_of(_raw(text, tmp_path), PROJECT)
    found = [
        (p.config.survey.relaxation.seed, p.config.survey.local_search.seed, p.config.learn.n_splits) for p in points
    ]  # type: ignore[union-attr]
    assert found == [(1, 2, 5), (1, 2, 6), (3, 4, 5), (3, 4, 6)]
    assert points[0].name == "learn.n_splits=5,local_search.seed=2,relaxation.seed=1"


def test_names_do_not_depend_on_what_else_is_swept_or_in_which_order(tmp_path: Path) -> None:
    alone = _names("learn: {test_fraction: [0.5]}", tmp_path)
    assert alone == ["learn.test_fraction=0.5"]
    both = "sweep: {seed: [1], learn.test_fraction: [0.5], survey.relaxation.seed: [2]}"
    other = "sweep: {survey.relaxation.seed: [2], learn.test_fraction: [0.50], seed: [1]}"
    assert _names(both, tmp_path) == _names(other, tmp_path)
    assert alone[0] in _names(both, tmp_path)[0].split(",")


def test_a_setting_is_named_by_its_last_parts_that_no_other_has() -> None:
    assert setting_name(("learn", "test_fraction")) == "learn.test_fraction"
    assert setting_name(("survey", "relaxation", "seed")) == "relaxation.seed"
    # What the user has named stays in the name.
    assert setting_name(("features", "representations", "mine", "threshold")) == "mine.threshold"
    assert setting_name(("crystal", "maps", "a b/c", "stride_angstrom")) == "a-b-c.stride_angstrom"


@pytest.mark.parametrize(
    ("value", "name"),
    [
        (4.0, "4"),
        (4, "4"),
        (0.25, "0.25"),
        (1e-7, "1e-07"),
        (None, "null"),
        (True, "true"),
        ("stop", "stop"),
        ([4, 5.5], "4_5.5"),
    ],
)
def test_values_are_named_as_they_are(value: object, name: str) -> None:
    assert value_name(value) == name


def test_other_values_are_named_safely_and_distinctly() -> None:
    values = ["a/b", "a b", "../x", "", {"kind": "soap"}, {"kind": "st"}, [[1], [2]], "x" * 100, "$(touch it)", []]
    names = [value_name(value) for value in values]
    assert len(set(names)) == len(values)
    assert all(
        name and set(name) <= set("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._+-")
        for name in names
    )
    assert max(map(len, names)) <= 40


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("learn: {test_fraction: [0.5, 0.50]}", "learn.test_fraction=0.5 is given twice"),
        ("learn: {test_fraction: []}", "learn.test_fraction: no value is given"),
        ("sweep: {learn.test_fraction: []}", "learn.test_fraction: no value is given"),
        ("learn: {test_fraction: [0.5, half]}", "Point learn.test_fraction=half of the sweep"),
        (
            "{learn: {test_fraction: [0.5]}, sweep: {learn.test_fraction: [0.4]}}",
            "learn.test_fraction: it is swept over twice",
        ),
        ("sweep: {learn: [{}], learn.test_fraction: [0.4]}", "learn.test_fraction: it is swept over twice"),
        ("sweep: {'learn.test_fraction, seed': [0.4]}", "a list of lists of 2 values"),
        ("sweep: {'learn..test_fraction': [0.4]}", "a key, or several with commas between them"),
        ("sweep: [learn]", "a mapping of keys to lists"),
        ("sweep: {seed.of: [1]}", "'seed' of 'seed.of' is a value"),
        ("sweep: {name: [a, b]}", "name: it cannot be swept over"),
        ("sweep: {sweep.seed: [1]}", "sweep.seed: it cannot be swept over"),
        (
            f"sweep: {{seed: {list(range(30))}, learn.n_splits: {list(range(1, 31))}}}",
            "30 x 30 = 900 points; at most 400",
        ),
        ("sweep: {learn.test_fractoin: [0.4]}", "did you mean 'test_fraction'"),
    ],
)
def test_bad_sweeps_are_refused(text: str, message: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as error:
        points_of(_raw(text, tmp_path), PROJECT)
    assert message in str(error.value)


def test_points_share_what_does_not_depend_on_their_settings(tmp_path: Path) -> None:
    text = """
    name: x
    survey: {boundary_atoms: {buffer_angstrom: [3.0, 4.0]}}
    features: {representations: {soap: {l_max: [6, 8]}}}
    """
    points = points_of(_raw(text, tmp_path), PROJECT)
    first, second, third, _ = layouts_of(points)
    assert first.folder == "results/x/boundary_atoms.buffer_angstrom=3,representations.soap.l_max=6"
    assert {its.placed(f"{its.folder}/survey/relaxed/shard_0.h5") for its in (first, second, third)} == {
        "results/x/survey/relaxed/shard_0.h5"
    }
    assert (
        second.placed(f"{second.folder}/survey/survey.h5")
        == "results/x/boundary_atoms.buffer_angstrom=3/survey/survey.h5"
    )
    assert (
        third.placed(f"{third.folder}/logs/featurize/st/0.log")
        == "results/x/boundary_atoms.buffer_angstrom=4/logs/featurize/st/0.log"
    )
    assert (
        third.placed(f"{third.folder}/scorecard.csv")
        == "results/x/boundary_atoms.buffer_angstrom=4,representations.soap.l_max=6/scorecard.csv"
    )
    assert not first.made_elsewhere
    assert {"relax_boundaries", "select_boundary_atoms", "plot_gallery"} <= second.made_elsewhere
    assert "select_boundary_atoms" not in third.made_elsewhere
    assert "relax_boundaries" in third.made_elsewhere
    names = ["soap", "st", "soap+st"]
    assert first.made_here("features", names) == {"soap~l_max=6": "soap", "st": "st", "soap+st~soap.l_max=6": "soap+st"}
    assert second.made_here("features", names) == {"soap~l_max=8": "soap", "soap+st~soap.l_max=8": "soap+st"}
    assert third.made_here("learning", names).keys() == first.made_here("learning", names).keys()
    assert second.point_of(f"{second.folder}/figures/gallery.png") == "boundary_atoms.buffer_angstrom=3"


def test_a_setting_that_no_stage_lists_is_shared_by_none(tmp_path: Path) -> None:
    points = points_of(_raw("{name: x, on_failure: [stop, skip]}", tmp_path), PROJECT)
    _, second = layouts_of(points)
    assert not second.made_elsewhere
    assert second.placed(f"{second.folder}/survey/survey.h5") == "results/x/on_failure=skip/survey/survey.h5"


def test_a_job_needs_its_module_only(tmp_path: Path) -> None:
    points = points_of(_raw(f"seed: {list(range(12))}", tmp_path), PROJECT)
    names = [module_name(point) for point in points]
    assert modules_of_job(["snakemake", "--cores", "1"], names) == names
    command = [
        "snakemake",
        "--target-jobs",
        "p1_learn:target=energy,representation=p2_x",
        "--allowed-rules",
        "p1_learn",
    ]
    assert modules_of_job(command, names) == ["p1"]
    assert modules_of_job(["snakemake", "--target-jobs", "tabulate_sweep:"], names) == []
    assert [plain_rule(rule) for rule in ("p11_learn", "learn", "plot_x")] == ["learn", "learn", "plot_x"]


def test_rules_that_differ_are_not_shared() -> None:
    def rule(name: str, output: str, **params: Any) -> SimpleNamespace:
        return SimpleNamespace(
            name=name, output=[output], params=params, dependencies={"a.h5": "p1_first", "b.h5": "p1_last"}
        )

    def left(length: int) -> dict[str, SimpleNamespace]:
        workflow, makers = SimpleNamespace(_rules=OrderedDict()), {}
        for module, rules in (
            ("p0", [rule("p0_first", "a.h5", length=1, each=len), rule("p0_last", "0/b.h5")]),
            ("p1", [rule("p1_first", "a.h5", length=length, each=abs), rule("p1_last", "1/b.h5")]),
        ):
            workflow._rules |= {its.name: its for its in rules}
            leave_out(workflow, module, {"first"} if module == "p1" else set(), makers)
        return workflow._rules

    rules = left(1)
    assert list(rules) == ["p0_first", "p0_last", "p1_last"]
    assert rules["p1_last"].dependencies == {"b.h5": "p1_last"}
    with pytest.raises(ValueError, match="p1_first and p0_first would make the same files by different parameters"):
        left(2)


def _scorecard(folder: Path, rows: list[tuple[str, str, str]]) -> Path:
    folder.mkdir(parents=True)
    pd.DataFrame(rows, columns=["item", "measured", "spread"]).to_csv(folder / "scorecard.csv", index=False)
    return folder / "scorecard.csv"


def test_the_table_has_the_numbers_of_the_scorecards(tmp_path: Path) -> None:
    shared = ("Coincidence boundaries enumerated", "388", "")
    paths = [
        _scorecard(tmp_path / "a", [shared, ("Reached", "97.2 % (377 of 388)", ""), ("Accuracy", "93.3 %", "± 2.0")]),
        _scorecard(
            tmp_path / "b", [shared, ("Reached", "96.1 %", ""), ("Largest", "+0.0195 J/m²", ""), ("Word", "yes", "")]
        ),
    ]
    points = {str(path.parent): {"seed": seed} for seed, path in enumerate(paths, start=1)}
    table = tabulate_sweep(points, paths)
    assert table.drop(columns="folder").to_dict("list") == {
        "seed": [1, 2],
        "Coincidence boundaries enumerated": [388.0, 388.0],
        "Reached [%]": [97.2, 96.1],
        "Accuracy [%]": [93.3, pytest.approx(float("nan"), nan_ok=True)],
        "Accuracy, spread [%]": [2.0, pytest.approx(float("nan"), nan_ok=True)],
        "Largest [J/m²]": [pytest.approx(float("nan"), nan_ok=True), 0.0195],
    }
    assert table["folder"].to_list() == [str(path.parent) for path in paths]
    assert tabulate_sweep(points, []).to_dict("list") == {"seed": [1, 2], "folder": table["folder"].to_list()}


@pytest.mark.parametrize("values", [[4.0, 5.0, 6.0], ["one", "two", "three"]])
def test_the_picture_has_a_line_for_each_combination_of_the_other_settings(values: list[Any], tmp_path: Path) -> None:
    rows = [
        {
            "cutoff_angstrom": value,
            "seed": seed,
            "split": 10 * i,
            "folder": "x",
            "Same": 1.0,
            "Score [%]": 10.0 * i + seed,
        }
        for i, value in enumerate(values)
        for seed in (1, 2)
    ]
    data = sweep_results_data(pd.DataFrame(rows))
    assert set(data["item"]) == {"Score"}
    assert set(data["unit"]) == {"%"}
    assert set(data["setting"]) == {"cutoff_angstrom"}
    # `split` changes with the cut-off.
    assert data.groupby("others")["measured"].agg(list).to_dict() == {"seed=1": [1, 11, 21], "seed=2": [2, 12, 22]}
    data.to_csv(tmp_path / "data.csv", index=False)
    plot_sweep_results(pd.read_csv(tmp_path / "data.csv"), tmp_path / "picture.svg")
    drawn = (tmp_path / "picture.svg").read_text()
    assert all(text in drawn for text in ("Score", "seed=1", "seed=2", "cutoff (Å)"))


def test_a_picture_without_differences_says_so(tmp_path: Path) -> None:
    table = pd.DataFrame({"seed": [1, 2], "folder": ["a", "b"], "Same": [1.0, 1.0]})
    plot_sweep_results(sweep_results_data(table), tmp_path / "picture.svg")
    assert "No number of the scorecards differs" in (tmp_path / "picture.svg").read_text()
