"""Published figures: the shipped tables, and the supplement in its original format."""

from pathlib import Path

import pandas as pd
import pytest

from gbscape.config.learn import TASKS
from gbscape.survey import enumerate_boundaries, published
from gbscape.survey.boundary import boundary_from_vectors
from gbscape.survey.published import PublishedDataError

SHIPPED = Path(__file__).parents[2] / "resources" / "published"
TABLE = SHIPPED / "olmsted2009_ni.csv"

TILT = "3 1 0     3 1 0 \n0 0 2     0 0 -2 \n1 -3 0     -1 3 0 \n"
TWIN = "2 2 2     2 2 2 \n1 -1 0     -1 1 0 \n1 1 -2     -1 -1 2 \n"


@pytest.fixture(scope="module")
def table():
    return published.load(TABLE)


def test_the_table_has_all_388_by_our_ids(table):
    assert sorted(table.index) == sorted(b.id for b in enumerate_boundaries("fcc", 15))
    assert table["olmsted_index"].tolist() == list(range(1, 389))


def test_sigma_agrees_with_the_enumeration(table):
    assert table["sigma"].to_dict() == {b.id: b.sigma for b in enumerate_boundaries()}


def test_well_known_energies(table):
    """Values the paper and its supplement give for the coherent twin and two Sigma 5 boundaries in Ni."""
    twin = boundary_from_vectors([[2, 2, 2], [1, -1, 0], [1, 1, -2]], [[2, 2, 2], [-1, 1, 0], [-1, -1, 2]], "fcc")
    tilt = boundary_from_vectors([[3, 1, 0], [0, 0, 2], [1, -3, 0]], [[3, 1, 0], [0, 0, -2], [-1, 3, 0]], "fcc")
    twist = boundary_from_vectors([[2, 0, 0], [0, 3, 1], [0, -1, 3]], [[2, 0, 0], [0, 3, -1], [0, 1, 3]], "fcc")
    assert table["energy_j_m2"][[twin.id, tilt.id, twist.id]].tolist() == [0.064, 1.218, 0.958]
    assert table["energy_j_m2"].idxmin() == twin.id
    assert table["mobility_3_class"][twin.id] == "immobile"


@pytest.mark.parametrize(
    ("column", "percent", "counts"),
    [
        ("mobility_3_class", 49, [251, 101, 36]),
        ("mobility_4_class", 39, [221, 79, 52, 36]),
        ("shear_class", 52, [232, 156]),
    ],
)
def test_class_priors_give_the_random_column_of_the_paper(table, column, percent, counts):
    assert table[column].cat.codes.value_counts().sort_index().tolist() == counts
    right_by_chance = (table[column].value_counts(normalize=True) ** 2).sum()
    assert round(100 * right_by_chance) == percent
    accuracies = published.load_table1(SHIPPED / "homer2019_table1.csv").set_index(["property", "representation"])
    assert accuracies["accuracy_percent"][column, "random"] == percent


def test_what_the_readme_says_about_the_classes(table):
    immobile = table["mobility_3_class"] == "immobile"
    assert (immobile == (table["mobility_4_class"] == "immobile")).all()
    joined = table["mobility_4_class"].isin(["not_thermally_activated", "mixed"])
    assert joined.sum() == 131
    assert (table["mobility_3_class"][joined] == "thermally_activated").sum() == 30


def test_missing_figures_are_only_where_the_supplement_has_none(table):
    assert table.drop(columns="relative_shear").notna().all(axis=None)
    assert table["relative_shear"].isna().sum() == 40


def test_classified_properties_are_those_that_can_be_learned():
    assert set(published.CLASSES) == {target for target, task in TASKS.items() if task == "classification"}


def test_table_round_trip(tmp_path, table):
    published.write_table(tmp_path / "t.csv", table)
    assert (tmp_path / "t.csv").read_bytes() == TABLE.read_bytes()


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("energy_j_m2", "energy", "columns missing: energy_j_m2"),
        (",1.218,", ",high,", "column energy_j_m2: 'high' is not a number"),
        (",1.218,", ",,", "column energy_j_m2: 'nan' is not a number"),
        (
            ",immobile,immobile,",
            ",stuck,immobile,",
            "column mobility_3_class: unknown classes stuck; allowed: thermally",
        ),
        ("S5_1.0.0_1.0.0_1957e233", "S5_3.1.0_3.1.0_7cac86de", "id S5_3.1.0_3.1.0_7cac86de comes twice"),
    ],
)
def test_malformed_table_is_refused(tmp_path, old, new, message):
    text = TABLE.read_text()
    assert old in text
    (tmp_path / "t.csv").write_text(text.replace(old, new, 1))
    with pytest.raises(PublishedDataError, match=message):
        published.load(tmp_path / "t.csv")


def test_absent_table_is_refused(tmp_path):
    with pytest.raises(PublishedDataError, match="no such file"):
        published.load(tmp_path / "none.csv")


# ---- supplement in its original format ----


