"""Boundaries described by shares of structure types: common-neighbour analysis and polyhedral template matching."""

import numpy as np
from ase import Atoms
from numpy.typing import NDArray

from gbscape.config.descriptor_properties import Classification
from gbscape.structure.boundary_atoms import adaptive_cna
from gbscape.structure.ovito_analysis import analysed, modifiers

CNA_TYPES = ("other", "fcc", "hcp", "bcc", "icosahedral")
PTM_TYPES = ("other", "fcc", "hcp", "bcc", "icosahedral", "simple_cubic")
RMSD_CUTOFF = 0.1
"""Deviation from a template up to which an atom is given its type (Larsen et al. 2016), in units of the distance of neighbours."""

_TEMPLATE = modifiers.PolyhedralTemplateMatchingModifier.Type
_TEMPLATES = (_TEMPLATE.OTHER, _TEMPLATE.FCC, _TEMPLATE.HCP, _TEMPLATE.BCC, _TEMPLATE.ICO, _TEMPLATE.SC)


def classify(atoms: Atoms, mask: NDArray[np.bool_], classification: Classification) -> NDArray[np.float64]:
    """Shares of the structure types among the boundary's atoms.

    Args:
        atoms: structure (n atoms).
        mask: (n,) true for the atoms of the boundary.

    Returns:
        (5,) for `CNA_TYPES`, by adaptive common-neighbour analysis (Stukowski, Modelling Simul. Mater. Sci. Eng. 20, 045021
        (2012)); (6,) for `PTM_TYPES`, by polyhedral template matching (Larsen, Schmidt and Schiotz, ibid. 24, 055007
        (2016)); `ptm_rmsd` is (7,): the mean deviation from the templates comes last, an atom's being at most `RMSD_CUTOFF`,
        which is also that of atoms that no template matches.
    """
    if classification == "cna":
        return np.asarray(np.bincount(adaptive_cna(atoms)[mask], minlength=len(CNA_TYPES)) / mask.sum())
    kinds, rmsd = _template_matching(atoms)
    shares = np.array([(kinds[mask] == int(kind)).mean() for kind in _TEMPLATES])
    return np.append(shares, rmsd[mask].mean()) if classification == "ptm_rmsd" else shares


def _template_matching(atoms: Atoms) -> tuple[NDArray[np.int_], NDArray[np.float64]]:
    modifier = modifiers.PolyhedralTemplateMatchingModifier(rmsd_cutoff=RMSD_CUTOFF, output_rmsd=True)
    for kind in _TEMPLATES[1:]:
        modifier.structures[int(kind)].enabled = True
    particles = analysed(atoms, modifier)
    kinds, rmsd = np.array(particles["Structure Type"]), np.array(particles["RMSD"])
    # OVITO gives 0 to atoms that have the topology of no template.
    unmatched = (kinds == int(_TEMPLATE.OTHER)) & (rmsd == 0)
    return kinds, np.where(unmatched, RMSD_CUTOFF, np.minimum(rmsd, RMSD_CUTOFF))
