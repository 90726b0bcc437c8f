"""Units of work, rates, numbers of jobs, and the estimate of a run."""

import re
from dataclasses import replace
from datetime import date
from pathlib import Path

import h5py
import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gbscape.config.dft import DftSettings
from gbscape.config.files import read_raw, resolved_yaml
from gbscape.config.jobs import Jobs
from gbscape.config.model import Config, ConfigError, load
from gbscape.config.survey import Enumeration, LocalSearch, Relaxation
from gbscape.planning import costs
from gbscape.planning.__main__ import main
from gbscape.planning.boundaries import areas
from gbscape.planning.estimate import estimate, plan, table
from gbscape.planning.learn import learn, read_benchmark
from gbscape.planning.rates import Rate, read_rates, write_rates
from gbscape.planning.steps import Step, atoms_of_file, number_of_jobs, steps_of
from gbscape.store.balance import balance
from gbscape.store.columns import read_columns
from gbscape.survey.enumeration import enumerate_boundaries

PROJECT = Path(__file__).resolve().parents[2]
RATES = read_rates(PROJECT / "resources" / "costs.csv")
RATE = Rate("step", "units", 2.0, 5.0, 100.0, 1024.0**2, 1e6, "here", "2026-01-01", "made up")


@pytest.fixture(scope="module")
def boundaries():
    return enumerate_boundaries()


def _loads(work: dict[str, float], n_jobs: int) -> np.ndarray:
    return np.array([sum(work[item] for item in shard) for shard in balance(work, n_jobs)])


def test_jobs_of_the_388_boundaries_are_balanced(boundaries) -> None:
    """The costs are estimated ones: they agree with the times of single boundaries that were measured, see docs/scaling.md."""
    of_relaxation = costs.relaxation([b.area_a0_squared for b in boundaries], Relaxation())
    work = dict(zip([b.id for b in boundaries], of_relaxation.tolist(), strict=True))
    assert len(work) == 388
    step = Step("relax_boundaries", "", "relax_boundaries", 388, sum(work.values()), max(work.values()), "auto")
    jobs = number_of_jobs(step, RATES, Jobs())
    minutes = _loads(work, jobs) * RATES["relax_boundaries"].seconds_per_unit / 60
    assert jobs > 10
    assert minutes.min() > 10
    assert minutes.max() < 30
    for number in (jobs, 40, 97):
        assert _loads(work, number).max() <= 2 * _loads(work, number).mean()


def test_local_searches_are_balanced_by_what_they_then_took() -> None:
    """The moves that the shipped survey's searches tried, which nobody knew before, times what a move costs."""
    survey, _ = read_columns(PROJECT / "resources" / "survey" / "ni_foiles_hoyt_15.h5")
    table = pd.read_csv(PROJECT / "resources" / "published" / "olmsted2009_ni.csv", comment="#", index_col="id")
    known = table["energy_j_m2"] + 0.005
    area = np.array([its["structure"]["cell"][1, 1] * its["structure"]["cell"][2, 2] for its in survey.values()])
    above = [its["local_search"]["before_j_m2"] > known.get(item, np.inf) for item, its in survey.items()]
    work = costs.local_search(area, LocalSearch(), above)
    each = costs.local_search(area, LocalSearch()) / (LocalSearch().patience_per_angstrom2 * area)
    took = np.array([its["local_search"]["tried"] for its in survey.values()]) * each
    expected, measured = (dict(zip(survey, values.tolist(), strict=True)) for values in (work, took))
    assert len(expected) == 388
    step = Step("search_locally", "", "search_locally", 388, work.sum(), work.max(), "auto")
    jobs = number_of_jobs(step, RATES, Jobs())
    assert jobs > 10
    for number in (jobs, 40):
        loads = np.array([sum(measured[item] for item in shard) for shard in balance(expected, number)])
        assert loads.max() <= 2 * loads.mean()


@given(
    work=st.lists(st.floats(0.01, 1000), min_size=1, max_size=60),
    minutes=st.floats(0.01, 100),
    most=st.integers(1, 50),
)
def test_automatic_shards_keep_every_bound(work: list[float], minutes: float, most: int) -> None:
    items = {str(number): value for number, value in enumerate(work)}
    step = Step("step", "", "step", len(work), sum(work), max(work), "auto")
    jobs = number_of_jobs(step, {"step": RATE}, Jobs(minutes=minutes, most=most))
    assert 1 <= jobs <= min(len(work), most)
    loads = _loads(items, jobs)
    assert loads.max() <= 2 * loads.mean() * (1 + 1e-9)
    # No more jobs than the time asks for.
    assert jobs == 1 or step.work * RATE.seconds_per_unit > (jobs - 1) * 60 * minutes


