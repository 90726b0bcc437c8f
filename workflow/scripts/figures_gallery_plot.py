"""Draw the gallery of relaxed boundaries."""

from typing import TYPE_CHECKING

from gbscape.config.figures import Gallery
from gbscape.figures.gallery import plot_gallery, read_panels
from gbscape.store.log import log_to

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

log_to(snakemake.log[0])
plot_gallery(read_panels(snakemake.input[0]), snakemake.output[0], Gallery(**snakemake.params.settings))
