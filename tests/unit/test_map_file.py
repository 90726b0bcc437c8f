"""Strided maps written and read back: HDF5 by this package, XYZ by ASE and OVITO, image data by an XML parser and VTK."""

import re
import xml.etree.ElementTree as ET
from dataclasses import replace
from pathlib import Path

import ase.io
import h5py
import numpy as np
import pytest
from ase.build import bulk
from ovito.io import import_file

from gbscape.crystal.boxes import box_grid, count_atoms
from gbscape.crystal.map_export import write_atoms_xyz, write_boxes_xyz, write_vti
from gbscape.crystal.map_file import (
    BoxStatus,
    MapError,
    StridedMap,
    join_maps,
    map_provenance,
    most_probable,
    read_map,
    write_map,
)
from gbscape.store.provenance import Provenance

CLASSES = ("fcc", "bcc", "L1_2", "hcp")
PROVENANCE = Provenance.of({"stride_angstrom": 3.0}, code="abc", seed=1)


@pytest.fixture
def sample():
    """An L-shaped piece: boxes in its corner are empty."""
    block = bulk("Cu", "fcc", 3.615, cubic=True).repeat((8, 6, 3))
    return block[(block.positions[:, 0] < 12) | (block.positions[:, 1] < 8)]


def a_map(sample, full=True, seed=0):
    """Most boxes classified, in a shuffled order, one failed, those with few atoms not classified."""
    rng = np.random.default_rng(seed)
    grid = box_grid(sample.positions, edge_angstrom=7.0, stride_angstrom=(3.0, 4.0, 5.0))
    n = len(grid) - 5  # some boxes of the grid are not in the map
    index = rng.permutation(len(grid))[:n]
    atoms = count_atoms(sample.positions, grid).ravel()[index]
    status = np.where(atoms == 0, BoxStatus.EMPTY, np.where(atoms < 5, BoxStatus.TOO_FEW_ATOMS, BoxStatus.CLASSIFIED))
    status = status.astype(np.uint8)
    failed = np.flatnonzero(status == BoxStatus.CLASSIFIED)[0]
    status[failed] = BoxStatus.FAILED
    classified = status == BoxStatus.CLASSIFIED
    p = rng.dirichlet(np.ones(len(CLASSES)), n).astype(np.float32)
    p[~classified] = np.nan
    nan = np.where(classified, 0, np.nan).astype(np.float32)
    top, probability = most_probable(p, 2)
    return StridedMap(
        grid=grid,
        classes=CLASSES,
        grid_index=index,
        n_atoms=atoms.astype(np.int32),
        status=status,
        top_class=top,
        top_probability=probability,
        mutual_information=rng.random(n).astype(np.float32) + nan,
        predictive_entropy=rng.random(n).astype(np.float32) + nan,
        interpolated=rng.random(n) < 0.3,
        distance_score=rng.random(n).astype(np.float32) + nan,
        probabilities=p if full else None,
        hidden={"dense_2": rng.random((n, 6)).astype(np.float32)},
        columns={"cluster": rng.integers(-1, 3, n), "region": np.array(["core", "edge"])[rng.integers(0, 2, n)]},
        reasons={int(index[failed]): "ValueError: two atoms at one place"},
    )


def same(one, other, hidden=True):
    assert one.classes == other.classes
    assert one.grid.edge_angstrom == other.grid.edge_angstrom
    for a, b in zip(one.grid.lower_angstrom, other.grid.lower_angstrom, strict=True):
        assert (a == b).all()
    for name in (
        "grid_index", "n_atoms", "status", "top_class", "top_probability", "mutual_information", "predictive_entropy",
        "interpolated", "distance_score", "probabilities",
    ):  # fmt: skip
        mine, theirs = getattr(one, name), getattr(other, name)
        assert (mine is None) == (theirs is None)
        if mine is not None:
            np.testing.assert_array_equal(mine, theirs)
            assert mine.dtype == theirs.dtype
    for group in ("hidden", "columns") if hidden else ("columns",):
        assert set(getattr(one, group)) == set(getattr(other, group))
        for name, values in getattr(one, group).items():
            np.testing.assert_array_equal(values, getattr(other, group)[name])
    assert one.reasons == other.reasons


@pytest.mark.parametrize("full", [True, False])
def test_a_map_is_read_as_it_was_written(tmp_path: Path, sample, full: bool) -> None:
    written = a_map(sample, full)
    path = tmp_path / "map.h5"
    write_map(path, written, PROVENANCE)
    same(read_map(path), written)
    assert map_provenance(path) == PROVENANCE
    without = read_map(path, hidden=False)
    assert without.hidden == {}
    same(without, written, hidden=False)
    with h5py.File(path) as file:
        assert file["boxes/top_class"].chunks is not None
        assert file["boxes/top_class"].compression == "gzip"
    assert [file.name for file in tmp_path.iterdir()] == ["map.h5"]


