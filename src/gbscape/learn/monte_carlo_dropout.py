"""Monte-Carlo dropout: class probabilities and their uncertainty from many forward passes with dropout left on (Gal and
Ghahramani 2016; Leitherer's thesis (2021), section 2.3.2).

The masks of a pass are shared by all rows. Each row still sees independent masks from pass to pass, so that its mean and
its mutual information are distributed as with masks of its own; only the noise of different rows is correlated. Masks come
from the seed, the member and the number of the pass alone, so that a row's result does not depend on the other rows, on
how the rows are cut into chunks, or on threads, and the first passes of a longer run are those of a shorter one.

Sharing makes it fast: the product of the first layer is made once for all passes, and the dropped inputs' part of it taken
away in each (`monte_carlo_dropout.cpp`). Results are sums over the passes, so that memory does not depend on their number.
On a CUDA device the same passes go through torch.
"""

import ctypes
import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from torch.nn import functional

from gbscape.features.torch_device import default_device
from gbscape.learn.dropout_network import DropoutNetwork, Floats, activations, checked_features
from gbscape.native import load
from gbscape.store.progress import progress

_PASSES_AT_ONCE = 250
_ROWS_AT_ONCE = 4096
_ROWS_AT_ONCE_ON_DEVICE = 1024
_PASSES_AT_ONCE_ON_DEVICE = 16
_LN_2 = float(np.log(2))


@dataclass(frozen=True)
class Prediction:
    """What the passes of all members give for n rows. Entropies are in bits (logarithms to the base 2), as in the
    published code; 0 is certain, and log2(classes) is the most."""

    probabilities: Floats
    """(n, classes) mean over the passes, thesis eq. 2.3.2.1."""
    predictive_entropy_bits: NDArray[np.float64]
    """(n,) entropy of the mean probabilities, thesis eq. 2.3.2.3."""
    mutual_information_bits: NDArray[np.float64]
    """(n,) between the class and the network's weights: predictive entropy less the mean entropy of the passes, thesis
    eq. 2.3.2.5. With several members it includes their disagreement. Good to about 1e-6; below that it is 0."""
    hidden: tuple[Floats, ...]
    """(n, members * units) of each layer asked for: the mean activation after the ReLU, over the masks of all layers
    before. Members stand side by side."""


def predict(
    networks: DropoutNetwork | Sequence[DropoutNetwork],
    features: ArrayLike,
    passes: int,
    seed: int,
    *,
    temperature: float = 1.0,
    hidden_layers: Sequence[int] = (),
    device: str | torch.device | None = None,
    threads: int | None = None,
    quiet: bool = False,
) -> Prediction:
    """Class probabilities and uncertainties of rows of features.

    Args:
        networks: one network, or the members of an ensemble: every pass of every member is one sample of the mixture.
        features: (n, features).
        passes: forward passes, shared out among the members; the first ones get one more where they do not divide.
        seed: of the masks.
        temperature: the logits of every pass are divided by it, see `gbscape.learn.calibration`.
        hidden_layers: numbers of hidden layers, from 0, whose mean activations are returned.
        device: where torch makes the passes; None: a CUDA device where there is one, else the compiled kernel on the CPU.
        threads: for the kernel; None: as many as torch has.
        quiet: show no progress.

    Raises:
        ValueError: features that do not fit or are not finite, fewer passes than members, a temperature that is not
            positive, an unknown layer, members of different classes or layers.
        ArithmeticError: a result is not finite.
    """
    members = [networks] if isinstance(networks, DropoutNetwork) else list(networks)
    _check(members, passes, temperature, hidden_layers)
    rows = checked_features(features, members[0].sizes[0])
    if device is None and default_device("passes of the network run", logging.INFO).type == "cuda":
        device = "cuda"
    n, n_classes = len(rows), members[0].sizes[-1]
    probabilities = np.empty((n, n_classes), np.float32)
    predictive, mutual = np.empty(n), np.empty(n)
    hidden = tuple(
        np.empty((n, sum(member.sizes[number + 1] for member in members)), np.float32) for number in hidden_layers
    )
    starts = range(0, n, _ROWS_AT_ONCE)
    for first in starts if quiet else progress(starts, len(starts), "classification"):
        chunk = slice(first, min(first + _ROWS_AT_ONCE, n))
        sums, p_log_p = np.zeros((chunk.stop - first, n_classes)), np.zeros(chunk.stop - first)
        parts: list[list[NDArray[np.float64]]] = []
        for number, member in enumerate(members):
            own = passes // len(members) + (number < passes % len(members))
            # without dropout all passes are the same one
            done = own if member.dropout > 0 else 1
            member_sums, member_p_log_p = np.zeros_like(sums), np.zeros_like(p_log_p)
            member_hidden = _hidden_sums(member, len(sums), hidden_layers)
            masks = _masks(member, done, seed, number)
            if device is None:
                _by_kernel(
                    member, rows[chunk], masks, temperature, member_sums, member_p_log_p, member_hidden,
                    threads or torch.get_num_threads(),
                )  # fmt: skip
            else:
                _by_torch(
                    member, rows[chunk], masks, temperature, member_sums, member_p_log_p, member_hidden,
                    torch.device(device),
                )  # fmt: skip
            share = own / passes / done
            sums += share * member_sums
            p_log_p += share * member_p_log_p
            parts.append([member_hidden[layer] / done for layer in hidden_layers])
        probabilities[chunk] = sums
        with np.errstate(divide="ignore", invalid="ignore"):
            predictive[chunk] = -np.where(sums > 0, sums * np.log2(sums), 0.0).sum(axis=1)
        mutual[chunk] = np.maximum(predictive[chunk] + p_log_p / _LN_2, 0.0)
        for i, whole in enumerate(hidden):
            whole[chunk] = np.concatenate([part[i] for part in parts], axis=1)
    bad = np.flatnonzero(~(np.isfinite(predictive) & np.isfinite(mutual)))
    if len(bad):
        raise ArithmeticError(
            f"row {bad[0]}: the network's result is not finite, features of up to {abs(rows[bad[0]]).max():g}"
        )
    return Prediction(probabilities, predictive, mutual, hidden)


