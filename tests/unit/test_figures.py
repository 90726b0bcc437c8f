"""Figures: what their data steps compute, and that their plot steps draw every case there is."""

from collections.abc import Callable
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure

from gbscape.config.figures import Figures, Gallery
from gbscape.figures import style
from gbscape.figures.confusion import confusion_data, plot_confusion
from gbscape.figures.energy_against_disorientation import (
    energy_against_disorientation_data,
    plot_energy_against_disorientation,
)
from gbscape.figures.energy_against_published import energy_against_published_data, plot_energy_against_published
from gbscape.figures.gallery import Panel, in_order, plot_gallery, read_panels, write_panels
from gbscape.figures.importance import importance_data, plot_importance
from gbscape.figures.labels import (
    boundary_label,
    in_usual_order,
    representation_colours,
    representation_label,
    shortened,
)
from gbscape.figures.learning_curve import learning_curve_data, plot_learning_curve
from gbscape.figures.parity import parity_data, plot_parity
from gbscape.learn.tables import (
    CONFUSION_COLUMNS,
    IMPORTANCE_COLUMNS,
    LEARNING_CURVE_COLUMNS,
    PREDICTION_COLUMNS,
    SCORE_COLUMNS,
)

SETTINGS = Figures(reached_within_j_m2=0.005, lower_by_j_m2=0.01, top_features=4)
SWEEP = [f"soap~cutoff_angstrom={c}~l_max={n}" for c in ("4.0", "10.0") for n in (6, 12, 18)]

Texts = Callable[[], str]


@pytest.fixture
def texts(monkeypatch: pytest.MonkeyPatch) -> Texts:
    """All texts of the figures that were saved."""
    saved: list[str] = []
    original = Figure.savefig

    def savefig(self: Figure, *args: object, **kwargs: object) -> None:
        saved.extend(t.get_text() for t in self.findobj(lambda a: hasattr(a, "get_text")))
        original(self, *args, **kwargs)

    monkeypatch.setattr(Figure, "savefig", savefig)
    return lambda: "\n".join(saved)


def energies(rows: list[tuple]) -> pd.DataFrame:
    columns = ["id", "sigma", "character", "disorientation_deg", "disorientation_axis", "energy_j_m2"]
    return pd.DataFrame(rows, columns=[*columns, "published_energy_j_m2"])


SURVEY = energies(
    [
        ("S3_1.1.1_1.1.1_9e537718", 3, "twist", 60.0, "1 1 1", 0.064, 0.064),
        ("S7_4.2.1_4.2.1_b85f096b", 7, "tilt", 38.21, "1 1 1", 0.83, 0.824),
        ("S7_5.4.1_5.4.1_b85f096c", 7, "mixed", 38.21, "1 1 1", 1.2, 1.203),
        ("S11_3.1.1_3.1.1_084a9050", 11, "tilt", 50.48, "1 1 0", 0.42, 0.424),
        ("S9_2.2.1_2.2.1_084a9051", 9, "tilt", 38.94, "0 1 -1", 1.15, 1.159),
        ("S27_5.1.1_5.1.1_084a9052", 27, "tilt", 31.59, "2 2 0", 0.99, 1.02),
        ("S33_2.2.5_4.4.1_084a9053", 33, "tilt", 58.99, "1 1 0", 0.78, np.nan),
        ("S15_2.1.0_2.1.0_084a9054", 15, "tilt", 48.19, "2 1 0", 0.3, np.nan),
    ]
)


def learned(representations: list[str], n_splits: int = 3) -> tuple[pd.DataFrame, pd.DataFrame]:
    rng = np.random.default_rng(0)
    predictions, scores = [], []
    for name in [*representations, "random"]:
        for split in range(n_splits):
            for i in range(6):
                where = "test" if (i + split) % 2 else "train"
                true = 0.5 + 0.1 * i
                predictions.append((name, "energy", split, f"b{i}", where, true, true + rng.normal(0, 0.05)))
            scores += [(name, "energy", split, "mae_j_m2", 0.1 * (split + 1), 3, 3)]
            scores += [(name, "energy", split, "accuracy_percent", 90.0 + split, 3, 3)]
    return pd.DataFrame(predictions, columns=PREDICTION_COLUMNS), pd.DataFrame(scores, columns=SCORE_COLUMNS)


