"""Monte-Carlo dropout against passes with masks of their own for each row, and what must not change its results."""

import tracemalloc

import numpy as np
import pytest
import torch
from scipy.special import softmax
from scipy.stats import entropy

from gbscape import native
from gbscape.learn import monte_carlo_dropout
from gbscape.learn.dropout_network import DropoutNetwork, activations
from gbscape.learn.monte_carlo_dropout import predict, sample_logits

MODULE = "gbscape.learn.monte_carlo_dropout"
PUBLISHED = (316, (256, 512, 256), 108)


def network_of(sizes, dropout=0.1, on_input=True, seed=0):
    """A network whose weights are large enough for probabilities that are neither alike nor certain."""
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        network = DropoutNetwork(*sizes, dropout, on_input).eval()
        with torch.no_grad():
            for layer in network.layers:
                layer.weight *= 1.5
                layer.bias.uniform_(-0.3, 0.3)
    return network


def features_for(network, n, seed=0):
    return np.random.default_rng(seed).standard_normal((n, network.sizes[0])).astype(np.float32)


def bits(p):
    return entropy(p, base=2, axis=-1)


@pytest.fixture(scope="module")
def mixed():
    """Half of one input and half of another one: the classes of both."""
    network = network_of((12, (20, 16), 4), 0.2)
    x = features_for(network, 2)
    return network, x, x.mean(axis=0, keepdims=True)


