"""What a job does first: it sees only the GPUs that it was given, and its log says what it computes on."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

JOB = """
import os
from types import SimpleNamespace
from gbscape.store.job import begin_job
begin_job(SimpleNamespace(log=["log.txt"], input=[], output=["out.txt"], resources={resources}))
open("out.txt", "w").write("whole")
print("visible", os.environ.get("CUDA_VISIBLE_DEVICES"))
import torch
torch.cuda.is_available = lambda: os.environ.get("CUDA_VISIBLE_DEVICES") != ""
torch.cuda.get_device_name = lambda: "a pretended one"
import logging
from gbscape.features.torch_device import default_device
print(default_device("scattering runs", logging.INFO))
"""


@pytest.mark.parametrize(
    ("resources", "visible", "said"),
    [
        ({"gpu": 0}, "", "there is no CUDA device: scattering runs on the CPU"),
        ({"gpu": 1}, "3", "scattering runs on a CUDA device: a pretended one"),
        ({}, "3", "scattering runs on a CUDA device: a pretended one"),
    ],
)
def test_a_job_uses_the_gpu_it_was_given(resources: dict[str, int], visible: str, said: str, tmp_path: Path) -> None:
    command = [sys.executable, "-c", JOB.replace("{resources}", repr(resources))]
    subprocess.run(command, cwd=tmp_path, env=os.environ | {"CUDA_VISIBLE_DEVICES": "3"}, check=True)
    log = (tmp_path / "log.txt").read_text()
    assert f"visible {visible}\n" in log
    assert said in log.splitlines()