def curve(representations: list[str], sizes: tuple[int, ...] = (10, 20, 30)) -> pd.DataFrame:
    return pd.DataFrame(
        [
            (name, "energy", repeat, size, 10, where, base / size + 0.01 * repeat)
            for name in representations
            for repeat in (0, 1)
            for size in sizes
            for where, base in (("train", 0.5), ("test", 2.0))
        ],
        columns=LEARNING_CURVE_COLUMNS,
    )


def gains(representations: list[str]) -> pd.DataFrame:
    return pd.DataFrame(
        [
            (name, "energy", feature, share, share / 10)
            for name in representations
            for feature, share in (
                ("a", 0.0),
                ("p[1,2,l=3]", 0.3),
                ("rc=5/p[$,2]" + "x" * 60, 0.6),
                ("b", 0.1),
                ("c", 0.0),
            )
        ],
        columns=IMPORTANCE_COLUMNS,
    )


def test_outcomes_follow_the_tolerances() -> None:
    rows = [(f"b{i}", None, None, None, None, 1 + d, 1.0) for i, d in enumerate([0.0049, 0.0051, -0.0099, -0.0101])]
    data = energy_against_published_data(energies(rows), SETTINGS)
    assert data["outcome"].tolist() == ["reached", "missed", "reached", "lower"]
    np.testing.assert_allclose(data["difference_j_m2"], [0.0049, 0.0051, -0.0099, -0.0101])


def test_published_picture_counts_and_names(tmp_path: Path, texts: Texts) -> None:
    data = energy_against_published_data(SURVEY, SETTINGS)
    assert len(data) == 6  # two have no published energy
    plot_energy_against_published(data, tmp_path / "a.svg", SETTINGS)
    assert "6 boundaries" in texts()
    assert "5 reached" in texts()
    assert "(83.3 %)" in texts()
    assert "1 of these lower" in texts()
    assert "1 missed" in texts()
    for item in ("S7_4.2.1_4.2.1_b85f096b", "S27_5.1.1_5.1.1_084a9052"):
        assert boundary_label(item) in texts()
    assert boundary_label("S9_2.2.1_2.2.1_084a9051") not in texts()


def test_cusps_are_valleys_of_a_family(tmp_path: Path, texts: Texts) -> None:
    data = energy_against_disorientation_data(SURVEY)
    assert data["disorientation_deg"].is_monotonic_increasing
    families = data.set_index("sigma")["axis_family"].groupby(level=0).first()
    assert families.to_dict() == {3: "111", 7: "111", 9: "110", 11: "110", 15: "other", 27: "110", 33: "110"}
    # Sigma 3 ends the <111> series below its other members; Sigma 11 is a valley of <110>; Sigma 33 rises by too little
    # for one, and Sigma 15 belongs to no series.
    assert set(data.loc[data["cusp"], "sigma"]) == {3, 11}
    plot_energy_against_disorientation(data, tmp_path / "a.svg")
    assert boundary_label("S11_3.1.1_3.1.1_084a9050") in texts()
    assert boundary_label("S15_2.1.0_2.1.0_084a9054") not in texts()


def test_axis_that_is_none_is_refused() -> None:
    with pytest.raises(ValueError, match=r"'S3'.*three whole numbers.*'1 x 0'"):
        energy_against_disorientation_data(energies([("S3", 3, "tilt", 60.0, "1 x 0", 1.0, 1.0)]))


def test_parity_averages_over_splits_where_a_boundary_was_tested() -> None:
    predictions, scores = learned(["st", "soap"])
    data = parity_data(predictions, scores, "energy")
    assert data["representation"].unique().tolist() == ["soap", "st"]
    tested = predictions.query("representation == 'soap' and set == 'test' and id == 'b0'")["y_pred"]
    row = data.query("representation == 'soap' and id == 'b0'").iloc[0]
    assert row["n_splits"] == len(tested) == 1
    row = data.query("representation == 'soap' and id == 'b1'").iloc[0]
    tested = predictions.query("representation == 'soap' and set == 'test' and id == 'b1'")["y_pred"].to_numpy()
    assert row["n_splits"] == 2
    assert row["y_pred_mean"] == pytest.approx(tested.mean())
    assert row["y_pred_std"] == pytest.approx(abs(tested[0] - tested[1]) / 2)
    assert row["mae_j_m2"] == pytest.approx(0.2)
    assert row["accuracy_percent"] == pytest.approx(91.0)


