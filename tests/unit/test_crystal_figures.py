"""Figures of the crystal classification: what their data steps compute, and that their plot steps draw every case there is."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from ase import Atoms
from ase.build import bulk, graphene
from matplotlib.figure import Figure
from matplotlib.text import Text

from gbscape.crystal.annealing import cumulative_change, histogram, radial_medians
from gbscape.crystal.bain import BainMap
from gbscape.crystal.boxes import box_grid
from gbscape.crystal.classification import Classification
from gbscape.crystal.map_file import BoxStatus, MapError, StridedMap, most_probable
from gbscape.crystal.published import published_numbers
from gbscape.figures.annealing import annealing_slices, plot_annealing, plot_annealing_slices
from gbscape.figures.bain_path import bain_path_data, plot_bain_path, plot_bain_probabilities
from gbscape.figures.clusters import (
    cluster_data,
    difference_data,
    plot_cluster_layers,
    plot_clusters,
    plot_differences,
)
from gbscape.figures.crystal_style import (
    NO_VALUE_COLOUR,
    class_colours,
    cluster_colours,
    crystal_label,
    joined_rare,
    most_frequent,
    wrapped,
)
from gbscape.figures.defect_accuracy import (
    OTHER_COLUMNS,
    accuracy_table,
    defect_accuracy_data,
    plot_defect_accuracy,
    write_accuracy_table,
)
from gbscape.figures.ranking import plot_ranking, ranking_data, structure_data
from gbscape.figures.reliability import plot_reliability, reliability_data
from gbscape.figures.strided_map import (
    SLICE_COLUMNS,
    class_volume_data,
    classes_shown,
    outer_corners,
    picture_data,
    plot_class_volume,
    plot_strided_map,
    strided_map_data,
    true_corners,
)
from gbscape.learn.calibration import RELIABILITY_COLUMNS, expected_calibration_error
from gbscape.learn.clustering import OUTLIER, Clusters

PUBLISHED = Path("resources/published/leitherer2021.csv")
CLASSES = ("bcc", "fcc", "hcp", "L1_2", "alpha_Pa", "In")

Drawn = Callable[[], "Pictures"]


class Pictures:
    """What was in the figures that were saved."""

    def __init__(self) -> None:
        self.texts: list[str] = []
        self.titles: list[list[str]] = []
        """Of the visible panels of each figure, colour bars left out."""

    def add(self, figure: Figure) -> None:
        self.texts += [t.get_text() for t in figure.findobj(Text)]
        panels = [ax for ax in figure.axes if ax.get_visible() and ax.get_label() != "<colorbar>"]
        self.titles.append([ax.get_title(loc="left") or ax.get_title() for ax in panels])


@pytest.fixture
def drawn(monkeypatch: pytest.MonkeyPatch) -> Pictures:
    pictures = Pictures()
    original = Figure.savefig

    def savefig(self: Figure, *args: Any, **kwargs: Any) -> None:
        pictures.add(self)
        original(self, *args, **(kwargs | {"dpi": 40}))

    monkeypatch.setattr(Figure, "savefig", savefig)
    return pictures


def a_map(stride: Any = (4.0, 4.0, None), size: tuple[float, float, float] = (30, 24, 8), seed: int = 0) -> StridedMap:
    """Half fcc, half bcc along x, unsure between; boxes in one corner are empty."""
    grid = box_grid(np.array([(0.0, 0, 0), size]), 8.0, stride)
    centres = grid.centres_angstrom().reshape(-1, 3)
    rng = np.random.default_rng(seed)
    p = 0.02 * rng.random((len(grid), len(CLASSES)))
    right = 1 / (1 + np.exp(-(centres[:, 0] - size[0] / 2) / 2))
    p[:, CLASSES.index("fcc")] += right
    p[:, CLASSES.index("bcc")] += 1 - right
    p /= p.sum(axis=1, keepdims=True)
    empty = (centres[:, 0] > size[0] - 2) & (centres[:, 1] > size[1] - 2)
    p[empty] = np.nan
    top, probability = most_probable(p, 3)
    entropy = np.where(empty, np.nan, -(p * np.log2(p)).sum(axis=1))
    return StridedMap(
        grid=grid, classes=CLASSES, grid_index=rng.permutation(len(grid)), n_atoms=np.full(len(grid), 40),
        status=np.where(empty, BoxStatus.EMPTY, BoxStatus.CLASSIFIED).astype(np.uint8), top_class=top,
        top_probability=probability, mutual_information=entropy / 2, predictive_entropy=entropy, probabilities=p,
    )  # fmt: skip


def in_order(strided: StridedMap) -> StridedMap:
    """The same values in boxes in the order of the grid."""
    return replace(strided, grid_index=np.arange(len(strided)))


def test_data_of_a_slab_are_those_of_the_map(drawn: Pictures, tmp_path: Path) -> None:
    strided = a_map()
    left = bulk("Cu", a=3.6, cubic=True).repeat((4, 7, 3)).positions  # to x = 12.6 Angstrom
    data = strided_map_data(strided, positions=left)
    assert classes_shown(data) == most_frequent(strided.labels, 4)
    assert len(data) == len(strided)
    assert list(data["slice"].unique()) == [0]
    merged = data.set_index(["x", "y"])
    for place, centre in enumerate(strided.centres_angstrom()):
        row = merged.loc[(centre[0], centre[1])]
        assert row["class"] == strided.labels[place]
        for column, value in (
            ("mutual_information", strided.mutual_information[place]),
            ("probability fcc", strided.probability("fcc")[place]),
            ("probability", strided.top_probability[place, 0]),
        ):
            assert row[column] == pytest.approx(value, nan_ok=True)
        # up to 1.5 nearest-neighbour distances (3.8 Angstrom) from an atom
        beyond = max(*(left.min(axis=0) - centre), *(centre - left.max(axis=0)))
        if beyond < 2 or beyond > 3.82:
            assert row["inside"] == (beyond < 2)
    table = tmp_path / "map.csv"
    data.to_csv(table, index=False)
    plot_strided_map(pd.read_csv(table), tmp_path / "map.png")
    (titles,) = drawn.titles
    assert titles == [*(crystal_label(c) for c in classes_shown(data)), "most likely class", "mutual information"]
    assert {"x (Å)", "y (Å)", "not classified", "Mutual information (bits)"} <= set(drawn.texts)


def test_maps_of_images_are_in_pixels(drawn: Pictures, tmp_path: Path) -> None:
    plot_strided_map(strided_map_data(a_map(), ["fcc"]), tmp_path / "map.svg", unit="pixels")
    assert drawn.titles == [["fcc", "most likely class", "mutual information"]]
    assert {"x (pixels)", "y (pixels)"} <= set(drawn.texts)
    assert "x (Å)" not in drawn.texts


def test_a_map_is_drawn_where_its_boxes_are(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The pixels of the panel of mutual information, against the map; unclassified boxes have the colour of no value."""
    strided = a_map()
    seen = []
    original = Figure.savefig

    def savefig(self: Figure, *args: Any, **kwargs: Any) -> None:
        seen.append({ax.get_title(loc="left"): ax.images[0] for ax in self.axes if ax.images})
        original(self, *args, **kwargs)

    monkeypatch.setattr(Figure, "savefig", savefig)
    plot_strided_map(strided_map_data(strided, ["fcc"]), tmp_path / "map.png")
    image = seen[0]["mutual information"]
    pixels, extent = image.get_array(), image.get_extent()
    nx, ny, _ = strided.grid.shape
    assert pixels.shape == (ny, nx)
    for place, centre in enumerate(strided.centres_angstrom()):
        column = int((centre[0] - extent[0]) / 4)
        row = int((centre[1] - extent[2]) / 4)
        value = strided.mutual_information[place]
        assert pixels.mask[row, column] == np.isnan(value)
        if np.isfinite(value):
            assert pixels[row, column] == pytest.approx(value)
    assert image.get_cmap().get_bad()[:3] == pytest.approx(np.array([0xED] * 3) / 255)
    assert NO_VALUE_COLOUR == "#EDEDED"


