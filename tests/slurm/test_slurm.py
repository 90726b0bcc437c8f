"""Four boundaries as jobs of a real Slurm give the same numbers as a local run.

`make test-slurm`: needs root, and Debian's slurm-wlm and munge; starts a throw-away cluster on this machine.
"""

import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from gbscape.features.matrix import read_features
from gbscape.store.records import Record
from gbscape.store.shards import open_shard
from tests.workflow.conftest import TINY, Run, project, snakemake  # noqa: F401  (fixtures)

pytestmark = pytest.mark.slurm
CLUSTER = Path(__file__).with_name("cluster.sh")
NEEDED = ("slurmctld", "slurmd", "sbatch", "munged")
REPRESENTATIONS = ("soap", "st")


@pytest.fixture
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A running Slurm with one partition of four (pretended) processors.

    Fails where there cannot be one: the marker is deselected by default, so whoever runs this asked for it.
    """
    if os.geteuid() != 0:
        pytest.fail("starting a Slurm of one's own needs root", pytrace=False)
    missing = [command for command in NEEDED if shutil.which(command) is None]
    if missing:
        pytest.fail(f"not installed: {', '.join(missing)} (apt-get install slurm-wlm munge)", pytrace=False)
    folder = tmp_path_factory.mktemp("slurm")
    folder.chmod(0o755)  # the daemons refuse folders that others could not enter
    for parent in folder.parents[:2]:
        parent.chmod(0o755)
    subprocess.run([CLUSTER, "start", folder], check=True, env=os.environ | {"CPUS": "4"})
    try:
        yield folder
    finally:
        subprocess.run([CLUSTER, "stop", folder], check=True)


def test_four_boundaries_on_slurm_as_on_this_machine(cluster: Path, project: Path, snakemake: Run) -> None:  # noqa: F811
    tiny = TINY | {"survey": TINY["survey"] | {"enumeration": {"max_length": 6, "count": 4}}}
    targets = [f"results/{{name}}/features/{name}.h5" for name in REPRESENTATIONS]

    local = snakemake(tiny | {"name": "local"}, *[t.format(name="local") for t in targets])
    assert local.returncode == 0, local.stderr

    # No accounting in the throw-away cluster: status from squeue, and no account to charge.
    slurm = snakemake(
        tiny | {"name": "slurm"}, *[t.format(name="slurm") for t in targets],
        "--profile", "profiles/slurm", "--slurm-no-account", "--slurm-status-command", "squeue",
        "--slurm-init-seconds-before-status-checks", "5", "--latency-wait", "10", "--slurm-keep-successful-logs",
    )  # fmt: skip
    assert slurm.returncode == 0, slurm.stderr
    submitted = slurm.stderr.count("has been submitted with SLURM jobid")
    # enumerate, potential, 2 relax, gather, select, 2 featurize and 1 gather for each representation
    assert submitted == 6 + 3 * len(REPRESENTATIONS), slurm.stderr

    results = project / "results"
    for name in REPRESENTATIONS:
        here, there = (read_features(results / run / "features" / f"{name}.h5") for run in ("local", "slurm"))
        assert here.ids == there.ids
        assert len(here.ids) == 4
        assert np.array_equal(here.values, there.values)
    with (
        open_shard(results / "local/survey/relaxed.h5") as here,
        open_shard(results / "slurm/survey/relaxed.h5") as there,
    ):
        assert here.provenance == there.provenance
        for item in here.ids:
            _assert_equal(here.read(item), there.read(item))


def _assert_equal(a: Record, b: Record) -> None:
    assert a.keys() == b.keys()
    for key, value in a.items():
        if isinstance(value, dict):
            _assert_equal(value, b[key])
        else:
            assert np.array_equal(value, b[key]), key
