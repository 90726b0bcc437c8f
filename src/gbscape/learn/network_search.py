"""Search for the settings of the network by the tree-structured Parzen estimator (Bergstra et al. 2011; optuna), as in
Leitherer's thesis (2021), section 4.3.3.3."""

import logging
from pathlib import Path

import numpy as np
import optuna
import pandas as pd
from numpy.typing import ArrayLike
from optuna.storages import JournalStorage
from optuna.storages.journal import JournalFileBackend
from optuna.trial import TrialState

from gbscape.config.network import Network, NetworkSearch
from gbscape.learn.dropout_network import Diverged, train_network
from gbscape.store.progress import progress

TRIAL_COLUMNS = [
    "trial", "validation_accuracy", "validation_loss", "best_epoch", "hidden_sizes", "dropout", "batch_size",
    "learning_rate",
]  # fmt: skip
"""Hidden sizes as text, e.g. 256-512-256. Trials that diverged have the accuracy 0 and no loss."""
_log = logging.getLogger(__name__)


def search_networks(
    features: ArrayLike,
    labels: ArrayLike,
    n_classes: int,
    settings: Network,
    search: NetworkSearch,
    journal: str | Path,
) -> pd.DataFrame:
    """Train networks with settings that the estimator proposes, by the accuracies of those before.

    Proposals depend on the seed and the trials before only, so that a search that was interrupted goes on as if it had
    not been. The journal must be of the same data and settings; who calls sees to that (its name, for instance).

    Args:
        features: (n, features), see `gbscape.learn.dropout_network.train_network`.
        labels: (n,) class numbers.
        n_classes: number of classes.
        settings: what is not searched: the split, the seed, dropout on the input.
        search: ranges and number of trials.
        journal: file that records the trials, and from which an interrupted search is taken up.

    Returns:
        `TRIAL_COLUMNS`, a row a trial in their order.

    Raises:
        ValueError: see `train_network`.
    """
    Path(journal).parent.mkdir(parents=True, exist_ok=True)
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    study = optuna.create_study(
        storage=JournalStorage(JournalFileBackend(str(journal))),
        study_name="network",
        direction="maximize",
        load_if_exists=True,
    )
    for left in study.get_trials(deepcopy=False, states=(TrialState.RUNNING,)):  # of an interrupted run
        study.tell(left.number, state=TrialState.FAIL)
    done = len(study.get_trials(deepcopy=False, states=(TrialState.COMPLETE,)))
    for number in progress(range(done, search.trials), search.trials - done, "search"):
        seed = np.random.SeedSequence([settings.seed, number]).generate_state(1)[0]
        study.sampler = optuna.samplers.TPESampler(seed=int(seed))
        trial = study.ask()
        proposed = _propose(trial, settings, search)
        epochs = search.epochs or settings.epochs
        try:
            training = train_network(features, labels, n_classes, proposed.model_copy(update={"epochs": epochs}))
        except Diverged as error:
            _log.warning("trial %d: %s", number, error)
            study.tell(trial, 0.0)
            continue
        trial.set_user_attr("validation_loss", training.validation_loss)
        trial.set_user_attr("best_epoch", training.best_epoch)
        study.tell(trial, training.validation_accuracy)
    complete = study.get_trials(deepcopy=False, states=(TrialState.COMPLETE,))[: search.trials]
    rows = [
        (
            number,
            its.value,
            its.user_attrs.get("validation_loss", np.nan),
            its.user_attrs.get("best_epoch", 0),
            "-".join(str(its.params[f"units_{i}"]) for i in range(its.params["layers"])),
            *(its.params[name] for name in TRIAL_COLUMNS[5:]),
        )
        for number, its in enumerate(complete)
    ]
    return pd.DataFrame(rows, columns=TRIAL_COLUMNS)


def best_settings(trials: pd.DataFrame, settings: Network, candidates: int) -> list[Network]:
    """Settings of the trials of the best validation accuracy, best first; of equal ones those of the lower loss.

    Trials that diverged are left out, so that there may be fewer.

    Args:
        trials: from `search_networks`.
        settings: what was not searched.
        candidates: how many.

    Raises:
        ValueError: all trials diverged.
    """
    good = trials.dropna(subset="validation_loss").sort_values(
        ["validation_accuracy", "validation_loss"], ascending=[False, True], kind="stable"
    )
    if good.empty:
        raise ValueError(
            f"none of the {len(trials)} networks tried could be trained: lower search.highest_learning_rate"
        )
    return [
        Network.model_validate(
            settings.model_dump()
            | {
                "hidden_sizes": tuple(map(int, row.hidden_sizes.split("-"))),
                "dropout": float(row.dropout),
                "batch_size": int(row.batch_size),
                "learning_rate": float(row.learning_rate),
            }
        )
        for row in good.head(candidates).itertuples()
    ]


def _propose(trial: optuna.Trial, settings: Network, search: NetworkSearch) -> Network:
    layers = trial.suggest_int("layers", search.fewest_layers, search.most_layers)
    # sizes are leaves below the number of layers: those of layers that there are not are not asked for
    sizes = tuple(trial.suggest_categorical(f"units_{i}", search.layer_sizes) for i in range(layers))
    return settings.model_copy(
        update={
            "hidden_sizes": sizes,
            "dropout": trial.suggest_float("dropout", search.lowest_dropout, search.highest_dropout),
            "batch_size": trial.suggest_categorical("batch_size", search.batch_sizes),
            "learning_rate": trial.suggest_float(
                "learning_rate", search.lowest_learning_rate, search.highest_learning_rate, log=True
            ),
        }
    )
