"""Statistics of correlated series."""

import numpy as np
from numpy.typing import ArrayLike, NDArray


def autocorrelation(series: ArrayLike) -> NDArray[np.float64]:
    """Autocorrelation (n,) of a series (n,) at lags 0, 1, ..., n - 1 about its mean, 1 at lag 0.

    Sums are divided by n at every lag, which biases long lags towards 0 and keeps the estimate positive definite.

    Raises:
        ValueError: the series is constant.
    """
    values = np.asarray(series, dtype=np.float64)
    if np.ptp(values) == 0:
        raise ValueError("a constant series has no autocorrelation")
    power = np.abs(np.fft.rfft(values - values.mean(), 2 * len(values))) ** 2
    covariance = np.fft.irfft(power)[: len(values)]
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
    if np.ptp(values) == 0:
        return 0.0
    return float(values.std(ddof=1) * np.sqrt(statistical_inefficiency(values) / len(values)))
