"""Inputs that are hostile or broken, with what their refusal must say, and odd ones that must be accepted."""

import gzip
import os
import pickle
import socket
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import h5py
import numpy as np

SHELL, LINKS, YAML, PICKLE, HDF5, STRUCTURE = (
    "shell metacharacters",
    "paths and links",
    "YAML that runs code",
    "pickles",
    "HDF5",
    "structures",
)
FAMILIES = (SHELL, LINKS, YAML, PICKLE, HDF5, STRUCTURE)

Config = dict[str, Any] | str
"""Of a case: a mapping, or text as it is."""
Make = Callable[[str], Config]
"""Called in the case's folder with a shell command that creates the canary there."""


class Case(NamedTuple):
    """One input."""

    family: str
    name: str
    key: str
    """What of the configuration the message must name."""
    says: str
    """Regular expression of what else."""
    make: Make


def given(key: str, value: Any) -> dict[str, Any]:
    """A configuration with one value; the parts of `key` are separated by spaces."""
    for name in reversed(key.split(" ")):
        value = {name: value}
    return value


def under(key: str, name: str, value: Any) -> dict[str, Any]:
    """A configuration with one named entry."""
    return given(key, {name: value})


def sample(path: str, **others: Any) -> dict[str, Any]:
    """A configuration with a map of a structure file."""
    return {
        "name": "case",
        "parts": ["crystal"],
        "crystal": {"maps": {"mine": {"structure": {"kind": "file", "path": path, **others}}}},
    }


SAMPLE = "crystal.maps.mine.structure.path"


def wrote(name: str, content: str | bytes, config: Config) -> Config:
    """Write a file beside the configuration that names it."""
    Path(name).write_bytes(content.encode() if isinstance(content, str) else content)
    return config


class Touch:
    """An object whose pickle runs a command when it is read."""

    def __init__(self, command: str) -> None:
        self.command = command

    def __reduce__(self) -> tuple[Any, ...]:
        return os.system, (self.command,)


def pickled(command: str, protocol: int = 4) -> bytes:
    """A pickle that creates the canary."""
    return pickle.dumps(Touch(command), protocol=protocol)


CELL = 'Lattice="4 0 0 0 4 0 0 0 4" Properties=species:S:1:pos:R:3 pbc="T T T"'
XYZ = f"2\n{CELL}\nNi 0 0 0\nNi 2 2 2\n"
POLYCRYSTAL = {"kind": "four_grains"}
POTENTIAL = {"name": None, "pair_style": "eam/alloy", "species": "Ni"}
_BOMB = "a0: &a0 [0, 0, 0, 0, 0, 0, 0, 0, 0, 0]\n" + "".join(
    f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]\n" for n in range(1, 12)
)
_MAPPING_BOMB = "a0: &a0 {x: 0}\n" + "".join(
    f"a{n}: &a{n} {{{', '.join(f'k{k}: *a{n - 1}' for k in range(10))}}}\n" for n in range(1, 12)
)


