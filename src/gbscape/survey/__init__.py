"""Survey of grain boundaries: which exist, their structures, energies and published figures."""

from gbscape.survey.boundary import Boundary
from gbscape.survey.enumeration import enumerate_boundaries

__all__ = ["Boundary", "enumerate_boundaries"]
