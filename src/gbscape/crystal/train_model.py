"""From vectors to a model in a file: search for the network, training of each candidate and member, choice, calibration.

Leitherer, Ziletti and Ghiringhelli, Nat. Commun. 12, 6234 (2021); Leitherer's thesis (2021), section 4.3.3.3. Ensemble, training
with defects, temperature and distances are ours.
"""

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from gbscape.config.crystal import CrystalModel
from gbscape.config.crystal_descriptor import CrystalDescriptor
from gbscape.config.network import Network
from gbscape.crystal.descriptor import identity
from gbscape.crystal.training_set import SETTINGS_COLUMNS, Rows, background_features, read_rows
from gbscape.learn.calibration import fit_temperature
from gbscape.learn.dropout_network import DropoutNetwork, activations, train_network
from gbscape.learn.feature_space import fit_feature_space
from gbscape.learn.monte_carlo_dropout import sample_logits
from gbscape.learn.network_file import NetworkModel, load_network, save_network
from gbscape.learn.network_search import best_settings, search_networks
from gbscape.store.provenance import Provenance
from gbscape.store.tables import write_csv

CALIBRATION_PASSES = 50
"""Passes, of all members together, whose logits the temperature is fitted to."""
MOST_DISPLACEMENT, MOST_MISSING = 0.01, 0.05
"""Candidates are compared on displacements below the first, or fractions of missing atoms up to the second (thesis)."""


def search(pristine_h5: str | Path, out_csv: str | Path, settings: CrystalModel, code: str) -> None:
    """Search for networks by the accuracy on held-out pristine structures.

    Args:
        pristine_h5: gathered vectors of the pristine structures.
        out_csv: table of the trials; beside it a journal, from which a search that was interrupted goes on.
        settings: of the model.
        code: hash of the code that computes this.

    Raises:
        ValueError: the settings ask for no search.
    """
    if settings.search is None:
        raise ValueError("the settings ask for no search")
    rows = read_rows(pristine_h5)
    classes = classes_of(rows)
    given = Provenance.of(settings.model_dump(mode="json"), code, {"pristine": pristine_h5}, settings.network.seed)
    # another search has another journal
    journal = Path(out_csv).with_suffix(f".{hashlib.sha256(given.to_json().encode()).hexdigest()[:12]}.journal")
    trials = search_networks(
        rows.features, rows.class_numbers(classes), len(classes), settings.network, settings.search, journal
    )
    write_csv(out_csv, trials)


def candidate_network(settings: CrystalModel, trials_csv: str | Path | None, candidate: int) -> Network:
    """Settings of a candidate: of the search, or the one that is given.

    Args:
        settings: of the model.
        trials_csv: table of the trials; None without a search.
        candidate: its number, from 0, the most accurate first.

    Raises:
        ValueError: the search has found fewer networks.
    """
    if settings.search is None or trials_csv is None:
        return settings.network
    trials = pd.read_csv(trials_csv, dtype={"hidden_sizes": str})
    found = best_settings(trials, settings.network, settings.search.candidates)
    if candidate >= len(found):
        raise ValueError(
            f"the search found {len(found)} networks that could be trained, candidate {candidate} is asked for: set "
            f"search.candidates to {len(found)}, or try more"
        )
    return found[candidate]


def train(
    pristine_h5: str | Path,
    augmented_h5: str | Path | None,
    out: str | Path,
    network: Network,
    member: int,
    descriptor: CrystalDescriptor,
    code: str,
) -> None:
    """Train one network and write it, without calibration.

    Args:
        pristine_h5, augmented_h5: gathered vectors of the structures without defects, and of those with defects, if any.
        out: the network (.safetensors); beside it, `.csv`, loss and accuracy after each epoch.
        network: its settings.
        member: number of the member in an ensemble, from 0.
        descriptor: settings of the vectors.
        code: hash of the code that computes this.
    """
    rows = read_rows(pristine_h5)
    classes = classes_of(rows)
    inputs: dict[str, str | Path] = {"pristine": pristine_h5}
    extra = None
    if augmented_h5 is not None:
        augmented = read_rows(augmented_h5)
        extra = augmented.features, augmented.class_numbers(classes)
        inputs["augmented"] = augmented_h5
    out = Path(out)
    training = train_network(
        rows.features,
        rows.class_numbers(classes),
        len(classes),
        network,
        member=member,
        extra=extra,
        checkpoint=out.with_name(out.name + ".checkpoint"),
    )
    provenance = Provenance.of(network.model_dump(mode="json") | {"member": member}, code, inputs, network.seed)
    write_csv(out.with_suffix(".csv"), training.history)
    save_network(out, NetworkModel((training.network,), classes, identity(descriptor), provenance))


