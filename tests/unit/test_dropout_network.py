"""The network with dropout: its layers and its training."""

import numpy as np
import pytest
import torch
from pandas.testing import assert_frame_equal
from pydantic import ValidationError
from torch.nn import functional

from gbscape.config.network import Network, NetworkSearch
from gbscape.learn import dropout_network
from gbscape.learn.dropout_network import (
    HISTORY_COLUMNS,
    Diverged,
    DropoutNetwork,
    activations,
    of_settings,
    train_network,
)

SETTINGS = Network(hidden_sizes=(24, 16), dropout=0.05, learning_rate=5e-3, batch_size=16, epochs=15)


@pytest.fixture(scope="module")
def problem():
    """Features (300, 8) around one point for each of 5 classes, of which the last column is 0, and labels."""
    rng = np.random.default_rng(0)
    labels = rng.integers(0, 5, 300)
    features = rng.standard_normal((5, 8))[labels] + 0.6 * rng.standard_normal((300, 8))
    features[:, 7] = 0
    return features, labels


@pytest.fixture(scope="module")
def trained(problem):
    return train_network(*problem, 5, SETTINGS)


def accuracy(network, features, labels):
    return (activations(network, features)[-1].argmax(axis=1) == labels).mean()


def test_the_published_architecture_has_371820_parameters():
    network = of_settings(Network(), 316, 108)
    assert network.sizes == (316, 256, 512, 256, 108)
    assert sum(parameter.numel() for parameter in network.parameters()) == 371_820  # thesis, table 4.1


def test_first_weights_are_uniform_of_glorots_width():
    network = DropoutNetwork(300, (200,), 100, 0.1)
    for layer, width in zip(network.layers, (np.sqrt(6 / 500), np.sqrt(6 / 300)), strict=True):
        weights = layer.weight.detach().numpy()
        assert abs(weights).max() <= width
        assert weights.std() == pytest.approx(width / np.sqrt(3), rel=0.02)
        assert not layer.bias.any()


@pytest.mark.parametrize("on_input", [True, False])
def test_dropout_is_in_front_of_each_layer_and_only_in_training(on_input):
    torch.manual_seed(0)
    n = 1500
    network = DropoutNetwork(n, (n,), 2, 0.3, on_input)
    seen = []
    for layer in network.layers:
        layer.register_forward_hook(lambda _, inputs, output: seen.append((inputs[0].detach(), output.detach())))
    features = torch.rand(1, n) + 0.5
    network.eval()(features)
    plain = [seen[0][0], functional.relu(seen[0][1])]
    assert torch.equal(plain[0], features)
    assert torch.equal(seen[1][0], plain[1])
    seen.clear()
    network.train()(features)
    after = [seen[0][0], seen[1][0]]
    before = [features, functional.relu(seen[0][1])]
    for number, (x, y) in enumerate(zip(before, after, strict=True)):
        dropped = (y == 0) & (x != 0)
        if number == 0 and not on_input:
            assert torch.equal(x, y)
            continue
        count = int((x != 0).sum())
        assert abs(int(dropped.sum()) / count - 0.3) < 5 * np.sqrt(0.21 / count)
        torch.testing.assert_close(y[~dropped], x[~dropped] / 0.7)


def test_activations_are_those_of_plain_matrix_products(trained, problem):
    hidden = problem[0][:20]
    found = activations(trained.network, hidden)
    for number, layer in enumerate(trained.network.layers):
        hidden = hidden @ layer.weight.detach().numpy().T.astype(float) + layer.bias.detach().numpy()
        hidden = np.maximum(hidden, 0) if number < 2 else hidden
        np.testing.assert_allclose(found[number], hidden, atol=1e-4)


