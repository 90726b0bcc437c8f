"""Injects faults into jobs: Python imports this module by itself where its folder is on PYTHONPATH.

`GBSCAPE_JOURNAL` names a file to which every job writes a line when it begins and one when it has ended well. `GBSCAPE_FAULT`, a
JSON object, says what happens to the job that writes the file `target`: `kind`, `moment`, `input` (a file that the job
reads), `folder` (for notes between this module and the test). `GBSCAPE_WITHOUT` names guards that are taken out, with commas between.
"""

import importlib.abc
import importlib.util
import json
import mmap
import os
import re
import resource
import signal
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path

FAULT = json.loads(os.environ.get("GBSCAPE_FAULT", "{}"))
JOURNAL = os.environ.get("GBSCAPE_JOURNAL")
WITHOUT = list(filter(None, os.environ.get("GBSCAPE_WITHOUT", "").split(",")))
PATIENCE_SECONDS = 200.0


def note(word, output):
    """Write a line to the journal at once."""
    if JOURNAL:
        with open(JOURNAL, "ab", buffering=0) as file:
            file.write(f"{word}\t{output}\t{os.getpid()}\t{time.time():.2f}\n".encode())


def is_target(path):
    return bool(FAULT) and os.path.abspath(path) == os.path.abspath(FAULT["target"])


def now(moment):
    """Whether the fault happens at this moment: it does once."""
    if not FAULT or moment != FAULT["moment"]:
        return False
    try:
        Path(FAULT["folder"], "happened").touch(exist_ok=False)
    except FileExistsError:
        return False
    return True


# What can happen in the process of a job. A moment is a place in it; of some faults that is a little earlier or later.


def kill_job():
    os.kill(os.getpid(), signal.SIGKILL)


def kill_controller():
    controller = json.loads(Path(FAULT["results"], ".controller").read_text())["pid"]
    os.kill(controller, signal.SIGKILL)
    time.sleep(PATIENCE_SECONDS)  # and this job lives on


def out_of_memory():
    pages = int(Path("/proc/self/statm").read_text().split()[0])
    limit = pages * resource.getpagesize() + 2**25
    resource.setrlimit(resource.RLIMIT_AS, (limit, resource.getrlimit(resource.RLIMIT_AS)[1]))
    taken = []
    while True:
        try:
            taken.append(mmap.mmap(-1, 2**22))
        except OSError as error:
            raise MemoryError(str(error)) from None


def fill_disk():
    """Leave no byte on the file system of the target."""
    with open(Path(FAULT["filler"]), "wb", buffering=0) as file:
        block = 2**16
        while block:
            try:
                file.write(b"\0" * block)
            except OSError:
                block //= 2


def flip_bit(path):
    with open(path, "r+b") as file:
        middle = os.path.getsize(path) // 2
        file.seek(middle)
        byte = file.read(1)[0]
        file.seek(middle)
        file.write(bytes([byte ^ 4]))