def test_slices_of_a_volume_are_the_central_ones(drawn: Pictures, tmp_path: Path) -> None:
    strided = a_map(stride=4.0, size=(20, 16, 20))
    heights = np.unique(strided.centres_angstrom()[:, 2])
    data = strided_map_data(strided, ["fcc", "bcc"], slices=3)
    first = (len(heights) - 3) // 2
    assert sorted(data["z"].unique()) == pytest.approx(heights[first : first + 3])
    assert (data.groupby("slice")["z"].nunique() == 1).all()
    across = strided_map_data(strided, ["fcc"], slices=1, normal="x")
    assert across["x"].nunique() == 1
    assert across["z"].nunique() == len(heights)
    plot_strided_map(data, tmp_path / "slices.png")
    assert len(drawn.titles[0]) == 3 * 4
    assert sum("z = " in text for text in drawn.texts) == 3
    long = picture_data(a_map(stride=4.0, size=(16, 12, 60)))
    assert long["y"].nunique() == 3  # layers across the shortest axis
    plot_strided_map(long, tmp_path / "long.png")
    assert "z (Å)" in drawn.texts  # they lie: z is to the right, the axis across in the rows' names
    assert sum("y = " in text for text in drawn.texts) == 3
    with pytest.raises(ValueError, match="has no 99 slices"):
        strided_map_data(strided, slices=99)
    with pytest.raises(MapError, match="no class 'diamond'"):
        strided_map_data(strided, ["diamond"])


