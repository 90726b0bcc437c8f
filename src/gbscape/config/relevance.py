"""Settings of the inverse scattering transform: what every point of space has to do with a predicted energy."""

from pydantic import Field

from gbscape.config.base import Label, Settings


class Relevance(Settings):
    """Relevance of every point of space for the predicted energy of one boundary: the inverse scattering transform of
    Homer et al. 2019, Fig. 3. One model learns from half of the survey; with `snapshots` a second one learns from
    snapshots of the boundary. Off unless a boundary is named."""

    boundary: Label | None = None
    """Id of the boundary in the survey, e.g. S5_3.1.0_3.1.0_7cac86de, the symmetric tilt boundary Sigma 5 (0 1 3) of Homer et al.
    2019; null for no map. `snapshots` that are made must be of the same one."""
    representation: str = "st"
    """Name of one of `features.representations`, of a kind of scattering, from which the energy is learned; of a swept one,
    the name of a member."""
    n_splits: int = Field(default=5, ge=1)
    """Random train-test splits, each with a model and a map of its own; the picture shows those of the first. Boosted trees
    are trained on the first for comparison."""
    n_train: int = Field(default=500, ge=2)
    """Snapshots to train on, 500 in Homer et al. 2019; for the survey `learn.test_fraction` says how many."""
    n_explained: int = Field(default=30, ge=1)
    """Test snapshots, evenly spread, whose predicted energies are attributed to the displacements of the atoms."""
    path_points: int = Field(default=2, ge=1, le=64)
    """Points of the path from the atoms at rest to a snapshot at which the gradient is taken; with 2 the relevances add up to the
    predicted difference within some 2 %."""