def choose(
    candidate_files: Sequence[str | Path], pristine_h5: str | Path, defective_h5: str | Path, out_csv: str | Path
) -> None:
    """Compare candidates on pristine structures and on slightly defective ones, as the thesis does.

    Args:
        candidate_files: trained networks.
        pristine_h5, defective_h5: gathered vectors.
        out_csv: a row a candidate: `candidate`, `pristine` (accuracy under all settings of the descriptor), `slight_defects`
            (accuracy on displacements below 1 %, or at most 5 % of the atoms missing), `chosen`: the highest of the latter,
            then of the former, then the first.
    """
    pristine, defective = read_rows(pristine_h5), read_rows(defective_h5)
    table = defective.table
    slight = ((table["missing"] == 0) & (table["displacement"] < MOST_DISPLACEMENT)) | (
        (table["displacement"] == 0) & (table["missing"] <= MOST_MISSING)
    )
    chosen = Rows(defective.features[slight], table[slight].reset_index(drop=True))
    found = []
    for number, path in enumerate(candidate_files):
        model = load_network(path)
        found.append(
            {
                "candidate": number,
                "pristine": _accuracy(model, pristine),
                "slight_defects": _accuracy(model, chosen),
            }
        )
    scores = pd.DataFrame(found)
    best = scores.sort_values(["slight_defects", "pristine", "candidate"], ascending=[False, False, True]).index[0]
    write_csv(out_csv, scores.assign(chosen=scores.index == best))


def chosen_candidate(choice_csv: str | Path) -> int:
    """Number of the candidate that `choose` has chosen."""
    table = pd.read_csv(choice_csv)
    return int(table.loc[table["chosen"], "candidate"].iloc[0])


def assemble(
    member_files: Sequence[str | Path],
    pristine_h5: str | Path,
    calibration_h5: str | Path | None,
    out: str | Path,
    descriptor: CrystalDescriptor,
    settings: CrystalModel,
    code: str,
) -> None:
    """Join the members to a model, and calibrate it.

    The temperature makes the probabilities of defective structures as right as they say. A distance is one of known
    structures if 99 % of these structures are nearer, and the background is not.

    Args:
        member_files: trained networks.
        pristine_h5: gathered vectors of the pristine structures; where the classes are is learned from those under
            `descriptor`.
        calibration_h5: gathered vectors of the structures for calibration; None: no calibration, the temperature is 1.
        out: the model (.safetensors).
        descriptor: settings of the vectors at prediction.
        settings: of the model.
        code: hash of the code that computes this.
    """
    members = [load_network(path) for path in member_files]
    networks, classes = tuple(member.networks[0] for member in members), members[0].classes
    pristine = under(read_rows(pristine_h5), descriptor)
    temperature, held_out = 1.0, None
    inputs: dict[str, str | Path] = {f"member_{number}": path for number, path in enumerate(member_files)}
    inputs["pristine"] = pristine_h5
    known, numbers = pristine.features, pristine.class_numbers(classes)
    if calibration_h5 is not None:
        inputs["calibration"] = calibration_h5
        rows = read_rows(calibration_h5)
        of_rows = rows.class_numbers(classes)
        temperature = fit_temperature(_logits(networks, rows.features, settings.network.seed), of_rows)
        # every second one tells how classes scatter, the others how far known structures are
        known = np.concatenate([known, rows.features[::2]])
        numbers = np.concatenate([numbers, of_rows[::2]])
        held_out = rows.features[1::2]
    background = [] if settings.background is None else background_features(settings.background, descriptor)
    space = fit_feature_space(networks[0], known, numbers, held_out=held_out, background=background)
    provenance = Provenance.of(settings.model_dump(mode="json"), code, inputs, settings.network.seed)
    save_network(out, NetworkModel(networks, classes, identity(descriptor), provenance, temperature, space))


def under(rows: Rows, descriptor: CrystalDescriptor) -> Rows:
    """Pristine rows that were described with `descriptor`, of all those of the training grid.

    Raises:
        ValueError: the grid does not have these settings.
    """
    same = np.ones(len(rows.table), dtype=bool)
    for name in SETTINGS_COLUMNS:
        same &= np.isclose(rows.table[name], getattr(descriptor, name))
    if not same.any():
        wanted = ", ".join(f"{name} = {getattr(descriptor, name):g}" for name in SETTINGS_COLUMNS)
        raise ValueError(f"the grid of the training set does not have the descriptor's own settings, {wanted}")
    return Rows(rows.features[same], rows.table[same].reset_index(drop=True))


def classes_of(rows: Rows) -> tuple[str, ...]:
    """Labels of the classes in the order of the rows."""
    return tuple(pd.unique(rows.table["label"]))


def _accuracy(model: NetworkModel, rows: Rows) -> float:
    found = activations(model.networks[0], rows.features)[-1].argmax(axis=1)
    return float((found == rows.class_numbers(model.classes)).mean())


def _logits(networks: Sequence[DropoutNetwork], features: NDArray[Any], seed: int) -> NDArray[np.float32]:
    each = max(CALIBRATION_PASSES // len(networks), 1)
    return np.concatenate(
        [sample_logits(network, features, each, seed, member) for member, network in enumerate(networks)]
    )
