"""Kymatio's three-dimensional scattering in PyTorch, ready to be timed on one core."""

from importlib import import_module
from typing import Any


def transform_class() -> Any:
    """Its class `HarmonicScattering3D`, imported and run once, without gradients."""
    import torch

    import_module("gbscape.features.scattering_kymatio")  # with it Kymatio imports whatever the version of SciPy
    from kymatio.torch import HarmonicScattering3D

    torch.set_num_threads(1)
    torch.set_grad_enabled(False)
    HarmonicScattering3D(J=0, shape=(8, 8, 8), L=0, sigma_0=1.0)(torch.zeros(1, 8, 8, 8))
    return HarmonicScattering3D
