"""Data of the gallery of relaxed boundaries."""

from typing import TYPE_CHECKING

import pandas as pd

from gbscape.config.figures import Gallery
from gbscape.figures.gallery import gallery_data, write_panels
from gbscape.store.job import begin_job
from gbscape.survey.boundary import read_boundaries

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

begin_job(snakemake)
boundaries = read_boundaries(snakemake.input.boundaries) if snakemake.input.get("boundaries") else []
energies = pd.read_csv(snakemake.input.energies)
rows = {b.id: (b.left, b.right) for b in boundaries}
panels = gallery_data(snakemake.input.survey, energies, Gallery(**snakemake.params.settings), rows)
write_panels(panels, snakemake.output[0])