def test_parity_reads_energies_beside_classes(tmp_path: Path, texts: Texts) -> None:
    predictions, scores = learned(["soap"])
    classes = pd.DataFrame(
        [("soap", "shear_class", 0, "b0", "test", "coupled", "uncoupled")], columns=PREDICTION_COLUMNS
    )
    accuracy = pd.DataFrame([("soap", "shear_class", 0, "accuracy_percent", 0.0, 3, 3)], columns=SCORE_COLUMNS)
    both = pd.concat([predictions.astype({"y_true": str, "y_pred": str}), classes]), pd.concat([scores, accuracy])
    expected = parity_data(predictions, scores, "energy")
    pd.testing.assert_frame_equal(parity_data(*both, "energy"), expected)
    nothing = parity_data(*both, "shear_class")
    assert nothing.empty
    plot_parity(nothing, tmp_path / "a.svg")
    assert "classes" in texts()
    with pytest.raises(ValueError, match="no rows of the target 'mobility'"):
        parity_data(*both, "mobility")


def test_learning_curve_averages_over_repeats() -> None:
    data = learning_curve_data(curve(["st", "soap"]), "energy")
    assert data["representation"].unique().tolist() == ["soap", "st"]
    row = data.query("representation == 'st' and set == 'test' and n_train == 20").iloc[0]
    assert row["mae_mean_j_m2"] == pytest.approx(0.105)
    assert row["mae_std_j_m2"] == pytest.approx(0.005)
    assert row["n_repeats"] == 2


def test_importance_is_ranked_and_summed() -> None:
    data = importance_data(gains(["soap"]), "energy")
    # of those that no tree has used the first one only
    assert data["feature"].str[:4].tolist() == ["rc=5", "p[1,", "b", "a"]
    assert data["rank"].tolist() == [1, 2, 3, 4]
    np.testing.assert_allclose(data["cumulative"], [0.6, 0.9, 1.0, 1.0])


def confused(representations: list[str]) -> pd.DataFrame:
    """Two splits; class a is rarer than class b and taken for it once in three; `representations[i]` is i better at b."""
    counts = {("a", "a"): 2, ("a", "b"): 1, ("b", "a"): 16, ("b", "b"): 4}
    return pd.DataFrame(
        [
            (name, "shear_class", split, true, predicted, count + (i if predicted == "b" else -i) * (true == "b"))
            for i, name in enumerate(representations)
            for split in (0, 1)
            for (true, predicted), count in counts.items()
        ],
        columns=CONFUSION_COLUMNS,
    )


def test_confusion_is_summed_over_splits_and_normalised_by_true_class(tmp_path: Path, texts: Texts) -> None:
    data = confusion_data(confused(["soap"]), "shear_class")
    assert data[["y_true", "y_pred"]].to_numpy().tolist() == [["b", "b"], ["b", "a"], ["a", "b"], ["a", "a"]]
    np.testing.assert_allclose(data["mean_count"], [4, 16, 1, 2])
    np.testing.assert_allclose(data["share_percent"], [20, 80, 100 / 3, 200 / 3])
    np.testing.assert_allclose(data["balanced_percent"], (20 + 200 / 3) / 2)
    plot_confusion(data, tmp_path / "a.svg")
    assert "80 %\n16.0" in texts()
    assert "balanced 43.3 %" in texts()
    plot_confusion(confusion_data(confused(["soap"]), "energy"), tmp_path / "b.svg")
    assert "no classes" in texts()


def test_of_many_confusion_matrices_the_best_are_drawn(tmp_path: Path, texts: Texts) -> None:
    names = [f"m{i:02d}" for i in range(12)]
    plot_confusion(confusion_data(confused(names), "shear_class"), tmp_path / "a.svg")
    assert "the best 9 of 12" in texts()
    assert "m02" not in texts()
    assert "m03" in texts()


