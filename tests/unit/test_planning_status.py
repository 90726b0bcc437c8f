"""How far a run has come: from made-up logs and benchmark files."""

from datetime import datetime
from pathlib import Path

import pytest

from gbscape.planning.__main__ import main
from gbscape.planning.status import last_session, status, text

NOON = datetime(2026, 1, 1, 12).timestamp()

HEADER = """\
Building DAG of jobs...
Job stats:
job                 count
----------------  -------
cut                     1
relax                   4
draw_data               1
all                     1
total                   7

Select jobs to execute...
"""


def _started(rule: str, number: int, file: str, minute: int, run: str = "run") -> str:
    return f"""\
[Thu Jan  1 12:{minute:02d}:00 2026]
rule {rule}:
    input: results/{run}/boundaries.csv
    output: results/{run}/{file}.h5
    log: results/{run}/logs/{file}.log
    jobid: {number}
    benchmark: results/{run}/benchmarks/{file}.tsv
    wildcards: shard={number}
    resources: tmpdir=/tmp, mem_mb=1000
"""


def _ended(rule: str, number: int, minute: int) -> str:
    return f"[Thu Jan  1 12:{minute:02d}:00 2026]\nFinished jobid: {number} (Rule: {rule})\n1 of 7 steps (14%) done\n"


def _failed(rule: str, number: int, file: str, minute: int) -> str:
    return f"""\
RuleException:
CalledProcessError in file "workflow/rules/x.smk", line 1:
[Thu Jan  1 12:{minute:02d}:00 2026]
Error in rule {rule}:
    message: None
    jobid: {number}
    input: results/run/boundaries.csv
    output: results/run/{file}.h5
    log: results/run/logs/{file}.log (check log file(s) for error details)
"""


@pytest.fixture
def run(tmp_path: Path):
    """Writes a run: its log, the locks of a Snakemake that is there, benchmark files with their seconds. Returns its folder."""

    def write(log: str, seconds: dict[str, float], locked: bool = True, name: str = "2026-01-01T120000.1") -> Path:
        results = tmp_path / "results" / "run"
        logs, locks = tmp_path / ".snakemake" / "log", tmp_path / ".snakemake" / "locks"
        for folder in (logs, locks, results / "benchmarks"):
            folder.mkdir(parents=True, exist_ok=True)
        (logs / f"{name}.snakemake.log").write_text(log)
        (locks / "0.output.lock").write_text("results/run/x.h5\n" if locked else "results/other/x.h5\n")
        for file, took in seconds.items():
            path = results / "benchmarks" / f"{file}.tsv"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(f"s\th:m:s\tmax_rss\tcpu_time\n{took}\t0\t10\t{took / 2}\n")
        return results

    return write


def test_done_running_failed_and_waiting(run) -> None:
    log = HEADER + _started("cut", 1, "cut", 0) + _ended("cut", 1, 1)
    log += _started("relax", 2, "relax/2", 1) + _started("relax", 3, "relax/3", 1) + _ended("relax", 2, 11)
    log += _started("relax", 4, "relax/4", 11) + _failed("relax", 4, "relax/4", 12)
    found = status(run(log, {"cut": 36.0, "relax/2": 600.0}), now=NOON + 1200)
    assert found.is_running
    relax = found.rules["relax"]
    assert (relax.done, relax.running, relax.failed, relax.waiting) == (1, 1, 1, 1)
    assert relax.spent_hours == pytest.approx(600 / 3600)
    assert relax.left_hours == pytest.approx(3 * 600 / 3600)
    assert found.rules["cut"].left_hours == 0
    assert found.rules["draw_data"].left_hours is None
    assert found.failed == [("relax", "results/run/logs/relax/4.log")]
    # Three jobs are left, of which one is half done; in 20 minutes one and the half were done, and what was cut.
    assert found.seconds_left == pytest.approx((1800 - 300) * 1200 / (636 + 300))
    assert found.silent_seconds == pytest.approx(1200 - 720)
    told = text(found)
    assert "Failed: relax, see results/run/logs/relax/4.log" in told
    assert "time to finish" in told.lower()
    assert "of 2 rules no job is done" in told


def test_estimates_stand_in_where_nothing_is_done(run) -> None:
    found = status(run(HEADER + _started("cut", 1, "cut", 0), {}), {"relax": 900.0, "cut": 1.0}, now=NOON)
    assert found.rules["relax"].left_hours == pytest.approx(1.0)
    assert found.rules["relax"].waiting == 4
    assert found.seconds_left is None  # no pace yet


def test_cores_of_a_job_count(run) -> None:
    found = status(run(HEADER + _started("cut", 1, "cut", 0), {"relax/2": 600.0}), now=NOON, cores={"relax": 8})
    assert found.rules["relax"].spent_hours == pytest.approx(8 * 600 / 3600)


