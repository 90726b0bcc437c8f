"""Datasets of an alloy: written, read, and refused."""

import ase.io
import numpy as np
import pytest
from ase import Atoms

from gbscape.alloy.dataset import PURE_CONCENTRATION, DatasetError, ratio, read_cells, read_known, shares, write_cells
from gbscape.alloy.energies import labelled
from gbscape.store.provenance import Provenance
from gbscape.store.records import atoms_to_record
from gbscape.store.shards import open_shard, write_shard

PAIR = ("Li", "Si")
FRAME = '2\nLattice="4 0 0 0 4 0 0 0 4" Properties=species:S:1:pos:R:3 {info} pbc="{pbc}"\n{first} 0 0 0\nSi 2 {y} 2\n'


def frame(info="energy=-7.5", pbc="T T T", first="Li", y="2"):
    return FRAME.format(info=info, pbc=pbc, first=first, y=y)


def test_what_is_written_is_read(tmp_path):
    rng = np.random.default_rng(0)
    records = {}
    for name in ("round_1_0.5_0", "round_1_3.75_1"):
        atoms = Atoms("Li3Si", rng.random((4, 3)) * 5, cell=[5, 5, 5], pbc=True)
        records[name] = {
            "structure": atoms_to_record(atoms),
            "concentration": float(name.split("_")[2]),
            "temperature_kelvin": 300.0,
            "energy_ev": float(rng.normal()),
            "forces_ev_angstrom": rng.normal(size=(4, 3)),
            "stress_ev_angstrom3": np.eye(3) * 0.01,
            "dft": {"kpoints": '{"size": [2, 2, 2]}', "code": "gpaw 26.7.0"},
        }
    write_shard(tmp_path / "round_1.h5", records, Provenance.of({}, "code"), {})
    write_cells([tmp_path / "round_1.h5"], tmp_path / "data.xyz")
    cells = read_cells([tmp_path / "data.xyz"], PAIR)
    assert [cell.name for cell in cells] == list(records)
    for cell, record in zip(cells, records.values(), strict=True):
        assert cell.energy_ev == pytest.approx(record["energy_ev"], abs=1e-8)
        assert cell.concentration == record["concentration"]
        assert cell.atoms.positions == pytest.approx(record["structure"]["positions"], abs=1e-7)
        assert cell.energy_ev_atom == pytest.approx(record["energy_ev"] / 4, abs=1e-8)


def test_cells_that_are_known_are_a_batch_and_are_written_as_they_were(tmp_path):
    test_what_is_written_is_read(tmp_path)
    read_known(tmp_path / "data.xyz", tmp_path / "known.h5", PAIR, "code")
    write_cells([tmp_path / "known.h5"], tmp_path / "again.xyz")
    assert (tmp_path / "again.xyz").read_text() == (tmp_path / "data.xyz").read_text()
    with open_shard(tmp_path / "known.h5") as batch:
        structures = labelled(batch)
    frames = ase.io.read(tmp_path / "data.xyz", ":")
    assert [its.energy_ev for its in structures] == [atoms.get_potential_energy() for atoms in frames]
    for its, atoms in zip(structures, frames, strict=True):
        assert np.array_equal(its.forces_ev_angstrom, atoms.get_forces())
    (tmp_path / "own.xyz").write_text(frame())
    with pytest.raises(DatasetError, match=r"own\.xyz, frame 0: it has no forces"):
        read_known(tmp_path / "own.xyz", tmp_path / "own.h5", PAIR, "code")


def test_a_file_of_ones_own_needs_only_energies(tmp_path):
    (tmp_path / "own.xyz").write_text(frame() + frame("energy=-3 name=second concentration=2.5"))
    first, second = read_cells([tmp_path / "own.xyz"], PAIR)
    assert (first.name, first.energy_ev, first.concentration) == ("own:0", -7.5, 1.0)
    assert (second.name, second.concentration) == ("second", 2.5)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (frame() + frame("step=3"), r"frame 1: it has no energy; its comment line needs energy=\.\.\. in eV"),
        (frame(pbc="T T F"), "frame 0: it must be periodic along three vectors"),
        (frame(first="Ge"), r"frame 0: it has Ge, and alloy\.species are Li and Si"),
        (frame("energy=1 concentration=rich"), "frame 0: its concentration is 'rich'; it must be a number"),
        (frame('energy=1 concentration="1 2"'), "frame 0: its concentration is '.1 2.'"),
        (frame("energy=1 concentration=nan"), "frame 0: its concentration is 'nan'"),
        (frame("energy=1 concentration=-1"), "frame 0: its concentration is '-1'; it must be a number, not negative"),
        (frame("energy=nan"), "frame 0: its energy is nan"),
        (frame(y="nan"), "frame 0: positions must be finite"),
        (frame("energy=1 name=x") + frame("energy=1 name=x"), "several frames are called x"),
        (frame("energy=1 name=mp/1"), "frame 0: its name is 'mp/1'; it must not"),
        (frame('energy=1 stress="nan 0 0 0 0 0 0 0 0"'), "frame 0: its stress is not finite"),
        (
            frame("energy=1")
            .replace("pos:R:3", "pos:R:3:forces:R:3")
            .replace("0 0 0\n", "0 0 0 0 nan 0\n")
            .replace("2 2\n", "2 2 0 0 0\n"),
            "frame 0: its forces are not finite",
        ),
        ("", "has no frames"),
        ("3\nno", "cannot be read as extended XYZ"),
    ],
)
def test_datasets_that_cannot_be_used(tmp_path, text, message):
    (tmp_path / "bad.xyz").write_text(text)
    with pytest.raises(DatasetError, match=message):
        read_cells([tmp_path / "bad.xyz"], PAIR)


def test_names_are_unique_over_all_files(tmp_path):
    for name in ("a.xyz", "b.xyz"):
        (tmp_path / name).write_text(frame("energy=1 name=x"))
    with pytest.raises(DatasetError, match="several frames are called x"):
        read_cells([tmp_path / "a.xyz", tmp_path / "b.xyz"], PAIR)


def test_names_that_look_like_numbers_stay_as_they_are(tmp_path):
    names = ["1_10", "11_0", "007", "T", "0.5_1", "1e3"]
    (tmp_path / "own.xyz").write_text(
        "".join(frame(f"energy=-1 name={name}") for name in names) + frame('name="a b" energy=1')
    )
    assert [cell.name for cell in read_cells([tmp_path / "own.xyz"], PAIR)] == [*names, "a b"]


def test_stresses_are_read_where_there_are_any(tmp_path):
    (tmp_path / "own.xyz").write_text(frame() + frame('energy=-3 stress="1 2 3 2 5 6 3 6 9" name=second'))
    first, second = read_cells([tmp_path / "own.xyz"], PAIR)
    assert first.stress_ev_angstrom3 is None
    assert second.stress_ev_angstrom3 == pytest.approx(np.array([[1, 2, 3], [2, 5, 6], [3, 6, 9]]))


def test_shares_and_ratios(tmp_path):
    (tmp_path / "own.xyz").write_text(frame() + frame("energy=-3 name=second", first="Si"))
    assert shares(read_cells([tmp_path / "own.xyz"], PAIR), PAIR) == pytest.approx(np.array([[0.5, 0.5], [0, 1]]))
    assert ratio(Atoms("Li3Si2"), PAIR) == 1.5
    assert ratio(Atoms("Li"), PAIR) == PURE_CONCENTRATION
