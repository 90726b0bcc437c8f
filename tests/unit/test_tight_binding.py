"""The backend tblite: shares add up and follow the structure; without the package the message says how to get it."""

import sys
from importlib.util import find_spec

import pytest
from ase.build import bulk

from gbscape.energies.atomic_energy import BackendMissing
from gbscape.energies.tight_binding import atomic_energy, reference_energy


def test_without_the_package(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "tblite.interface", None)
    with pytest.raises(BackendMissing, match="pip install tblite"):
        atomic_energy(bulk("Si"), 0)


@pytest.mark.skipif(find_spec("tblite") is None, reason="needs tblite: pip install tblite")
def test_shares_add_up_and_follow_the_structure() -> None:
    cell = bulk("Si", "diamond", a=5.43, cubic=True)
    perfect = [atomic_energy(cell, atom) for atom in (0, 5)]
    assert perfect[0].energy_ev == pytest.approx(perfect[1].energy_ev, abs=1e-3)
    assert 8 * perfect[0].energy_ev == pytest.approx(perfect[0].total_ev, abs=5e-3)
    cell.rattle(0.1, seed=1)
    found = [atomic_energy(cell, atom) for atom in range(8)]
    assert sum(its.energy_ev for its in found) == pytest.approx(found[0].total_ev, abs=1e-6)
    assert abs(found[0].sum_rule_error_ev) < 1e-6
    assert max(its.energy_ev for its in found) - min(its.energy_ev for its in found) > 0.01


@pytest.mark.skipif(find_spec("tblite") is None, reason="needs tblite: pip install tblite")
def test_the_reference_is_an_atom_of_the_crystal() -> None:
    cell = bulk("Fe", "bcc", a=2.8553, cubic=True) * (3, 3, 3)
    assert reference_energy("Fe", "bcc", 2.8553) == pytest.approx(atomic_energy(cell, 20).energy_ev, abs=1e-3)
