"""Settings of molecular dynamics."""

from pydantic import Field, model_validator

from gbscape.config.base import Settings

_LONGEST_RUN_STEPS = 2**31 - 1  # LAMMPS counts the steps of a run in 32 bits


class Dynamics(Settings):
    """Molecular dynamics at constant temperature."""

    temperature_kelvin: float = Field(default=100.0, gt=0, le=10_000)
    """Temperature of the thermostat. The periods in the plane stay those of the relaxed boundary."""
    damping_ps: float = Field(default=1.0, gt=0, le=1e6)
    """Damping time of the Langevin thermostat. Intervals much longer give snapshots that are independent of each other."""
    timestep_fs: float = Field(default=4.0, gt=0, le=100)
    """Time step; with 4 fs, Ni at 100 K without a thermostat keeps its energy to 3e-6 eV an atom."""
    equilibration_ps: float = Field(default=100.0, ge=0, le=1e6)
    """Time before the first interval."""
    interval_ps: float = Field(default=10.0, gt=0, le=1e6)
    """Time from one snapshot to the next, and from the end of the equilibration to the first."""
    seed: int = Field(default=0, ge=0, lt=2**32)
    """Seed of the first velocities and of the thermostat."""

    @property
    def interval_steps(self) -> int:
        """Time steps from one snapshot to the next."""
        return round(1000 * self.interval_ps / self.timestep_fs)

    @property
    def equilibration_steps(self) -> int:
        """Time steps of the equilibration."""
        return round(1000 * self.equilibration_ps / self.timestep_fs)

    @model_validator(mode="after")
    def _whole_steps(self) -> "Dynamics":
        for name, time_ps in (("interval_ps", self.interval_ps), ("equilibration_ps", self.equilibration_ps)):
            steps = 1000 * time_ps / self.timestep_fs
            if abs(steps - round(steps)) > 1e-6 * max(steps, 1) or steps > _LONGEST_RUN_STEPS:
                raise ValueError(
                    f"{name} = {time_ps:g} must be a whole number (at most {_LONGEST_RUN_STEPS}) of time steps of "
                    f"{self.timestep_fs:g} fs, it is {steps:g}"
                )
        if self.interval_steps < 1:
            raise ValueError(f"interval_ps = {self.interval_ps:g} is shorter than a time step")
        return self