@pytest.mark.parametrize("representations", [["soap"], ["soap", "st", "soap+st"], [*SWEEP, "st"]], ids=len)
def test_every_representation_is_drawn(representations: list[str], tmp_path: Path, texts: Texts) -> None:
    plot_parity(parity_data(*learned(representations), "energy"), tmp_path / "a.svg")
    plot_learning_curve(learning_curve_data(curve(representations), "energy"), tmp_path / "b.svg")
    plot_importance(importance_data(gains(representations), "energy"), tmp_path / "c.svg", SETTINGS)
    for name in representations:
        assert texts().count(representation_label(name)) >= 3
    assert "Random" not in texts()


def test_smallest_cases_are_drawn(tmp_path: Path) -> None:
    plot_energy_against_published(energy_against_published_data(SURVEY[:1], SETTINGS), tmp_path / "a.svg", SETTINGS)
    plot_energy_against_disorientation(energy_against_disorientation_data(SURVEY[:1]), tmp_path / "b.svg")
    predictions, scores = learned(["soap"], n_splits=1)
    plot_parity(parity_data(predictions.query("id == 'b1'"), scores, "energy"), tmp_path / "c.svg")
    plot_learning_curve(learning_curve_data(curve(["soap"], sizes=(2,)), "energy"), tmp_path / "d.svg")
    plot_importance(importance_data(gains(["soap"])[:1], "energy"), tmp_path / "e.svg", SETTINGS)
    assert [ElementTree.parse(p).getroot().tag[-3:] for p in sorted(tmp_path.glob("*.svg"))] == ["svg"] * 5


def test_nothing_to_draw_is_said_in_the_picture(tmp_path: Path, texts: Texts) -> None:
    own = SURVEY.assign(sigma=None, character=None, disorientation_deg=None, disorientation_axis=None)
    plot_energy_against_disorientation(energy_against_disorientation_data(own), tmp_path / "a.svg")
    assert "crystallography" in texts()
    unpublished = energy_against_published_data(SURVEY.assign(published_energy_j_m2=np.nan), SETTINGS)
    plot_energy_against_published(unpublished, tmp_path / "b.svg", SETTINGS)
    assert "published energy to compare with" in texts()
    plot_learning_curve(learning_curve_data(pd.DataFrame(columns=LEARNING_CURVE_COLUMNS), "energy"), tmp_path / "c.svg")
    assert "no learning curve" in texts()
    plot_importance(importance_data(pd.DataFrame(columns=IMPORTANCE_COLUMNS), "energy"), tmp_path / "d.svg", SETTINGS)
    assert "no feature importances" in texts()


@pytest.mark.parametrize(
    "step",
    [
        lambda frame, path: energy_against_published_data(frame, SETTINGS),
        lambda frame, path: plot_energy_against_published(frame, path, SETTINGS),
        lambda frame, path: energy_against_disorientation_data(frame),
        lambda frame, path: plot_energy_against_disorientation(frame, path),
        lambda frame, path: parity_data(frame, frame, "energy"),
        lambda frame, path: plot_parity(frame, path),
        lambda frame, path: learning_curve_data(frame, "energy"),
        lambda frame, path: plot_learning_curve(frame, path),
        lambda frame, path: importance_data(frame, "energy"),
        lambda frame, path: plot_importance(frame, path, SETTINGS),
    ],
)
def test_wrong_columns_are_refused(step: Callable[[pd.DataFrame, Path], object], tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"lacks the columns .*; it has other"):
        step(pd.DataFrame(columns=["other"]), tmp_path / "a.svg")
    assert not list(tmp_path.iterdir())


def test_a_picture_shows_one_target(tmp_path: Path) -> None:
    data = learning_curve_data(curve(["soap"]), "energy")
    both = pd.concat([data, data.assign(target="published_energy")])
    with pytest.raises(ValueError, match="learning curves shows one target, got energy, published_energy"):
        plot_learning_curve(both, tmp_path / "a.svg")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("suffix", [".svg", ".png", ".pdf"])
def test_pictures_repeat_to_the_byte(suffix: str, tmp_path: Path) -> None:
    data = energy_against_published_data(SURVEY, SETTINGS)
    for name in ("a", "b"):
        plot_energy_against_published(data, tmp_path / f"{name}{suffix}", SETTINGS)
    assert (tmp_path / f"a{suffix}").read_bytes() == (tmp_path / f"b{suffix}").read_bytes()


