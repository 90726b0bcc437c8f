"""Inputs that look odd and are valid."""

import gzip
import json
import os
from collections.abc import Callable
from pathlib import Path

import ase.io
import h5py
import numpy as np
from ase.build import bulk

from .cases import POTENTIAL, XYZ, Config, given, sample, under, wrote


def odd_cases() -> dict[str, Callable[[], Config]]:
    """What makes each configuration in the folder it is in, by what is odd about it."""

    def named(name: str) -> Callable[[], Config]:
        return lambda: wrote(name, XYZ, sample(name))

    def written(name: str, format: str) -> Config:
        ase.io.write(name, bulk("NaCl", "rocksalt", a=5.64), format=format)
        return sample(name, format=format)

    def linked() -> Config:
        wrote("a.xyz", XYZ, {})
        os.symlink("a.xyz", "b.xyz")
        return sample("b.xyz")

    def survey() -> Config:
        with h5py.File("a.h5", "w") as file:
            file["a/b"] = np.zeros(100_000)
            file["a/itself"] = file["a"]
            file["the same"] = file["a/b"]
            file.create_dataset("packed", data=np.zeros(100_000), compression="gzip", shuffle=True)
            file.create_dataset("nothing", data=h5py.Empty("f8"))
            file["text"] = ["ä", "b"]
            file["a"].attrs["note"] = "of more than is needed"
        return given("survey ship_with", ["a.h5"])

    def folder(*names: str) -> Config:
        os.mkdir("mine")
        for name in names:
            wrote(f"mine/{name}", XYZ, {})
        os.mkdir("mine/of no interest")
        return given("survey structures", "mine")

    def potential(name: str) -> Config:
        return wrote(name, "Ni\n", given("survey potential", POTENTIAL | {"file": name}))

    return {
        "comments only": lambda: "# nothing\n\n# at all\n",
        "an empty file": lambda: "",
        "numbers as 1e3 and 2.0E+1": lambda: "survey: {relaxation: {annealing_kelvin: [7.0e+2, 1.0E+3]}}\n",
        "lines that end as on Windows": lambda: "name: a\r\nseed: 5\r\n",
        "a byte-order mark": lambda: wrote("case.yaml", b"\xef\xbb\xbfname: a\n", ""),
        "anchors, aliases and merges": lambda: (
            "survey: {relaxation: &r {shaking_angstrom: &l [0.1, 0.2]}}\n"
            "crystal:\n  maps:\n    a: &m {structure: {kind: four_grains}, box_angstrom: 12}\n    b: {<<: *m, padding: 0}\n"
        ),
        "JSON": lambda: json.dumps({"name": "a", "seed": 5}),
        "empty lists": lambda: (
            "learn: {targets: []}\nsurvey: {ship_with: [], relaxation: {shaking_angstrom: [], annealing_kelvin: []}}\n"
        ),
        "a list of 5000 numbers": lambda: given("survey relaxation stage_steps", [30] * 5000),
        "names with dots, plus signs and hyphens": lambda: (
            {"name": "Ni-2.5_b"} | under("features representations", "soap+2.0-x_y", {"kind": "soap"})
        ),
        "names of 80 characters": lambda: {"name": "n" * 80},
        "a number as name of a map": lambda: "crystal: {maps: {300: {structure: {kind: four_grains}}}}\n",
        "a representation that is null": lambda: under("features representations", "ler", None),
        "spaces in the name of a file": named("my own structure.xyz"),
        "Greek, Japanese and an emoji in the name of a file": named("Σ5 粒界 💎.xyz"),
        "shell metacharacters in the name of a file": named("$(touch CANARY); `touch CANARY` & 'x'.xyz"),
        "@ and * in the name of a file": named("a@1:3 [*]?.xyz"),
        "an absolute path": lambda: wrote("a.xyz", XYZ, sample(str(Path("a.xyz").absolute()))),
        "a path with .. in it": lambda: wrote("a.xyz", XYZ, sample(f"../{Path.cwd().name}/./a.xyz")),
        "a link to a file": linked,
        "a packed structure": lambda: wrote("a.xyz.gz", gzip.compress(XYZ.encode()), sample("a.xyz.gz")),
        "extended XYZ with more columns": lambda: wrote(
            "a.xyz",
            '1\nLattice="4 0 0 0 4 0 0 0 4" Properties=species:S:1:pos:R:3:charge:R:1:tag:I:1 note="ä b" pbc="T F F"\n'
            "Ni -0.0 0 -0 0.5 3\n",
            sample("a.xyz"),
        ),
        "a plain XYZ without cell": lambda: wrote("a.xyz", "1\n\nNi 0 0 0\n", sample("a.xyz")),
        "several structures in a file": lambda: wrote("a.xyz", XYZ + XYZ, sample("a.xyz")),
        "an atom a little outside its cell": lambda: wrote("a.xyz", XYZ.replace("2 2 2", "-1e-9 4.2 2"), sample("a.xyz")),
        "a name that tells another format": lambda: written("geometry.txt", "aims"),
        "the same for the structure of all maps": lambda: (
            written("geometry.txt", "aims")
            and {"structure": "geometry.txt"}
            | under("crystal maps", "mine", {"structure": {"kind": "file", "format": "aims"}})
        ),
        "CIF with errors in brackets": lambda: written("a.cif", "cif"),
        "POSCAR": lambda: written("POSCAR", "vasp"),
        "a trajectory of ASE": lambda: written("a.traj", "traj"),
        "a folder of structures with hidden files and folders": lambda: folder("Σ3 (a).xyz", "b.1.2.xyz", ".notes"),
        "HDF5 with groups in themselves, packed and empty data": survey,
        "a potential with spaces, $ and # in its name": lambda: potential("my $HOME #1.eam.alloy"),
        "a sample that is not there yet": lambda: sample("later.xyz"),
    }  # fmt: skip