def truncate(path):
    os.truncate(path, os.path.getsize(path) // 2)


def come_late(*paths):
    """Hide files, which come back by themselves."""
    moves = []
    for path in map(os.path.abspath, paths):
        hidden = os.path.join(FAULT["folder"], os.path.basename(path) + ".hidden")
        os.rename(path, hidden)
        moves.append(f"mv '{hidden}' '{path}.arriving'; mv '{path}.arriving' '{path}'")
    # Not a process of the run: it stands for a file server.
    clean = {name: value for name, value in os.environ.items() if name != "GBSCAPE_RUN"}
    command = ["sh", "-c", f"sleep {FAULT['late_seconds']}; mkdir -p '{os.path.dirname(path)}'; {'; '.join(moves)}"]
    subprocess.Popen(command, env=clean, start_new_session=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def wait_for_the_test():
    """Say where the job is, and stay there until the test has done its part."""
    notes = Path(FAULT["folder"])
    reached = notes / "reached.partial"
    reached.write_text(json.dumps({"pid": os.getpid(), "slurm_job": os.environ.get("SLURM_JOB_ID")}))
    reached.rename(notes / "reached")
    end = time.monotonic() + PATIENCE_SECONDS
    while not (notes / "go").exists() and time.monotonic() < end:
        time.sleep(0.05)


def seal_of(path):
    return os.path.join(os.path.dirname(path), f".{os.path.basename(path)}.seal")


HAPPENS = {
    "job SIGKILL": kill_job,
    "controller SIGKILL": kill_controller,
    "out of memory": out_of_memory,
}
"""At each of the three moments alike; kinds that are in none of the lists wait for the test."""
AS_THE_JOB_STARTS = {
    "full disk": fill_disk,
    "damaged file": lambda: flip_bit(FAULT["input"]),
    "late file": lambda: come_late(FAULT["input"]),
}
"""Before the job has looked at its inputs."""
BEFORE_THE_WRITE = {"full disk": fill_disk}
AFTER_THE_RENAME = {"late file": ("mid", lambda: come_late(FAULT["target"])), "full disk": ("after", fill_disk)}
"""`late file` in mid-write: nobody sees what was written."""
AFTER_THE_SEAL = {
    "damaged file": lambda: flip_bit(FAULT["target"]),
    "late file": lambda: come_late(FAULT["target"], seal_of(FAULT["target"])),
}


def happen():
    HAPPENS.get(FAULT["kind"], wait_for_the_test)()


def elsewhere(kind, *lists):
    return any(kind in its for its in lists)


def patch_job(module):
    begin, end = module.begin_job, module._end

    def begin_job(snakemake):
        output = snakemake.output[0]
        note("begin", output)
        mine = any(map(is_target, snakemake.output))
        kind = FAULT.get("kind")
        if mine and kind in AS_THE_JOB_STARTS and now("start"):
            AS_THE_JOB_STARTS[kind]()
        begin(snakemake)
        note("works", output)
        if mine and kind not in AS_THE_JOB_STARTS and now("start"):
            happen()

    def _end(outputs):
        end(outputs)
        if hasattr(sys, "last_type"):
            return
        if any(map(is_target, outputs)) and FAULT["kind"] in AFTER_THE_SEAL and now("after"):
            AFTER_THE_SEAL[FAULT["kind"]]()
        note("end", outputs[0])

    module.begin_job, module._end = begin_job, _end


def patch_atomic(module):
    original = module.atomic_path

    @contextmanager
    def atomic_path(path):
        mine, kind = is_target(path), FAULT.get("kind")
        with original(path) as temporary:
            if mine and kind in BEFORE_THE_WRITE and now("mid"):
                BEFORE_THE_WRITE[kind]()
            yield temporary
            if mine and kind == "damaged file" and now("mid"):
                truncate(temporary)
            elif mine and not elsewhere(kind, BEFORE_THE_WRITE, AFTER_THE_SEAL) and now("mid"):
                happen()
        if mine and kind in AFTER_THE_RENAME:
            moment, fault = AFTER_THE_RENAME[kind]
            if now(moment):
                fault()
        elif mine and not elsewhere(kind, AFTER_THE_SEAL) and now("after"):
            happen()

    module.atomic_path = atomic_path


PATCHES = {"gbscape.store.job": patch_job, "gbscape.store.atomic": patch_atomic}


def nothing(*arguments, **named):
    """In place of a guard."""


def without(name, instead=nothing):
    return lambda module: setattr(module, name, instead)


WITHOUT_GUARD = {
    "seals": ("gbscape.store.seal", without("damage")),
    "check of outputs": ("gbscape.store.output_check", without("require_whole")),
    "claim of outputs": ("gbscape.store.job", without("claim")),
    "message at the time limit": ("gbscape.store.job", without("end_if_told")),
    "record of the controller": ("gbscape.recovery.controller", without("claim")),
    "last look at a run": ("gbscape.recovery.controller", without("require_sealed")),
    "end of orphans": ("gbscape.recovery.recover", without("_end_processes", lambda its_run: [])),
    "cancellation of jobs": ("gbscape.recovery.slurm", without("cancel")),
    "removal of half-written files": ("gbscape.recovery.recover", without("_HALF_WRITTEN", re.compile("(?!)"))),
    "removal of locks": ("gbscape.recovery.recover", without("unlock")),
}


class Patched(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Patches modules as they are imported."""

    def find_spec(self, name, path=None, target=None):
        if name not in PATCHES:
            return None
        for finder in sys.meta_path:
            if finder is not self and (spec := finder.find_spec(name, path, target)) is not None:
                self.loaders[name] = spec.loader
                spec.loader = self
                return spec
        return None

    loaders = {}

    def create_module(self, spec):
        return self.loaders[spec.name].create_module(spec)

    def exec_module(self, module):
        self.loaders[module.__name__].exec_module(module)
        PATCHES[module.__name__](module)


def both(first, second):
    return lambda module: (first(module), second(module))


if FAULT or JOURNAL or WITHOUT:
    for guard in WITHOUT:
        name, change = WITHOUT_GUARD[guard]
        PATCHES[name] = both(PATCHES.get(name, nothing), change)
    sys.meta_path.insert(0, Patched())