def shell_cases() -> list[Case]:
    """Names and values with a meaning to a shell or to LAMMPS."""
    named = {
        "map": ("crystal maps", {"structure": POLYCRYSTAL}),
        "network": ("crystal models", {}),
        "structure": ("crystal structures", "a.xyz"),
        "representation": ("features representations", {"kind": "soap"}),
        "learned model": ("learn models", {"kind": "kernel", "of": ["soap"]}),
        "set of other vectors": ("replica alternatives", {"kind": "soap"}),
    }
    marks = ("a|{}", "a && {}", "a;{}", "a > `{}`", "$({})", "'; {}; '")
    cases = [
        Case(
            SHELL,
            f"run name {what}",
            "name",
            "should match pattern",
            lambda do, text=text: {"name": text.format(do)},
        )
        for what, text in {
            "with $()": "$({})",
            "with ;": "x; {}",
            "with backticks": "`{}`",
            "with a newline": "x\n{}",
            "that is an option": "--x",
        }.items()
    ]
    cases += [
        Case(
            SHELL,
            f"name of a {what}",
            key.replace(" ", "."),
            "should match pattern",
            lambda do, key=key, its=its, mark=mark: under(key, mark.format(do), its),
        )
        for (what, (key, its)), mark in zip(named.items(), marks, strict=True)
    ]
    potential = "survey potential"
    return [
        *cases,
        Case(SHELL, "LAMMPS' shell in the potential's name", "survey.potential.name", "should match pattern",
             lambda do: under(potential, "name", f"Cu_mishin1.eam.alloy\nshell {do}")),
        Case(SHELL, "LAMMPS' shell in the pair style", "survey.potential.pair_style", "input should be 'eam'",
             lambda do: given(potential, POTENTIAL | {"file": "a", "pair_style": f"eam/alloy\nshell {do}"})),
        Case(SHELL, "LAMMPS' Python as pair style", "survey.potential.pair_style", "input should be 'eam'",
             lambda do: given(potential, POTENTIAL | {"file": "a", "pair_style": "python"})),
        Case(SHELL, "LAMMPS' shell in the species", "replica.potential.species", "should match pattern",
             lambda do: given("replica potential species", f"Fe\nshell {do}")),
        Case(SHELL, "quotes in the name of a potential's file", "survey.potential.file", "ASCII characters without double quotes",
             lambda do: wrote('a" #.eam', "Ni\n", given(potential, POTENTIAL | {"file": 'a" #.eam'}))),
        Case(SHELL, "a newline in a boundary's id", "snapshots.boundary", "should match pattern",
             lambda do: given("snapshots boundary", f"S5\nshell {do}")),
        Case(SHELL, "a newline in the name of a file", SAMPLE, "control characters are not allowed",
             lambda do: wrote("a\nb.xyz", XYZ, sample("a\nb.xyz"))),
    ]  # fmt: skip


def link_cases() -> list[Case]:
    """Paths out of where they belong, and what is no file."""

    def linked(target: str, config: Config, name: str = "link") -> Config:
        os.symlink(target, name)
        return config

    def piped(name: str, config: Config) -> Config:
        os.mkfifo(name)
        return config

    def bound(name: str, config: Config) -> Config:
        with socket.socket(socket.AF_UNIX) as server:
            server.bind(name)
        return config

    def in_folder(act: Callable[[], Any], config: Config) -> Config:
        os.mkdir("mine")
        wrote("mine/a.xyz", XYZ, {})
        act()
        return config

    def in_results() -> Config:
        os.makedirs("results/case")
        return wrote("results/case/a.xyz", XYZ, sample("results/case/a.xyz"))

    def classes(row: dict[str, Any], act: Callable[[], Any]) -> Config:
        act()
        text = f"prototypes: [{row!r}]"
        return wrote("classes.yaml", text, given("crystal prototypes", ["classes.yaml"]))

    own = given("survey structures", "mine")
    return [
        Case(LINKS, "run name that leads out", "name", "should match pattern", lambda _: {"name": "../../escaped"}),
        Case(LINKS, "run name that is absolute", "name", "should match pattern", lambda _: {"name": "/tmp/escaped"}),
        Case(LINKS, "run name ..", "name", "should match pattern", lambda _: {"name": ".."}),
        Case(LINKS, "map name that leads out", "crystal.maps", "should match pattern",
             lambda _: under("crystal maps", "../../out", {"structure": POLYCRYSTAL})),
        Case(LINKS, "potential that leads out", "survey.potential.name", "should match pattern",
             lambda _: given("survey potential name", "../../../../etc/passwd")),
        Case(LINKS, "folders of Snakemake moved", "pathvars", "unknown key",
             lambda _: given("pathvars results", "/tmp/elsewhere")),
        Case(LINKS, "a pipe as structure", SAMPLE, "not a regular file", lambda _: piped("a.xyz", sample("a.xyz"))),
        Case(LINKS, "a device as structure", SAMPLE, "not a regular file", lambda _: sample("/dev/zero")),
        Case(LINKS, "a socket as potential", "survey.potential.file", "not a regular file",
             lambda _: bound("a", given("survey potential", POTENTIAL | {"file": "a"}))),
        Case(LINKS, "a link to nothing", SAMPLE, "link to nothing", lambda _: linked("nothing", sample("link"))),
        Case(LINKS, "a link to itself", SAMPLE, "Too many levels of symbolic links",
             lambda _: linked("link", sample("link"))),
        Case(LINKS, "a link to a device", "published.table", "not a regular file",
             lambda _: linked("/dev/zero", given("published table", "link"))),
        Case(LINKS, "a folder as model", "crystal.model", "a folder, where a file is allowed only",
             lambda _: given("crystal model", "./")),
        Case(LINKS, "a file as folder", "survey.structures", "a file, where a folder is allowed only",
             lambda _: wrote("mine", XYZ, own)),
        Case(LINKS, "a pipe in a folder of structures", "survey.structures", "b.xyz: not a regular file",
             lambda _: in_folder(lambda: os.mkfifo("mine/b.xyz"), own)),
        Case(LINKS, "a link to nothing in a folder of structures", "survey.structures", "b.xyz: a link to nothing",
             lambda _: in_folder(lambda: os.symlink("nothing", "mine/b.xyz"), own)),
        Case(LINKS, "a pipe that a file of classes names", "crystal.prototypes", "not a regular file",
             lambda _: classes({"label": "mine", "structure": "pipe"}, lambda: os.mkfifo("pipe"))),
        Case(LINKS, "input among the run's own results", SAMPLE, "where this run writes", lambda _: in_results()),
        Case(LINKS, "wildcards of Snakemake in a name", SAMPLE, "braces are not allowed",
             lambda _: wrote("{map}.xyz", XYZ, sample("{map}.xyz"))),
    ]  # fmt: skip