def test_an_empty_map_is_a_map(tmp_path: Path, sample) -> None:
    nothing = a_map(sample).take(np.array([], dtype=int))
    assert len(nothing) == 0
    write_map(tmp_path / "map.h5", nothing, PROVENANCE)
    same(read_map(tmp_path / "map.h5"), nothing)


def test_centres_and_values_on_the_grid(sample) -> None:
    m = a_map(sample)
    np.testing.assert_array_equal(m.centres_angstrom(), m.grid.centres_angstrom().reshape(-1, 3)[m.grid_index])
    on_grid = m.on_grid(m.mutual_information)
    assert on_grid.shape == m.grid.shape
    np.testing.assert_array_equal(on_grid.ravel()[m.grid_index], m.mutual_information)
    absent = np.setdiff1d(np.arange(len(m.grid)), m.grid_index)
    assert len(absent) == 5
    assert np.isnan(on_grid.ravel()[absent]).all()
    assert (m.on_grid(m.n_atoms, missing=-1).ravel()[absent] == -1).all()
    assert m.on_grid(m.hidden["dense_2"]).shape == (*m.grid.shape, 6)


def test_labels_and_probabilities_of_classes(sample) -> None:
    full, short = a_map(sample), a_map(sample, full=False)
    assert full.probabilities is not None
    for number, label in enumerate(CLASSES):
        np.testing.assert_array_equal(full.probability(label), full.probabilities[:, number])
        kept = (short.top_class == number).any(axis=1)
        np.testing.assert_array_equal(short.probability(label)[kept], full.probability(label)[kept])
        assert (short.probability(label)[~kept & short.classified] == 0).all()
        assert np.isnan(short.probability(label)[~short.classified]).all()
    expected = np.array(CLASSES)[np.nanargmax(full.probabilities[full.classified], axis=1)]
    assert (full.labels[full.classified] == expected).all()
    assert (full.labels[~full.classified] == "").all()
    with pytest.raises(MapError, match="no class 'sc'; it has fcc, bcc"):
        full.probability("sc")


def test_the_most_probable_classes() -> None:
    p = np.array([[0.1, 0.6, 0.3], [0.4, 0.2, 0.4], [np.nan] * 3])
    top, value = most_probable(p, 2)
    np.testing.assert_array_equal(top, [[1, 2], [0, 2], [-1, -1]])
    np.testing.assert_allclose(value, [[0.6, 0.3], [0.4, 0.4], [np.nan] * 2])
    with pytest.raises(MapError, match="4 most probable"):
        most_probable(p, 4)


def test_parts_join_to_the_whole(sample) -> None:
    whole = a_map(sample)
    parts = [whole.take(np.arange(start, min(start + 40, len(whole)))) for start in range(0, len(whole), 40)]
    assert len(parts) > 2
    same(join_maps(parts), whole)
    with pytest.raises(MapError, match="twice"):
        join_maps([whole, parts[1]])
    with pytest.raises(MapError, match="same values"):
        join_maps([parts[0], replace(parts[1], distance_score=None)])
    with pytest.raises(MapError, match="same grid"):
        join_maps([parts[0], replace(parts[1], classes=CLASSES[::-1])])
    with pytest.raises(MapError, match="no maps"):
        join_maps([])


def test_maps_that_contradict_themselves_are_refused(sample) -> None:
    m = a_map(sample)
    good = np.flatnonzero(m.classified)[0]

    def changed(name, place, value):
        array = getattr(m, name).copy()
        array[place] = value
        return {name: array}

    for change, message in [
        (changed("grid_index", 0, m.grid_index[1]), "twice"),
        (changed("grid_index", 0, len(m.grid)), "none of the number"),
        (changed("status", good, 9), "status"),
        (changed("top_class", good, len(CLASSES)), "top_class"),
        (changed("top_class", good, -1), "top_class"),
        (changed("mutual_information", good, np.nan), "mutual_information must be finite"),
        (changed("probabilities", good, 0.5), "add up to 1"),
        (changed("status", good, BoxStatus.EMPTY), "-1 in the others"),
        ({"reasons": {}}, "a reason for each failed box"),
        ({"n_atoms": m.n_atoms[1:]}, "n_atoms must have one entry"),
        ({"columns": {"cluster": np.zeros(3)}}, "columns/cluster must have one entry"),
        ({"classes": ("f c c", *CLASSES[1:])}, "without blanks"),
        ({"probabilities": m.probabilities[:, 1:]}, "probabilities must have the shape"),
    ]:
        with pytest.raises(MapError, match=message):
            replace(m, **change)