def sample_logits(network: DropoutNetwork, features: ArrayLike, passes: int, seed: int, member: int = 0) -> Floats:
    """Logits (passes, n, classes) of the same passes that `predict` averages. Memory grows with their number.

    Raises:
        ValueError: features that do not fit, or are not finite.
    """
    rows = torch.from_numpy(checked_features(features, network.sizes[0]))
    weights, biases = _parameters(network)
    with torch.no_grad():
        return np.concatenate(
            [
                _pass_by_torch(network, rows, torch.from_numpy(mask[None]), weights, biases)[-1].numpy()
                for block in _masks(network, passes, seed, member)
                for mask in block
            ]
        )


def _check(members: list[DropoutNetwork], passes: int, temperature: float, hidden_layers: Sequence[int]) -> None:
    if not members:
        raise ValueError("an ensemble needs at least one network")
    for member in members[1:]:
        if (member.sizes[0], member.sizes[-1], len(member.sizes)) != (
            members[0].sizes[0], members[0].sizes[-1], len(members[0].sizes),
        ):  # fmt: skip
            raise ValueError(
                f"members must have the same features, classes and number of layers, got {members[0].sizes} and {member.sizes}"
            )
    if passes < len(members):
        raise ValueError(f"{len(members)} members need at least one pass each, got passes = {passes}")
    if not (np.isfinite(temperature) and temperature > 0):
        raise ValueError(f"the temperature must be positive, got {temperature!r}")
    n_hidden = len(members[0].sizes) - 2
    for number in hidden_layers:
        if not 0 <= number < n_hidden:
            raise ValueError(f"there is no hidden layer {number}: they are numbered from 0 to {n_hidden - 1}")


def _masks(network: DropoutNetwork, passes: int, seed: int, member: int) -> Iterator[NDArray[np.uint8]]:
    """Blocks (passes, units in front of all layers) of what is kept: the input, then each hidden layer."""
    random = np.random.Generator(np.random.PCG64(np.random.SeedSequence(seed, spawn_key=(member,))))
    n_inputs, size = network.sizes[0], sum(network.sizes[:-1])
    for first in range(0, passes, _PASSES_AT_ONCE):
        shape = (min(_PASSES_AT_ONCE, passes - first), size)
        keep = (random.random(shape, dtype=np.float32) >= np.float32(network.dropout)).view(np.uint8)
        if not network.dropout_on_input:
            keep[:, :n_inputs] = 1
        yield keep


def _hidden_sums(network: DropoutNetwork, n: int, hidden_layers: Sequence[int]) -> dict[int, NDArray[np.float64]]:
    return {number: np.zeros((n, network.sizes[number + 1])) for number in hidden_layers}


def _parameters(network: DropoutNetwork) -> tuple[list[torch.Tensor], list[torch.Tensor]]:
    """Weights (units, inputs) and biases of each layer, on the CPU."""
    return (
        [layer.weight.detach().cpu().float().contiguous() for layer in network.layers],
        [layer.bias.detach().cpu().float().contiguous() for layer in network.layers],
    )