def test_a_number_of_shards_is_what_it_says() -> None:
    step = Step("step", "", "step", 3, 3.0, 1.0, 7)
    assert number_of_jobs(step, {}, Jobs()) == 7
    assert number_of_jobs(replace(step, shards="auto", cores=4), {"step": RATE}, Jobs(minutes=0.025)) == 1
    with pytest.raises(ValueError, match="no row for step"):
        number_of_jobs(replace(step, shards="auto"), {}, Jobs())


@pytest.mark.parametrize(("lattice", "max_length"), [("fcc", 15.0), ("fcc", 9.0), ("bcc", 13.0)])
def test_areas_are_like_those_of_the_enumeration(lattice, max_length: float) -> None:
    real = np.array([b.area_a0_squared for b in enumerate_boundaries(lattice, max_length)])
    expected = areas(Enumeration(lattice=lattice, max_length=max_length), PROJECT)
    tolerance = 0.02 if max_length == 15 else 0.5  # numbers jump from one length to the next
    assert len(expected) == pytest.approx(len(real), rel=tolerance)
    assert expected.mean() == pytest.approx(real.mean(), rel=max(tolerance / 2, 0.02))
    assert (np.diff(expected) >= 0).all()


def test_areas_of_a_part_of_the_enumeration(boundaries) -> None:
    smallest = sorted(b.area_a0_squared for b in boundaries)[:40]
    assert areas(Enumeration(count=40), PROJECT).sum() == pytest.approx(sum(smallest), rel=0.05)
    every = areas(Enumeration(), PROJECT)
    drawn = areas(Enumeration(count=40, order_by="sigma"), PROJECT)
    assert len(drawn) == 40
    assert drawn.mean() == pytest.approx(every.mean(), rel=0.05)
    assert len(areas(Enumeration(ids=["a", "b"]), PROJECT)) == 2
    assert len(areas(Enumeration(count=1000), PROJECT)) == 388
    # Beyond the table: more, and larger ones.
    beyond = areas(Enumeration(max_length=80), PROJECT)
    assert len(beyond) > 100_000
    assert beyond.mean() > areas(Enumeration(max_length=40), PROJECT).mean()


def test_work_grows_with_what_is_asked(boundaries) -> None:
    area = np.array([b.area_a0_squared for b in boundaries])
    work = costs.relaxation(area, Relaxation())
    np.testing.assert_array_equal(np.argsort(area, kind="stable"), np.argsort(work, kind="stable"))
    assert costs.relaxation([1.0], Relaxation(max_translations=500))[0] > costs.relaxation([1.0], Relaxation())[0]
    assert costs.relaxation([1.0], Relaxation(annealing_steps=9000))[0] > costs.relaxation([1.0], Relaxation())[0]
    assert costs.local_search([100.0], LocalSearch(), [True])[0] > costs.local_search([100.0], LocalSearch())[0]
    # Moves and the cost of each grow with the area.
    small, large = costs.local_search([100.0, 1000.0], LocalSearch())
    assert 10 < large / small < 100
    assert costs.boxes([0, 49, 50, 100], 1000, 50).tolist() == [1, 1, 920, 970]
    assert costs.boxes([100], 250, 50)[0] < costs.boxes([100], 1000, 50)[0]
    np.testing.assert_array_equal(costs.description([0, 7]), [1.0, 7.0])
    assert costs.crystal_class([100, 200], 2) == 600
    at_400 = costs.cell(32, "gpaw", DftSettings(cutoff_ev=400))
    assert at_400 == pytest.approx(1)
    assert costs.cell(64, "gpaw", DftSettings(cutoff_ev=400)) == pytest.approx(8)
    assert costs.cell(32, "gpaw", DftSettings(cutoff_ev=544)) > at_400
    assert costs.cell(32, "gpaw", DftSettings(cutoff_ev=400, kpoint_grid=(2, 2, 2))) == pytest.approx(4)
    assert costs.cell(32, "eam", DftSettings()) == 32


def test_candidates_are_about_as_many_as_the_shipped_survey_had() -> None:
    survey, _ = read_columns(PROJECT / "resources" / "survey" / "ni_foiles_hoyt_15.h5")
    had = np.mean([record["n_candidates"] for record in survey.values()])
    assert sum(costs.relaxation_candidates(Relaxation()).values()) == pytest.approx(had, rel=0.2)


