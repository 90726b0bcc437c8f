"""The descriptor of ARISE against quippy, called as the authors' code calls it, and against their geometries.

The geometries are the training structures published with ARISE (https://doi.org/10.5281/zenodo.5526927). Their folder is
`$GBSCAPE_ARISE_DIR`, by default `../shared/data/arise` beside the project.
"""

import os
import re
import warnings
from collections import defaultdict
from pathlib import Path

import ase.io
import numpy as np
import pytest
from ase import Atoms
from ase.build import bulk, graphene
from ase.data import atomic_numbers
from ase.neighborlist import neighbor_list
from quippy.descriptors import Descriptor

from gbscape.config.crystal_descriptor import CrystalDescriptor
from gbscape.crystal.descriptor import describe, describe_one
from gbscape.crystal.prototypes import build, load_prototypes

ROOT = Path(__file__).parents[2]
PUBLISHED = Path(os.environ.get("GBSCAPE_ARISE_DIR", ROOT.parent / "shared" / "data" / "arise")) / "PROTOTYPES"
FOLDERS = {
    "elemental": "Elemental_solids", "binary": "Binaries", "ternary": "Ternaries", "quaternary": "Quaternaries",
    "2d": "2D_materials", "nanotube": "Nanotubes",
}  # fmt: skip
SEVERAL_CELLS = {"FeSi", "MnP", "FeB", "CH", "CH2Si", "WTe2", "ScPSe3", "PbA2I4", "VPSe3", "MnPSe3"}
"""Their files have atoms outside of the cell, so that no corner of a cell gives the same finite pieces."""
WITHIN_ANGSTROM = 6.0
TOLERANCE_ANGSTROM = 1e-3


def nearest_distance(atoms, centre, neighbour):
    """As the authors define it, from all distances: 100 bins, each count over the square of the bin's lower edge."""
    first, second, distance = neighbor_list("ijd", atoms, 9.0)
    chosen = (atoms.numbers[first] == centre) & (atoms.numbers[second] == neighbour)
    nearest = np.array([distance[chosen & (first == i)].min() for i in np.flatnonzero(atoms.numbers == centre)])
    if np.ptp(nearest) < 1e-9:
        return nearest.mean()
    counts, edges = np.histogram(nearest, bins=100)
    fullest = np.argmax(counts / edges[:-1] ** 2)
    return edges[fullest : fullest + 2].mean()


def by_quippy(atoms, settings):
    vectors = []
    for centre in np.unique(atoms.numbers):
        for neighbour in np.unique(atoms.numbers):
            scale = 1 / (settings.extrinsic_scaling * nearest_distance(atoms, centre, neighbour))
            scaled = Atoms(
                numbers=atoms.numbers, positions=atoms.positions * scale, cell=atoms.cell * scale, pbc=atoms.pbc
            )
            soap = Descriptor(
                f"soap cutoff={settings.cutoff_nn} l_max={settings.l_max} n_max={settings.n_max} "
                f"atom_sigma={settings.sigma_nn} n_Z=1 Z={{{centre}}} n_species=1 species_Z={{{neighbour}}} "
                "central_weight=0.0 average=T"
            )
            vectors.append(soap.calc(scaled)["data"][0])
    return np.mean(vectors, axis=0)


def rattled(atoms, pbc=True):
    atoms = atoms.copy()
    atoms.positions += np.random.default_rng(3).uniform(-0.08, 0.08, (len(atoms), 3))
    if not np.all(pbc):  # quippy wants the cell to hold all atoms, also where it is not periodic
        atoms.center(vacuum=30.0, axis=np.flatnonzero(~np.broadcast_to(pbc, 3)))
    atoms.pbc = pbc
    return atoms


SALT = bulk("NaCl", "rocksalt", a=5.6, cubic=True)
PEROVSKITE = Atoms(
    "CsSnI3", scaled_positions=[[0, 0, 0], [0.5] * 3, [0.5, 0.5, 0], [0.5, 0, 0.52], [0, 0.5, 0.5]],
    cell=[6.1, 6.2, 6.3, 88, 91, 95],
)  # fmt: skip
LAYER = graphene(a=2.46, vacuum=6.0)
LAYER.numbers[1] = 7
STRUCTURES = {
    "copper": bulk("Cu"),
    "silicon, finite": rattled(bulk("Si", cubic=True) * (2, 1, 1), False),
    "salt": rattled(SALT),
    "salt, finite": rattled(SALT * (2, 1, 1), False),
    "three species": rattled(PEROVSKITE),
    "layer": rattled(LAYER * (2, 2, 1), (True, True, False)),
}


@pytest.mark.parametrize("name", STRUCTURES)
def test_descriptor_agrees_with_quippy(name):
    for settings in (CrystalDescriptor(), CrystalDescriptor(cutoff_nn=3.2, sigma_nn=0.12, extrinsic_scaling=0.95)):
        np.testing.assert_allclose(
            describe_one(STRUCTURES[name], settings), by_quippy(STRUCTURES[name], settings), atol=1e-8
        )


