"""Relaxed nickel boundaries against the published survey of the same potential.

Energies: D. L. Olmsted, S. M. Foiles, E. A. Holm, Acta Materialia 57, 3694 (2009), supplementary table, Ni.
"""

from dataclasses import dataclass

import pytest

from gbscape.config.survey import Potential, Relaxation
from gbscape.simulate.potentials import ReadyPotential, prepare_potential
from gbscape.structure.bicrystal import Rows
from gbscape.survey.relaxation import relax_boundary


@dataclass(frozen=True)
class Published:
    left: Rows
    right: Rows
    energy_j_m2: float


PUBLISHED = {
    "sigma 5 tilt (310)": Published(((3, 1, 0), (0, 0, 2), (1, -3, 0)), ((3, 1, 0), (0, 0, -2), (-1, 3, 0)), 1.218),
    "sigma 5 twist (100)": Published(((2, 0, 0), (0, 3, 1), (0, -1, 3)), ((2, 0, 0), (0, 3, -1), (0, 1, 3)), 0.958),
    "sigma 3 twin (111)": Published(((2, 2, 2), (1, -1, 0), (1, 1, -2)), ((2, 2, 2), (-1, 1, 0), (-1, -1, 2)), 0.064),
    "sigma 5 twist (110)": Published(
        ((1, 1, 0), (1, -1, 2), (2, -2, -2)), ((1, 1, 0), (1, -1, -2), (-2, 2, -2)), 1.005
    ),
    "sigma 11 tilt (311)": Published(((6, 2, 2), (0, 1, -1), (-2, 3, 3)), ((6, 2, 2), (0, -1, 1), (2, -3, -3)), 0.424),
    "sigma 5 mixed (210)": Published(
        ((4, 2, 0), (1, -2, 1), (1, -2, -5)), ((4, 2, 0), (1, -2, -1), (-1, 2, -5)), 1.298
    ),
}
SETTINGS = Relaxation(shaking_rounds=1, annealing_rounds=0, refine_rounds=0)


@pytest.fixture(scope="module")
def nickel(tmp_path_factory: pytest.TempPathFactory) -> ReadyPotential:
    return prepare_potential(Potential(), "fcc", tmp_path_factory.mktemp("nickel"))


@pytest.mark.parametrize("name", PUBLISHED)
def test_published_energy_is_found(name: str, nickel: ReadyPotential) -> None:
    published = PUBLISHED[name]
    relaxed = relax_boundary(published, nickel, SETTINGS)
    assert relaxed.converged
    assert relaxed.energy_j_m2 == pytest.approx(published.energy_j_m2, abs=0.002)
