"""Families of wavelets: a radial function times a solid harmonic, in Fourier space.

A family is what the transforms know of their wavelets,

    psi_jlm^(k) = radial(j, l, k^2) |k|^l Y_lm(k),

and it has any number of scales j. Whatever is regular at k = 0 has this form with a radial factor that is a smooth
function of k^2: Gaussians, or Gaussians times polynomials for atomic orbitals.
"""

from dataclasses import dataclass
from math import factorial, gamma, pi, prod, sqrt
from typing import Protocol

from scipy.special import gammainccinv
from torch import Tensor


class WaveletFamily(Protocol):
    """Wavelets by scale j = 0, 1, ... and order l."""

    def radial(self, scale: int, order: int, squared: Tensor) -> Tensor:
        """Fourier transform over |k|^l Y_lm, of the squared wave numbers in Angstrom^-2, any shape; in Angstrom^l."""
        ...

    def band_limit(self, scale: int, order: int, tolerance: float) -> float:
        """Wave number in Angstrom^-1 beyond which the Fourier transform has `tolerance` (0 to 1) of its L2 norm."""
        ...


@dataclass(frozen=True)
class GaussianSolidHarmonics:
    """Solid harmonics times Gaussians of widths s_j, normalised as Kymatio does (Eickenberg et al., J. Chem. Phys. 148,
    241732 (2018)): psi_jlm^(k) = c_l (|k| s_j)^l exp(-(|k| s_j)^2 / 2) Y_lm(k).

    For l = 0 they are Gaussians of integral 1.
    """

    widths_angstrom: tuple[float, ...]
    """s_j, narrowest first."""

    def radial(self, scale: int, order: int, squared: Tensor) -> Tensor:
        width = self.widths_angstrom[scale]
        # Kymatio's two formulae for even and odd orders come to this.
        norm = (2 * sqrt(pi) if order % 2 == 0 else sqrt(2) * pi) / (
            sqrt(2 * order + 1) * prod(range(order + 1, 0, -2))
        )
        return (squared * (-0.5 * width**2)).exp_().mul_(norm * width**order)

    def band_limit(self, scale: int, order: int, tolerance: float) -> float:
        # The squared norm beyond k is an incomplete gamma function of (k s)^2.
        return sqrt(gammainccinv(order + 1.5, tolerance**2)) / self.widths_angstrom[scale]


@dataclass(frozen=True)
class AtomicOrbitals:
    """Wavelets like the orbitals of one shell n of an isotropic oscillator, with n - l - 1 nodes along the radius:

        psi_nlm(x) ~ (x / s)^l L_(n-l-1)^(l+1/2)((x / s)^2) exp(-(x / s)^2 / 2) Y_lm,

    dilated to widths s_j. They are eigenfunctions of the Fourier transform, so that apart from a sign, which no modulus sees,

        psi_jnlm^(k) = N_nl (|k| s_j)^l L_(n-l-1)^(l+1/2)((|k| s_j)^2) exp(-(|k| s_j)^2 / 2) Y_lm(k),

    here with the norm of psi^ over k s_j equal to 1. Of n = l + 1 they are `GaussianSolidHarmonics`, but for a factor.
    """

    widths_angstrom: tuple[float, ...]
    """s_j, narrowest first."""
    shell: int
    """n, above all orders that are asked for."""

    def radial(self, scale: int, order: int, squared: Tensor) -> Tensor:
        width, nodes = self.widths_angstrom[scale], self.shell - order - 1
        if nodes < 0:
            raise ValueError(f"shell {self.shell} has no orbital of order {order}")
        # The norm of an oscillator's radial function.
        norm = sqrt(2 * factorial(nodes) / gamma(nodes + order + 1.5))
        argument = squared * width**2
        return (-0.5 * argument).exp() * _laguerre(nodes, order + 0.5, argument) * (norm * width**order)


def _laguerre(degree: int, order: float, argument: Tensor) -> Tensor:
    """Generalised Laguerre polynomial, by its recurrence."""
    before, current = 0 * argument, 0 * argument + 1
    for k in range(degree):
        before, current = current, ((2 * k + 1 + order - argument) * current - (k + order) * before) / (k + 1)
    return current