@pytest.mark.parametrize("build", list(native.LEVELS.values()))
@pytest.mark.parametrize("on_input", [True, False])
@pytest.mark.parametrize(
    ("sizes", "n"), [((5, (7,), 2), 1), ((33, (17, 64, 31), 35), 13), ((64, (48, 32), 108), 197), (PUBLISHED, 30)]
)
def test_all_builds_of_the_kernel_give_what_torch_gives(monkeypatch, build, on_input, sizes, n):
    level = next(level for level, name in native.LEVELS.items() if name == build)
    if native._open("gbscape.native.cpu", "generic").gbscape_simd_level() < level:
        pytest.skip(f"this processor does not run the {build} build")
    monkeypatch.setattr(monte_carlo_dropout, "load", lambda module: native._open(module, build))
    network = network_of(sizes, on_input=on_input)
    x = features_for(network, n)
    x[:, ::3] = 0  # columns that do not occur, which the kernel leaves out
    x[n // 2, 0] = 1
    layers = range(len(sizes[1]))
    ours, other = (
        predict(network, x, 20, 3, temperature=1.3, hidden_layers=layers, device=device) for device in (None, "cpu")
    )
    np.testing.assert_allclose(ours.probabilities, other.probabilities, atol=2e-6)
    np.testing.assert_allclose(ours.probabilities.sum(axis=1), 1, atol=1e-6)
    np.testing.assert_allclose(ours.predictive_entropy_bits, other.predictive_entropy_bits, atol=2e-5)
    np.testing.assert_allclose(ours.mutual_information_bits, other.mutual_information_bits, atol=1e-5)
    for a, b in zip(ours.hidden, other.hidden, strict=True):
        np.testing.assert_allclose(a, b, atol=2e-5)


@pytest.mark.parametrize("on_input", [True, False])
def test_statistics_are_those_of_masks_for_each_row(on_input):
    """Means, mutual information and hidden representations against dropout as torch has it, in units of their errors."""
    network = network_of((12, (20, 16), 4), 0.2, on_input)
    n, passes, runs = 4, 500, 40
    x = features_for(network, n)
    found = [predict(network, x, passes, seed, hidden_layers=(0, 1)) for seed in range(runs)]
    hidden: list[list[np.ndarray]] = [[], []]
    # what the layers after it get: after the ReLU and its own dropout
    hooks = [
        layer.register_forward_hook(lambda _, inputs, __, i=i: hidden[i].append(inputs[0].numpy()))
        for i, layer in enumerate(network.layers[1:])
    ]
    torch.manual_seed(1)
    network.train()
    with torch.no_grad():
        logits = network(torch.from_numpy(x).repeat(runs * passes, 1)).numpy()
    network.eval()
    for hook in hooks:
        hook.remove()
    p = softmax(logits.astype(float), axis=1).reshape(runs, passes, n, -1)
    mean = p.mean(axis=1)
    expected = {
        "probabilities": mean,
        "predictive_entropy_bits": bits(mean),
        "mutual_information_bits": bits(mean) - bits(p).mean(axis=1),
    }
    for name, naive in expected.items():
        ours = np.stack([getattr(prediction, name) for prediction in found])
        error = np.sqrt((ours.var(axis=0, ddof=1) + naive.var(axis=0, ddof=1)) / runs)
        z = (ours.mean(axis=0) - naive.mean(axis=0)) / error
        assert abs(z).max() < 4, name
        assert np.sqrt((z**2).mean()) < 1.6, name
        # the scatter of a run of so many passes is the same too: only so do passes count as independent
        assert 0.7 < ours.var(axis=0).mean() / naive.var(axis=0).mean() < 1.4, name
    for layer, naive in enumerate(hidden):
        values = naive[0].reshape(runs * passes, n, -1)
        ours = np.mean([prediction.hidden[layer] for prediction in found], axis=0)
        error = values.std(axis=0) / np.sqrt(runs * passes)
        assert abs((ours - values.mean(axis=0)) / np.maximum(error, 1e-6)).max() < 6


def test_a_mixed_input_is_uncertain(mixed):
    """Libraries whose `predict` quietly turns dropout off make every mutual information 0."""
    network, _, x = mixed
    prediction = predict(network, x, 300, 0)
    assert prediction.mutual_information_bits[0] > 0.01
    assert prediction.mutual_information_bits[0] <= prediction.predictive_entropy_bits[0] <= 2


def test_without_dropout_there_is_no_mutual_information(mixed):
    network = network_of((12, (20, 16), 4), 0.0)
    x = features_for(network, 9)
    prediction = predict(network, x, 1000, 0)
    np.testing.assert_allclose(prediction.mutual_information_bits, 0, atol=1e-6)
    np.testing.assert_allclose(prediction.probabilities, softmax(activations(network, x)[-1], axis=1), atol=1e-6)


def test_measures_are_those_of_the_sampled_passes():
    network = network_of((12, (20, 16), 4), 0.2)
    x = features_for(network, 6)
    logits = sample_logits(network, x, 60, 5)
    p = softmax(logits.astype(float) / 2.5, axis=2)
    prediction = predict(network, x, 60, 5, temperature=2.5)
    np.testing.assert_allclose(prediction.probabilities, p.mean(axis=0), atol=1e-6)
    np.testing.assert_allclose(prediction.predictive_entropy_bits, bits(p.mean(axis=0)), atol=1e-5)
    np.testing.assert_allclose(
        prediction.mutual_information_bits, bits(p.mean(axis=0)) - bits(p).mean(axis=0), atol=1e-5
    )
    np.testing.assert_array_equal(sample_logits(network, x, 20, 5), logits[:20])


def test_a_row_depends_on_the_seed_but_not_on_rows_chunks_and_threads(monkeypatch):
    network = network_of((33, (17, 64, 31), 35))
    x = features_for(network, 250)
    x[:200, 5] = 0
    first = predict(network, x, 70, 2, hidden_layers=(1,))

    def same(prediction, rows=slice(None)):
        np.testing.assert_array_equal(prediction.probabilities, first.probabilities[rows])
        np.testing.assert_array_equal(prediction.mutual_information_bits, first.mutual_information_bits[rows])
        np.testing.assert_array_equal(prediction.hidden[0], first.hidden[0][rows])

    same(predict(network, x, 70, 2, hidden_layers=(1,), threads=3))
    same(predict(network, x[40:47], 70, 2, hidden_layers=(1,)), slice(40, 47))
    monkeypatch.setattr(monte_carlo_dropout, "_ROWS_AT_ONCE", 11)
    monkeypatch.setattr(monte_carlo_dropout, "_PASSES_AT_ONCE", 9)
    same(predict(network, x, 70, 2, hidden_layers=(1,)))
    assert not np.array_equal(predict(network, x, 70, 3).probabilities, first.probabilities)


def test_memory_does_not_grow_with_the_passes():
    network = network_of((33, (64, 31), 35))
    x = features_for(network, 50)

    def peak(passes):
        tracemalloc.start()
        predict(network, x, passes, 0)
        top = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return top

    peak(1)
    assert peak(5000) < 1.2 * peak(500)


def test_members_are_mixed_and_their_disagreement_is_mutual_information():
    """Two networks without dropout, each certain of another class."""
    certain = []
    for wanted in (0, 1):
        network = network_of((3, (4,), 2), 0.0)
        with torch.no_grad():
            network.layers[-1].weight.zero_()
            network.layers[-1].bias.copy_(torch.tensor([0.0, 0.0]))
            network.layers[-1].bias[wanted] = 60.0
        certain.append(network)
    x = features_for(certain[0], 5)
    for device in (None, "cpu"):
        both = predict(certain, x, 1000, 0, device=device, hidden_layers=(0,))
        np.testing.assert_allclose(both.probabilities, 0.5, atol=1e-6)
        np.testing.assert_allclose(both.mutual_information_bits, 1, atol=1e-6)
        assert both.hidden[0].shape == (5, 8)
        np.testing.assert_allclose(both.hidden[0][:, 4:], activations(certain[1], x)[0], atol=1e-6)
    uneven = predict(certain, x, 3, 0)  # two passes of the first member, one of the second
    np.testing.assert_allclose(uneven.probabilities, [[2 / 3, 1 / 3]] * 5, atol=1e-6)


def test_members_have_masks_of_their_own():
    network = network_of((12, (20, 16), 4), 0.2)
    x = features_for(network, 3)
    logits = np.concatenate([sample_logits(network, x, 30, 7, member=number) for number in (0, 1)])
    assert not np.array_equal(logits[:30], logits[30:])
    both = predict([network, network], x, 60, 7)
    np.testing.assert_allclose(both.probabilities, softmax(logits, axis=2).mean(axis=0), atol=1e-6)


def test_no_rows_give_empty_arrays():
    network = network_of((12, (20, 16), 4))
    prediction = predict(network, np.empty((0, 12)), 10, 0, hidden_layers=(0,))
    assert prediction.probabilities.shape == (0, 4)
    assert prediction.hidden[0].shape == (0, 20)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"networks": []}, "at least one network"),
        ({"networks": [network_of((12, (20,), 4)), network_of((12, (20,), 5))]}, "members must have the same features"),
        ({"networks": [network_of((12, (20,), 4))] * 3, "passes": 2}, "3 members need at least one pass each"),
        ({"temperature": 0}, "the temperature must be positive, got 0"),
        ({"hidden_layers": (1,)}, "no hidden layer 1: they are numbered from 0 to 0"),
        ({"features": np.zeros((2, 11))}, r"rows of 12 columns, got an array of shape \(2, 11\)"),
        ({"features": np.full((2, 12), np.inf)}, "row 0 of the features has numbers that are not finite"),
    ],
)
def test_bad_input_is_refused(arguments, message):
    given = {"networks": network_of((12, (20,), 4)), "features": np.zeros((2, 12)), "passes": 10, "seed": 0} | arguments
    with pytest.raises(ValueError, match=message):
        predict(**given)


def test_results_that_overflow_are_told():
    with pytest.raises(ArithmeticError, match="row 1: the network's result is not finite, features of up to 3e"):
        predict(network_of((12, (20,), 4)), np.array([[1.0] * 12, [3e38] * 12]), 10, 0)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no CUDA device")
def test_cuda_gives_what_the_cpu_gives():
    network = network_of(PUBLISHED, 0.0317)
    x = features_for(network, 40)
    a, b = (predict(network, x, 100, 0, device=device) for device in ("cuda", "cpu"))
    np.testing.assert_allclose(a.probabilities, b.probabilities, atol=1e-4)
    np.testing.assert_allclose(a.mutual_information_bits, b.mutual_information_bits, atol=1e-3)
