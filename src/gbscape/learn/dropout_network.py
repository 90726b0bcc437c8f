"""The fully connected network with dropout of ARISE (Leitherer, Ziletti and Ghiringhelli, Nat. Commun. 12, 6234 (2021);
Leitherer's thesis (2021), table 4.1): its layers and its training.

    input -> dropout -> [dense -> dropout -> ReLU] for each hidden layer -> dense -> softmax

Dropout before or after the ReLU is the same, since a factor that is not negative commutes with it. What is kept is
divided by the probability of being kept, so that without dropout the activations are the mean ones.
"""

import hashlib
import logging
import math
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from numpy.typing import ArrayLike, NDArray
from sklearn.model_selection import train_test_split
from torch.nn import functional

from gbscape.config.network import Network
from gbscape.features.torch_device import default_device
from gbscape.learn.training_checkpoint import read_checkpoint, write_checkpoint
from gbscape.store.progress import progress

Floats = NDArray[np.float32]

HISTORY_COLUMNS = ["epoch", "training_loss", "validation_loss", "validation_accuracy"]
_ROWS_AT_ONCE = 8192
_CHECKPOINT_EVERY_S = 60.0


class Diverged(ArithmeticError):
    """Training led to numbers that are not finite before any epoch was good."""


class DropoutNetwork(torch.nn.Module):
    """Dense layers with dropout in front of each; `forward` gives logits.

    Weights start as Keras, with which the published network was trained, has them: uniform of Glorot's width, biases 0.
    """

    def __init__(
        self,
        n_features: int,
        hidden_sizes: Sequence[int],
        n_classes: int,
        dropout: float,
        dropout_on_input: bool = True,
    ) -> None:
        """
        Raises:
            ValueError: a size below 1 (2 for classes), no hidden layer, or a dropout outside [0, 1).
        """
        super().__init__()
        self.sizes = (int(n_features), *map(int, hidden_sizes), int(n_classes))
        """Features, units of each hidden layer, classes."""
        if len(self.sizes) < 3 or min(self.sizes) < 1 or n_classes < 2:
            raise ValueError(f"a network needs features, hidden units and at least 2 classes, got sizes {self.sizes}")
        if not 0 <= dropout < 1:
            raise ValueError(f"the dropout must be in [0, 1), got {dropout!r}")
        self.dropout = float(dropout)
        self.dropout_on_input = dropout_on_input
        self.layers = [torch.nn.Linear(a, b) for a, b in zip(self.sizes, self.sizes[1:], strict=False)]
        for number, layer in enumerate(self.layers):
            self.add_module(f"layer_{number}", layer)
            torch.nn.init.xavier_uniform_(layer.weight)
            torch.nn.init.zeros_(layer.bias)

    def forward(self, features: torch.Tensor) -> torch.Tensor:
        """Logits (n, classes) of features (n, features), with dropout in training mode."""
        hidden = functional.dropout(features, self.dropout, self.training and self.dropout_on_input)
        for layer in self.layers[:-1]:
            hidden = functional.relu(functional.dropout(layer(hidden), self.dropout, self.training))
        return self.layers[-1](hidden)


def of_settings(settings: Network, n_features: int, n_classes: int) -> DropoutNetwork:
    """An untrained network."""
    return DropoutNetwork(n_features, settings.hidden_sizes, n_classes, settings.dropout, settings.dropout_on_input)


def activations(network: DropoutNetwork, features: ArrayLike) -> list[Floats]:
    """Activations without dropout: (n, units) of each hidden layer after its ReLU, then the logits (n, classes).

    Raises:
        ValueError: features of another number of columns, or not finite.
    """
    rows = checked_features(features, network.sizes[0])
    device = network.layers[0].weight.device
    kept: list[list[Floats]] = [[] for _ in network.layers]
    with torch.no_grad():
        for first in range(0, max(len(rows), 1), _ROWS_AT_ONCE):
            hidden = torch.from_numpy(rows[first : first + _ROWS_AT_ONCE]).to(device)
            for number, layer in enumerate(network.layers):
                hidden = layer(hidden)
                if number < len(network.layers) - 1:
                    hidden = functional.relu(hidden)
                kept[number].append(hidden.cpu().numpy())
    return [np.concatenate(parts) for parts in kept]


