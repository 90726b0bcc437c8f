"""Strided pattern matching from end to end: cutting, description and classification of boxes by the shipped model, against
the published procedure with its own parts."""

import numpy as np
import torch
from ase import Atoms
from boxes_contests import EDGE_ANGSTROM, by_masks, distance_by_loops, nickel
from measure import Build, Contest, Contestant, Goal, Work
from soap_contests import quippy_descriptor

from gbscape.crystal import load_model
from gbscape.crystal.classification import descriptor_of
from gbscape.crystal.strided import boxed_sample, classify_boxes

OURS, PUBLISHED = "boxes to labels", "masks, loops, quippy, torch"


def strided(quick: bool) -> Contest:
    """Consecutive boxes in the middle of a crystal with thermal noise; the published procedure does a few of them."""
    n_boxes, n_compared, passes = (8, 1, 20) if quick else (1024, 6, 1000)
    positions = nickel(8 if quick else 32)
    atoms = Atoms(f"Ni{len(positions)}", positions=positions)
    sample = boxed_sample(atoms, EDGE_ANGSTROM, 6.0 if quick else 3.7, padding=0)
    first = (len(sample.grid) - n_boxes) // 2
    # as large as boxes are on average, so that what they cost stands for all
    sizes = sample.n_atoms()[first : first + n_boxes]
    compared = first + np.sort(np.argsort(abs(sizes - sizes.mean()), kind="stable")[:n_compared])
    model = load_model()

    def ours() -> Build:
        torch.set_num_threads(1)
        classify_boxes(sample, model, [first], passes=len(model.networks))

        def work() -> np.ndarray:
            found = classify_boxes(sample, model, np.arange(first, first + n_boxes), passes=passes)
            return np.array(found.labels)[compared - first]

        return lambda: work

    def published() -> Build:
        torch.set_num_threads(1)
        settings = descriptor_of(model)

        def build() -> Work:
            soap = quippy_descriptor(settings.soap(None), 28)

            def work() -> np.ndarray:
                rows = []
                for inside in by_masks(positions, sample.grid, compared):
                    box = Atoms(f"Ni{len(inside)}", positions=positions[inside])
                    box.positions /= distance_by_loops(box, "Ni", "Ni")
                    rows.append(soap.calc(box)["data"][0])
                features = torch.from_numpy(np.array(rows, dtype=np.float32))
                with torch.no_grad():
                    passed = [
                        torch.softmax(member.train()(features) / model.temperature, dim=1)
                        for member in model.networks
                        for _ in range(passes // len(model.networks))
                    ]
                for member in model.networks:
                    member.eval()
                return np.array(model.classes)[torch.stack(passed).mean(dim=0).argmax(dim=1).numpy()]

            return work

        return build

    return Contest(
        key="strided",
        setting=f"{n_boxes} of {len(sample.grid)} boxes of 16 Å, {sizes.mean():.0f} atoms on average, {passes} passes",
        ours=[Contestant(OURS, ours)],
        peers=[Contestant(PUBLISHED, published, share=n_compared / n_boxes)],
        units=n_boxes,
        unit="boxes",
        difference={PUBLISHED: lambda ours, peer: float((ours != peer).sum())},
        goals={(OURS, PUBLISHED): Goal(speed=150, difference=0)},
    )