def test_a_rod_is_curves_and_an_empty_map_a_message(drawn: Pictures, tmp_path: Path) -> None:
    plot_strided_map(strided_map_data(a_map(stride=(4.0, None, None)), ["fcc", "bcc"]), tmp_path / "rod.svg")
    assert len(drawn.titles[0]) == 2
    assert {"fcc", "bcc", "x (Å)"} <= set(drawn.texts)
    nothing = strided_map_data(a_map(), ["fcc"]).assign(**{"class": ""})
    plot_strided_map(nothing, tmp_path / "nothing.svg")
    assert "No box of this map is classified." in drawn.texts
    with pytest.raises(ValueError, match="lacks the columns mutual_information"):
        plot_strided_map(nothing.drop(columns="mutual_information"), tmp_path / "nothing.svg")


def test_a_class_in_space(drawn: Pictures, tmp_path: Path) -> None:
    strided = a_map(stride=4.0, size=(16, 12, 12))
    data = class_volume_data({"pristine": strided, "defective": a_map(stride=4.0, size=(16, 12, 12), seed=1)}, "fcc")
    assert (data[["step_x", "step_y", "step_z"]] == 4.0).all(axis=None)
    assert data.groupby("sample").size().to_dict() == {"pristine": len(strided), "defective": len(strided)}
    atoms = bulk("Cu", cubic=True).repeat(2)
    atoms.set_array("phase", (atoms.positions[:, 0] > 3).astype(int))
    truth = true_corners({"pristine": atoms, "defective": bulk("Cu")})
    assert truth["sample"].tolist() == ["pristine"] * 2
    np.testing.assert_array_equal(truth[["x", "y", "z"]], outer_corners(atoms, "phase", 1))
    assert truth["x"].min() > 3
    plot_class_volume(data, truth, tmp_path / "volume.png")
    share = 100 * (strided.probability("fcc") >= 0.5).sum() / strided.classified.sum()
    assert any(text == f"pristine\nfcc: {share:.1f} % of the boxes" for text in drawn.texts)
    plot_class_volume(data, None, tmp_path / "none.png", least_probability=1.1)
    assert any("fcc: 0.0 % of the boxes" in text for text in drawn.texts)


