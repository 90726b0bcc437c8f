"""Tables of how good a model is: accuracy, calibration, and what it says to boxes that are of no class."""

from collections.abc import Mapping
from functools import partial
from pathlib import Path

import pandas as pd

from gbscape.config.crystal_descriptor import CrystalDescriptor
from gbscape.crystal.classification import load_model
from gbscape.crystal.evaluation import accuracies, calibration, confident_shares, judge
from gbscape.crystal.outside import KINDS
from gbscape.crystal.train_model import under
from gbscape.crystal.training_set import read_rows
from gbscape.store.shards import open_shard
from gbscape.store.tables import write_csv

TABLES = ("accuracy", "accuracy_by_class", "reliability", "calibration", "confident")


def judge_model(
    model_file: str | Path,
    pristine_h5: str | Path,
    defective_h5: str | Path,
    outside_h5: str | Path,
    out: Mapping[str, str | Path],
    descriptor: CrystalDescriptor,
    passes: int,
    name: str,
    threads: int = 1,
) -> None:
    """Test a model, and the same without what calibrates it.

    Args:
        model_file: the model.
        pristine_h5, defective_h5, outside_h5: gathered vectors.
        out: paths of the `TABLES`; each has the columns `model` and `calibrated` before its own: with the model's temperature,
            and with temperature 1, as published.
        descriptor: settings of the vectors.
        passes: of the network with dropout.
        name: of the model.
        threads: number of threads.
    """
    model = load_model(model_file, descriptor)
    pristine, defective = under(read_rows(pristine_h5), descriptor), read_rows(defective_h5)
    with open_shard(outside_h5) as shard:
        outside = {kind: shard.read(kind)["features"] for kind in KINDS}
    found: dict[str, list[pd.DataFrame]] = {table: [] for table in TABLES}
    for temperature in dict.fromkeys((model.temperature, 1.0)):
        ask = partial(judge, model, passes=passes, temperature=temperature, threads=threads)
        of_pristine, of_defective = ask(pristine.features), ask(defective.features)
        diagram, errors = calibration(of_defective, defective.table)
        boxes = {kind: ask(features) for kind, features in outside.items()}
        tables = {
            "accuracy": pd.concat([accuracies(of_pristine, pristine.table), accuracies(of_defective, defective.table)]),
            "accuracy_by_class": pd.concat(
                [
                    accuracies(of_pristine, pristine.table, by_class=True),
                    accuracies(of_defective, defective.table, by_class=True),
                ]
            ),
            "reliability": diagram,
            "calibration": errors,
            "confident": confident_shares({"pristine": of_pristine, "defective": of_defective} | boxes),
        }
        for table, frame in tables.items():
            frame.insert(0, "model", name)
            frame.insert(1, "calibrated", temperature != 1.0)
            found[table].append(frame)
    for table, frames in found.items():
        write_csv(out[table], pd.concat(frames, ignore_index=True))