def yaml_cases() -> list[Case]:
    """YAML that runs code, or takes more than there is."""

    def case(name: str, says: str, text: Callable[[str], str]) -> Case:
        return Case(YAML, name, "case.yaml, line ", says, lambda do: text(do))

    def run(do: str) -> str:
        return f"""'?__import__("os").system("{do}")'"""

    def classes(text: str) -> Config:
        return wrote("classes.yaml", text, given("crystal prototypes", ["classes.yaml"]))

    code, kind = "lets a file run code", "is not allowed; plain values"
    return [
        case("__use_yte__ and ?expression", code, lambda do: f"__use_yte__: true\nname: {run(do)}\n"),
        case("__definitions__", code,
             lambda do: f"__definitions__:\n  - import os; os.system('{do}')\n__use_yte__: true\n"),
        case("__variables__", code, lambda do: f"__variables__:\n  x: {run(do)}\n__use_yte__: true\n"),
        case("a condition", code, lambda do: f"__use_yte__: true\n? {run(do)[:1]}?if {run(do)[2:]}\n: {{name: x}}\n"),
        case("__use_yte__ by an alias", code,
             lambda do: f"x: &x {{__use_yte__: true}}\n<<: *x\nname: {run(do)}\n"),
        case("__use_yte__ in escapes", code, lambda do: f'"\\x5f_use_yte\\x5f_": 1\nname: {run(do)}\n'),
        case("!!python/object/apply", kind, lambda do: f"name: !!python/object/apply:os.system ['{do}']\n"),
        case("!!python/name", kind, lambda do: "name: !!python/name:os.system\n"),
        case("!!python/object/new", kind,
             lambda do: f"name: !!python/object/new:subprocess.Popen [['sh', '-c', '{do}']]\n"),
        case("a type of one's own", kind, lambda do: f"name: !shell {do}\n"),
        case("lists that multiply", "more than 20,000 values", lambda do: _BOMB),
        case("mappings that multiply", "more than 20,000 values", lambda do: _MAPPING_BOMB),
        case("a list in itself", "in itself", lambda do: "seed: &a [*a]\n"),
        case("100 000 levels", "deeper than", lambda do: "seed: " + "[" * 100_000),
        case("100 000 values", "more than 20,000 values", lambda do: "seed: [" + "1, " * 100_000 + "1]"),
        Case(YAML, "more than 1 MiB", "case.yaml", "at most 1,048,576", lambda _: "#" * 2**20 + "\nname: x\n"),
        Case(YAML, "a file that is not UTF-8", "case.yaml", "not text in UTF-8",
             lambda _: wrote("case.yaml", b"name: \xff\xfe", "")),
        Case(YAML, "Python in a file of classes", "crystal.prototypes", kind,
             lambda do: classes(f"prototypes: [!!python/object/apply:os.system ['{do}']]\n")),
        Case(YAML, "classes that multiply", "crystal.prototypes", "more than 20,000 values",
             lambda _: classes(_BOMB + "prototypes: *a11\n")),
    ]  # fmt: skip


