"""Learn the energies of the snapshots from one representation with one model."""

from typing import TYPE_CHECKING

from gbscape.config.learn import BoostedTrees
from gbscape.config.snapshots import SnapshotLearning
from gbscape.snapshots.learn import learn_snapshots
from gbscape.store.job import begin_job
from gbscape.store.tables import write_csv

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

begin_job(snakemake)
learned = learn_snapshots(
    features_h5=snakemake.input.features,
    snapshots_h5=snakemake.input.snapshots,
    representation=snakemake.wildcards.representation,
    model=snakemake.wildcards.model,
    settings=SnapshotLearning(**snakemake.params.settings),
    trees=BoostedTrees(**snakemake.params.trees),
    seed=snakemake.params.seed,
)
for table, path in snakemake.output.items():
    write_csv(path, getattr(learned, table))
