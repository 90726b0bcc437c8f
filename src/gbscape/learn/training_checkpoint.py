"""Where a training stands, in a file from which it goes on as if it had not been interrupted."""

import json
import logging
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file

from gbscape.store.atomic import atomic_path

Tensors = dict[str, torch.Tensor]
_log = logging.getLogger(__name__)


def write_checkpoint(
    path: Path, key: str, network: torch.nn.Module, optimiser: torch.optim.Optimizer, best: Tensors, state: list[Any]
) -> None:
    """Write weights, the optimiser's moments, the best weights so far and `state` (JSON) under the key of the training."""
    tensors = {f"network/{name}": value for name, value in network.state_dict().items()}
    tensors |= {f"best/{name}": value for name, value in best.items()}
    for number, moments in optimiser.state_dict()["state"].items():
        tensors |= {f"optimiser/{number}/{name}": value for name, value in moments.items()}
    with atomic_path(path) as temporary:
        copies = {name: value.detach().cpu().clone() for name, value in tensors.items()}
        save_file(copies, temporary, {"key": key, "state": json.dumps(state)})


def read_checkpoint(
    path: Path, key: str, network: torch.nn.Module, optimiser: torch.optim.Optimizer
) -> tuple[Tensors, list[Any]] | None:
    """Put network and optimiser where `write_checkpoint` found them; returns the best weights and the state.

    None, and nothing is changed, where there is no such file, or it is damaged or of a training with another key.
    """
    if not path.is_file():
        return None
    try:
        with safe_open(path, framework="pt") as file:
            metadata = file.metadata() or {}
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    except SafetensorError as error:
        _log.warning("%s is damaged (%s): the training starts anew", path, error)
        return None
    if metadata.get("key") != key:
        _log.warning("%s is of another training: this one starts anew", path)
        return None
    parts: dict[str, Tensors] = {"network": {}, "best": {}, "optimiser": {}}
    for name, value in tensors.items():
        part, _, rest = name.partition("/")
        parts[part][rest] = value
    network.load_state_dict(parts["network"])
    moments: dict[int, Tensors] = {}
    for name, value in parts["optimiser"].items():
        number, _, what = name.partition("/")
        moments.setdefault(int(number), {})[what] = value
    optimiser.load_state_dict({"state": moments, "param_groups": optimiser.state_dict()["param_groups"]})
    device = next(network.parameters()).device
    return {name: value.to(device) for name, value in parts["best"].items()}, json.loads(metadata["state"])