def test_an_estimate_is_the_formulae_of_the_documentation() -> None:
    step = Step("step", "of", "step", 40, 100.0, 30.0, 10, cores=2)
    found = estimate(step, {"step": RATE}, Jobs())
    assert found.step == "step/of"
    assert found.mean_minutes == pytest.approx((100 * 2 / 10 + 5) / 60 / 2)
    assert found.longest_minutes == pytest.approx((30 * 2 + 5) / 60 / 2)
    assert found.core_hours == pytest.approx((200 + 10 * 5) / 3600)
    assert found.memory_gib == pytest.approx((100 + 4) / 1024)
    assert found.stored_gb == pytest.approx(0.04)
    assert estimate(replace(step, resident=1000.0), {"step": RATE}, Jobs()).memory_gib == pytest.approx(1100 / 1024)
    lines = table([found, found]).splitlines()
    assert len({len(line) for line in lines}) == 1
    assert lines[-1].split("|")[1].strip() == "total"
    assert lines[-1].split("|")[3].strip() == "20"


@pytest.mark.parametrize(
    "name",
    [
        "demo",
        "homer2019",
        "leitherer2021",
        "spm",
        "sweep",
        "table1",
        "sinz2020",
        "sinz2020_dft",
        "tamura2020",
        "tamura2020_dft",
    ],
)
def test_every_shipped_configuration_can_be_estimated(name: str, tmp_path: Path) -> None:
    (tmp_path / "sample.xyz").write_text("5000\n")
    (tmp_path / "more.yaml").write_text(f"structure: {tmp_path / 'sample.xyz'}\n")
    config = load(read_raw([PROJECT / "config" / f"{name}.yaml", tmp_path / "more.yaml"], PROJECT), PROJECT)
    steps = steps_of(config, PROJECT)
    assert steps
    assert len({step.name for step in steps}) == len(steps)
    for step in steps:
        found = estimate(replace(step, shards="auto"), RATES, config.jobs)
        assert 0 < found.mean_minutes <= found.longest_minutes * (1 + 1e-9)
        assert found.core_hours > 0
    by_name = plan(config, PROJECT)
    assert by_name.keys() >= {step.name for step in steps}
    described = {its.jobs for step, its in by_name.items() if step.startswith("featurize/")}
    assert described == {config.features.shards}


def test_shards_follow_minutes_and_cap() -> None:
    raw = {"survey": {"shards": "auto"}, "features": {"shards": "auto"}, "parts": ["survey"]}
    few, many, capped = (
        plan(load(raw | {"jobs": jobs}, PROJECT), PROJECT)["relax_boundaries"].jobs
        for jobs in ({"minutes": 60}, {"minutes": 6}, {"minutes": 6, "most": 7})
    )
    assert few < many
    assert capped == 7
    assert many == pytest.approx(10 * few, rel=0.2)


def test_steps_of_the_users_own_structures(tmp_path: Path) -> None:
    for number in range(3):
        (tmp_path / f"{number}.xyz").write_text("100\n" + "x" * 996)
    (tmp_path / ".hidden").write_text("")
    config = load({"survey": {"structures": str(tmp_path)}, "learn": {"targets": []}}, PROJECT)
    steps = {step.name: step for step in steps_of(config, PROJECT)}
    assert "relax_boundaries" not in steps
    assert steps["featurize/soap"].items == 3
    assert steps["featurize/soap"].work == pytest.approx(3 * 30, rel=0.05)


def test_a_model_that_is_taken_as_it_is_costs_one_evaluation(tmp_path: Path) -> None:
    (tmp_path / "model.xyz").write_text("1000000\n")
    model = {"structure": str(tmp_path / "model.xyz"), "relax": False, "anneal": None}
    config = load({"parts": ["replica"], "replica": {"model": model}}, PROJECT)
    taken = {step.name: step for step in steps_of(config, PROJECT)}["relax_model"]
    relaxed = {step.name: step for step in steps_of(Config(parts=("replica",)), PROJECT)}["relax_model"]
    assert taken.work == pytest.approx(1.0)
    assert relaxed.work == pytest.approx(1.03788 * (1000 + 4500 / 2))


def test_atoms_of_a_file(tmp_path: Path) -> None:
    (tmp_path / "a.xyz").write_text("1234567\nLattice\n")
    (tmp_path / "a.cif").write_text("x" * 6000)
    (tmp_path / "torn.xyz").write_text("")
    assert atoms_of_file(tmp_path / "a.xyz") == 1_234_567
    assert atoms_of_file(tmp_path / "a.cif") == 100
    assert atoms_of_file(tmp_path / "torn.xyz") == 1
    assert atoms_of_file(tmp_path / "absent.xyz") == 1