def pickle_cases() -> list[Case]:
    """Pickles, under their names and others."""

    def archive(name: str, member: str, do: str) -> None:
        with zipfile.ZipFile(name, "w") as file:
            file.writestr(member, pickled(do))

    def zipped(name: str, member: str, do: str, config: Config) -> Config:
        archive(name, member, do)
        return config

    def numpy_objects(do: str, config: Config) -> Config:
        np.save("a.npy", np.array([Touch(do)], dtype=object), allow_pickle=True)
        return config

    says, model, ship = "a pickle, or an archive that may hold one", "crystal model", "survey ship_with"
    potential = {"survey": {"potential": POTENTIAL | {"file": "a.eam.alloy"}}}
    return [
        Case(PICKLE, "a model that is a pickle", "crystal.model", says,
             lambda do: wrote("a.pkl", pickled(do), given(model, "a.pkl"))),
        Case(PICKLE, "a pickle that is called safetensors", "crystal.model", says,
             lambda do: wrote("a.safetensors", pickled(do), given(model, "a.safetensors"))),
        Case(PICKLE, "a model of PyTorch", "crystal.models.mine.file", says,
             lambda do: zipped("a.pt", "a/data.pkl", do, given("crystal models mine file", "a.pt"))),
        Case(PICKLE, "a model of PyTorch that is called safetensors", "crystal.model", says,
             lambda do: zipped("a.safetensors", "a/data.pkl", do, given(model, "a.safetensors"))),
        Case(PICKLE, "a text pickle that is called safetensors", "crystal.model", "is no model",
             lambda do: wrote("a.safetensors", pickled(do, 0), given(model, "a.safetensors"))),
        Case(PICKLE, "a structure that is a pickle", SAMPLE, says,
             lambda do: wrote("a.xyz", pickled(do), sample("a.xyz"))),
        Case(PICKLE, "a structure that is a text pickle", SAMPLE, "cannot be read as a structure",
             lambda do: wrote("a.xyz", pickled(do, 0), sample("a.xyz"))),
        Case(PICKLE, "an old trajectory of ASE", SAMPLE, "cannot be read|which is not read",
             lambda do: wrote("a.traj", b"PickleTrajectory" + pickled(do), sample("a.traj"))),
        Case(PICKLE, "an array of objects", SAMPLE, says, lambda do: numpy_objects(do, sample("a.npy"))),
        Case(PICKLE, "an archive of arrays", SAMPLE, says,
             lambda do: zipped("a.npz", "a.npy", do, sample("a.npz"))),
        Case(PICKLE, "a packed pickle", SAMPLE, says,
             lambda do: wrote("a.pickle.gz", gzip.compress(pickled(do)), sample("a.pickle.gz"))),
        Case(PICKLE, "a shipped survey that is a pickle", "survey.shipped", says,
             lambda do: wrote("a.h5", pickled(do), {"survey": {"source": "shipped", "shipped": "a.h5"}})),
        Case(PICKLE, "a joined survey that is a pickle", "survey.ship_with", says,
             lambda do: wrote("a.joblib", pickled(do), given(ship, ["a.joblib"]))),
        Case(PICKLE, "a potential that is a pickle", "survey.potential.file", says,
             lambda do: wrote("a.eam.alloy", pickled(do), potential)),
        Case(PICKLE, "a table that is a pickle", "published.table", says,
             lambda do: wrote("a.csv", pickled(do, 2), given("published table", "a.csv"))),
    ]  # fmt: skip