def _by_kernel(
    network: DropoutNetwork,
    rows: Floats,
    masks: Iterator[NDArray[np.uint8]],
    temperature: float,
    sums: NDArray[np.float64],
    p_log_p: NDArray[np.float64],
    hidden: dict[int, NDArray[np.float64]],
    threads: int,
) -> None:
    """Add what the passes give to the sums, `p_log_p` in nats."""
    library = load("gbscape.learn.monte_carlo_dropout")
    weights, biases = _parameters(network)
    sizes, passes_done = list(network.sizes), 0
    skipped = 0
    if not network.dropout_on_input:
        # The first layer is the same in all passes: what comes out of it is the input of the rest, with dropout.
        first = activations(network, rows)[0]
        skipped = sizes.pop(0)
        weights, biases, rows = weights[1:], biases[1:], np.ascontiguousarray(first)
    n_layers = len(weights)
    addresses = [
        (ctypes.c_void_p * n_layers)(*(values.data_ptr() for values in parameters)) for parameters in (weights, biases)
    ]
    numbers = range(len(network.layers) - n_layers, len(network.layers))
    outs = (ctypes.c_void_p * n_layers)(*(hidden[i].ctypes.data if i in hidden else None for i in numbers))
    for block in masks:
        keep = np.ascontiguousarray(block[:, skipped:])
        failed = library.dropout_passes(
            n_layers,
            (ctypes.c_int64 * len(sizes))(*sizes),
            *addresses,
            ctypes.c_float(1 / (1 - network.dropout)),
            ctypes.c_float(1 / temperature),
            ctypes.c_void_p(rows.ctypes.data),
            ctypes.c_int64(len(rows)),
            ctypes.c_void_p(keep.ctypes.data),
            ctypes.c_int64(len(keep)),
            threads,
            ctypes.c_void_p(sums.ctypes.data),
            ctypes.c_void_p(p_log_p.ctypes.data),
            outs,
        )
        if failed:
            raise MemoryError(f"no memory for {threads} threads of forward passes")
        passes_done += len(keep)
    if skipped and 0 in hidden:
        hidden[0] += passes_done * first


def _by_torch(
    network: DropoutNetwork,
    rows: Floats,
    masks: Iterator[NDArray[np.uint8]],
    temperature: float,
    sums: NDArray[np.float64],
    p_log_p: NDArray[np.float64],
    hidden: dict[int, NDArray[np.float64]],
    device: torch.device,
) -> None:
    """As `_by_kernel`, by torch on any device."""
    weights, biases = ([values.to(device) for values in parameters] for parameters in _parameters(network))
    with torch.no_grad():
        for block in masks:
            for first in range(0, len(rows), _ROWS_AT_ONCE_ON_DEVICE):
                chunk = slice(first, first + _ROWS_AT_ONCE_ON_DEVICE)
                x = torch.from_numpy(rows[chunk]).to(device)
                for start in range(0, len(block), _PASSES_AT_ONCE_ON_DEVICE):
                    keep = torch.from_numpy(block[start : start + _PASSES_AT_ONCE_ON_DEVICE]).to(device)
                    *layers, logits = _pass_by_torch(network, x, keep, weights, biases)
                    log_p = functional.log_softmax(logits / temperature, dim=2)
                    p = log_p.exp()
                    sums[chunk] += p.sum(dim=0, dtype=torch.float64).cpu().numpy()
                    p_log_p[chunk] += (p * log_p).sum(dim=(0, 2), dtype=torch.float64).cpu().numpy()
                    for number, total in hidden.items():
                        total[chunk] += layers[number].sum(dim=0, dtype=torch.float64).cpu().numpy()


def _pass_by_torch(
    network: DropoutNetwork,
    rows: torch.Tensor,
    keep: torch.Tensor,
    weights: list[torch.Tensor],
    biases: list[torch.Tensor],
) -> list[torch.Tensor]:
    """Activations (passes, n, units) of each layer, the last one's being logits; masks are put into the weights."""
    outputs: list[torch.Tensor] = []
    factors = (keep.to(rows.dtype) / (1 - network.dropout)).split(network.sizes[:-1], dim=1)
    if not network.dropout_on_input:
        factors = (torch.ones_like(factors[0]), *factors[1:])
    hidden = rows.expand(len(keep), *rows.shape)
    for number, (weight, bias, factor) in enumerate(zip(weights, biases, factors, strict=True)):
        masked = factor[:, :, None] * weight.T
        hidden = torch.baddbmm(bias, hidden, masked)
        if number < len(weights) - 1:
            hidden = functional.relu(hidden)
        outputs.append(hidden)
    return outputs
