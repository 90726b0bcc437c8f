"""Trained networks in a file: the weights and all that is needed to use them, as safetensors (plain numbers and text,
nothing that is executed when it is read)."""

import json
import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save

from gbscape.learn.dropout_network import DropoutNetwork
from gbscape.learn.feature_space import FeatureSpace
from gbscape.store.atomic import atomic_path
from gbscape.store.provenance import Provenance

_FORMAT, _VERSION = "gbscape dropout network", 1
_KEYS = ("classes", "descriptor", "dropout", "feature_space", "members", "provenance", "sizes", "temperature")


class NetworkFileError(ValueError):
    """A file that is not, or no longer, a complete network; the message says what is wrong with it."""


@dataclass(frozen=True)
class NetworkModel:
    """Networks with what belongs to them."""

    networks: tuple[DropoutNetwork, ...]
    """The members, all of the same sizes and dropout, in evaluation mode."""
    classes: tuple[str, ...]
    """Label of each output."""
    descriptor: dict[str, Any]
    """Settings of the features that the networks were trained on (JSON). Others must not be put in."""
    provenance: Provenance
    """What the networks were made from."""
    temperature: float = 1.0
    """By which logits are divided, see `gbscape.learn.calibration`."""
    feature_space: FeatureSpace | None = None
    """Where the classes are, for the first member."""


def save_network(path: str | Path, model: NetworkModel) -> None:
    """Write a model, completely or not at all. The same model gives the same bytes.

    Raises:
        ValueError: members that differ in sizes or dropout, weights that are not finite, labels that are not one an output
            or not distinct, a descriptor that is not JSON.
    """
    first = model.networks[0]
    tensors: dict[str, np.ndarray] = {}
    for number, network in enumerate(model.networks):
        if _architecture(network) != _architecture(first):
            raise ValueError(f"member {number} is {_architecture(network)}, but member 0 {_architecture(first)}")
        for layer, dense in enumerate(network.layers):
            tensors[f"{number}.{layer}.weight"] = dense.weight.detach().cpu().numpy().astype(np.float32)
            tensors[f"{number}.{layer}.bias"] = dense.bias.detach().cpu().numpy().astype(np.float32)
    space = model.feature_space
    if space is not None:
        tensors |= {f"feature_space.{name}": getattr(space, name) for name in ("whitening", "means", "background")}
    for name, values in tensors.items():
        if not np.isfinite(values).all():
            raise ValueError(f"{name} of the network has numbers that are not finite")
    _check_labels(model.classes, first.sizes[-1])
    _check_temperature(model.temperature)
    content: dict[str, Any] = {
        "classes": list(model.classes),
        "descriptor": model.descriptor,
        "feature_space": (
            None
            if space is None
            else {"layer": space.layer, "threshold": space.threshold, "backgrounds": len(space.background)}
        ),
        "members": len(model.networks),
        "provenance": model.provenance.to_json(),
        "temperature": model.temperature,
    } | _architecture(first)
    # one entry: the order of several is another one in every process
    text = json.dumps({"version": _VERSION, "content": content}, sort_keys=True, allow_nan=False)
    with atomic_path(path) as temporary:
        # not `save_file`, whose files nobody else may read
        temporary.write_bytes(
            save(
                {name: np.ascontiguousarray(values) for name, values in tensors.items()},
                {_FORMAT: text},
            )
        )


def load_network(path: str | Path) -> NetworkModel:
    """Read what `save_network` wrote.

    Raises:
        FileNotFoundError: there is no such file.
        NetworkFileError: it is damaged, of another kind or version, incomplete, or has weights of a wrong shape or that
            are not finite.
    """
    path = Path(path)
    if not path.is_file():
        raise FileNotFoundError(f"no network: {path} does not exist")
    try:
        with safe_open(path, framework="numpy") as file:
            metadata = file.metadata() or {}
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    except SafetensorError as error:
        raise NetworkFileError(f"{path} is damaged or no safetensors file: {error}") from error
    try:
        return _from_content(metadata, tensors)
    except (ValueError, KeyError, TypeError) as error:
        raise NetworkFileError(f"{path}: {error.args[0] if error.args else error}") from error


def _from_content(metadata: dict[str, str], tensors: dict[str, np.ndarray]) -> NetworkModel:
    if _FORMAT not in metadata:
        raise ValueError("the metadata of a network are missing: it was not written by save_network")
    header = json.loads(metadata[_FORMAT])
    if header.get("version") != _VERSION:
        raise ValueError(
            f"the file is of version {header.get('version')}, but version {_VERSION} is the one that is known"
        )
    content = header["content"]
    missing = [key for key in _KEYS if key not in content]
    if missing:
        raise ValueError(f"the metadata have no '{missing[0]}'")
    sizes = content["sizes"]
    _check_labels(content["classes"], sizes[-1])
    _check_temperature(content["temperature"])
    left = dict(tensors)
    networks = []
    for number in range(content["members"]):
        network = DropoutNetwork(
            sizes[0], sizes[1:-1], sizes[-1], content["dropout"]["probability"], content["dropout"]["on_input"]
        )
        with torch.no_grad():
            for layer, dense in enumerate(network.layers):
                for name, parameter in (("weight", dense.weight), ("bias", dense.bias)):
                    values = _taken(left, f"{number}.{layer}.{name}", tuple(parameter.shape))
                    parameter.copy_(torch.from_numpy(values))
        networks.append(network.eval())
    if not networks:
        raise ValueError("there are no members")
    space = content["feature_space"]
    feature_space = None
    if space is not None:
        d = sizes[0] if space["layer"] is None else sizes[1:-1][space["layer"]]
        feature_space = FeatureSpace(
            space["layer"],
            _taken(left, "feature_space.whitening", (d, d)),
            _taken(left, "feature_space.means", (sizes[-1], d)),
            _taken(left, "feature_space.background", (space["backgrounds"], d)),
            float(space["threshold"]),
        )
    if left:
        raise ValueError(f"there is a tensor that belongs to nothing: {sorted(left)[0]}")
    return NetworkModel(
        tuple(networks),
        tuple(content["classes"]),
        content["descriptor"],
        Provenance.from_json(content["provenance"]),
        float(content["temperature"]),
        feature_space,
    )


def _taken(tensors: dict[str, np.ndarray], name: str, shape: tuple[int, ...]) -> np.ndarray:
    values = tensors.pop(name, None)
    if values is None:
        raise ValueError(f"the tensor {name} is missing")
    if values.shape != shape:
        raise ValueError(f"the tensor {name} has the shape {values.shape}, but the architecture wants {shape}")
    if not np.issubdtype(values.dtype, np.floating) or not np.isfinite(values).all():
        raise ValueError(f"the tensor {name} has numbers that are not finite")
    return values


def _architecture(network: DropoutNetwork) -> dict[str, Any]:
    dropout = {"probability": network.dropout, "on_input": network.dropout_on_input}
    return {"sizes": list(network.sizes), "dropout": dropout}


def _check_labels(classes: Any, n_classes: int) -> None:
    if len(classes) != n_classes or len(set(classes)) != n_classes or not all(isinstance(c, str) for c in classes):
        raise ValueError(f"there must be {n_classes} distinct class labels, one for each output, got {len(classes)}")


def _check_temperature(temperature: float) -> None:
    if not (math.isfinite(temperature) and temperature > 0):
        raise ValueError(f"the temperature must be positive, got {temperature!r}")