def hdf5_cases() -> list[Case]:
    """HDF5 files that are not what they seem."""

    def case(name: str, says: str, fill: Callable[[h5py.File], Any]) -> Case:
        def make(do: str) -> Config:
            with h5py.File("a.h5", "w") as file:
                fill(file)
            return given("survey ship_with", ["a.h5"])

        return Case(HDF5, name, "survey.ship_with", says, make)

    def packed(file: h5py.File) -> None:
        creation = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
        creation.set_chunk((10,))
        creation.set_filter(32099, h5py.h5z.FLAG_OPTIONAL, (1,))
        h5py.h5d.create(file.id, b"a", h5py.h5t.IEEE_F64LE, h5py.h5s.create_simple((10,)), creation)

    def virtual(file: h5py.File) -> None:
        layout = h5py.VirtualLayout(shape=(4,), dtype="f8")
        layout[:] = h5py.VirtualSource("/etc/passwd", "x", shape=(4,))
        file.create_virtual_dataset("a", layout)

    def external(file: h5py.File) -> None:
        file.create_dataset("a", shape=(100,), dtype="u1", external=[("/etc/passwd", 0, 100)])

    def broken(content: Callable[[bytes], bytes]) -> Make:
        def make(do: str) -> Config:
            with h5py.File("a.h5", "w") as file:
                file["a"] = np.zeros(10_000)
            whole = Path("a.h5").read_bytes()
            return wrote("a.h5", content(whole), {"survey": {"source": "shipped", "shipped": "a.h5"}})

        return make

    def link(file: h5py.File, name: str, what: Any) -> None:
        file[name] = what

    elsewhere, large, damaged = "data in the file itself", "more than a file of", "damaged or no HDF5"
    return [
        case("a link to another file", "soft or external link", lambda f: link(f, "a", h5py.ExternalLink("b.h5", "/"))),
        case("a link to another file, deep inside", "soft or external link",
             lambda f: link(f, "a/b/c", h5py.ExternalLink("/etc/passwd", "/"))),
        case("a soft link", "soft or external link", lambda f: link(f, "a", h5py.SoftLink("/nothing"))),
        case("data in another file", elsewhere, external),
        case("a virtual dataset", elsewhere, virtual),
        case("a dataset of 8 TB in some bytes", large, lambda f: f.create_dataset("a", shape=(10**12,), dtype="f8")),
        case("a packed dataset of 8 EB", large,
             lambda f: f.create_dataset("a", shape=(10**9, 10**9), dtype="f8", chunks=(10, 10), compression="gzip")),
        case("elements of 2 GB", large, lambda f: f.create_dataset("a", shape=(9,), dtype="V2000000000")),
        case("a filter that is not there", "filter that is not there", packed),
        Case(HDF5, "a file that was cut off", "survey.shipped", damaged, broken(lambda whole: whole[:5000])),
        Case(HDF5, "only the first bytes", "survey.shipped", damaged, broken(lambda whole: whole[:8])),
        Case(HDF5, "an empty file", "survey.shipped", damaged, broken(lambda whole: b"")),
        Case(HDF5, "random bytes after the first", "survey.shipped", damaged,
             broken(lambda whole: whole[:8] + np.random.default_rng(0).bytes(5000))),
        Case(HDF5, "a text that is called h5", "survey.shipped", damaged, broken(lambda whole: b"id,energy\n")),
    ]  # fmt: skip


