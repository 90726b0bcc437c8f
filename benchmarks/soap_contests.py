"""SOAP: the compiled kernel and PyTorch against quippy, dscribe and featomic."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from ase import Atoms
from ase.build import bulk
from measure import Build, Contest, Contestant, Goal, Unavailable, Work

from gbscape.config.soap import SoapParameters

NATIVE, TORCH, CUDA_DOUBLE, CUDA_SINGLE = "native", "torch, CPU", "torch, CUDA, float64", "torch, CUDA, float32"
QUIPPY, DSCRIBE, FEATOMIC = "quippy", "dscribe", "featomic"
COMPONENTS = 39
"""Columns that a million atoms are projected to."""


def noisy(crystal: Atoms, cells: int, noise_angstrom: float) -> Atoms:
    """Periodic supercell with thermal noise."""
    atoms = crystal * (cells, cells, cells)
    atoms.positions += np.random.default_rng(0).normal(0, noise_angstrom, atoms.positions.shape)
    atoms.wrap()
    return atoms


def iron(cells: int) -> Atoms:
    """2 cells^3 atoms of bcc iron."""
    return noisy(bulk("Fe", "bcc", a=2.87, cubic=True), cells, 0.1)


def iron_parameters() -> SoapParameters:
    return SoapParameters(n_max=10, l_max=6, cutoff_angstrom=4.0, sigma_angstrom=0.5)


def soap_fe(quick: bool) -> Contest:
    atoms = iron(2 if quick else 10)
    return _per_atom(
        "soap-fe", atoms, iron_parameters(), peers=(QUIPPY, DSCRIBE, FEATOMIC),
        goals={QUIPPY: Goal(speed=60, difference=1e-8), DSCRIBE: Goal(speed=8), FEATOMIC: Goal(speed=8)},
    )  # fmt: skip


def soap_ni(quick: bool) -> Contest:
    atoms = noisy(bulk("Ni", "fcc", a=3.52, cubic=True), 1 if quick else 5, 0.08)
    size = 6 if quick else 18
    parameters = SoapParameters(n_max=size, l_max=size, cutoff_angstrom=5.0, sigma_angstrom=0.5)
    return _per_atom(
        "soap-ni", atoms, parameters, peers=(QUIPPY, FEATOMIC), goals={QUIPPY: Goal(speed=40, difference=1e-8)}
    )


def soap_million(quick: bool) -> Contest:
    atoms = iron(3 if quick else 80)
    return Contest(
        key="soap-million",
        setting=f"SOAP n=10 l=6 rc=4 to {COMPONENTS} columns, {len(atoms)} Fe",
        ours=[
            Contestant(NATIVE, projected(atoms, NATIVE)),
            Contestant(CUDA_DOUBLE, projected(atoms, CUDA_DOUBLE)),
            Contestant(CUDA_SINGLE, projected(atoms, CUDA_SINGLE)),
        ],
        peers=[],
        units=len(atoms),
        unit="atoms",
        goals={(NATIVE, ""): Goal(bytes_per_unit=500)},
    )


def projected(atoms: Atoms, engine: str, threads: int = 1) -> Callable[[], Build]:
    """SOAP vectors of iron projected to a few columns on the way; those of a PCA would take as long."""
    parameters = iron_parameters()
    features = parameters.n_max * (parameters.n_max + 1) // 2 * (parameters.l_max + 1) + 1
    projection = np.linalg.qr(np.random.default_rng(0).normal(size=(features, COMPONENTS)))[0]
    if engine == NATIVE:
        return _native(atoms, parameters, projection, threads)
    return _torch(atoms, parameters, "cuda", "float64" if engine == CUDA_DOUBLE else "float32", projection)


def soap_arise(quick: bool) -> Contest:
    boxes = _arise_boxes(1 if quick else 4, 6.0 if quick else 16.0)
    parameters = SoapParameters(
        n_max=9, l_max=6, cutoff_angstrom=4.0, sigma_angstrom=0.1, central_weight=0.0, averaging="coefficients"
    )
    mean = sum(map(len, boxes)) / len(boxes)
    return Contest(
        key="soap-arise",
        setting=f"SOAP of ARISE, {len(boxes)} boxes of {mean:.0f} atoms",
        ours=[Contestant(NATIVE, _native_boxes(boxes, parameters))],
        peers=[
            Contestant(QUIPPY, _quippy(boxes, parameters)),
            Contestant(DSCRIBE, _dscribe(boxes, parameters)),
        ],
        units=len(boxes),
        unit="boxes",
        difference={QUIPPY: _largest_difference},
        goals={(NATIVE, QUIPPY): Goal(speed=250, difference=1e-8)},
    )


def _per_atom(
    key: str, atoms: Atoms, parameters: SoapParameters, peers: Sequence[str], goals: dict[str, Goal]
) -> Contest:
    makers = {QUIPPY: _quippy, DSCRIBE: _dscribe, FEATOMIC: _featomic}
    return Contest(
        key=key,
        setting=f"SOAP n={parameters.n_max} l={parameters.l_max} rc={parameters.cutoff_angstrom:g}, "
        f"{len(atoms)} {atoms.symbols[0]}",
        ours=[
            Contestant(NATIVE, _native(atoms, parameters)),
            Contestant(TORCH, _torch(atoms, parameters, "cpu", "float64")),
            Contestant(CUDA_DOUBLE, _torch(atoms, parameters, "cuda", "float64")),
            Contestant(CUDA_SINGLE, _torch(atoms, parameters, "cuda", "float32")),
        ],
        peers=[Contestant(peer, makers[peer]([atoms], parameters)) for peer in peers],
        units=len(atoms),
        unit="atoms",
        difference={QUIPPY: _largest_difference},
        goals={(NATIVE, peer): goal for peer, goal in goals.items()},
    )


def _largest_difference(ours: Any, peer: Sequence[np.ndarray]) -> float:
    return float(np.abs(np.asarray(ours).reshape(-1) - np.concatenate(peer).reshape(-1)).max())


def _arise_boxes(number: int, edge_angstrom: float) -> list[Atoms]:
    """Boxes cut out of noisy nickel, lengths in units of the nearest-neighbour distance."""
    random = np.random.default_rng(0)
    crystal = bulk("Ni", "fcc", a=3.52, cubic=True) * (10, 10, 10)
    positions = crystal.positions + random.normal(0, 0.05, crystal.positions.shape)
    boxes = []
    for _ in range(number):
        low = random.uniform(0, 35.2 - edge_angstrom, 3)
        inside = ((positions >= low) & (positions <= low + edge_angstrom)).all(axis=1)
        boxes.append(Atoms(f"Ni{inside.sum()}", positions=(positions[inside] - low) / (3.52 / np.sqrt(2))))
    return boxes


def _native(
    atoms: Atoms, parameters: SoapParameters, projection: np.ndarray | None = None, threads: int = 1
) -> Callable[[], Build]:
    def load() -> Build:
        from gbscape.features.soap import power_spectrum

        power_spectrum(iron(1), iron_parameters(), engine="native")
        return lambda: (
            lambda: power_spectrum(atoms, parameters, engine="native", projection=projection, threads=threads)
        )

    return load


def _native_boxes(boxes: Sequence[Atoms], parameters: SoapParameters) -> Callable[[], Build]:
    def load() -> Build:
        from gbscape.features.soap import averaged_power_spectra

        averaged_power_spectra(boxes[:1], parameters)
        return lambda: lambda: averaged_power_spectra(boxes, parameters)

    return load


def _torch(
    atoms: Atoms, parameters: SoapParameters, device: str, dtype: str, projection: np.ndarray | None = None
) -> Callable[[], Build]:
    def load() -> Build:
        import torch

        from gbscape.features.soap_torch import power_spectrum_torch

        if device == "cuda" and not torch.cuda.is_available():
            raise Unavailable("no CUDA device")
        torch.set_num_threads(1)
        kind = getattr(torch, dtype)
        small = iron(1)
        power_spectrum_torch(small, iron_parameters(), np.arange(len(small)), device=device, dtype=kind)
        centres = np.arange(len(atoms))
        return lambda: lambda: power_spectrum_torch(atoms, parameters, centres, projection, device=device, dtype=kind)

    return load


def quippy_descriptor(parameters: SoapParameters, number: int) -> Any:
    """quippy's descriptor of one species, of this atomic number."""
    from quippy.descriptors import Descriptor

    return Descriptor(
        f"soap n_max={parameters.n_max} l_max={parameters.l_max} cutoff={parameters.cutoff_angstrom} "
        f"cutoff_transition_width={parameters.cutoff_transition_width_angstrom} "
        f"atom_sigma={parameters.sigma_angstrom} central_weight={parameters.central_weight} "
        f"average={'T' if parameters.averaging == 'coefficients' else 'F'} "
        f"n_Z=1 Z={{{number}}} n_species=1 species_Z={{{number}}}"
    )