def clustered(strided: StridedMap) -> tuple[Clusters, np.ndarray, np.ndarray]:
    boxes = np.flatnonzero(strided.classified)
    labels = np.where(strided.mutual_information[boxes] > 0.4, OUTLIER, (strided.labels[boxes] == "fcc").astype(int))
    places = np.random.default_rng(0).normal(size=(len(boxes), 2))
    return Clusters(labels, np.where(labels < 0, 0.0, 1.0), labels >= 0), places, boxes


def test_clusters_are_drawn_by_all_that_is_known_of_them(drawn: Pictures, tmp_path: Path) -> None:
    strided = in_order(a_map())
    clusters, places, boxes = clustered(strided)
    data = cluster_data(strided, {"layer_0": (clusters, places)}, boxes)
    centres = strided.centres_angstrom()[boxes]
    np.testing.assert_allclose(data[["x", "y", "z"]], centres)
    np.testing.assert_array_equal(data["box"], strided.grid_index[boxes])
    middle = (centres.min(axis=0) + centres.max(axis=0)) / 2
    east = (centres[:, 0] > middle[0]) & (np.abs(centres[:, 1] - middle[1]) < 1e-9)
    angle = data["angle"].to_numpy()
    assert ((angle >= 0) & (angle < 2 * np.pi)).all()
    np.testing.assert_allclose(np.cos(angle[east]), 1)
    np.testing.assert_allclose(np.tan(angle), (centres[:, 1] - middle[1]) / (centres[:, 0] - middle[0]), atol=1e-9)
    plot_clusters(data, tmp_path / "clusters.png")
    assert len(drawn.titles[0]) == 6
    outliers = int((clusters.labels == OUTLIER).sum())
    assert f"outliers ({outliers})" in drawn.texts
    assert {f"{n} ({(clusters.labels == n).sum()})" for n in (0, 1)} <= set(drawn.texts)
    both = cluster_data(strided, dict.fromkeys(("layer_0", "layer_1"), (clusters, places)), boxes)
    plot_cluster_layers(both, tmp_path / "layers.png")
    assert len(drawn.titles[1]) == 4
    assert sum("2 clusters" in text for text in drawn.texts) == 2
    with pytest.raises(ValueError, match="of one layer, got layer_0, layer_1"):
        plot_clusters(both, tmp_path / "clusters.png")


def test_clusters_of_a_volume_have_no_angle(drawn: Pictures, tmp_path: Path) -> None:
    strided = a_map(stride=4.0, size=(12, 12, 12))
    clusters, places, boxes = clustered(strided)
    plot_clusters(cluster_data(strided, {"layer_0": (clusters, places)}, boxes), tmp_path / "clusters.png")
    assert len(drawn.titles[0]) == 4
    with pytest.raises(ValueError, match="expected clusters and points"):
        cluster_data(strided, {"layer_0": (clusters, places[1:])}, boxes)
    with pytest.raises(ValueError, match="are not classified"):
        cluster_data(strided, {}, np.arange(len(strided)))


