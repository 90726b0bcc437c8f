"""Structures as a whole: which classes they are most similar to (thesis, sections 5.2 and 5.4)."""

from collections.abc import Mapping
from pathlib import Path

import pandas as pd

from gbscape.config.crystal import StructureFile
from gbscape.crystal.classification import classify, load_model
from gbscape.structure.structure_file import read_structure

RANKING_COLUMNS = ["structure", "rank", "label", "probability", "mutual_information_bits", "known", "n_atoms"]


def rank_structures(
    model_file: str | Path, structures: Mapping[str, StructureFile], passes: int, threads: int = 1
) -> tuple[pd.DataFrame, dict[str, str]]:
    """Rank all classes for each structure. One that cannot be read or classified loses none of the others.

    Args:
        model_file: the model.
        structures: files, by the name of the structure.
        passes: of the network with dropout; 100 000 in the thesis for such pictures.
        threads: number of threads.

    Returns:
        `RANKING_COLUMNS`, and the reasons why structures are not there.
    """
    model = load_model(model_file)
    rows, reasons = [], {}
    for name, file in structures.items():
        try:
            atoms = read_structure(file.path, file.format)
            found = classify(atoms, model, passes=passes, threads=threads)
        except ValueError as error:
            reasons[name] = str(error) if file.path in str(error) else f"{file.path}: {error}"
            continue
        rows += [
            (name, rank, label, probability, found.mutual_information_bits, found.known, len(atoms))
            for rank, (label, probability) in enumerate(found.ranking, start=1)
        ]
    return pd.DataFrame(rows, columns=RANKING_COLUMNS), reasons