def _quippy(structures: Sequence[Atoms], parameters: SoapParameters) -> Callable[[], Build]:
    def load() -> Build:
        from quippy.descriptors import Descriptor

        Descriptor("soap n_max=2 l_max=2 cutoff=3.0 atom_sigma=0.5 n_Z=1 Z={26} n_species=1 species_Z={26}").calc(
            iron(1)
        )

        def build() -> Work:
            descriptor = quippy_descriptor(parameters, structures[0].numbers[0])
            return lambda: [descriptor.calc(atoms)["data"] for atoms in structures]

        return build

    return load


def _dscribe(structures: Sequence[Atoms], parameters: SoapParameters) -> Callable[[], Build]:
    def load() -> Build:
        from dscribe.descriptors import SOAP

        SOAP(species=["Fe"], r_cut=3.0, n_max=2, l_max=2, sigma=0.5, periodic=True).create(iron(1))

        def build() -> Work:
            descriptor = SOAP(
                species=[structures[0].symbols[0]],
                r_cut=parameters.cutoff_angstrom,
                n_max=parameters.n_max,
                l_max=parameters.l_max,
                sigma=parameters.sigma_angstrom,
                rbf="gto",
                periodic=bool(structures[0].pbc.all()),
                average="inner" if parameters.averaging == "coefficients" else "off",
            )
            return lambda: [descriptor.create(atoms) for atoms in structures]

        return build

    return load


def _featomic(structures: Sequence[Atoms], parameters: SoapParameters) -> Callable[[], Build]:
    def load() -> Build:
        from featomic import SoapPowerSpectrum

        def descriptor(n_max: int, l_max: int, cutoff_angstrom: float) -> Any:
            return SoapPowerSpectrum(
                cutoff={
                    "radius": cutoff_angstrom,
                    "smoothing": {"type": "ShiftedCosine", "width": parameters.cutoff_transition_width_angstrom},
                },
                density={"type": "Gaussian", "width": parameters.sigma_angstrom},
                basis={
                    "type": "TensorProduct",
                    "max_angular": l_max,
                    "radial": {"type": "Gto", "max_radial": n_max - 1},
                },
            )

        descriptor(2, 2, 3.0).compute(iron(1))

        def build() -> Work:
            own = descriptor(parameters.n_max, parameters.l_max, parameters.cutoff_angstrom)
            return lambda: [block.values for atoms in structures for block in own.compute(atoms).blocks()]

        return build

    return load
