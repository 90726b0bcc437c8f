"""HDF5 shards: many items computed by one job, resumable item by item, with the provenance inside.

While a shard is being computed every finished item lies in a file of its own in `<shard>.parts/`, next to where the
shard will be. A job that is killed loses at most the item it was at: the next run finds the parts, checks that they
were made alike, and goes on. The shard appears under its name only when every item was tried; those that failed are listed in it with their reasons.
"""

import csv
import hashlib
import json
import shutil
import sys
import traceback
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal

import h5py

from gbscape.store.atomic import DiskFullError, atomic_path
from gbscape.store.new_hdf5 import new_hdf5
from gbscape.store.progress import progress
from gbscape.store.provenance import Provenance, check_agreement
from gbscape.store.records import Record, read_record, write_record

OnFailure = Literal["stop", "skip"]


class ShardError(RuntimeError):
    """A shard is damaged, incomplete, or some of its items failed."""


def compute_shard(
    path: str | Path,
    ids: Sequence[str],
    compute: Callable[[str], Record],
    provenance: Provenance,
    what: str = "items",
) -> dict[str, str]:
    """Compute a record for every id and write them as one shard; return the reasons of the items that failed.

    Failed items are listed in the shard. Their neighbours' parts are kept then, so that a shard that is deleted and
    computed again tries only the failed ones.

    Args:
        path: the shard (.h5).
        ids: items, in the order of computation; may be empty.
        compute: makes the record of one item. What it raises is that item's failure and touches no other item.
        provenance: what determines the content; parts left by a run with another provenance are discarded.
        what: name of the items for the progress report.

    Raises:
        ImportError: something is not installed or not compiled.
        MemoryError: it is used up; the parts are kept, so that a job with more goes on.
        DiskFullError: likewise.
    """
    path = Path(path)
    parts = path.with_name(path.name + ".parts")
    parts.mkdir(parents=True, exist_ok=True)
    failures: dict[str, str] = {}
    for item in progress(ids, len(ids), what):
        part = _part_path(parts, item)
        if _is_reusable(part, item, provenance):
            continue
        try:
            record = compute(item)
            with new_hdf5(part) as file:
                file["provenance"] = provenance.to_json()
                file["id"] = item
                write_record(file.create_group("record"), record)
        except (ImportError, MemoryError, DiskFullError):
            raise  # what is not installed or used up is no item's fault, and all would fail alike
        except Exception as error:  # one item's failure must not take its neighbours along
            failures[item] = f"{type(error).__name__}: {error}"
            traceback.print_exc(file=sys.stderr)
    done = [item for item in ids if item not in failures]
    _join(path, {item: (_part_path(parts, item), "record") for item in done}, provenance, failures)
    if not failures:
        shutil.rmtree(parts)
    return failures


def write_shard(
    path: str | Path, records: Mapping[str, Record], provenance: Provenance, failures: Mapping[str, str]
) -> None:
    """Write records that are at hand as one shard, with the reasons of the items that failed."""
    with new_hdf5(path) as file:
        items = _write_header(file, list(records), provenance, failures)
        for item, record in records.items():
            write_record(items.create_group(item), record)


def check_failures(failures: Mapping[str, str], remedy: str, on_failure: OnFailure, all_needed: bool = False) -> None:
    """Raise if items failed and `on_failure` is "stop", or if `all_needed`.

    Raises:
        ShardError: with each item and its reason, the `remedy` for trying again, and how to go on without them.
    """
    if failures and (on_failure == "stop" or all_needed):
        listed = "\n".join(f"  {item}: {reason}" for item, reason in sorted(failures.items()))
        otherwise = "; all are needed here" if all_needed else ", or set 'on_failure: skip' to go on without them"
        raise ShardError(
            f"{len(failures)} items failed, the others are kept:\n{listed}\nMend the cause and {remedy}{otherwise}."
        )