def test_training_learns_and_keeps_the_best_epoch(trained, problem):
    features, labels = problem
    history = trained.history
    assert list(history) == HISTORY_COLUMNS
    assert len(history) == SETTINGS.epochs
    assert history["training_loss"].iloc[-1] < 0.3 * history["training_loss"].iloc[0]
    best = history.sort_values(["validation_accuracy", "validation_loss"], ascending=[False, True]).iloc[0]
    assert trained.best_epoch == best["epoch"]
    assert trained.validation_accuracy == best["validation_accuracy"] > 0.85
    held_out = trained.validation_rows
    assert len(held_out) == 60
    assert accuracy(trained.network, features[held_out], labels[held_out]) == trained.validation_accuracy
    logits = torch.from_numpy(activations(trained.network, features[held_out])[-1])
    loss = functional.cross_entropy(logits, torch.from_numpy(labels[held_out]))
    assert float(loss) == pytest.approx(trained.validation_loss, rel=1e-5)


def test_the_first_step_is_adams():
    """Without dropout and with one batch, the first step of Adam takes the learning rate off in the gradient's direction."""
    rng = np.random.default_rng(3)
    features, labels = rng.standard_normal((40, 4)), np.arange(40) % 3
    settings = Network(hidden_sizes=(5,), dropout=0, batch_size=40, epochs=1, learning_rate=1e-3)
    after = train_network(features, labels, 3, settings)
    train = np.setdiff1d(np.arange(40), after.validation_rows)
    before = train_network(features, labels, 3, settings.model_copy(update={"learning_rate": 1e-30})).network
    x, y = torch.tensor(features[train], dtype=torch.float32), torch.tensor(labels[train])
    functional.cross_entropy(before(x), y).backward()
    for new, old in zip(after.network.parameters(), before.parameters(), strict=True):
        clear = old.grad.abs() > 1e-4
        step = -1e-3 * old.grad.sign()
        torch.testing.assert_close((new - old).detach()[clear], step[clear], rtol=2e-3, atol=1e-7)


def test_same_seed_same_weights_whatever_the_threads(problem):
    settings = SETTINGS.model_copy(update={"epochs": 2})
    state, threads = torch.get_rng_state(), torch.get_num_threads()
    first = train_network(*problem, 5, settings)
    assert torch.equal(torch.get_rng_state(), state)
    torch.manual_seed(99)
    torch.set_num_threads(3)
    try:
        again = train_network(*problem, 5, settings)
        assert torch.get_num_threads() == 3
    finally:
        torch.set_num_threads(threads)
    for a, b in zip(first.network.parameters(), again.network.parameters(), strict=True):
        assert torch.equal(a, b)
    other = train_network(*problem, 5, settings, member=1)
    np.testing.assert_array_equal(other.validation_rows, first.validation_rows)
    assert not torch.equal(other.network.layers[0].weight, first.network.layers[0].weight)
    reseeded = train_network(*problem, 5, settings.model_copy(update={"seed": 1}))
    assert not np.array_equal(reseeded.validation_rows, first.validation_rows)


def test_an_interrupted_training_goes_on_as_if_it_had_not_been(problem, monkeypatch, tmp_path, caplog):
    settings = SETTINGS.model_copy(update={"epochs": 6})
    path = tmp_path / "new" / "checkpoint"
    monkeypatch.setattr(dropout_network, "_CHECKPOINT_EVERY_S", 0.0)
    whole = train_network(*problem, 5, settings, checkpoint=path)
    assert not path.exists()
    real, epochs = dropout_network._one_epoch, []

    def interrupted(*arguments):
        epochs.append(1)
        if len(epochs) == 5:
            raise KeyboardInterrupt
        return real(*arguments)

    monkeypatch.setattr(dropout_network, "_one_epoch", interrupted)
    with pytest.raises(KeyboardInterrupt):
        train_network(*problem, 5, settings, checkpoint=path)
    kept = path.read_bytes()
    again = train_network(*problem, 5, settings, checkpoint=path)
    assert len(epochs) == 5 + 2
    assert_frame_equal(again.history, whole.history)
    assert again.best_epoch == whole.best_epoch
    assert not path.exists()
    for a, b in zip(again.network.parameters(), whole.network.parameters(), strict=True):
        assert torch.equal(a, b)
    # not for another training, and not when damaged
    path.write_bytes(kept)
    train_network(*problem, 5, settings, member=1, checkpoint=path)
    path.write_bytes(kept[:-100])
    train_network(*problem, 5, settings, checkpoint=path)
    assert len(epochs) == 7 + 2 * 6
    assert [record.message.split(": ")[-1] for record in caplog.records] == [
        "this one starts anew",
        "the training starts anew",
    ]