def test_rates_are_written_and_read(tmp_path: Path) -> None:
    path = tmp_path / "costs.csv"
    write_rates(path, RATES.values())
    again = read_rates(path)
    assert again.keys() == RATES.keys()
    for name, rate in again.items():
        assert rate.seconds_per_unit == pytest.approx(RATES[name].seconds_per_unit, rel=1e-3)
    text = path.read_text().splitlines()
    for broken, message in (
        ([text[0].replace("unit,", "", 1), *text[1:]], "must have the columns"),
        ([*text, text[-1]], "comes twice"),
        ([text[0], text[1].replace("0.003", "-1")], "column seconds_per_unit"),
        ([text[0], text[1].replace("0.003", "nan")], "column seconds_per_unit"),
        ([text[0], "a,b"], "expected 10 cells"),
    ):
        path.write_text("\n".join(broken) + "\n")
        with pytest.raises(ValueError, match=message):
            read_rates(path)


def _benchmark(path: Path, seconds: float, processor: float, memory: float = 50.0) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"s\th:m:s\tmax_rss\tcpu_time\n{seconds}\t0:00:00\t{memory}\t{processor}\n")


def test_rates_are_learned_from_benchmark_files(tmp_path: Path) -> None:
    config = Config(name="run", survey={"shards": 4}, features={"shards": 1})
    steps = {step.name: step for step in steps_of(config, PROJECT)}
    results = tmp_path / "results" / "run"
    # Three of four shards are done: as much as three quarters of the work.
    for shard in range(3):
        _benchmark(results / "benchmarks" / "relax_boundaries" / f"{shard}.tsv", 1002.0, 500.0)
    _benchmark(results / "benchmarks" / "featurize" / "soap" / "0.tsv", 62.0, 99.0, memory=1240.0)
    _benchmark(results / "benchmarks" / "gather_relaxed.tsv", 1.0, 1.0)
    learned = {rate.step: rate for rate in learn(results, config, RATES, PROJECT, today=date(2026, 1, 2))}
    assert list(learned) == list(RATES)
    relaxed, soap = learned["relax_boundaries"], learned["featurize:soap"]
    assert relaxed.seconds_per_unit == pytest.approx(3 * 1000 / (0.75 * steps["relax_boundaries"].work))
    assert soap.seconds_per_unit == pytest.approx(97 / steps["featurize/soap"].work)
    assert soap.memory_bytes_per_item == pytest.approx(1000 * 1024**2 / 388)
    assert (relaxed.date, relaxed.source) == ("2026-01-02", "time of relax_boundaries of run")
    for name in ("gather_relaxed", "search_locally"):  # too short to tell, and not there
        assert learned[name] == RATES[name]
    # With the rates that a run taught, its own time comes out.
    assert estimate(steps["relax_boundaries"], learned, config.jobs).core_hours == pytest.approx(4 * 1002 / 3600)
    busy = {rate.step: rate for rate in learn(results, config, RATES, PROJECT, processor_time=True)}
    assert busy["relax_boundaries"].seconds_per_unit == pytest.approx(relaxed.seconds_per_unit * 498 / 1000)
    # From the command line, and back into a configuration.
    (results / "config.yaml").write_text(resolved_yaml(config))
    out = tmp_path / "my_costs.csv"
    assert main(["learn", str(results), "--out", str(out)]) == 0
    assert read_rates(out)["relax_boundaries"].seconds_per_unit == pytest.approx(relaxed.seconds_per_unit, rel=1e-3)
    mine = load({"costs": str(out), "survey": {"shards": "auto"}}, PROJECT)
    theirs = load({"survey": {"shards": "auto"}}, PROJECT)
    assert plan(mine, PROJECT)["relax_boundaries"].jobs != plan(theirs, PROJECT)["relax_boundaries"].jobs
    _benchmark(results / "benchmarks" / "relax_boundaries" / "1.tsv", 1.0, 1.0)
    (results / "benchmarks" / "relax_boundaries" / "1.tsv").write_text("s\n")
    with pytest.raises(ValueError, match="no benchmark file"):
        learn(results, config, RATES, PROJECT)


def test_of_ranks_that_a_batch_system_started_the_clock_tells(tmp_path: Path) -> None:
    config = load({"name": "run", "parts": ["replica"], "replica": {"model": {"ranks": 8}}}, PROJECT)
    (step,) = (step for step in steps_of(config, PROJECT) if step.rule == "relax_model")
    results = tmp_path / "results" / "run"
    _benchmark(results / "benchmarks" / "relax_model.tsv", 1000.0, 0.5)
    for processor_time in (False, True):
        learned = {rate.step: rate for rate in learn(results, config, RATES, PROJECT, processor_time)}["relax_model"]
        assert learned.seconds_per_unit == pytest.approx((8000 - RATES["relax_model"].seconds_per_job) / step.work)
        hours = estimate(step, RATES | {"relax_model": learned}, config.jobs).core_hours
        assert hours == pytest.approx(8000 / 3600)