def gather_shards(
    paths: Sequence[str | Path],
    out: str | Path,
    expected_ids: Sequence[str],
    on_failure: OnFailure = "stop",
    all_needed: bool = False,
) -> dict[str, str]:
    """Join shards into one file, items in the order of `expected_ids`; return the reasons of the failed ones.

    Failed items are listed in the file, and beside it in a table `<stem of out>.failures.tsv`, which is there when the file cannot be made, too.

    Args:
        paths: the shards.
        out: file to write.
        expected_ids: items that the shards have to hold together, or list as failed.
        on_failure: what happens when items failed: "skip" makes the file without them.
        all_needed: it is not made without them, whatever `on_failure` says.

    Raises:
        ProvenanceMismatch: the shards were not made alike.
        ShardError: an item is missing, unexpected or twice there; or items failed and cannot be done without.
    """
    provenances: dict[str, Provenance] = {}
    where: dict[str, Path] = {}
    failures: dict[str, str] = {}
    for path in map(Path, paths):
        with open_shard(path) as shard:
            provenances[str(path)] = shard.provenance
            for item in (*shard.ids, *shard.failures):
                if item in where:
                    raise ShardError(f"{item} is in {where[item]} and again in {path}; delete one and run again")
                where[item] = path
            failures.update(shard.failures)
    provenance = check_agreement(provenances)
    missing, extra = sorted(set(expected_ids) - set(where)), sorted(set(where) - set(expected_ids))
    if missing or extra:
        raise ShardError(
            f"{out}: items missing from the shards: {missing or 'none'}; items that do not belong: {extra or 'none'}; "
            "delete the shards that are out of date and run again"
        )
    shards_to_retry = sorted({str(where[item]) for item in failures})
    _list_failures(Path(out), failures)
    check_failures(failures, f"delete {' '.join(shards_to_retry)} and run again", on_failure, all_needed)
    done = [item for item in expected_ids if item not in failures]
    _join(Path(out), {item: (where[item], f"items/{item}") for item in done}, provenance, failures)
    return failures


class Shard:
    """An open shard, or a gathered file, which has the same form: `ids`, `failures`, `provenance`, `read(id)`."""

    def __init__(self, file: h5py.File, path: Path) -> None:
        try:
            self.provenance = Provenance.from_json(file["provenance"].asstr()[()])
            self.failures: dict[str, str] = json.loads(file["failures"].asstr()[()])
            self.ids: list[str] = json.loads(file["ids"].asstr()[()])
            items = file["items"]
        except (KeyError, ValueError, TypeError) as error:
            raise ShardError(f"{path} is not a gbscape shard ({error}); delete it and run again") from error
        if sorted(items) != sorted(self.ids):
            raise ShardError(f"{path} does not hold the items it lists; delete it and run again")
        self._items = items
        self._path = path

    def read(self, item: str) -> dict[str, Any]:
        """Record of `item`.

        Raises:
            KeyError: the shard has no such item.
        """
        if item not in self._items:
            raise KeyError(f"{self._path} has no item {item!r}")
        return read_record(self._items[item])

    def value(self, item: str, name: str) -> Any:
        """One array (e.g. `structure/cell`) or number of the record of `item`: much less to read than the record.

        Raises:
            KeyError: the shard has no such item, or the record nothing of this name.
        """
        record = self._items[item]
        return record.attrs[name] if name in record.attrs else record[name][()]

    def __iter__(self) -> Iterator[tuple[str, dict[str, Any]]]:
        """Yield (id, record) in the order of `ids`, one record in memory at a time."""
        for item in self.ids:
            yield item, self.read(item)


@contextmanager
def open_shard(path: str | Path) -> Iterator[Shard]:
    """Open a shard or a gathered file for reading.

    Raises:
        ShardError: the file is truncated, damaged or of another kind.
    """
    path = Path(path)
    try:
        file = h5py.File(path, "r")
    except FileNotFoundError:
        raise
    except OSError as error:
        raise ShardError(f"{path} cannot be read ({error}); delete it and run again") from error
    with file:
        yield Shard(file, path)


def _join(
    path: Path, sources: Mapping[str, tuple[Path, str]], provenance: Provenance, failures: Mapping[str, str]
) -> None:
    """Write a shard from records in other files: for each item the file and the name of the record in it."""
    with new_hdf5(path) as file:
        items = _write_header(file, list(sources), provenance, failures)
        for item, (source, name) in sources.items():
            with h5py.File(source, "r") as source_file:
                source_file.copy(name, items, name=item)


def _list_failures(out: Path, failures: Mapping[str, str]) -> None:
    table = out.with_name(f"{out.stem}.failures.tsv")
    table.unlink(missing_ok=True)
    if failures:
        with atomic_path(table) as temporary, temporary.open("w", newline="", encoding="utf-8") as file:
            csv.writer(file, delimiter="\t", lineterminator="\n").writerows(
                [("id", "reason"), *sorted(failures.items())]
            )


def _write_header(
    file: h5py.File, ids: Sequence[str], provenance: Provenance, failures: Mapping[str, str]
) -> h5py.Group:
    # Datasets, not attributes: an attribute holds 64 kB at most.
    file["provenance"] = provenance.to_json()
    file["ids"] = json.dumps(list(ids))
    file["failures"] = json.dumps(dict(failures), sort_keys=True)
    return file.create_group("items")


def _part_path(parts: Path, item: str) -> Path:
    return parts / f"{hashlib.sha256(item.encode()).hexdigest()[:24]}.h5"


def _is_reusable(part: Path, item: str, provenance: Provenance) -> bool:
    try:
        with h5py.File(part, "r") as file:
            made_by = Provenance.from_json(file["provenance"].asstr()[()])
            return file["id"].asstr()[()] == item and not made_by.differences(provenance)
    except (OSError, KeyError, ValueError, TypeError):
        return False