def test_other_files_are_refused(tmp_path: Path) -> None:
    (tmp_path / "text.h5").write_text("no HDF5")
    with pytest.raises(MapError, match=r"text\.h5 cannot be read"):
        read_map(tmp_path / "text.h5")
    with h5py.File(tmp_path / "other.h5", "w") as file:
        file["boxes/top_class"] = 1
    with pytest.raises(MapError, match=r"other\.h5 holds no strided map"):
        read_map(tmp_path / "other.h5")
    with pytest.raises(MapError, match=r"other\.h5 holds no strided map"):
        map_provenance(tmp_path / "other.h5")
    with pytest.raises(FileNotFoundError):
        read_map(tmp_path / "none.h5")


def test_boxes_are_opened_by_ase_and_ovito(tmp_path: Path, sample) -> None:
    m = a_map(sample)
    path = tmp_path / "boxes.xyz"
    write_boxes_xyz(path, m)
    ours = m.take(m.classified)
    read = ase.io.read(path)
    np.testing.assert_allclose(read.positions, ours.centres_angstrom(), atol=1e-8)
    assert (read.arrays["class"] == ours.labels).all()
    assert (read.arrays["class_index"] == ours.top_class[:, 0]).all()
    assert (read.arrays["second_class"] == np.array(CLASSES)[ours.top_class[:, 1]]).all()
    for name in ("mutual_information", "predictive_entropy", "distance_score"):
        np.testing.assert_allclose(read.arrays[name], getattr(ours, name), atol=1e-8)
    assert (read.arrays["interpolated"] == ours.interpolated).all()
    assert (read.arrays["region"] == ours.columns["region"]).all()
    assert (read.info["grid"] == m.grid.shape).all()

    particles = import_file(path).compute().particles
    np.testing.assert_allclose(particles.positions, ours.centres_angstrom(), atol=1e-8)
    np.testing.assert_allclose(particles["mutual_information"], ours.mutual_information, atol=1e-8)
    np.testing.assert_allclose(particles["probability"], ours.top_probability[:, 0], atol=1e-8)
    assert list(particles["class"]) == list(ours.labels)
    assert (np.array(particles["Cluster"]) == ours.columns["cluster"]).all()


def test_atoms_take_the_values_of_the_nearest_box(tmp_path: Path, sample) -> None:
    m = a_map(sample)
    sample.set_array("grain", np.arange(len(sample)) % 3)
    path = tmp_path / "atoms.xyz"
    write_atoms_xyz(path, sample, m)
    ours = m.take(m.classified)
    distance = np.linalg.norm(sample.positions[:, None] - ours.centres_angstrom(), axis=2)
    read = ase.io.read(path)
    assert (read.numbers == sample.numbers).all()
    assert (read.pbc == sample.pbc).all()
    assert (read.arrays["grain"] == sample.arrays["grain"]).all()
    np.testing.assert_allclose(read.arrays["box_distance"], distance.min(axis=1), atol=1e-6)
    # Of boxes that are equally far, any.
    found = [set(ours.labels[row <= row.min() + 1e-6]) for row in distance]
    assert all(label in labels for label, labels in zip(read.arrays["class"], found, strict=True))
    assert len(set(read.arrays["class"])) > 1

    particles = import_file(path).compute().particles
    assert particles.count == len(sample)
    np.testing.assert_allclose(particles["mutual_information"], read.arrays["mutual_information"])


def test_a_map_without_classified_boxes_has_nothing_to_show(tmp_path: Path, sample) -> None:
    m = a_map(sample)
    nothing = m.take(m.status == BoxStatus.EMPTY)
    assert len(nothing) > 0
    for write in (lambda p: write_boxes_xyz(p, nothing), lambda p: write_atoms_xyz(p, sample, nothing)):
        with pytest.raises(MapError, match=r"none of the .* boxes of the map is classified"):
            write(tmp_path / "boxes.xyz")
    assert not list(tmp_path.iterdir())


