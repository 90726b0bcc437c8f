"""The device on which PyTorch computes."""

import logging
from functools import cache

import torch

_log = logging.getLogger(__name__)


@cache
def default_device(what: str, level: int) -> torch.device:
    """A CUDA device where there is one, else the CPU; the log says once of `what` which, that it is the CPU at this level."""
    if torch.cuda.is_available():
        _log.info("%s on a CUDA device: %s", what, torch.cuda.get_device_name())
        return torch.device("cuda")
    _log.log(level, "there is no CUDA device: %s on the CPU", what)
    return torch.device("cpu")
