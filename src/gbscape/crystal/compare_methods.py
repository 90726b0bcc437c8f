"""Established methods on the defective structures that models are tested on (thesis, tables 5.1 to 5.3 and A.1 to A.3)."""

from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from ase import Atoms

from gbscape.config.crystal import OtherMethod
from gbscape.config.crystal_descriptor import DefectGrid
from gbscape.crystal.describe_shard import classes_of_shard, prototype_inputs
from gbscape.crystal.other_methods import Score, is_made_for, score
from gbscape.crystal.prototypes import load_prototypes
from gbscape.crystal.supercells import Specimen, defect_hosts
from gbscape.crystal.training_set import defective_structure
from gbscape.store.provenance import Provenance
from gbscape.store.records import Record
from gbscape.store.shards import compute_shard, open_shard

METHOD_COLUMNS = [
    "method", "label", "made_for", "displacement", "missing", "right_space_group", "right_class", "answers"
]  # fmt: skip


def score_method(
    prototype_files: Sequence[str | Path],
    out: str | Path,
    method: OtherMethod,
    defects: DefectGrid,
    repeats: int,
    shard: int,
    n_shards: int,
    code: str,
) -> None:
    """Count the right answers of one method for the classes of one shard, pristine and with defects.

    Finite pieces are left out, as in the thesis; a nanotube, which is always finite, counts as answered wrong.

    Args:
        prototype_files: the tables of classes.
        out: the shard (.h5), a record a class: `displacement`, `missing` (levels,), `right_space_group`, `right_class`,
            `answers` (levels,).
        method: which.
        defects: levels of defects and their seed.
        repeats: realisations of each defect.
        shard, n_shards: number of this shard, from 0, and of all.
        code: hash of the code that computes this.
    """
    prototypes = load_prototypes(prototype_files)
    levels = [(0.0, 0.0), *defects.levels()]

    def count(label: str) -> Record:
        prototype = prototypes[label]
        group = getattr(prototype, "space_group", None)
        hosts = list(enumerate(defect_hosts(prototype)))
        periodic = [(number, host) for number, host in hosts if host.periodic] or hosts
        counts = []
        for level in levels:
            answers = [
                score(method, _structure(host, number, level, repeat, defects.seed), label, group)
                for number, host in periodic
                for repeat in range(repeats if level != (0.0, 0.0) else 1)
            ]
            counts.append(np.sum(answers, axis=0))
        displacement, missing = np.array(levels).T
        return {
            "displacement": displacement,
            "missing": missing,
            **dict(zip(Score._fields, np.array(counts).T, strict=True)),
        }

    provenance = Provenance.of(
        {"method": method, "defects": defects.model_dump(mode="json"), "repeats": repeats},
        code, prototype_inputs(prototype_files), defects.seed,
    )  # fmt: skip
    compute_shard(
        out, classes_of_shard(prototypes, shard, n_shards), count, provenance, what=f"classes answered by {method}"
    )


def tabulate_scores(prototype_files: Sequence[str | Path], scores_h5: str | Path, method: OtherMethod) -> pd.DataFrame:
    """`METHOD_COLUMNS`: counts of one method for each class and level of defects."""
    prototypes = load_prototypes(prototype_files)
    columns: dict[str, list] = defaultdict(list)
    with open_shard(scores_h5) as scores:
        for label, record in scores:
            n = len(record["answers"])
            columns["method"] += [method] * n
            columns["label"] += [label] * n
            columns["made_for"] += [is_made_for(method, label, prototypes[label].category)] * n
            for name in METHOD_COLUMNS[3:]:
                columns[name] += record[name].tolist()
    return pd.DataFrame(columns, columns=METHOD_COLUMNS)


def _structure(host: Specimen, number: int, level: tuple[float, float], repeat: int, seed: int) -> Atoms:
    if level == (0.0, 0.0):
        return host.atoms
    return defective_structure(host, number, *level, repeat, seed)