def test_features_that_are_zero_in_training_have_no_effect(trained, problem):
    features = problem[0][:10].copy()
    expected = activations(trained.network, features)[-1]
    features[:, 7] = 100.0
    np.testing.assert_array_equal(activations(trained.network, features)[-1], expected)


def test_weights_of_zero_silence_wrong_labels(problem):
    features, labels = problem
    wrong = np.random.default_rng(1).random(300) < 0.6
    given = np.where(wrong, (labels + 1) % 5, labels)
    silenced = train_network(features, given, 5, SETTINGS, weights=~wrong)
    misled = train_network(features, given, 5, SETTINGS)
    assert accuracy(silenced.network, features, labels) > 0.75
    assert accuracy(misled.network, features, labels) < 0.5


def test_extra_rows_are_trained_on_but_not_held_out(problem):
    features, labels = problem
    without = features[labels != 4], labels[labels != 4]
    with pytest.raises(ValueError, match="class 4 has no training row"):
        train_network(*without, 5, SETTINGS)
    extra = features[labels == 4], labels[labels == 4]
    training = train_network(*without, 5, SETTINGS, extra=extra)
    assert accuracy(training.network, *extra) > 0.85
    assert training.validation_rows.max() < len(without[0])


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda x, y: (x[:, 0], y), r"rows of any number of columns, got an array of shape \(300,\)"),
        (lambda x, y: (np.where(np.arange(8) == 3, np.nan, x), y), "row 0 of the features has numbers that are not"),
        (lambda x, y: (x * 1e300, y), "not finite in single precision"),
        (lambda x, y: (x, y[:-1]), "labels must be 300 whole numbers"),
        (lambda x, y: (x, y.astype(float)), "labels must be 300 whole numbers, one a row, got float64"),
        (lambda x, y: (x, y + 1), "labels must be from 0 to 4, got 1 to 5"),
    ],
)
def test_bad_rows_are_refused(problem, change, message):
    with pytest.raises(ValueError, match=message):
        train_network(*change(*problem), 5, SETTINGS)


@pytest.mark.parametrize("weights", [np.ones(5), -np.ones(300), np.zeros(300), np.full(300, np.nan)])
def test_bad_weights_are_refused(problem, weights):
    with pytest.raises(ValueError, match="weights must be 300 numbers from 0 up, not all 0"):
        train_network(*problem, 5, SETTINGS, weights=weights)


def test_divergence_is_told(problem):
    with pytest.raises(Diverged, match="diverged in epoch 1: learning_rate = 1e\\+30 is too high"):
        train_network(*problem, 5, SETTINGS.model_copy(update={"learning_rate": 1e30}))


def test_bad_settings_are_refused():
    with pytest.raises(ValidationError, match=r"passes = 2 are not enough for members = 3"):
        Network(members=3, passes=2)
    with pytest.raises(ValidationError, match="fewest_layers = 5 is above most_layers = 4"):
        NetworkSearch(fewest_layers=5)
    with pytest.raises(ValueError, match="at least 2 classes"):
        DropoutNetwork(3, (4,), 1, 0.1)
    with pytest.raises(ValueError, match=r"the dropout must be in \[0, 1\), got 1"):
        DropoutNetwork(3, (4,), 2, 1)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no CUDA device")
def test_training_on_a_gpu_learns_too(problem):
    training = train_network(*problem, 5, SETTINGS, device="cuda")
    assert training.validation_accuracy > 0.85
    assert training.network.layers[0].weight.device.type == "cpu"
