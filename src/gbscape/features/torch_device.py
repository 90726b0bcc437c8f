"""The device on which PyTorch computes descriptors."""

import logging
from functools import cache

import torch

_log = logging.getLogger(__name__)


@cache
def default_device(what: str, level: int) -> torch.device:
    """A CUDA device where there is one, else the CPU, which the log says once of `what` at this level."""
    if torch.cuda.is_available():
        return torch.device("cuda")
    _log.log(level, "there is no CUDA device: %s on the CPU", what)
    return torch.device("cpu")
