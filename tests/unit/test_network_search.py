"""The search for the network: proposals within the ranges, resumed as if never interrupted."""

import numpy as np
import pandas as pd
import pytest
from pandas.testing import assert_frame_equal

from gbscape.config.network import Network, NetworkSearch
from gbscape.learn import network_search
from gbscape.learn.network_search import TRIAL_COLUMNS, best_settings, search_networks

SETTINGS = Network(epochs=50, seed=5, members=2)
SEARCH = NetworkSearch(
    trials=14,
    epochs=2,
    most_layers=2,
    layer_sizes=(4, 8, 16),
    batch_sizes=(16, 32),
    lowest_learning_rate=1e-3,
    highest_learning_rate=3e-2,
)


@pytest.fixture(scope="module")
def problem():
    rng = np.random.default_rng(0)
    labels = rng.integers(0, 3, 120)
    return rng.standard_normal((3, 5))[labels] + 0.3 * rng.standard_normal((120, 5)), labels


@pytest.fixture(scope="module")
def trials(problem, tmp_path_factory):
    return search_networks(*problem, 3, SETTINGS, SEARCH, tmp_path_factory.mktemp("search") / "new" / "journal.log")


def test_trials_stay_within_the_ranges_and_have_the_asked_epochs(trials):
    assert list(trials) == TRIAL_COLUMNS
    assert trials["trial"].tolist() == list(range(14))
    assert trials["validation_accuracy"].between(0, 1).all()
    assert trials["best_epoch"].isin([1, 2]).all()
    sizes = trials["hidden_sizes"].str.split("-")
    assert sizes.str.len().isin([1, 2]).all()
    assert set(sizes.explode().astype(int)) <= {4, 8, 16}
    assert trials["dropout"].between(0.01, 0.25).all()
    assert trials["batch_size"].isin([16, 32]).all()
    assert trials["learning_rate"].between(1e-3, 3e-2).all()
    assert trials["learning_rate"].nunique() == 14


def test_a_search_that_was_interrupted_goes_on_as_if_it_had_not_been(problem, trials, tmp_path, monkeypatch):
    journal = tmp_path / "journal.log"
    calls = 0

    def interrupted(*arguments, **keywords):
        nonlocal calls
        calls += 1
        if calls == 12:
            raise KeyboardInterrupt
        return network_search_train(*arguments, **keywords)

    network_search_train = network_search.train_network
    monkeypatch.setattr(network_search, "train_network", interrupted)
    with pytest.raises(KeyboardInterrupt):
        search_networks(*problem, 3, SETTINGS, SEARCH, journal)
    again = search_networks(*problem, 3, SETTINGS, SEARCH, journal)
    assert_frame_equal(again, trials)
    assert calls == 15  # the one that was interrupted is done again
    assert_frame_equal(search_networks(*problem, 3, SETTINGS, SEARCH, journal), trials)
    assert calls == 15


def test_another_seed_proposes_otherwise(problem, trials, tmp_path):
    other = search_networks(
        *problem, 3, SETTINGS.model_copy(update={"seed": 6}), SEARCH.model_copy(update={"trials": 1}), tmp_path / "j"
    )
    assert other["learning_rate"][0] != trials["learning_rate"][0]


def test_trials_that_diverge_count_as_wrong(problem, tmp_path):
    search = SEARCH.model_copy(update={"trials": 2, "lowest_learning_rate": 1e30, "highest_learning_rate": 1e31})
    trials = search_networks(*problem, 3, SETTINGS, search, tmp_path / "j")
    assert (trials["validation_accuracy"] == 0).all()
    assert trials["validation_loss"].isna().all()
    with pytest.raises(ValueError, match="none of the 2 networks tried could be trained"):
        best_settings(trials, SETTINGS, 3)


def test_the_best_are_ordered_by_accuracy_then_loss():
    rows = [
        (0, 0.9, 0.3, 2, "16", 0.1, 16, 1e-3),
        (1, 1.0, 0.2, 2, "8-4", 0.2, 32, 2e-3),
        (2, 0.0, np.nan, 0, "4", 0.1, 16, 1.0),
        (3, 1.0, 0.1, 1, "4-4", 0.1, 16, 3e-3),
    ]
    trials = pd.DataFrame(rows, columns=TRIAL_COLUMNS)
    first, second = best_settings(trials, SETTINGS, 2)
    assert first == Network(
        hidden_sizes=(4, 4), dropout=0.1, batch_size=16, learning_rate=3e-3, epochs=50, seed=5, members=2
    )
    assert second.hidden_sizes == (8, 4)
    assert len(best_settings(trials, SETTINGS, 10)) == 3
