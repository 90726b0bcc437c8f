"""Vectors of one shard of the classes: what models are trained on, and what they are tested on."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from gbscape.config.crystal import Augmentation
from gbscape.config.crystal_descriptor import CrystalDescriptor, DefectGrid, TrainingGrid
from gbscape.crystal.descriptor import identity
from gbscape.crystal.prototypes import Prototype, build, load_prototypes
from gbscape.crystal.supercells import defect_hosts
from gbscape.crystal.training_set import augmentation_features, defective_features, pristine_features
from gbscape.planning.costs import crystal_class
from gbscape.store.balance import balance
from gbscape.store.provenance import Provenance
from gbscape.store.records import Record
from gbscape.store.shards import compute_shard


def describe_pristine(
    prototype_files: Sequence[str | Path],
    out: str | Path,
    descriptor: CrystalDescriptor,
    grid: TrainingGrid,
    shard: int,
    n_shards: int,
    code: str,
) -> None:
    """Write the vectors of the structures without defects of one shard of the classes.

    Args:
        prototype_files: the tables of classes.
        out: the shard (.h5), a record a class, see `gbscape.crystal.training_set.pristine_features`.
        descriptor, grid: settings of the vectors.
        shard, n_shards: number of this shard, from 0, and of all.
        code: hash of the code that computes this.
    """
    _describe(
        prototype_files, out, lambda its: pristine_features(its, descriptor, grid), {"grid": grid.model_dump(mode="json")},
        descriptor, shard, n_shards, code,
    )  # fmt: skip


def describe_augmented(
    prototype_files: Sequence[str | Path],
    out: str | Path,
    descriptor: CrystalDescriptor,
    augmentation: Augmentation,
    shard: int,
    n_shards: int,
    code: str,
) -> None:
    """Write the vectors of defective structures for training or calibration; see `describe_pristine`.

    Raises:
        ValueError: there are no such structures.
    """

    def describe(prototype: Prototype) -> Record:
        record = augmentation_features(prototype, augmentation, descriptor)
        if record is None:
            raise ValueError("the settings ask for no defects")
        return record

    _describe(
        prototype_files, out, describe, {"defects": augmentation.model_dump(mode="json")},
        descriptor, shard, n_shards, code,
    )  # fmt: skip


def describe_defective(
    prototype_files: Sequence[str | Path],
    out: str | Path,
    descriptor: CrystalDescriptor,
    defects: DefectGrid,
    shard: int,
    n_shards: int,
    code: str,
) -> None:
    """Write the vectors of the defective structures that models are tested on; see `describe_pristine`."""
    _describe(
        prototype_files, out, lambda its: defective_features(its, defects, descriptor),
        {"defects": defects.model_dump(mode="json")}, descriptor, shard, n_shards, code,
    )  # fmt: skip


def classes_of_shard(prototypes: Mapping[str, Prototype], shard: int, n_shards: int) -> list[str]:
    """Labels of the classes of one shard, balanced by the atoms of their structures and the pairs of their species."""
    work = {}
    for label, prototype in prototypes.items():
        n_species = len(set(build(prototype).numbers))
        work[label] = crystal_class([len(host.atoms) for host in defect_hosts(prototype)], n_species)
    return balance(work, n_shards)[shard]


def prototype_inputs(files: Sequence[str | Path]) -> dict[str, str | Path]:
    """Tables of classes as inputs of a provenance."""
    return {f"prototypes_{number}": file for number, file in enumerate(files)}


def _describe(
    prototype_files: Sequence[str | Path],
    out: str | Path,
    describe: Callable[[Prototype], Record],
    settings: Mapping[str, Any],
    descriptor: CrystalDescriptor,
    shard: int,
    n_shards: int,
    code: str,
) -> None:
    prototypes = load_prototypes(prototype_files)
    provenance = Provenance.of(
        {"descriptor": identity(descriptor)} | dict(settings), code, prototype_inputs(prototype_files)
    )
    compute_shard(
        out,
        classes_of_shard(prototypes, shard, n_shards),
        lambda label: describe(prototypes[label]),
        provenance,
        what="classes described",
    )
