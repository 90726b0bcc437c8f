"""The enumeration and the shipped table against the supplement of Olmsted, Foiles, Holm 2009, which is not shipped.

Set GBSCAPE_OLMSTED_DIR to a folder with fcc1-1.txt etc.; without it these tests are skipped.
"""

import os
import re
from collections import defaultdict
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from gbscape.structure.coincidence import sigma
from gbscape.structure.lattice import miller_family
from gbscape.survey import enumerate_boundaries, published

REPOSITORY = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def folder() -> Path:
    given = os.environ.get("GBSCAPE_OLMSTED_DIR")
    if not given:
        pytest.skip("needs the supplement of Olmsted 2009: GBSCAPE_OLMSTED_DIR is not set")
    if not Path(given).is_dir():
        raise NotADirectoryError(f"GBSCAPE_OLMSTED_DIR={given}")
    return Path(given)


@pytest.fixture(scope="module")
def ours():
    return {b.id: b for b in enumerate_boundaries("fcc", 15)}


@pytest.fixture(scope="module")
def theirs(folder):
    return published.read_crystallography(folder / "fcc1-3.txt")


def test_the_388_are_the_388(ours, theirs):
    assert len(theirs) == 388
    assert set(theirs["id"]) == set(ours)


def test_sigma(folder, theirs):
    header = re.compile(r"GB_index: (\d+) Sigma: (\d+)")
    given = {int(i): int(s) for i, s in header.findall((folder / "fcc1-3.txt").read_text())}
    assert given == {row.Index: sigma(row.left, row.right) for row in theirs.itertuples()}


def test_one_misorientation_has_one_disorientation(folder, ours, theirs):
    header = re.compile(r"GB_index: (\d+) Sigma: \d+ Misorientation_index: (\d+)")
    groups = defaultdict(set)
    for index, misorientation in header.findall((folder / "fcc1-3.txt").read_text()):
        boundary = ours[theirs["id"][int(index)]]
        groups[misorientation].add(
            (boundary.sigma, boundary.disorientation_axis, round(boundary.disorientation_deg, 6))
        )
    assert len(groups) == 72
    assert all(len(values) == 1 for values in groups.values())
    assert len(set().union(*groups.values())) == 72


def test_disorientation_and_character_against_the_minimum_angle_descriptions(folder, ours, theirs):
    """Lines such as '1 0 0   4/5 36.8699  3 1 0    3 1 0    tilt   1' list the descriptions of each boundary."""
    line = re.compile(
        r"^(\d+ \d+ \d+)\s+-?[\d/]+ ([\d.]+)\s+(\d+ \d+ \d+)\s+(\d+ \d+ \d+)\s+(twist|tilt|mixed)\s+(\d+)\s*$"
    )
    descriptions = defaultdict(list)
    for text in (folder / "fcc1-2.txt").read_text().splitlines():
        if found := line.match(text):
            axis, angle, left, right, kind, index = found.groups()
            families = sorted(miller_family([int(i) for i in v.split()]) for v in (left, right))
            descriptions[int(index)].append(
                (float(angle), miller_family([int(i) for i in axis.split()]), families, kind)
            )
    assert len(descriptions) == 388
    for index, listed in descriptions.items():
        boundary = ours[theirs["id"][index]]
        smallest = min(angle for angle, *_ in listed)
        at_smallest = [entry for entry in listed if entry[0] == smallest]
        assert boundary.disorientation_deg == pytest.approx(smallest, rel=1e-5)  # six digits are printed
        assert boundary.disorientation_axis in {axis for _, axis, _, _ in at_smallest}
        kinds = {kind for *_, kind in at_smallest}
        assert boundary.character == next(kind for kind in ("twist", "tilt", "mixed") if kind in kinds)
        normals = sorted(miller_family(rows[0]) for rows in (boundary.left, boundary.right))
        assert all(families == normals for _, _, families, _ in listed)


def test_our_cells_are_no_larger_than_theirs(ours, theirs):
    for row in theirs.itertuples():
        squared = (np.array(row.left) ** 2).sum(axis=1)
        assert ours[row.id].area_a0_squared <= np.sqrt(squared[1] * squared[2]) / 4 + 1e-9


def test_the_shipped_table_is_the_supplement(folder):
    shipped = published.load(REPOSITORY / "resources" / "published" / "olmsted2009_ni.csv")
    pd.testing.assert_frame_equal(shipped, published.read_supplement(folder))


def test_the_shipped_table_against_the_raw_files(folder, theirs):
    """Energies and mobilities once more without our reader."""
    shipped = published.load(REPOSITORY / "resources" / "published" / "olmsted2009_ni.csv")
    energies = np.loadtxt(folder / "fcc1-1.txt", skiprows=1)
    mobility = np.loadtxt(folder / "fcc2-mobility.txt", skiprows=1)
    in_order = shipped.loc[theirs["id"][energies[:, 0].astype(int)]]
    assert np.array_equal(in_order[["energy_j_m2", "energy_al_j_m2"]].to_numpy(), energies[:, 1:])
    assert np.array_equal(in_order["mobility_m_s_gpa"].to_numpy(), mobility[:, 1])