def test_jobs_of_days_are_pointed_out(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "long.yaml").write_text("name: long\nparts: [replica]\nreplica: {backend: gpaw, shards: 4}\n")
    assert main(["estimate", str(tmp_path / "long.yaml")]) == 0
    said = capsys.readouterr().out
    assert re.search(r"compute_energies/points: a job takes up to 1\d\d\.\d days\. .*`shards: auto`", said)
    (tmp_path / "long.yaml").write_text("name: long\nparts: [replica]\nreplica: {backend: gpaw}\n")
    assert main(["estimate", str(tmp_path / "long.yaml")]) == 0
    assert "days" not in capsys.readouterr().out


def test_the_true_boxes_of_a_map_count_when_they_are_known(tmp_path: Path) -> None:
    sample = {"structure": {"kind": "polycrystal", "edge_angstrom": 40}, "shards": 1}
    config = load({"name": "run", "parts": ["crystal"], "crystal": {"maps": {"a": sample}}}, PROJECT)
    results = tmp_path / "results" / "run"
    _benchmark(results / "benchmarks" / "classify_boxes" / "a" / "0" / "0.tsv", 104.0, 90.0)
    folder = results / "crystal" / "maps" / "a" / "levels"
    folder.mkdir(parents=True)
    with h5py.File(folder / "map_0.h5", "w") as file:
        file["boxes/n_atoms"] = [100, 100, 3]
    learned = {rate.step: rate for rate in learn(results, config, RATES, PROJECT)}
    assert learned["classify_boxes"].seconds_per_unit == pytest.approx(100 / (2 * 970 + 1))


def test_a_benchmark_file_without_memory(tmp_path: Path) -> None:
    (tmp_path / "a.tsv").write_text("s\th:m:s\tmax_rss\tcpu_time\n0.2\t0\t-\tNA\n")
    assert read_benchmark(tmp_path / "a.tsv") == (0.2, 0.0)
    assert read_benchmark(tmp_path / "a.tsv", processor_time=True) == (0.2, 0.0)


def test_estimates_on_the_command_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    below, above = tmp_path / "below.yaml", tmp_path / "above.yaml"
    below.write_text("survey: {shards: 3, enumeration: {count: 40}}\n")
    above.write_text("survey: {shards: 5}\n")
    assert main(["estimate", str(below), str(above)]) == 0
    rows = {line.split("|")[1].strip(): line.split("|")[2:4] for line in capsys.readouterr().out.splitlines()}
    assert [cell.strip() for cell in rows["relax_boundaries"]] == ["40", "5"]
    above.write_text("survey: {shards: none}\n")
    assert main(["estimate", str(above)]) == 1
    assert "survey.shards = 'none'" in capsys.readouterr().err
    above.write_text("- 1\n")
    assert main(["estimate", str(above)]) == 1
    assert main(["estimate", str(tmp_path / "absent.yaml")]) == 1


def test_what_points_of_a_sweep_share_is_estimated_once(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    def rows(text: str) -> dict[str, list[str]]:
        (tmp_path / "my.yaml").write_text(f"survey: {{shards: 3, enumeration: {{count: 40}}}}\n{text}")
        assert main(["estimate", str(tmp_path / "my.yaml")]) == 0
        cells = [line.split("|") for line in capsys.readouterr().out.splitlines()]
        return {row[1].strip(): [cell.strip() for cell in row[2:-1]] for row in cells}

    alone = rows("")
    sweep = rows("sweep: {learn.test_fraction: [0.4, 0.5], features.representations.soap.l_max: [6, 12]}\n")
    assert sweep.keys() == alone.keys()
    for step in ("relax_boundaries", "select_boundary_atoms", "featurize/st", "featurize/multi_scale_soap"):
        assert sweep[step] == alone[step]
    assert sweep["featurize/soap"][:2] == ["80", "16"]


def test_shards_may_be_automatic_or_a_number() -> None:
    assert load({"survey": {"shards": "auto"}}, PROJECT).survey.shards == "auto"
    for wrong in ("many", 0, 2001, 1.5):
        with pytest.raises(ConfigError, match=r"survey\.shards = "):
            load({"survey": {"shards": wrong}}, PROJECT)
