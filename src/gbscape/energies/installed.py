"""Backends that a configuration asks for and that are not installed, said before hours go into what comes before them."""

from collections.abc import Sequence
from importlib.util import find_spec

from gbscape.config.model import Config
from gbscape.energies.atomic_energy import TBLITE_MISSING, BackendMissing
from gbscape.energies.gpaw_version import require_gpaw


def missing_backends(configs: Sequence[Config]) -> list[str]:
    """A sentence for each part of the configurations whose energies this Python cannot compute."""
    wanted = {("replica.backend", its.replica.backend) for its in configs if "replica" in its.parts}
    wanted |= {("alloy", "gpaw") for its in configs if "alloy" in its.parts and its.alloy.computed is None}
    sentences = []
    for setting, backend in sorted(wanted):
        try:
            if backend == "gpaw":
                require_gpaw()
            elif backend == "tblite" and find_spec("tblite") is None:
                raise BackendMissing(TBLITE_MISSING)
        except BackendMissing as problem:
            sentences.append(f"{setting}: {problem}. Jobs that compute these energies will fail.")
    return sentences
