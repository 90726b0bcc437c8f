"""Crystals and strained cells that models never learn from."""

from pathlib import Path

import numpy as np
import pytest
from ase import Atoms

from gbscape.alloy.elastic import single_strains
from gbscape.alloy.unseen import relaxed_cells, write_crystals, write_strained
from gbscape.config.alloy import Elastic
from gbscape.config.dft import TotalEnergyDft
from gbscape.energies.total_energy import kpoint_grid_of
from gbscape.store.provenance import Provenance
from gbscape.store.records import atoms_from_record, atoms_to_record
from gbscape.store.shards import open_shard, write_shard

TABLE = Path(__file__).resolve().parents[2] / "resources" / "lisi" / "crystals.csv"
PAIR = ("Li", "Si")


@pytest.fixture
def amorphous(tmp_path):
    records = {}
    for number, (concentration, temperature) in enumerate(
        [(1.0, 300.0), (1.0, 0.0), (1.0, 0.0), (2.0, 0.0), (3.0, 0.0)]
    ):
        positions = np.random.default_rng(number).random((4, 3)) * 4
        records[f"round_1_{concentration:g}_{number}"] = {
            "structure": atoms_to_record(Atoms("Li2Si2", positions, cell=[4, 4, 4], pbc=True)),
            "concentration": concentration,
            "temperature_kelvin": temperature,
        }
    write_shard(tmp_path / "round_1.h5", records, Provenance.of({}, "code"), {})
    return tmp_path / "round_1.h5"


def test_of_each_concentration_the_first_that_was_relaxed(amorphous):
    assert list(relaxed_cells(amorphous, (1.0, 2.0, 5.0))) == ["round_1_1_1", "round_1_2_3"]


def test_crystals_are_a_batch(tmp_path):
    write_crystals(TABLE, tmp_path / "crystals.h5", PAIR, "code")
    with open_shard(tmp_path / "crystals.h5") as batch:
        assert {"Li", "Si", "Li15Si4"} <= set(batch.ids)
        assert batch.read("Li15Si4")["concentration"] == 3.75
        assert batch.read("Si")["concentration"] == 0
        assert np.isfinite(batch.read("Li")["concentration"])


def test_strained_cells_of_one_cell_share_its_points(tmp_path, amorphous):
    settings, dft = Elastic(most_atoms=2, concentrations=(2.0,)), TotalEnergyDft()
    write_strained(TABLE, amorphous, tmp_path / "strained.h5", PAIR, settings, dft, "code")
    with open_shard(tmp_path / "strained.h5") as batch:
        names = {item.split(":")[0] for item in batch.ids}
        assert names == {"Li", "Si", "round_1_2_3"}
        assert len(batch.ids) == 12 * 3
        with open_shard(amorphous) as cells:
            bare = atoms_from_record(cells.read("round_1_2_3")["structure"])
        for label, strain in single_strains(0.01).items():
            record = batch.read(f"round_1_2_3:{label}")
            assert record["kpoint_grid"].tolist() == list(kpoint_grid_of(bare, dft))
            found = atoms_from_record(record["structure"])
            volume = 1 + strain[:3].sum() if strain[:3].any() else 1 - (strain[3:] ** 2).sum() / 4
            assert found.cell.volume / bare.cell.volume == pytest.approx(volume, abs=1e-9)
            assert found.get_scaled_positions() == pytest.approx(bare.get_scaled_positions())


def test_crystals_of_other_species_are_refused(tmp_path):
    with pytest.raises(ValueError, match=r"Si has Si, and alloy\.species are Li and Ge"):
        write_crystals(TABLE, tmp_path / "crystals.h5", ("Li", "Ge"), "code")