def structure_cases() -> list[Case]:
    """Structures that no calculation can start from."""

    def case(name: str, says: str, content: str | bytes, file: str = "a.xyz", **others: Any) -> Case:
        return Case(STRUCTURE, name, SAMPLE, says, lambda _: wrote(file, content, sample(file, **others)))

    def cif(lengths: str, operation: str) -> str:
        return (
            f"data_a\n_cell_length_a {lengths}\n_cell_length_b 4\n_cell_length_c 4\n_cell_angle_alpha 90\n"
            "_cell_angle_beta 90\n_cell_angle_gamma 90\nloop_\n_symmetry_equiv_pos_as_xyz\n'x, y, z'\n"
            f"'{operation}'\nloop_\n_atom_site_type_symbol\n_atom_site_fract_x\n_atom_site_fract_y\n_atom_site_fract_z\n"
            "Ni 0 0 0\n"
        )

    unread, finite, volume = "cannot be read as a structure", "must be finite numbers", "span no volume"
    own = given("survey structures", "mine")
    replica = given("replica model structure", "a.xyz")

    def folder(name: str, content: str) -> Config:
        os.mkdir("mine")
        return wrote(f"mine/{name}", content, own)

    return [
        case("NaN among the positions", finite, XYZ.replace("2 2 2", "2 nan 2")),
        case("a position of 1e300", finite, XYZ.replace("2 2 2", "2 1e300 2")),
        case("a cell with infinity", finite, XYZ.replace("4 0 0 0 4", "inf 0 0 0 4")),
        case("a cell of zeros", volume, XYZ.replace("4", "0")),
        case("cell vectors in one plane", volume, XYZ.replace("0 0 0 4\"", "0 4 4 0\"")),
        case("an element that does not exist", unread, XYZ.replace("Ni 2", "Qq 2")),
        case("an atom X", "unknown element", XYZ.replace("Ni 2", "X 2")),
        case("fewer atoms than declared", unread, XYZ.replace("2\n", "9\n", 1)),
        case("10^12 atoms in one line", "more than 3 s", XYZ.replace("2\n", "1000000000000\n", 1)),
        case("50 million atoms by a count", "more than 1 GiB", "a\n1\n4 0 0\n0 4 0\n0 0 4\nNi\n50000000\nDirect\n0 0 0\n", "POSCAR"),
        case("a structure file without anything", "Empty file", ""),
        case("Python in a symmetry operation", unread, cif("4", '__import__("os").system("touch CANARY"),y,z'), "a.cif"),
        case("an expression as cell length", unread, cif('__import__("os").getpid()', "-x, -y, -z"), "a.cif"),
        case("100 MB in a packed file of 100 kB", "unpacks to more than", gzip.compress(b"0" * 10**8), "a.xyz.gz"),
        case("a packed file that was cut off", "cannot be unpacked", gzip.compress(XYZ.encode())[:-9], "a.xyz.gz"),
        Case(
            STRUCTURE,
            "a program as potential",
            "survey.potential.file",
            "is binary",
            lambda _: wrote("a.eam", b"\x7fELF\0\0", given("survey potential", POTENTIAL | {"file": "a.eam"})),
        ),
        case("a format that is not known", "not read|does not know", "hello", "a.unknown"),
        case("JSON with types of ASE", "'json', which is not read", '{"1": {"__ase_objtype__": "atoms"}}', "a.json"),
        Case(STRUCTURE, "a format that is a data base", "crystal.maps.mine.structure.format", "input should be 'extxyz'",
             lambda _: wrote("a.xyz", XYZ, sample("a.xyz", format="postgresql"))),
        Case(STRUCTURE, "NaN in a folder of structures", "survey.structures", finite,
             lambda _: folder("b.xyz", XYZ.replace("2 2 2", "nan nan nan"))),
        Case(STRUCTURE, "a model without volume", "replica.model.structure", volume,
             lambda _: wrote("a.xyz", XYZ.replace("4", "0"), replica)),
        Case(STRUCTURE, "NaN in the structure of a class", "crystal.prototypes", finite,
             lambda _: wrote("n.xyz", XYZ.replace("2 2 2", "nan 2 2"), wrote("classes.yaml",
             "prototypes: [{label: mine, structure: n.xyz}]", given("crystal prototypes", ["classes.yaml"])))),
    ]  # fmt: skip


CASES = [*shell_cases(), *link_cases(), *yaml_cases(), *pickle_cases(), *hdf5_cases(), *structure_cases()]