def test_a_picture_is_complete_or_not_there(tmp_path: Path) -> None:
    def fail() -> None:
        with style.figure(tmp_path / "a.svg", 2, 2):
            raise RuntimeError("in the middle")

    with pytest.raises(RuntimeError, match="in the middle"):
        fail()
    with pytest.raises(ValueError, match=r"suffix must be one of \.svg, \.pdf, \.png"), style.figure("a.gif", 2, 2):
        pass
    assert not list(tmp_path.iterdir())


def test_labels_of_points_do_not_overlap(tmp_path: Path) -> None:
    with style.figure(tmp_path / "a.png", 4, 3) as fig:
        ax = fig.subplots()
        ax.set(xlim=(0, 1), ylim=(0, 1))
        fig.draw_without_rendering()
        style.label_points(
            ax, [0.5, 0.505, 0.51, 0.98], [0.5, 0.5, 0.505, 0.98], ["first", "second", "third", "corner"]
        )
        renderer = fig.canvas.get_renderer()
        boxes = [t.get_window_extent(renderer) for t in ax.texts if t.get_text()]
        assert len(boxes) == 4
        assert not any(a.overlaps(b) for i, a in enumerate(boxes) for b in boxes[:i])
        frame = ax.get_window_extent(renderer)
        assert all(frame.x0 <= b.x0 and b.x1 <= frame.x1 and frame.y0 <= b.y0 and b.y1 <= frame.y1 for b in boxes)


def test_names_for_readers() -> None:
    assert representation_label("soap~cutoff_angstrom=4.0~l_max=6") == "SOAP (cutoff 4.0 Å, l_max 6)"
    assert in_usual_order(["x", "random", "st", *SWEEP, "soap"]) == ["soap", *SWEEP, "st", "x", "random"]
    assert len(set(representation_colours(["soap", "soap~l_max=6", "soap~l_max=12", "st", "x"]).values())) == 5
    assert boundary_label("S3_1.1.1_5.1.1_9e537718") == r"Σ3 $\{1\,1\,1\}$|$\{5\,1\,1\}$"
    assert boundary_label("my_structure") == "my_structure"
    assert shortened("a" * 20 + "b" * 20, 11) == "aaaaa…bbbbb"


@pytest.mark.parametrize("known", [True, False])
def test_gallery_is_drawn(known: bool, tmp_path: Path, texts: Texts) -> None:
    rng = np.random.default_rng(0)
    facts = {"sigma": 5, "energy_j_m2": 1.218} if known else {}
    panel = Panel(
        id="S5_3.1.0_3.1.0_7cac86de",
        planes="",
        view="",
        positions=rng.uniform(-12, 12, (40, 2)),
        nearness=rng.uniform(0, 1, 40),
        excess_energy_ev=rng.normal(0, 0.1, 40 if known else 0),
        structure_type=rng.integers(0, 3, 40),
        atom_radius_angstrom=0.6,
        **facts,
    )
    write_panels([panel] * 3, tmp_path / "panels.h5")
    panels = read_panels(tmp_path / "panels.h5")
    assert [(p.sigma, p.energy_j_m2) for p in panels] == [(panel.sigma, panel.energy_j_m2)] * 3
    plot_gallery(panels, tmp_path / "a.svg", Gallery())
    assert "Σ5" in texts()
    assert ("1.218" in texts()) == known
    assert ("excess energy" in texts()) == known
    assert ("hcp" in texts()) != known


def test_variants_of_a_boundary_stand_side_by_side() -> None:
    nothing = dict.fromkeys(("positions", "nearness", "excess_energy_ev", "structure_type"), np.empty(0))
    panels = [
        Panel(id=item, planes="", view="", atom_radius_angstrom=0.6, sigma=sigma, energy_j_m2=energy, **nothing)
        for item, sigma, energy in (("b", 5, 1.0), ("a~before", 5, 1.1), ("c", 3, 1.3), ("a", 5, 0.9))
    ]
    assert [panel.id for panel in in_order(panels)] == ["c", "a", "a~before", "b"]