def test_histograms_of_differences(drawn: Pictures, tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    clusters = np.repeat([0, 1, OUTLIER], [200, 100, 50])
    difference = np.concatenate([rng.normal(0.1, 0.02, 200), rng.normal(-0.1, 0.02, 100), rng.normal(0, 0.2, 50)])
    difference[3] = np.nan
    data = difference_data(clusters, difference)
    for number, rows in data.groupby("cluster"):
        values = difference[(clusters == number) & np.isfinite(difference)]
        assert (rows["density"] * (rows["upper_angstrom"] - rows["lower_angstrom"])).sum() == pytest.approx(1)
        assert rows["boxes"].iloc[0] == len(values)
        assert rows["mean_angstrom"].iloc[0] == pytest.approx(values.mean())
        widest = rows.loc[rows["density"].idxmax()]
        counts = ((values >= widest["lower_angstrom"]) & (values < widest["upper_angstrom"])).sum()
        assert widest["density"] == pytest.approx(counts / (0.02 * len(values)))
    plot_differences(data, tmp_path / "differences.svg", ("Fe", "Pt"))
    assert len(drawn.titles[0]) == 3
    named = [text.split("\n")[0] for text in drawn.texts if text.startswith(("cluster ", "outliers"))]
    assert named == ["cluster 1", "cluster 0", "outliers"]  # by their means
    plot_differences(difference_data([0], [np.nan]), tmp_path / "none.svg", ("Fe", "Pt"))
    assert "No box has two atoms of both species." in drawn.texts


def test_annealing_series(drawn: Pictures, tmp_path: Path) -> None:
    maps = {}
    for minutes, factor in ((9.0, 1.0), (16.0, 0.8), (26.0, 0.5)):
        strided = a_map(stride=4.0, size=(20, 20, 20))
        maps[minutes] = replace(strided, mutual_information=factor * strided.mutual_information)
    radial = radial_medians(maps, 4.0)
    plot_annealing(histogram(maps), radial, cumulative_change(radial), tmp_path / "annealing.svg", radius_angstrom=12.0)
    assert drawn.titles == [["a", "b", "c", "d"]]
    assert {"9 min", "16 min", "26 min", "9 to 16 min, −20 %", "9 to 26 min, −50 %"} <= set(drawn.texts)
    data = annealing_slices(maps, slices=2)
    assert list(data) == ["minutes", *SLICE_COLUMNS]
    plot_annealing_slices(data, tmp_path / "slices.png")
    assert len(drawn.titles[1]) == 6


def test_bain_path(drawn: Pictures, tmp_path: Path) -> None:
    a = np.round(np.linspace(3, 6, 13), 2)
    ratio = a[None] / a[:, None]
    middles = {"bcc": 1.0, "fcc": 2**0.5, "In": 1.6, "alpha_Pa": 0.8}
    p = np.stack([np.exp(-(((ratio - middles[c]) / 0.05) ** 2)) if c in middles else 0 * ratio for c in CLASSES], -1)
    p = (p + 1e-6) / (p + 1e-6).sum(axis=2, keepdims=True)
    bain = BainMap(a, a, CLASSES, p.astype(np.float32), -(p * np.log2(p)).sum(axis=2))
    data = bain_path_data(bain, least_probability=0.5)
    row = data[(data["a_angstrom"] == 4.0) & (data["c_angstrom"] == 5.75)].iloc[0]
    assert row["class"] == "fcc"
    assert row["probability fcc"] == pytest.approx(p[4, 11, CLASSES.index("fcc")], rel=1e-5)
    assert row["mutual_information"] == pytest.approx(bain.mutual_information_bits[4, 11])
    shown = [c for c in data if c.startswith("probability ")]
    assert shown == ["probability bcc", "probability fcc", "probability In", "probability alpha_Pa"]
    plot_bain_path(data, tmp_path / "bain.svg")
    assert drawn.titles[0] == ["most likely class", "mutual information"]
    assert {"bcc 1.00", "fcc 1.41", "In 1.52", "α-Pa 0.82", "a (Å)", "c (Å)"} <= set(drawn.texts)
    plot_bain_probabilities(data, tmp_path / "probabilities.svg")
    share = 100 * (data["class"] == "bcc").mean()
    assert drawn.titles[1][0] == f"bcc  ({share:.1f} %)"
    assert len(drawn.titles[1]) == 4


def test_reliability_of_models(drawn: Pictures, tmp_path: Path) -> None:
    limits = np.linspace(0, 1, 6)
    count = np.array([0, 0, 10, 20, 70])
    columns = (limits[:-1], limits[1:], count, [np.nan, np.nan, 0.5, 0.7, 0.95], [np.nan, np.nan, 0.4, 0.7, 1.0])
    table = pd.DataFrame(dict(zip(RELIABILITY_COLUMNS, columns, strict=True)))
    data = reliability_data({"one": table, "other": table})
    assert expected_calibration_error(table) == pytest.approx(0.1 * 0.1 + 0.7 * 0.05)
    np.testing.assert_allclose(data["expected_calibration_error"], 0.045)
    plot_reliability(data, tmp_path / "reliability.svg")
    assert len(drawn.titles[0]) == 2
    assert {f"{name}\nexpected calibration error 4.50 %" for name in ("one", "other")} <= set(drawn.texts)
    plot_reliability(reliability_data({}), tmp_path / "none.svg")
    assert "No model was tested for its calibration." in drawn.texts


LEVELS = [(0, 0), (0.01, 0), (0.1, 0), (0, 0.05), (0, 0.3), (0.01, 0.05), (0.1, 0.3)]


def accuracies(best: float) -> pd.DataFrame:
    return pd.DataFrame(
        [(d, m, best - d**2 - 0.01 * m) for d, m in LEVELS], columns=["displacement", "missing", "accuracy"]
    )


def accuracy_data() -> pd.DataFrame:
    others = pd.DataFrame(
        [("PTM", classes, d, m, 0.9 if classes == "own" else 0.1) for d, m in LEVELS for classes in ("own", "all")],
        columns=OTHER_COLUMNS,
    )
    return defect_accuracy_data(
        {"pristine": accuracies(1.0), "noise": accuracies(0.99)}, others, published_numbers(PUBLISHED)
    )


def test_accuracies_stand_beside_the_published_ones() -> None:
    data = accuracy_data()
    assert len(data) == 4 * len(LEVELS)
    published = data.set_index(["method", "classes", "displacement", "missing"])["published_percent"]
    assert published["PTM", "own", 0.1, 0.0] == 94.34
    assert published["PTM", "all", 0.1, 0.0] == 10.71
    assert published["pristine", "all", 0.1, 0.0] == published["noise", "all", 0.1, 0.0] == 94.56
    assert published["noise", "all", 0.0, 0.3] == 99.76
    assert np.isnan(published["noise", "all", 0.1, 0.3])
    row = data[(data["method"] == "noise") & (data["displacement"] == 0.1) & (data["missing"] == 0)].iloc[0]
    assert row["accuracy_percent"] == pytest.approx(98.0)


def test_tables_of_accuracies_are_the_thesis_s(tmp_path: Path) -> None:
    data = accuracy_data()
    table = accuracy_table(data, "5.2").set_index("Method")
    assert list(table) == ["10 % displaced", "30 % missing"]
    assert table.loc["PTM", "10 % displaced"] == "90.00\nthesis 94.34"
    assert accuracy_table(data, "A.2").set_index("Method").loc["PTM", "10 % displaced"] == "10.00\nthesis 10.71"
    assert list(accuracy_table(data, "5.1")) == ["Method", "Pristine", "1 % displaced", "5 % missing"]
    third = accuracy_table(data, "5.3")
    assert list(third) == ["Method", "1 % displaced, 5 % missing", "10 % displaced, 30 % missing"]
    assert third["Method"].tolist() == ["PTM", "pristine", "noise"]
    without = data[~((data["method"] == "noise") & (data["missing"] > 0))]
    assert accuracy_table(without, "5.2").set_index("Method").loc["noise", "30 % missing"] == "–"
    write_accuracy_table(data, "5.2", tmp_path / "table.html")
    page = (tmp_path / "table.html").read_text()
    assert "as table 5.2" in page
    assert "90.00<br><small>thesis 94.34</small>" in page
    with pytest.raises(ValueError, match=r"got '5\.4'"):
        accuracy_table(data, "5.4")  # type: ignore[arg-type]


def test_curves_of_accuracy(drawn: Pictures, tmp_path: Path) -> None:
    plot_defect_accuracy(accuracy_data(), tmp_path / "accuracy.svg")
    assert len(drawn.titles[0]) == 6
    assert {"PTM", "pristine", "noise", "ARISE, thesis"} <= set(drawn.texts)
    only = defect_accuracy_data({"pristine": accuracies(1.0)}, None, published_numbers(PUBLISHED))
    plot_defect_accuracy(only[(only["missing"] == 0)], tmp_path / "one.svg")
    assert len(drawn.titles[1]) == 2
    plot_defect_accuracy(defect_accuracy_data({}, None, published_numbers(PUBLISHED)), tmp_path / "none.svg")
    assert "No model was tested on defective structures." in drawn.texts


def test_published_numbers_are_as_printed(tmp_path: Path) -> None:
    table = published_numbers(PUBLISHED)
    of_arise = table[(table["quantity"] == "accuracy") & (table["subject"] == "ARISE")]
    assert len(of_arise[of_arise["source"] == "table A.2"]) == 4
    assert not table.duplicated(["quantity", "subject", "classes", "displacement", "missing"]).any()
    accuracy = table[table["quantity"] == "accuracy"]
    assert accuracy["value"].between(0, 100).all()
    assert accuracy[["displacement", "missing"]].notna().all(axis=None)
    # a method right about x % of its own classes is not right about more of all
    wide = accuracy.pivot_table(
        index=["subject", "displacement", "missing"], columns="classes", values="value"
    ).dropna()
    assert (wide["all"] <= wide["own"]).all()
    assert len(wide) == 24
    bad = tmp_path / "bad.csv"
    bad.write_text(PUBLISHED.read_text().replace("94.56", "many"))
    with pytest.raises(ValueError, match="column value must hold numbers"):
        published_numbers(bad)
    bad.write_text("a,b\n1,2\n")
    with pytest.raises(ValueError, match="must have the columns"):
        published_numbers(bad)


def classification(labels: list[str], known: bool | None) -> Classification:
    probabilities = (0.9, 0.06, 0.03, 0.01, 0.0001, 0.0)
    return Classification(labels[0], tuple(zip(labels, probabilities, strict=True)), 0.1234, 0.5, 1.0, known)


def test_rankings_beside_their_structures(drawn: Pictures, tmp_path: Path) -> None:
    salt, layer = bulk("NaCl", "rocksalt", 5.64, cubic=True), graphene(size=(3, 3, 1), vacuum=5.0)
    layer.pbc = False
    found = {
        "salt": (salt, classification(list(CLASSES), None)),
        "flake": (layer, classification(list(reversed(CLASSES)), False)),
    }
    data = ranking_data(found)
    assert len(data) == 10
    assert data.groupby("structure")["probability"].is_monotonic_decreasing.all()
    pictures = structure_data({name: atoms for name, (atoms, _) in found.items()})
    atoms = pictures[pictures["kind"] == "atom"].groupby("structure").size()
    assert atoms.to_dict() == {"salt": 27, "flake": len(layer)}  # eight atoms, and their images on the faces
    edges = pictures[pictures["kind"] == "edge"].groupby("structure").size()
    assert edges.to_dict() == {"salt": 12}
    # seen from above, a flat structure is its x and y
    flake = pictures[(pictures["structure"] == "flake") & (pictures["kind"] == "atom")]
    np.testing.assert_allclose(
        np.sort(flake["x"]), np.sort(layer.positions[:, 0] - layer.positions[:, 0].mean()), atol=1e-9
    )
    for name, frame in (("ranking", data), ("structures", pictures)):
        frame.to_csv(tmp_path / f"{name}.csv", index=False)
    plot_ranking(
        pd.read_csv(tmp_path / "ranking.csv"), pd.read_csv(tmp_path / "structures.csv"), tmp_path / "ranking.svg"
    )
    assert drawn.titles[0] == [
        "salt\nNaCl, 8 atoms", "mutual information 0.123 bits",
        f"flake\nC, {len(layer)} atoms", "mutual information 0.123 bits\nunlike the training set",
    ]  # fmt: skip
    assert {"bcc  90.0 %", "α-Pa  < 0.1 %", "Na", "Cl", "C"} <= set(drawn.texts)
    with pytest.raises(ValueError, match="no picture of the structures salt"):
        plot_ranking(data, pictures[pictures["structure"] != "salt"], tmp_path / "ranking.svg")


def test_a_single_atom_has_a_picture() -> None:
    frame = structure_data({"atom": Atoms("Cu")})
    assert frame["radius"].gt(0).all()
    assert np.isfinite(frame[["x", "y", "depth"]]).all(axis=None)


@pytest.mark.parametrize(
    ("name", "label"),
    [
        ("L1_2", "L1$_2$"), ("alpha_Pa", "α-Pa"), ("MnS2", "MnS$_{2}$"), ("Ti3C2H2O2", "Ti$_{3}$C$_{2}$H$_{2}$O$_{2}$"),
        ("nanotube_5_2", "nanotube (5, 2)"), ("hexagonal_diamond", "hexagonal diamond"), ("fcc", "fcc"), ("In", "In"),
        ("BN", "BN"), ("my_phase", "my phase"), ("NaCl", "NaCl"), ("molecular_iodine", "molecular iodine"),
    ],
)  # fmt: skip
def test_names_of_classes_are_printed_as_usual(name: str, label: str) -> None:
    assert crystal_label(name) == label


def test_colours_and_frequencies_of_classes() -> None:
    colours = class_colours(["fcc", "mine", "yours", "other"])
    assert colours["fcc"] == class_colours(["x", "fcc"])["fcc"]
    assert len(set(colours.values())) == 4
    assert len(set(cluster_colours(10))) == 10
    assert most_frequent(["b", "a", "", "", "", "b", "c"], 2) == ["b", "a"]
    assert list(joined_rare(["a", "b", ""], ["a"])) == ["a", "other", ""]


def test_sparse_layers_of_clusters_keep_the_stride(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Boxes of one class in the drawn layer, two and three strides apart: each is its own square of one stride."""
    strided = in_order(a_map(stride=2.0, size=(16, 12, 12)))
    index = np.stack(np.unravel_index(np.arange(len(strided)), strided.grid.shape), axis=1)
    depth = strided.grid.shape[2]
    middle = (index[:, 2] == depth // 2) & np.isin(index[:, 0], [0, 2, 5]) & (index[:, 1] == 1)
    elsewhere = np.isin(index[:, 2], [0, depth - 1]) & (index[:, 0] < 6)
    boxes = np.flatnonzero(strided.classified & (middle | elsewhere))
    labels = index[boxes, 0] % 2
    clusters = Clusters(labels, np.ones(len(boxes)), np.ones(len(boxes), bool))
    seen = []
    monkeypatch.setattr(Figure, "savefig", lambda self, path, **_: (seen.append(self.axes[0].images[0]), path.touch()))
    data = cluster_data(strided, {"layer_0": (clusters, np.zeros((len(boxes), 2)))}, boxes)
    plot_clusters(data, tmp_path / "clusters.png")
    pixels, extent = seen[0].get_array(), seen[0].get_extent()
    assert (extent[1] - extent[0]) / pixels.shape[1] == pytest.approx(2.0)
    drawn_there = (np.abs(pixels[1, :, :3] - 0xED / 255) > 1e-6).any(axis=1)
    assert np.flatnonzero(drawn_there).tolist() == [0, 2, 5]


def test_long_names_are_broken_between_words() -> None:
    assert wrapped("stem_image_grain_boundary", 14) == "stem_image_\ngrain_boundary"
    assert wrapped("short", 3) == "short"
    assert wrapped("Fe3C, 16 atoms", 20) == "Fe3C, 16 atoms"
