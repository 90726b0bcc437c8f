"""Draw the gallery of relaxed boundaries."""

from typing import TYPE_CHECKING

from gbscape.config.figures import Gallery
from gbscape.figures.gallery import plot_gallery, read_panels
from gbscape.store.job import begin_job

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

begin_job(snakemake)
plot_gallery(read_panels(snakemake.input[0]), snakemake.output[0], Gallery(**snakemake.params.settings))
