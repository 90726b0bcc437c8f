"""Monte-Carlo dropout: the compiled kernel against passes with masks of their own for each row, and against the matrix
products alone."""

from collections.abc import Callable

import numpy as np
import torch
from measure import Build, Contest, Contestant, Goal, Unavailable, Work

from gbscape.config.network import Network
from gbscape.learn.dropout_network import DropoutNetwork, of_settings
from gbscape.learn.monte_carlo_dropout import predict

KERNEL, TORCH, CUDA = "kernel", "torch, CPU, the same masks", "torch, CUDA"
NAIVE, PRODUCTS = "torch, masks of each row", "sgemm of all products"
FEATURES, CLASSES = 316, 108
EMPTY = 136
"""Components of the averaged power spectrum that are 0 for one species: those of odd l."""


def dropout(quick: bool) -> Contest:
    boxes, passes = (24, 20) if quick else (480, 1000)
    network = of_settings(Network(), FEATURES, CLASSES).eval()
    random = np.random.default_rng(0)
    features = random.random((boxes, FEATURES), np.float32)
    features[:, random.choice(FEATURES, EMPTY, replace=False)] = 0
    features /= np.linalg.norm(features, axis=1, keepdims=True)
    few = passes // 20
    return Contest(
        key="dropout",
        setting=f"{boxes} boxes, {passes} passes of {'-'.join(map(str, network.sizes))}",
        ours=[
            Contestant(KERNEL, _ours(network, features, passes, None)),
            Contestant(TORCH, _ours(network, features, few, "cpu"), share=few / passes),
            Contestant(CUDA, _ours(network, features, passes, "cuda")),
        ],
        peers=[
            Contestant(NAIVE, _naive(network, features, few), share=few / passes),
            Contestant(PRODUCTS, _products(network, boxes, few), share=few / passes),
        ],
        units=boxes,
        unit="boxes",
        # of two samples of passes, not of rounding
        difference={NAIVE: lambda ours, peer: float(abs(ours - peer).max())},
        # The published code does 9 boxes a second on one core, and plain torch 5 times as many (measured once, Keras 3 with
        # TensorFlow): 12 times the former is 2.4 times the latter.
        goals={(KERNEL, NAIVE): Goal(speed=2.4), (KERNEL, PRODUCTS): Goal(speed=0.7)},
    )


def _ours(network: DropoutNetwork, features: np.ndarray, passes: int, device: str | None) -> Callable[[], Build]:
    def load() -> Build:
        if device == "cuda" and not torch.cuda.is_available():
            raise Unavailable("no CUDA device")
        torch.set_num_threads(1)
        predict(network, features[:2], 2, 0, device=device, quiet=True)

        def work() -> np.ndarray:
            return predict(network, features, passes, 0, device=device, quiet=True).probabilities

        return lambda: work

    return load


def _naive(network: DropoutNetwork, features: np.ndarray, passes: int) -> Callable[[], Build]:
    def load() -> Build:
        torch.set_num_threads(1)
        twin = of_settings(Network(), FEATURES, CLASSES).train()
        twin.load_state_dict(network.state_dict())
        rows = torch.from_numpy(features)

        def work() -> np.ndarray:
            """Every pass of all layers, all kept, and the measures from them, as the published code goes about it."""
            with torch.no_grad():
                p = torch.stack([torch.softmax(twin(rows), dim=1) for _ in range(passes)])
                mean = p.mean(dim=0)
                predictive = -(mean * mean.clamp(min=1e-12).log2()).sum(dim=1)
                predictive + (p * p.clamp(min=1e-12).log2()).sum(dim=(0, 2)) / passes
            return mean.numpy()

        return lambda: work

    return load


def _products(network: DropoutNetwork, boxes: int, passes: int) -> Callable[[], Build]:
    def build() -> Work:
        torch.set_num_threads(1)
        weights = [layer.weight.detach().T.contiguous() for layer in network.layers]
        rows = [torch.rand(boxes, len(weight)) for weight in weights]
        outs = [torch.empty(boxes, weight.shape[1]) for weight in weights]

        def work() -> None:
            for _ in range(passes):
                for x, weight, out in zip(rows, weights, outs, strict=True):
                    torch.mm(x, weight, out=out)

        return work

    return lambda: build
