"""What Snakemake has written down in `.snakemake` about the files of a run."""

from base64 import urlsafe_b64decode
from collections.abc import Iterator
from pathlib import Path


def unfinished(folder: Path, results: str) -> list[Path]:
    """Outputs of a run whose jobs were started and not seen to end, by Snakemake's marks.

    Args:
        folder: where Snakemake was started.
        results: folder of the run as Snakemake names it, relative to `folder`.
    """
    return [Path(name) for name in _names(folder / ".snakemake" / "incomplete") if name.startswith(f"{results}/")]


def finished(folder: Path, results: str) -> list[Path]:
    """Outputs of a run that Snakemake has a record of, likewise."""
    return [Path(name) for name in _names(folder / ".snakemake" / "metadata") if name.startswith(f"{results}/")]


def unlock(folder: Path, results: str) -> bool:
    """Remove the locks that a killed Snakemake has left for a run; those of other runs in the folder stay."""
    locks = folder / ".snakemake" / "locks"
    found = False
    for output in locks.glob("*.output.lock"):
        if f"{results}/" in output.read_text(encoding="utf-8", errors="replace"):
            output.unlink(missing_ok=True)
            (locks / output.name.replace(".output.", ".input.")).unlink(missing_ok=True)
            found = True
    return found


def _names(records: Path) -> Iterator[str]:
    """Names of the files that a folder has records of: base 64, long ones cut into folders that begin with @."""
    for path in records.rglob("*"):
        if path.is_file():
            coded = "".join(part.removeprefix("@") for part in path.relative_to(records).parts)
            try:
                yield urlsafe_b64decode(coded).decode()
            except ValueError:
                continue
