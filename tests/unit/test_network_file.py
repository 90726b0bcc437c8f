"""Networks in files: nothing is lost, and nothing damaged is believed."""

import json
from dataclasses import replace

import numpy as np
import pytest
import torch
from safetensors import safe_open
from safetensors.numpy import save_file

from gbscape.learn.dropout_network import DropoutNetwork
from gbscape.learn.feature_space import FeatureSpace, outlier_score
from gbscape.learn.monte_carlo_dropout import predict
from gbscape.learn.network_file import NetworkFileError, NetworkModel, load_network, save_network
from gbscape.store.provenance import Provenance

KEY = "gbscape dropout network"


@pytest.fixture
def model():
    rng = np.random.default_rng(0)
    return NetworkModel(
        networks=tuple(DropoutNetwork(4, (6, 5), 3, 0.0317, dropout_on_input=False).eval() for _ in range(2)),
        classes=("fcc", "bcc", "hcp, α"),
        descriptor={"n_max": 9, "sigma": 0.1, "species": ["all"]},
        provenance=Provenance.of({"epochs": 3}, "abc", seed=1),
        temperature=1.25,
        feature_space=FeatureSpace(
            1, rng.standard_normal((5, 5)), rng.standard_normal((3, 5)), rng.standard_normal((2, 5)), 4.5
        ),
    )


@pytest.fixture
def saved(model, tmp_path):
    path = tmp_path / "network.safetensors"
    save_network(path, model)
    return path


def changed(path, change):
    """Write the file anew after `change(tensors, header)`."""
    with safe_open(path, framework="numpy") as file:
        tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
        header = json.loads(file.metadata()[KEY])
    change(tensors, header)
    save_file(tensors, path, {KEY: json.dumps(header)})


def test_a_model_comes_back_as_it_was(model, saved, tmp_path):
    found = load_network(saved)
    for name in ("classes", "descriptor", "provenance", "temperature"):
        assert getattr(found, name) == getattr(model, name)
    x = np.random.default_rng(1).standard_normal((5, 4))
    a, b = (predict(m.networks, x, 20, 0) for m in (found, model))
    np.testing.assert_array_equal(a.probabilities, b.probabilities)
    assert not any(network.training for network in found.networks)
    a, b = (outlier_score(m.networks[0], m.feature_space, x) for m in (found, model))
    np.testing.assert_array_equal(a, b)
    assert found.feature_space.threshold == 4.5
    save_network(tmp_path / "again.safetensors", found)
    assert (tmp_path / "again.safetensors").read_bytes() == saved.read_bytes()


def test_without_a_feature_space(model, tmp_path):
    path = tmp_path / "new" / "network.safetensors"
    save_network(path, replace(model, feature_space=None))
    assert load_network(path).feature_space is None


def test_the_published_network_takes_less_than_two_megabytes(model, tmp_path):
    network = DropoutNetwork(316, (256, 512, 256), 108, 0.0317)
    classes = tuple(str(number) for number in range(108))
    save_network(tmp_path / "n", replace(model, networks=(network,), classes=classes, feature_space=None))
    assert 4 * 371_820 < (tmp_path / "n").stat().st_size < 4 * 371_820 + 5000


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda t, h: t.pop("1.0.bias"), "the tensor 1.0.bias is missing"),
        (
            lambda t, h: t.update({"1.0.bias": t["1.0.bias"][:-1]}),
            r"1.0.bias has the shape \(5,\), but .* wants \(6,\)",
        ),
        (lambda t, h: t["0.2.weight"].fill(np.nan), "0.2.weight has numbers that are not finite"),
        (lambda t, h: t["feature_space.means"].fill(np.inf), "feature_space.means has numbers that are not finite"),
        (lambda t, h: t.update({"2.0.bias": np.ones(3)}), "a tensor that belongs to nothing: 2.0.bias"),
        (lambda t, h: h.update(version=7), "version 7, but version 1 is the one that is known"),
        (lambda t, h: h["content"].pop("descriptor"), "the metadata have no 'descriptor'"),
        (lambda t, h: h["content"].update(classes=["a", "b"]), "3 distinct class labels, one for each output, got 2"),
        (lambda t, h: h["content"].update(classes=["a", "b", "a"]), "3 distinct class labels"),
        (lambda t, h: h["content"].update(temperature=-1.0), "the temperature must be positive"),
        (lambda t, h: h["content"].update(members=0), "there are no members"),
        (lambda t, h: h["content"].update(sizes=[4, 3]), "3 distinct|network needs"),
        (lambda t, h: h["content"].update(provenance="{}"), "network.safetensors: .*missing"),
    ],
)
def test_what_is_wrong_is_named(saved, change, message):
    changed(saved, change)
    with pytest.raises(NetworkFileError, match=message) as caught:
        load_network(saved)
    assert str(saved) in str(caught.value)


@pytest.mark.parametrize("length", [0, 5, 200, -1])
def test_a_truncated_file_is_refused(saved, length):
    saved.write_bytes(saved.read_bytes()[:length])
    with pytest.raises(NetworkFileError, match="damaged or no safetensors file"):
        load_network(saved)


def test_other_files_are_refused(saved, tmp_path):
    with pytest.raises(FileNotFoundError, match=r"no network: .*nowhere does not exist"):
        load_network(tmp_path / "nowhere")
    save_file({"a": np.ones(3)}, saved)
    with pytest.raises(NetworkFileError, match="the metadata of a network are missing"):
        load_network(saved)


def test_a_model_that_is_wrong_is_not_written(model, saved):
    before = saved.read_bytes()
    with torch.no_grad():
        broken = DropoutNetwork(4, (6, 5), 3, 0.0317)
        broken.layers[1].bias[0] = np.nan
    for change, message in (
        ({"networks": (broken,)}, "0.1.bias of the network has numbers that are not finite"),
        ({"networks": (*model.networks, DropoutNetwork(4, (6, 4), 3, 0.0317))}, "member 2 is"),
        ({"classes": ("a", "b")}, "3 distinct class labels"),
        ({"temperature": np.nan}, "the temperature must be positive"),
        ({"descriptor": {"sigma": np.nan}}, "not JSON compliant"),
    ):
        with pytest.raises(ValueError, match=message):
            save_network(saved, replace(model, **change))
    assert saved.read_bytes() == before
    assert [path.name for path in saved.parent.iterdir()] == [saved.name]
