"""Backends that a configuration asks for and that are not installed, said before hours go into what comes before them."""

from importlib.util import find_spec

from gbscape.config.model import Config
from gbscape.energies.atomic_energy import BackendMissing
from gbscape.energies.gpaw_version import require_gpaw


def missing_backends(config: Config) -> list[str]:
    """A sentence for each part of the configuration whose energies this Python cannot compute."""
    wanted = {}
    if "replica" in config.parts:
        wanted["replica.backend"] = config.replica.backend
    if "alloy" in config.parts and config.alloy.computed is None:
        wanted["alloy"] = "gpaw"
    sentences = []
    for setting, backend in wanted.items():
        try:
            if backend == "gpaw":
                require_gpaw()
            elif backend == "tblite" and find_spec("tblite") is None:
                raise BackendMissing("the backend tblite needs the package tblite: pip install tblite")
        except BackendMissing as problem:
            sentences.append(f"{setting}: {problem}. Jobs that compute these energies will fail.")
    return sentences
