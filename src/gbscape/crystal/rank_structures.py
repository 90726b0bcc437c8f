"""Structures as a whole: which classes they are most similar to (thesis, sections 5.2 and 5.4)."""

from collections.abc import Mapping
from pathlib import Path

import ase.io
import pandas as pd
from ase import Atoms

from gbscape.crystal.classification import classify, load_model

RANKING_COLUMNS = ["structure", "rank", "label", "probability", "mutual_information_bits", "known", "n_atoms"]


def rank_structures(
    model_file: str | Path, structures: Mapping[str, str | Path], passes: int, threads: int = 1
) -> tuple[pd.DataFrame, dict[str, str]]:
    """Rank all classes for each structure. One that cannot be read or classified loses none of the others.

    Args:
        model_file: the model.
        structures: files of any format that ASE reads, by name; of several structures the last is taken.
        passes: of the network with dropout; 100 000 in the thesis for such pictures.
        threads: number of threads.

    Returns:
        `RANKING_COLUMNS`, and the reasons why structures are not there.
    """
    model = load_model(model_file)
    rows, reasons = [], {}
    for name, path in structures.items():
        try:
            atoms = ase.io.read(path, index=-1)
            assert isinstance(atoms, Atoms)
            found = classify(atoms, model, passes=passes, threads=threads)
        except Exception as error:  # whatever the readers raise
            reasons[name] = f"{path}: {type(error).__name__}: {error}"
            continue
        rows += [
            (name, rank, label, probability, found.mutual_information_bits, found.known, len(atoms))
            for rank, (label, probability) in enumerate(found.ranking, start=1)
        ]
    return pd.DataFrame(rows, columns=RANKING_COLUMNS), reasons
