"""Energy of a boundary in motion: of a fixed set of atoms, those that the descriptors see."""

import numpy as np
import scipy.constants
from numpy.typing import ArrayLike, NDArray

EV_PER_ANGSTROM2_IN_J_M2 = scipy.constants.e * 1e20


def boundary_energy_j_m2(
    energies_ev: NDArray[np.float64], boundary: NDArray[np.bool_], cohesive_energy_ev: float, area_angstrom2: float
) -> float:
    """Potential energy of the boundary atoms above that of as many atoms of the perfect crystal at rest, per area.

    The paper (Homer et al. 2019) does not say which energy it takes. This one is of exactly the atoms that are described,
    and so of as many at every moment; thermal vibrations of the grains beyond them do not enter. In motion it lies above
    the energy of the relaxed boundary by the potential energy of the vibrations, about 3/2 kT an atom.

    Args:
        energies_ev: (n,) potential energies of all atoms.
        boundary: (n,) true for the boundary atoms.
    """
    excess = float((energies_ev[boundary] - cohesive_energy_ev).sum())
    return excess / area_angstrom2 * EV_PER_ANGSTROM2_IN_J_M2


def autocorrelation(series: ArrayLike) -> NDArray[np.float64]:
    """Autocorrelation (n,) of a series (n,) at lags 0, 1, ..., n - 1 about its mean, 1 at lag 0.

    Sums are divided by n at every lag, which biases long lags towards 0 and keeps the estimate positive definite.

    Raises:
        ValueError: the series is constant.
    """
    values = np.asarray(series, dtype=np.float64)
    deviations = values - values.mean()
    power = np.abs(np.fft.rfft(deviations, 2 * len(values))) ** 2
    covariance = np.fft.irfft(power)[: len(values)]
    if not covariance[0] > 1e-24 * len(values) * max(1.0, float(np.abs(values).max()) ** 2):
        raise ValueError("a constant series has no autocorrelation")
    return np.asarray(covariance / covariance[0])


def statistical_inefficiency(series: ArrayLike) -> float:
    """Number of consecutive values (at least 1) that count as one independent value: 1 + 2 sum of the autocorrelation.

    The sum ends at the first lag where the correlation is no longer positive, beyond which it is noise (J. D. Chodera et
    al., J. Chem. Theory Comput. 3, 26, 2007, Eq. 14).
    """
    correlation = autocorrelation(series)
    n = len(correlation)
    ends = np.flatnonzero(correlation[1:] <= 0)
    last = int(ends[0]) if len(ends) else n - 1
    return float(max(1.0, 1 + 2 * correlation[1 : last + 1].sum()))


def standard_error(series: ArrayLike) -> float:
    """Standard error of the mean of a correlated series (n,); 0 for a constant one."""
    values = np.asarray(series, dtype=np.float64)
    spread = float(values.std(ddof=1))
    return spread * float(np.sqrt(statistical_inefficiency(values) / len(values))) if spread > 0 else 0.0
