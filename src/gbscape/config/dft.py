"""Settings of atomic energies by density-functional theory (GPAW, plane waves)."""

from typing import Annotated, Literal

from pydantic import Field

from gbscape.config.base import Settings, SmallestFirst
from gbscape.config.soap import ChemicalSymbol

_Points = Annotated[int, Field(ge=1, le=100)]


class PlaneWaves(Settings):
    """The self-consistent cycle of a cell with GPAW.

    Energies of different settings have different zeros: PW300 to PW400 shifts an atom of iron by 0.13 eV. Compare only those
    that were made with the same settings.
    """

    cutoff_ev: float = Field(default=544.0, ge=150, le=2000)
    """Kinetic-energy cut-off of the plane waves; 544 eV in Tamura et al. 2020. In iron 400 eV is within
    5 meV of 700 for the differences between atoms, 544 eV within 2; 300 eV is off by up to 37 meV, which no check notices."""
    xc: Literal["PBE"] = "PBE"
    """Exchange and correlation: generalised gradients, of which there are datasets for PBE."""
    smearing_ev: float = Field(default=0.1, gt=0, le=2)
    """Width of the Fermi-Dirac distribution; energies are extrapolated to zero width."""
    initial_moments_bohr: dict[ChemicalSymbol, float] = {"Fe": 2.5, "Co": 2.0, "Ni": 1.0}
    """Magnetic moment that an atom of each species starts with, in Bohr magnetons, all parallel; others start with none. A
    cell without moments is computed without spin polarisation."""
    bands_percent: float = Field(default=120.0, ge=105, le=1000)
    """Bands, in percent of those that the electrons fill."""
    energy_change_ev_per_electron: float = Field(default=1e-4, gt=0, le=1e-2)
    """The cycle is converged when the energy changes by less than this, in eV per valence electron, ..."""
    density_change_per_electron: float = Field(default=3e-4, gt=0, le=1e-2)
    """... the density by less than this, in electrons per valence electron, ..."""
    residual_ev2_per_electron: float = Field(default=1e-5, gt=0, le=1e-2)
    """... and the squared residuals of the wave functions are below this, in eV^2 per valence electron."""
    max_iterations: int = Field(default=200, ge=1, le=10_000)
    """A cycle that takes longer is rejected."""
    ranks: int = Field(default=1, ge=1, le=100_000)
    """MPI ranks of the self-consistent cycle, all on one machine."""


class TotalEnergyDft(PlaneWaves):
    """Energy, forces and stress of whole cells."""

    cutoff_ev: float = Field(default=300.0, ge=150, le=2000)
    """Kinetic-energy cut-off of the plane waves."""
    kpoint_spacing_per_angstrom: float = Field(default=0.5, gt=0, le=5)
    """Largest distance between points of the Monkhorst-Pack grid, whose middle is the zone centre or between points: each axis
    gets the next denser grid, so that cells of all sizes are sampled alike."""
    davidson_steps: int = Field(default=1, ge=1, le=10)
    """Steps of the eigensolver between two densities. In a cell of 37 atoms one step takes two iterations more than two, and two
    thirds of their time."""


class DftSettings(PlaneWaves):
    """The self-consistent cycle of a replica cell, the partition of its energy, and what is rejected.

    Subtract only a reference that was made with the same settings.
    """

    kpoint_grid: tuple[_Points, _Points, _Points] | None = None
    """Monkhorst-Pack grid; null: the one point (1/4, 1/4, 1/4), which stands for 2 x 2 x 2 points and is enough for cubes of
    8 to 10 Angstrom, where the zone centre alone is off by tens of meV."""
    reference_kpoint_grid: tuple[_Points, _Points, _Points] = (12, 12, 12)
    """Monkhorst-Pack grid of the perfect crystal's cubic cell."""
    partition: Literal["charge_neutral", "bader"] = "charge_neutral"
    """Volumes over which the electrostatic energy is integrated: charge-neutral ones (Yu, Trinkle and Martin 2011), in which
    it is unique, or Bader's, where it depends on the form of the energy density (by tenths of an eV next to a vacancy).
    Everything else is integrated over Bader volumes."""
    refinements: tuple[Literal[1], Literal[2]] | tuple[Literal[1, 2]] = (1, 2)
    """Refinements of GPAW's fine grid for the volumes: with two, the result is extrapolated to an infinitely fine grid
    (Richardson, second order)."""
    max_gauge_error_ev: float = Field(default=0.005, gt=0)
    """Results whose energy changes by more with an equivalent form of the energy density are rejected."""
    max_grid_correction_ev: float = Field(default=0.005, gt=0)
    """Results that the extrapolation to an infinitely fine grid changes by more are rejected."""
    max_sum_rule_error_ev_per_atom: float = Field(default=0.001, gt=0)
    """Results are rejected if the atoms' energies do not add up to that of the cell, in eV per atom."""
    mean_moment_range_bohr: Annotated[tuple[float, float], SmallestFirst] | None = (1.5, 3.2)
    """Allowed mean moment of the atoms that start with one, to catch wrong magnetic solutions; the default is for iron, null
    allows all."""
    target_moment_range_bohr: Annotated[tuple[float, float], SmallestFirst] | None = (0.0, 4.0)
    """Allowed moment of the target, if it starts with one; null allows all."""
    keep_wave_functions: bool = False
    """Keep GPAW's file after the partition; it takes from tens to hundreds of MB a cell."""