@pytest.fixture(scope="module")
def published():
    """The geometries by kind of material and formula: {(category, formula): [(name, atoms)]}."""
    if not PUBLISHED.is_dir():
        pytest.skip(f"the geometries published with ARISE are not in {PUBLISHED} (GBSCAPE_ARISE_DIR)")
    geometries = defaultdict(list)
    for category, folder in FOLDERS.items():
        for file in sorted((PUBLISHED / folder).glob("*/*.in")):
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", FutureWarning)  # that the format will be an extension of ASE's
                atoms = ase.io.read(file, format="aims")
            atoms.pbc = {"nanotube": False, "2d": (True, True, False)}.get(category, True)
            geometries[category, atoms.get_chemical_formula()].append((file.parent.name, atoms))
    return geometries


@pytest.fixture(scope="module")
def counterparts(published):
    """(our structure, theirs) by label: each has one counterpart with the same distances, and no two the same."""
    found = {}
    for label, prototype in load_prototypes(ROOT / "resources" / "prototypes").items():
        ours = build(prototype)
        same = [
            (name, theirs)
            for name, theirs in published[prototype.category, ours.get_chemical_formula()]
            if same_distances(ours, theirs)
        ]
        assert len(same) == 1, f"{label} is {[name for name, _ in same] or 'none of the published geometries'}"
        found[label] = (ours, *same[0])
    return found


def same_distances(one, other):
    """Whether all distances below a limit, by pairs of species, are the same: those at the limit may be in one only."""
    lists = [distances(atoms) for atoms in (one, other)]
    if lists[0].keys() != lists[1].keys():
        return False
    for pair in lists[0]:
        short, long = sorted((lists[0][pair], lists[1][pair]), key=len)
        if np.any(np.abs(short - long[: len(short)]) > TOLERANCE_ANGSTROM):
            return False
        if np.any(long[len(short) :] < WITHIN_ANGSTROM - TOLERANCE_ANGSTROM):
            return False
    return True


def distances(atoms):
    first, second, distance = neighbor_list("ijd", atoms, WITHIN_ANGSTROM)
    pairs = np.stack([atoms.numbers[first], atoms.numbers[second]], axis=1)
    return {tuple(pair): np.sort(distance[(pairs == pair).all(axis=1)]) for pair in np.unique(pairs, axis=0)}


def test_each_class_is_one_of_the_published_geometries(published, counterparts):
    assert sum(map(len, published.values())) == len(counterparts) == 108
    assert len({name for _, name, _ in counterparts.values()}) == 108
    for label, (ours, name, theirs) in counterparts.items():
        assert ours.get_chemical_formula() == theirs.get_chemical_formula()
        assert not theirs.pbc.any() or ours.get_volume() == pytest.approx(theirs.get_volume(), rel=1e-4), label
        # where the name tells, it agrees: A_cF4_225_a, chiral_cnt_nm_4_2_19.11_4.14, MoS2
        if label.startswith("nanotube_"):
            assert f"_nm_{label.removeprefix('nanotube_')}_" in name
        elif name in atomic_numbers or re.fullmatch(r"([A-Z][a-z]?\d*)+", name):
            assert label == name or label in ("graphene", "phosphorene")


def test_unit_cells_are_those_of_the_published_geometries(counterparts):
    """On them depend the finite pieces of the training set."""
    for label, (ours, _, theirs) in counterparts.items():
        along = theirs.pbc
        np.testing.assert_allclose(
            np.sort(ours.cell.lengths()[ours.pbc]), np.sort(theirs.cell.lengths()[along]), atol=TOLERANCE_ANGSTROM,
            err_msg=label,
        )  # fmt: skip


def test_descriptors_are_those_of_the_published_geometries(counterparts):
    ours, theirs = (describe([pair[i] for pair in counterparts.values()]) for i in (0, 2))
    assert ours.reasons == theirs.reasons == {}
    cosines = cosine(ours.vectors, theirs.vectors)
    worst = int(cosines.argmin())
    assert cosines[worst] > 0.9999, list(counterparts)[worst]


def test_finite_pieces_are_those_of_the_published_unit_cells(counterparts):
    pieces = [[], []]
    for ours, _, theirs in counterparts.values():
        for cell, piece in zip((ours, theirs), pieces, strict=True):
            twice = cell.repeat([2 if along else 1 for along in cell.pbc])
            twice.pbc = False
            piece.append(twice)
    cosines = cosine(*(describe(piece).vectors for piece in pieces))
    differ = {label for label, value in zip(counterparts, cosines, strict=True) if value < 0.9999}
    assert differ <= SEVERAL_CELLS
    assert cosines.min() > 0.8


def cosine(ours, theirs):
    return (ours * theirs).sum(axis=1) / (np.linalg.norm(ours, axis=1) * np.linalg.norm(theirs, axis=1))