def image_data(path: Path) -> tuple[dict[str, str], dict[str, np.ndarray]]:
    """Read VTK image data with appended raw arrays by the rules of the format."""
    content = path.read_bytes()
    head, appended = re.split(rb'<AppendedData encoding="raw">\s*_', content, maxsplit=1)
    root = ET.fromstring(head + b"</VTKFile>")
    assert root.attrib["type"] == "ImageData"
    assert root.attrib["byte_order"] == "LittleEndian"
    width = {"UInt32": 4, "UInt64": 8}[root.attrib.get("header_type", "UInt32")]
    image = root.find("ImageData")
    assert image is not None
    fields = {}
    for array in image.findall("Piece/PointData/DataArray"):
        assert array.attrib["format"] == "appended"
        start = int(array.attrib["offset"])
        size = int.from_bytes(appended[start : start + width], "little")
        kind = {"Float32": "<f4", "Int32": "<i4"}[array.attrib["type"]]
        fields[array.attrib["Name"]] = np.frombuffer(appended[start + width : start + width + size], dtype=kind)
    return dict(image.attrib), fields


def test_image_data_is_the_map(tmp_path: Path, sample) -> None:
    m = a_map(sample)
    path = tmp_path / "map.vti"
    write_vti(path, m, ["L1_2", "fcc"])
    assert [file.name for file in tmp_path.iterdir()] == ["map.vti"]
    attributes, fields = image_data(path)
    nx, ny, nz = m.grid.shape
    assert [int(x) for x in attributes["WholeExtent"].split()] == [0, nx - 1, 0, ny - 1, 0, nz - 1]
    np.testing.assert_allclose([float(x) for x in attributes["Origin"].split()], m.grid.centres_angstrom()[0, 0, 0])
    np.testing.assert_allclose([float(x) for x in attributes["Spacing"].split()], [3.0, 4.0, 5.0])
    assert set(fields) == {
        "probability L1_2", "probability fcc", "class_index", "mutual_information", "predictive_entropy",
        "distance_score", "n_atoms", "status", "cluster",
    }  # fmt: skip
    for name, values in [
        ("mutual_information", m.mutual_information),
        ("probability L1_2", m.probability("L1_2")),
    ]:
        # x runs fastest in VTK.
        np.testing.assert_array_equal(fields[name].reshape(nz, ny, nx).transpose(2, 1, 0), m.on_grid(values))
    np.testing.assert_array_equal(
        fields["class_index"].reshape(nz, ny, nx).transpose(2, 1, 0), m.on_grid(m.top_class[:, 0], -1)
    )


def test_vtk_reads_the_image_data(tmp_path: Path, sample) -> None:
    reader_module = pytest.importorskip("vtkmodules.vtkIOXML", reason="the package vtk is not installed")
    numpy_support = pytest.importorskip("vtkmodules.util.numpy_support")
    m = a_map(sample)
    write_vti(tmp_path / "map.vti", m, ["fcc"])
    reader = reader_module.vtkXMLImageDataReader()
    reader.SetFileName(str(tmp_path / "map.vti"))
    reader.Update()
    image = reader.GetOutput()
    assert image.GetDimensions() == m.grid.shape
    for box in np.flatnonzero(m.classified)[::7]:
        point = image.FindPoint(m.centres_angstrom()[box])
        value = image.GetPointData().GetArray("mutual_information").GetValue(point)
        assert value == pytest.approx(m.mutual_information[box])
    field = numpy_support.vtk_to_numpy(image.GetPointData().GetArray("probability fcc"))
    np.testing.assert_array_equal(field, m.on_grid(m.probability("fcc")).ravel(order="F"))


def test_a_slab_is_an_image_of_one_layer(tmp_path: Path, sample) -> None:
    grid = box_grid(sample.positions, edge_angstrom=7.0, stride_angstrom=(3.0, 3.0, None))
    n = len(grid)
    p = np.tile([0.7, 0.1, 0.1, 0.1], (n, 1))
    top, probability = most_probable(p, 1)
    m = StridedMap(
        grid, CLASSES, np.arange(n), np.full(n, 50), np.zeros(n, np.uint8), top, probability, np.zeros(n), np.zeros(n)
    )
    write_vti(tmp_path / "map.vti", m, [])
    attributes, fields = image_data(tmp_path / "map.vti")
    assert attributes["WholeExtent"].split()[4:] == ["0", "0"]
    assert float(attributes["Spacing"].split()[2]) > 0
    assert len(fields["class_index"]) == n
    write_boxes_xyz(tmp_path / "boxes.xyz", m)
    assert "second_class" not in ase.io.read(tmp_path / "boxes.xyz").arrays


def test_bad_requests_for_image_data(tmp_path: Path, sample) -> None:
    m = a_map(sample)
    with pytest.raises(MapError, match="no class 'sc'"):
        write_vti(tmp_path / "map.vti", m, ["sc"])
    with pytest.raises(ValueError, match=r"ends in \.vti"):
        write_vti(tmp_path / "map.vtk", m, ["fcc"])