@pytest.fixture
def supplement(tmp_path):
    """Two boundaries in the format of the supplement, with invented figures."""
    files = {
        "fcc1-1.txt": "GB_index   Ni      Al    Energy (J/m^2)\n1\t1.5\t0.5\n2\t0.25\t0.125\n",
        "fcc1-3.txt": (
            f"GB_index: 1 Sigma: 5 Misorientation_index: 1\n{TILT}\nDSC_lattice:\n3/5 -4/5 -1 \n\n\n"
            f"GB_index: 2 Sigma: 3 Misorientation_index: 2\n{TWIN}\nDSC_lattice:\n1/3 1/3 4/3 \n"
        ),
        "fcc2-mobility.txt": "GB_index  Mobility (m/s-GPa)\n1\t121\n2\t0\n",
        "fcc2-shear.txt": "GB_index   relative shear vector\n1\t-0.30\t0.40\n2\t****\t****\n",
        "mobility_class.csv": '"PID","TA","TD","I","C","X","M3","NM3","M4"\n1,0,1,0,0,0,1,1,2\n2,0,0,1,0,0,2,2,3\n',
        "shear_class.csv": "PID,S4,SC\n2,0,0\n1,2,1\n",
    }
    for name, text in files.items():
        (tmp_path / name).write_text(text)
    return tmp_path


def test_supplement_is_matched_by_crystallography(supplement):
    table = published.read_supplement(supplement)
    expected = pd.DataFrame(
        {
            "olmsted_index": [1, 2],
            "sigma": [5, 3],
            "energy_j_m2": [1.5, 0.25],
            "energy_al_j_m2": [0.5, 0.125],
            "mobility_m_s_gpa": [121, 0],
            "relative_shear": [0.5, float("nan")],
            "mobility_3_class": ["not_thermally_activated", "immobile"],
            "mobility_4_class": ["mixed", "immobile"],
            "shear_class": ["coupled", "uncoupled"],
        },
        index=pd.Index(["S5_3.1.0_3.1.0_7cac86de", "S3_1.1.1_1.1.1_9e537718"], name="id"),
    )
    pd.testing.assert_frame_equal(table.astype(expected.dtypes), expected)


def test_missing_files_are_named(supplement):
    (supplement / "fcc1-3.txt").unlink()
    (supplement / "shear_class.csv").unlink()
    with pytest.raises(
        PublishedDataError, match=r"fcc1-3\.txt \(crystallography\), shear_class\.csv \(shear classes\)"
    ):
        published.read_supplement(supplement)


@pytest.mark.parametrize(
    ("name", "old", "new", "message"),
    [
        ("fcc1-3.txt", "Sigma: 5", "Sigma: 7", r"line 1, boundary 1: Sigma 7 is given, but its vectors have Sigma 5"),
        ("fcc1-3.txt", "0 0 2 ", "0 0 x ", r"line 1, boundary 1: invalid literal"),
        ("fcc1-3.txt", "0 0 2 ", "0 1 2 ", r"line 1, boundary 1: left: .*not orthogonal"),
        ("fcc1-3.txt", "GB_index:", "boundary", r"do not list the same boundaries: \[1\]"),
        ("fcc1-3.txt", "GB_index: 2", "GB_index: 1", r"boundaries listed twice: \[1\]"),
        ("fcc1-1.txt", "1\t1.5\t0.5", "1\t1.5", r"fcc1-1\.txt, line 2: expected a new number and 2 figures"),
        ("fcc1-1.txt", "1\t1.5\t0.5", "1\t1.5\thigh", r"fcc1-1\.txt, line 2: .*not a line of numbers"),
        (
            "fcc2-mobility.txt",
            "2\t0\n",
            "",
            r"fcc1-3\.txt and fcc2-mobility\.txt do not list the same boundaries: \[2\]",
        ),
        ("fcc1-1.txt", "1\t1.5", "1\t****", r"column energy_j_m2: 'nan' is not a number"),
        ("mobility_class.csv", "0,2,2,3", "0,2,2,7", r"M4 has unknown codes \[7\]"),
        ("shear_class.csv", "SC", "XY", r"shear_class\.csv: columns missing: SC"),
    ],
)
def test_malformed_supplement_is_refused(supplement, name, old, new, message):
    path = supplement / name
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))
    with pytest.raises(PublishedDataError, match=message):
        published.read_supplement(supplement)


def test_crystallography_without_boundaries_is_refused(tmp_path):
    (tmp_path / "fcc1-3.txt").write_text("nothing\n")
    with pytest.raises(PublishedDataError, match="no boundary found"):
        published.read_crystallography(tmp_path / "fcc1-3.txt")


# ---- Table 1 of Homer 2019 ----


def test_table1():
    table = published.load_table1(SHIPPED / "homer2019_table1.csv")
    assert len(table) == 4 * 5
    by = table.set_index(["property", "representation"])["accuracy_percent"]
    assert by["energy"].to_dict() == {"soap": 95, "st": 86, "soap+st": 93, "multi_scale_soap": 95, "random": 70}
    assert by["mobility_3_class", "soap"] == 77
    assert by["mobility_4_class", "st"] == 50
    assert by["shear_class", "multi_scale_soap"] == 50


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("accuracy_percent", "accuracy", "columns missing: accuracy_percent"),
        ("energy,st,86", "energy,st,860", "row 2 of the table, column accuracy_percent: '860'"),
        ("energy,st,86", "energy,st,good", "row 2 of the table, column accuracy_percent: 'good'"),
        ("energy,st,86", "energy,soap,86", "energy, soap comes twice"),
    ],
)
def test_malformed_table1_is_refused(tmp_path, old, new, message):
    text = (SHIPPED / "homer2019_table1.csv").read_text()
    (tmp_path / "t.csv").write_text(text.replace(old, new, 1))
    with pytest.raises(PublishedDataError, match=message):
        published.load_table1(tmp_path / "t.csv")