def checked_features(features: ArrayLike, n_features: int | None = None) -> Floats:
    """Features as a contiguous float32 array (n, features).

    Raises:
        ValueError: another number of columns than `n_features`, or a number that is not finite in float32.
    """
    rows = np.asarray(features)
    if rows.ndim != 2 or (n_features is not None and rows.shape[1] != n_features):
        wanted = "any number of" if n_features is None else n_features
        raise ValueError(f"features must be rows of {wanted} columns, got an array of shape {rows.shape}")
    with np.errstate(over="ignore"):  # told below
        rows = np.ascontiguousarray(rows, dtype=np.float32)
    bad = np.flatnonzero(~np.isfinite(rows).all(axis=1))
    if len(bad):
        raise ValueError(f"row {bad[0]} of the features has numbers that are not finite in single precision")
    return rows


@dataclass(frozen=True)
class Training:
    """A trained network and how it came about."""

    network: DropoutNetwork
    """With the weights of the best epoch, in evaluation mode, on the CPU."""
    best_epoch: int
    """Counted from 1."""
    validation_accuracy: float
    """Fraction of validation rows that the network without dropout gets right."""
    validation_loss: float
    """Their mean cross entropy, nats."""
    validation_rows: NDArray[np.int64]
    """Indices of the rows that were held out, ascending."""
    history: pd.DataFrame
    """`HISTORY_COLUMNS`, a row for each epoch."""


def train_network(
    features: ArrayLike,
    labels: ArrayLike,
    n_classes: int,
    settings: Network,
    *,
    member: int = 0,
    weights: ArrayLike | None = None,
    extra: tuple[ArrayLike, ArrayLike] | None = None,
    device: str | torch.device | None = None,
    checkpoint: str | Path | None = None,
) -> Training:
    """Train a network by Adam on the cross entropy, and keep the weights of its best epoch.

    A fraction of the rows, the same for all members, is held out; after each epoch the network without dropout is tried
    on it. The best epoch has the highest accuracy and, of those that share it, the lowest cross entropy. Features that are
    0 in all training rows get the weight 0, so that they stay without effect where they are not 0.

    On a CPU one thread is used, whatever the number set in torch, so that the result depends only on the arguments and
    on the kind of processor. On a GPU it may change in the last digits from run to run.

    Args:
        features: (n, features), cast to float32 and used as they are.
        labels: (n,) class numbers from 0 to `n_classes` - 1.
        n_classes: number of classes.
        settings: of the network.
        member: number of the member in an ensemble: another one has other first weights, order of rows and dropout.
        weights: (n,) how much each row counts in training, not negative; None: all alike. Rows of `extra` count 1.
        extra: further features and labels that are only trained on, never held out.
        device: where to train; None: a CUDA device where there is one, else the CPU.
        checkpoint: file in which the training is recorded every minute, and from which it goes on, with the same result,
            where it was interrupted; removed at the end. One of another training is not used.

    Raises:
        ValueError: shapes or labels that do not fit, numbers that are not finite, a class without a training row.
        Diverged: the first epoch already ends in numbers that are not finite.
    """
    rows, classes = _checked_rows(features, labels, n_classes, "")
    counts = np.ones(len(rows), np.float32) if weights is None else np.asarray(weights, np.float32)
    if counts.shape != (len(rows),) or not (np.isfinite(counts).all() and (counts >= 0).all() and counts.any()):
        raise ValueError(f"weights must be {len(rows)} numbers from 0 up, not all 0")
    train, held_out = _split(len(rows), settings)
    x, y, w = rows[train], classes[train], counts[train]
    if extra is not None:
        more, of_more = _checked_rows(*extra, n_classes, "extra ", rows.shape[1])
        x, y = np.concatenate([x, more]), np.concatenate([y, of_more])
        w = np.concatenate([w, np.ones(len(more), np.float32)])
    missing = np.setdiff1d(np.arange(n_classes), y[w > 0])
    if len(missing):
        raise ValueError(f"class {missing[0]} has no training row: {len(missing)} of {n_classes} classes are missing")

    where = default_device("training runs", logging.INFO) if device is None else torch.device(device)
    with _reproducible(where, settings.seed, member):
        network = of_settings(settings, rows.shape[1], n_classes)
        with torch.no_grad():
            network.layers[0].weight[:, torch.from_numpy(~x.any(axis=0))] = 0
        network.to(where)
        # eps as in Keras
        optimiser = torch.optim.Adam(network.parameters(), lr=settings.learning_rate, eps=1e-7, fused=True)
        data = [torch.from_numpy(a).to(where) for a in (x, y, w / w.mean())]
        trial = [torch.from_numpy(a).to(where) for a in (rows[held_out], classes[held_out])]
        history: list[list[float]] = []
        best: dict[str, torch.Tensor] = {}
        best_epoch, best_score = 0, (-1.0, math.inf)
        given = b"".join(values.tobytes() for values in (x, y, w, held_out, rows[held_out], classes[held_out]))
        key = hashlib.sha256(repr((settings, member, n_classes, where.type)).encode() + given).hexdigest()
        path = None if checkpoint is None else Path(checkpoint)
        found = None if path is None else read_checkpoint(path, key, network, optimiser)
        if found is not None:
            best, (history, best_epoch, best_score) = found
        saved = time.monotonic()
        epochs = range(len(history) + 1, settings.epochs + 1)
        for epoch in progress(epochs, len(epochs), "training"):
            _seed(settings.seed, member, epoch)
            loss = _one_epoch(network, optimiser, data, settings.batch_size)
            accuracy, validation_loss = _try(network, trial)
            history.append([epoch, loss, validation_loss, accuracy])
            if not math.isfinite(loss):
                break
            if math.isfinite(validation_loss) and (accuracy, -validation_loss) > (best_score[0], -best_score[1]):
                best_epoch, best_score = epoch, (accuracy, validation_loss)
                best = {name: value.detach().clone() for name, value in network.state_dict().items()}
            if path is not None and time.monotonic() - saved >= _CHECKPOINT_EVERY_S:
                write_checkpoint(path, key, network, optimiser, best, [history, best_epoch, best_score])
                saved = time.monotonic()
        if not best:
            raise Diverged(
                f"training diverged in epoch {len(history)}: learning_rate = {settings.learning_rate:g} is too high"
            )
        network.load_state_dict(best)
    if path is not None:
        path.unlink(missing_ok=True)
    return Training(
        network.cpu().eval(), best_epoch, *best_score, held_out, pd.DataFrame(history, columns=HISTORY_COLUMNS)
    )


