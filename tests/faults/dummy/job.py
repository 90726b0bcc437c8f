"""A job of the dummy workflow: `job.py shard|total LOG OUTPUT`. Without site-packages, so that it starts at once."""

import hashlib
import sys
from pathlib import Path
from types import SimpleNamespace

sys.path.insert(0, str(Path(__file__).resolve().parents[3] / "src"))
from gbscape.store.atomic import atomic_path
from gbscape.store.job import begin_job

kind, log, output = sys.argv[1:]
shards = (
    sorted((Path(output).parent / "shards").glob("*.csv"), key=lambda path: int(path.stem)) if kind == "total" else []
)
begin_job(SimpleNamespace(log=[log], input=shards, output=[output], resources={}))
if kind == "shard":
    rows = [hashlib.sha256(f"{Path(output).stem} {row}".encode()).hexdigest() for row in range(200)]
else:
    rows = [hashlib.sha256(path.read_bytes()).hexdigest() for path in shards]
with atomic_path(output) as temporary, temporary.open("w") as file:
    for number, row in enumerate(["value", *rows]):
        file.write(f"{number},{row}\n")
