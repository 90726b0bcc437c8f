"""One controller a run, jobs that check what they write, and the recovery: each by itself."""

import os
import signal
import subprocess
import sys
import time
from base64 import urlsafe_b64encode
from dataclasses import replace
from pathlib import Path

import h5py
import numpy as np
import pytest

from gbscape.recovery import slurm
from gbscape.recovery.__main__ import main
from gbscape.recovery.controller import (
    ControllerError,
    claim,
    last_command,
    record_of,
    release,
    require_sealed,
    take_over,
)
from gbscape.recovery.recover import recover
from gbscape.store.atomic import DiskFullError
from gbscape.store.job import check_inputs, record_path, seal_outputs
from gbscape.store.output_check import OutputError, problem_of, require_whole
from gbscape.store.processes import Process, is_alive, processes_with, read_process, this_process, write_process
from gbscape.store.provenance import Provenance
from gbscape.store.seal import damage, seal_path, write_seal
from gbscape.store.shards import ShardError, compute_shard, gather_shards

ELSEWHERE = Process("another-machine", 1, "then")


@pytest.fixture
def results(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Folder of a run; Slurm does not answer, as where there is none."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(slurm, "jobs_of", _no_slurm)
    folder = Path("results/run")
    folder.mkdir(parents=True)
    return folder


def _no_slurm(run_id: str) -> list[str]:
    raise slurm.SlurmError("squeue does not answer")


def mark_unfinished(output: Path, kind: str = "incomplete") -> None:
    """As Snakemake does when it starts a job."""
    folder = Path(".snakemake") / kind
    folder.mkdir(parents=True, exist_ok=True)
    (folder / urlsafe_b64encode(str(output).encode()).decode()).write_text("{}")


def test_a_process_is_known_by_more_than_its_number() -> None:
    me = this_process()
    assert is_alive(me)
    assert is_alive(replace(me, started="before")) is False
    assert is_alive(ELSEWHERE) is None
    child = subprocess.Popen([sys.executable, "-c", ""])
    child_was = replace(me, pid=child.pid)
    time.sleep(0.5)
    assert is_alive(child_was) is False  # it has ended, and nobody has asked for its status yet
    child.wait()


def test_processes_are_found_by_what_they_inherit() -> None:
    with subprocess.Popen(["sleep", "60"], env=os.environ | {"OF_A_TEST": "so"}) as child:
        time.sleep(0.2)
        assert processes_with("OF_A_TEST", "so") == [child.pid]
        child.kill()
    assert processes_with("OF_A_TEST", "so") == []


def test_a_run_has_one_controller(results: Path) -> None:
    claim(results)
    with pytest.raises(ControllerError, match=rf"Another Snakemake works on this run .*process {os.getpid()} on"):
        claim(results)
    with pytest.raises(ControllerError, match="Another Snakemake works"):
        recover(results)
    assert main([str(results)]) == 1
    release(results)
    claim(results)


def test_a_controller_that_was_killed_is_said_and_its_command_kept(
    results: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "argv", ["snakemake", "--configfile", "run.yaml"])
    claim(results)
    write_process(record_of(results), replace(this_process(), started="before"), since="now")
    with pytest.raises(
        ControllerError, match=r"was killed and may have left .* python -m gbscape\.recovery --run results/run"
    ):
        claim(results)
    started = last_command(results)
    assert started is not None
    assert started.words[-2:] == ["--configfile", "run.yaml"]
    recover(results)
    claim(results)


def test_of_a_controller_on_another_machine_the_user_has_to_say_that_it_is_dead(results: Path) -> None:
    write_process(record_of(results), ELSEWHERE)
    with pytest.raises(ControllerError, match="ssh another-machine ps -p 1"):
        recover(results)
    take_over(results, surely_dead=True)
    release(results)


def test_an_empty_record_is_that_of_a_controller_killed_as_it_began(results: Path) -> None:
    record_of(results).touch()
    with pytest.raises(ControllerError, match="killed as it began"):
        claim(results)
    recover(results)
    assert not record_of(results).exists()


def test_what_is_damaged_or_half_written_is_deleted_and_nothing_else(
    results: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in (
        "sound.csv",
        "flipped.csv",
        "his_own.csv",
        "unsealed.csv",
        "not_recorded.csv",
        "at_work.csv",
        "late.csv",
    ):
        (results / name).write_text("a\n1\n")
    for name in ("sound.csv", "flipped.csv", "not_recorded.csv", "gone.csv"):
        (results / name).touch()
        write_seal(results / name)
    (results / "gone.csv").unlink()
    (results / "flipped.csv").write_text("a\n2\n")
    for name in ("unsealed.csv", "not_recorded.csv"):
        mark_unfinished(results / name)
    dead = replace(this_process(), started="before")
    write_process(record_path(results / "at_work.csv"), dead, outputs=[str(results / "at_work.csv")])
    (results / ".x.123.partial.h5").touch()
    (results / ".folder.partial").mkdir()
    locks = Path(".snakemake/locks")
    locks.mkdir()
    for number, name in enumerate(("run", "other")):
        for kind in ("input", "output"):
            (locks / f"{number}.{kind}.lock").write_text(f"results/{name}/x.csv\n")

    assert main([str(results)]) == 0
    said = capsys.readouterr().out
    kept = {"sound.csv", ".sound.csv.seal", "his_own.csv", "not_recorded.csv", ".not_recorded.csv.seal", "late.csv"}
    assert {path.name for path in results.iterdir()} == kept
    assert {path.name for path in locks.iterdir()} == {"1.input.lock", "1.output.lock"}
    assert "deleted results/run/flipped.csv: damaged" in said
    for name in ("unsealed", "at_work"):
        assert f"deleted results/run/{name}.csv: its job was killed before the file was checked and sealed" in said
    assert "kept results/run/not_recorded.csv" in said
    mark_unfinished(results / "not_recorded.csv")
    (results / "not_recorded.csv").unlink()
    assert recover(results).text() == "nothing to be done: the run is in order"


def test_of_a_damaged_folder_everything_is_made_anew(results: Path) -> None:
    folder = results / "structures"
    folder.mkdir()
    for name in "ab":
        (folder / f"{name}.xyz").write_text("1\n\nFe 0 0 0\n")
    seal_outputs([folder])
    mark_unfinished(folder, "metadata")
    (folder / "b.xyz").unlink()
    assert damage(folder) == "it has 12 bytes, 24 were written"
    (folder / "b.xyz").write_text("1\n\nFe 0 0 1\n")
    assert damage(folder) is None
    done = recover(results)
    assert done.deleted == {folder: "b.xyz in it is damaged: its 12 bytes are not those that were written"}
    assert not folder.exists()
    assert not seal_path(folder).exists()


@pytest.mark.parametrize("stubborn", [False, True])
def test_orphans_are_ended(stubborn: bool, results: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gbscape.recovery.recover._PATIENCE_SECONDS", 1.0)
    code = "import signal, time; open('up', 'w'); time.sleep(60)"
    if stubborn:
        code = code.replace("open", "signal.signal(signal.SIGTERM, signal.SIG_IGN); open")
    orphan = subprocess.Popen([sys.executable, "-c", code], env=os.environ | {"GBSCAPE_RUN": str(results.resolve())})
    while not Path("up").exists():
        time.sleep(0.05)
    write_process(record_of(results), replace(this_process(), started="before"))
    assert recover(results).ended == [orphan.pid]
    assert orphan.wait() == (-signal.SIGKILL if stubborn else -signal.SIGTERM)


def test_jobs_on_other_machines_are_left_and_said(results: Path) -> None:
    record = record_path(results / "x.csv")
    (results / "x.csv").write_text("a\n")
    write_process(record, ELSEWHERE, outputs=[str(results / "x.csv")], ended=False)
    assert "process 1 on another-machine may still be at work" in recover(results).text()
    assert (results / "x.csv").exists()
    assert recover(results, controller_is_dead=True).deleted.keys() == {results / "x.csv"}
    assert not record.exists()


def test_names_of_jobs_tell_their_run() -> None:
    prefix = slurm.job_prefix("/scratch/results/a")
    assert prefix != slurm.job_prefix("/scratch/results/b")
    assert slurm.job_prefix("/scratch/results/a", "mine").startswith(f"{prefix}_mine")
    assert slurm.job_prefix("/scratch/results/a", prefix) == prefix
    assert len(slurm.job_prefix("x", "y" * 100)) == 50


WHOLE = {
    "x.csv": "a,b\n1,2\n",
    "x.tsv": "a\tb\n1\t2\n",
    "x.json": '{"a": 1}\n',
    "x.svg": '<?xml version="1.0"?>\n<svg></svg>\n',
    "x.html": "<!DOCTYPE html>\n<html></html>\n",
    "x.xyz": "1\n\nFe 0 0 0\n",
    "x.unknown": "anything",
}


@pytest.mark.parametrize("name", WHOLE)
def test_outputs_are_what_their_names_say(name: str, tmp_path: Path) -> None:
    path = tmp_path / name
    assert problem_of(path) == "it is not there"
    path.touch()
    assert problem_of(path) == "it is empty"
    path.write_text(WHOLE[name])
    assert problem_of(path) is None
    if name != "x.unknown":
        path.write_text(WHOLE[name][:-3])
        assert problem_of(path) is not None
        with pytest.raises(OutputError, match=rf"{name} was not written as it should be .* Run again"):
            require_whole([path])


@pytest.mark.parametrize(
    ("name", "text", "problem"),
    [
        ("x.json", '{"a": [1, NaN]}', "it holds NaN, which is no number"),
        ("x.xyz", "1\n\nFe 0 0 0\n2\n\nFe 0 0 0\nFe 0 nan 0\n", "atom 1 of frame 1 has a position that is not finite"),
        ("x.xyz", "1\n\nIn inf 0 0\n", "atom 0 of frame 0 has a position that is not finite"),
        ("x.xyz", "1\nenergy=nan\nIn 0 0 0 nan 1\n", None),  # an energy that nobody computed
        ("x.xyz", "3\n\nFe 0 0 0\nFe 0 0 0\n", "frame 0 has 2 of 3 atoms"),
    ],
)
def test_numbers_that_have_to_be_finite(name: str, text: str, problem: str | None, tmp_path: Path) -> None:
    (tmp_path / name).write_text(text)
    assert problem_of(tmp_path / name) == problem


def _shard(path: Path, ids: list[str]) -> None:
    compute_shard(path, ids, lambda item: {"vector": np.arange(300.0), "energy": 1.0}, Provenance.of({}, "code"))


def test_a_shard_is_looked_at_item_by_item(tmp_path: Path) -> None:
    path = tmp_path / "shard.h5"
    _shard(path, ["a", "b"])
    assert problem_of(path) is None
    with h5py.File(path, "r+") as file:
        file["items/a/vector"][3] = np.nan
    assert problem_of(path) == "/items/a/vector has values that are not finite"
    with h5py.File(path, "r+") as file:
        del file["items/a"]
    assert problem_of(path) == "it does not hold the items that it lists"
    os.truncate(path, path.stat().st_size // 2)
    assert "truncated" in str(problem_of(path))


_JOB = """
import time
from types import SimpleNamespace
from gbscape.store.job import begin_job
begin_job(SimpleNamespace(log=["log.txt"], input=[], output=["out.csv"], resources={{}}))
open("out.csv", "w").write({content!r})
{then}
"""


def _job(folder: Path, content: str = "a,b\n1,2\n", then: str = "") -> "subprocess.Popen[bytes]":
    return subprocess.Popen([sys.executable, "-c", _JOB.format(content=content, then=then)], cwd=folder)


def test_a_job_fails_whose_output_is_not_whole(tmp_path: Path) -> None:
    assert _job(tmp_path, content="a,b\n1,2\n3\n").wait() == 1
    assert (
        "out.csv was not written as it should be (line 3 has 1 cells, the first has 2)"
        in (tmp_path / "log.txt").read_text()
    )
    assert not seal_path(tmp_path / "out.csv").exists()
    # Should it be there later on all the same, nobody takes it for good.
    assert record_path(tmp_path / "out.csv").exists()
    with pytest.raises(SystemExit, match=r"out\.csv was not checked and sealed by the job that wrote it"):
        check_inputs([tmp_path / "out.csv"])


def test_a_job_that_fails_seals_nothing(tmp_path: Path) -> None:
    assert _job(tmp_path, then="1 / 0").wait() == 1
    assert not seal_path(tmp_path / "out.csv").exists()


def test_no_two_jobs_write_one_file_and_one_that_is_told_to_end_says_so(tmp_path: Path) -> None:
    first = _job(tmp_path, then="time.sleep(60)")
    while not (tmp_path / "out.csv").exists():
        time.sleep(0.05)
    found = read_process(record_path(tmp_path / "out.csv"))
    assert found is not None
    assert found[0].pid == first.pid
    assert _job(tmp_path).wait() == 1
    assert f"out.csv is being written by process {first.pid} on" in (tmp_path / "log.txt").read_text()
    first.terminate()
    assert first.wait() == 128 + signal.SIGTERM
    assert not record_path(tmp_path / "out.csv").exists()
    assert not seal_path(tmp_path / "out.csv").exists()
    first = _job(tmp_path, then="time.sleep(60)")
    while not record_path(tmp_path / "out.csv").exists():
        time.sleep(0.05)
    first.kill()
    first.wait()
    assert _job(tmp_path).wait() == 0  # the record of a dead process does not count


@pytest.mark.parametrize("error", [MemoryError(), DiskFullError(28, "no space")])
def test_what_is_used_up_is_no_items_fault(error: Exception, tmp_path: Path) -> None:
    def compute(item: str) -> dict[str, float]:
        if item == "b":
            raise error
        return {"energy": 1.0}

    path = tmp_path / "shard.h5"
    with pytest.raises(type(error)):
        compute_shard(path, ["a", "b"], compute, Provenance.of({}, "code"))
    assert not path.exists()
    assert len(list((tmp_path / "shard.h5.parts").glob("*.h5"))) == 1


def test_a_gather_lists_what_failed_and_goes_on_only_if_it_may(tmp_path: Path) -> None:
    def compute(item: str) -> dict[str, float]:
        if item == "b":
            raise ValueError("too short")
        return {"energy": 1.0}

    shard, out, table = tmp_path / "shard.h5", tmp_path / "all.h5", tmp_path / "all.failures.tsv"
    compute_shard(shard, ["a", "b"], compute, Provenance.of({}, "code"))
    with pytest.raises(
        ShardError, match=r"1 items failed.*\n  b: ValueError: too short\n.*delete .*shard\.h5 and run again, or set"
    ):
        gather_shards([shard], out, ["a", "b"])
    assert table.read_text() == "id\treason\nb\tValueError: too short\n"
    assert not out.exists()
    with pytest.raises(ShardError, match="all are needed here"):
        gather_shards([shard], out, ["a", "b"], "skip", all_needed=True)
    assert gather_shards([shard], out, ["a", "b"], "skip") == {"b": "ValueError: too short"}
    with pytest.raises(ShardError, match=r"items missing from the shards: \['c'\]"):
        gather_shards([shard], out, ["a", "b", "c"], "skip")


def test_a_job_that_cannot_seal_nor_say_so_fails_all_the_same(tmp_path: Path) -> None:
    code = "import gbscape.store.job as job, os\n" + _JOB.format(
        content="a,b\n1,2\n",
        # As on a full disk: neither the seal nor a line of the log can be written.
        then="""
def full(*arguments, **named): raise OSError(28, "No space left on device")
job.write_seal = full
job.print = full
""",
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "out.csv could not be checked and sealed ([Errno 28] No space left on device): run again" in done.stderr


def test_a_run_whose_jobs_have_not_sealed_their_files_is_not_done(results: Path) -> None:
    said: list[str] = []
    output = results / "shard_0.h5"
    output.write_text("whole")
    require_sealed(results, said.append, seconds=0)
    assert not said
    record = output.with_name(".shard_0.h5.running")
    write_process(record, this_process(), outputs=[str(output)])
    require_sealed(results, said.append, seconds=0)
    (message,) = said
    assert "shard_0.h5" in message
    assert "python -m gbscape.recovery --run results/run" in message
    write_seal(output)  # the job is about to end
    require_sealed(results, said.append, seconds=0)
    assert len(said) == 1