def _one_epoch(
    network: DropoutNetwork, optimiser: torch.optim.Optimizer, data: list[torch.Tensor], batch_size: int
) -> float:
    """Mean loss over the rows, with dropout."""
    network.train()
    order = torch.randperm(len(data[0])).to(data[0].device)
    shuffled = [values[order] for values in data]
    total = torch.zeros((), device=data[0].device)
    for first in range(0, len(order), batch_size):
        x, y, w = (values[first : first + batch_size] for values in shuffled)
        optimiser.zero_grad(set_to_none=True)
        losses = w * functional.cross_entropy(network(x), y, reduction="none")
        losses.mean().backward()
        optimiser.step()
        total += losses.detach().sum()
    return float(total) / len(order)


def _try(network: DropoutNetwork, data: list[torch.Tensor]) -> tuple[float, float]:
    """Accuracy and mean cross entropy without dropout."""
    network.eval()
    right, total = 0, 0.0
    with torch.no_grad():
        for x, y in zip(*(values.split(_ROWS_AT_ONCE) for values in data), strict=True):
            logits = network(x)
            right += int((logits.argmax(dim=1) == y).sum())
            total += float(functional.cross_entropy(logits, y, reduction="sum"))
    return right / len(data[1]), total / len(data[1])


def _split(n_rows: int, settings: Network) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    train, held_out = train_test_split(
        np.arange(n_rows), test_size=settings.validation_fraction, random_state=settings.seed
    )
    return np.sort(train), np.sort(held_out)


def _checked_rows(
    features: ArrayLike, labels: ArrayLike, n_classes: int, what: str, n_features: int | None = None
) -> tuple[Floats, NDArray[np.int64]]:
    rows, classes = checked_features(features, n_features), np.asarray(labels)
    if classes.shape != (len(rows),) or not np.issubdtype(classes.dtype, np.integer):
        raise ValueError(
            f"{what}labels must be {len(rows)} whole numbers, one a row, got {classes.dtype} {classes.shape}"
        )
    if len(classes) and not (classes.min() >= 0 and classes.max() < n_classes):
        raise ValueError(f"{what}labels must be from 0 to {n_classes - 1}, got {classes.min()} to {classes.max()}")
    return rows, classes.astype(np.int64)


@contextmanager
def _reproducible(device: torch.device, seed: int, member: int) -> Iterator[None]:
    """Torch's random numbers start from the seed and the member, and one thread computes; both are put back after."""
    threads = torch.get_num_threads()
    with torch.random.fork_rng(devices=[device] if device.type == "cuda" else []):
        _seed(seed, member, 0)
        torch.set_num_threads(1)
        try:
            yield
        finally:
            torch.set_num_threads(threads)


def _seed(seed: int, member: int, epoch: int) -> None:
    """Each epoch has random numbers of its own, so that one can start there."""
    torch.manual_seed(int(np.random.SeedSequence([seed, member, epoch]).generate_state(1, np.uint64)[0] >> 1))