def test_a_job_that_failed_and_was_tried_again_has_not_failed(run) -> None:
    log = HEADER + _started("relax", 2, "relax/2", 1) + _failed("relax", 2, "relax/2", 2)
    again = log + _started("relax", 2, "relax/2", 2)
    assert status(run(log, {}), now=NOON).rules["relax"].failed == 1
    found = status(run(again, {}), now=NOON)
    assert (found.rules["relax"].failed, found.rules["relax"].running) == (0, 1)
    assert found.failed == []


def test_jobs_of_the_points_of_a_sweep_count_for_their_rules(run) -> None:
    header = HEADER.replace("relax                   4", "p0_relax                3\np1_relax                1")
    log = header + _started("p0_relax", 2, "relax/2", 1) + _ended("p0_relax", 2, 2)
    log += _started("p1_relax", 3, "x=1/benchmarks/relax/3", 1).replace("results/run/benchmarks/x=1", "results/run/x=1")
    log += _ended("p1_relax", 3, 3) + _started("p0_relax", 4, "relax/4", 3) + _failed("p0_relax", 4, "relax/4", 4)
    results = run(log, {"relax/2": 60.0})
    (results / "x=1" / "benchmarks" / "relax").mkdir(parents=True)
    (results / "x=1" / "benchmarks" / "relax" / "3.tsv").write_text("s\th:m:s\tmax_rss\tcpu_time\n120\t0\t10\t60\n")
    found = status(results, now=NOON + 1200)
    assert {"p0_relax", "p1_relax"} & found.rules.keys() == set()
    relax = found.rules["relax"]
    assert (relax.done, relax.running, relax.failed, relax.waiting) == (2, 0, 1, 1)
    assert relax.spent_hours == pytest.approx(180 / 3600)
    assert found.failed == [("relax", "results/run/logs/relax/4.log")]


def test_a_run_that_is_over(run) -> None:
    log = HEADER.replace("4\n", "1\n", 1).replace("draw_data               1\n", "")
    for number, rule in enumerate(("cut", "relax", "all"), start=1):
        log += _started(rule, number, rule, 1) + _ended(rule, number, 2)
    found = status(run(log, {"cut": 1.0, "relax": 1.0}, locked=False), now=NOON)
    assert not found.is_running
    assert text(found).endswith("Finished.")
    assert found.rules["all"].done == 1  # it has no benchmark file


def test_a_run_that_was_stopped_goes_on_with_the_same_command(run) -> None:
    log = HEADER + _started("relax", 2, "relax/2", 1)
    found = status(run(log, {}, locked=False), now=NOON)
    # What was started when it stopped is to be done again.
    assert (found.rules["relax"].running, found.rules["relax"].waiting) == (0, 4)
    assert found.seconds_left is None
    assert "The same command goes on." in text(found)


def test_jobs_are_those_of_the_rule_that_wrote_the_benchmark_file(run) -> None:
    log = HEADER + _started("draw_data", 5, "drawn/parity", 1) + _ended("draw_data", 5, 2)
    found = status(run(log, {"drawn/parity": 3.0, "older/0": 2.0}), now=NOON + 300)
    assert found.rules["draw_data"].done == 1
    assert found.rules["older"].done == 1
    assert "drawn" not in found.rules


def test_the_last_log_that_tells_of_the_run(run) -> None:
    results = run(HEADER + _started("cut", 1, "cut", 0), {})
    other = HEADER + _started("relax", 9, "x", 0, run="run2")
    run(other, {}, name="2026-01-02T120000.1")
    run("Nothing to be done.\n", {}, name="2026-01-03T120000.1")
    session = last_session(results)
    assert session is not None
    assert session.running == {"1": "cut"}


def test_without_a_log_only_what_is_done_is_known(run, tmp_path: Path) -> None:
    results = run("Nothing.\n", {"relax/0": 5.0, "torn": 1.0})
    (results / "benchmarks" / "torn.tsv").write_text("")
    found = status(results)
    assert (found.rules.keys(), found.log) == ({"relax"}, None)
    assert "what waits is not known" in text(found)
    with pytest.raises(FileNotFoundError, match="no such folder"):
        status(tmp_path / "results" / "absent")


def test_nothing_is_changed(run, capsys: pytest.CaptureFixture[str]) -> None:
    results = run(HEADER + _started("cut", 1, "cut", 0), {"cut": 1.0})
    before = {path: path.stat().st_mtime_ns for path in results.parents[1].rglob("*")}
    assert main(["status", str(results)]) == 0
    assert "relax" in capsys.readouterr().out
    assert {path: path.stat().st_mtime_ns for path in results.parents[1].rglob("*")} == before
    assert main(["status", str(results / "absent")]) == 1
