"""The whole configuration of the workflow, and how a mapping from YAML becomes one, or a clear message."""

import difflib
import json
import os
import types
from collections.abc import Callable, Mapping, Sequence
from operator import attrgetter
from pathlib import Path
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from pydantic import BaseModel, Field, ValidationError, model_validator

from gbscape.config.alloy import Alloy
from gbscape.config.base import Settings
from gbscape.config.crystal import Crystal, FileSample, Map
from gbscape.config.descriptor_properties import DescriptorProperties
from gbscape.config.features import Concatenate, Features, Representation, expand
from gbscape.config.figures import Figures
from gbscape.config.jobs import Jobs
from gbscape.config.learn import Learn
from gbscape.config.relevance import Relevance
from gbscape.config.replica import Replica
from gbscape.config.snapshots import Snapshots
from gbscape.config.soap import AtomicSoap, MultiScaleSoap
from gbscape.config.survey import Survey
from gbscape.config.user_files import Kind, UserFile, begin_checks, name_problem, path_problem


class Published(Settings):
    """Published figures that results are compared with."""

    table: str | None = "resources/published/olmsted2009_ni.csv"
    """Table of published energies, mobilities and classes by boundary id; null for systems without one."""
    supplement: str | None = None
    """Folder with the original supplement of Olmsted 2009 (fcc1-3.txt etc.); when given it replaces `table`."""
    potential: str | None = "foiles-hoyt-ni"
    """Name of the potential that the published figures are for: with another one nothing is compared. Null compares with
    any, e.g. for a table of your own."""
    accuracies: str | None = "resources/published/homer2019_table1.csv"
    """Table of published accuracies (Homer 2019, Table 1); null for none."""
    snapshots: str | None = "resources/published/homer2019_snapshots.csv"
    """Table of published errors of learning the energies of snapshots (Homer 2019, text); null for none."""
    crystals: str | None = "resources/published/leitherer2021.csv"
    """Table of published figures of the crystal classification (Leitherer's thesis, 2021), for any potential; null for none."""
    replica: str | None = "resources/published/tamura2020.csv"
    """Table of published figures of the atomic energies of an iron model (Tamura et al. 2020); null for none."""


class Config(Settings):
    """Configuration of the workflow."""

    name: str = Field(default="ni", pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$", max_length=80)
    """Name of the run: its files are in `results/<name>`. Letters, digits, '.', '_' and '-'."""
    structure: str | None = None
    """A structure of your own, for maps that name none: `snakemake --configfile config/spm.yaml --config structure=FILE`."""
    seed: int = Field(default=2019, ge=0, lt=2**31)
    """Seed of the learning: splits, models, baseline. The search for structures has its own, `survey.relaxation.seed`."""
    parts: tuple[Literal["survey", "crystal", "replica", "alloy"], ...] = Field(default=("survey",), min_length=1)
    """What is computed: `survey`, boundaries, their descriptors and what is learned from them; `crystal`, which crystal each box
    of a sample is; `replica`, the energy of every atom of a large model; `alloy`, energies of an amorphous alloy."""
    on_failure: Literal["stop", "skip"] = "stop"
    """What happens when single boundaries fail: `stop` before anything is made from an incomplete survey, or `skip` them. Either way they are listed with their reasons, and only they are tried again."""
    jobs: Jobs = Jobs()
    """How large jobs are where `shards` is `auto`."""
    costs: str = "resources/costs.csv"
    """Table of what each step costs, by which `auto` and `python -m gbscape.planning estimate` go; one of your own machine: `python -m
    gbscape.planning learn results/NAME --out my_costs.csv`."""
    sweep: dict[str, list[Any]] = {}
    """Settings and the values that each shall take; every combination becomes a run of its own (docs/sweeps.md). A list where a single
    value is meant does the same."""
    survey: Survey = Survey()
    """The grain-boundary survey: which boundaries, which potential, how they are relaxed."""
    features: Features = Features()
    """Representations of the boundaries."""
    learn: Learn = Learn()
    """Learning of properties from representations."""
    snapshots: Snapshots = Snapshots()
    """Molecular dynamics of one boundary, and learning the energies of its snapshots. Off unless a boundary is named."""
    relevance: Relevance = Relevance()
    """Relevance of every point of one boundary for its predicted energy. Off unless a boundary is named."""
    descriptor_properties: DescriptorProperties = DescriptorProperties()
    """Which properties of Table 2 of Homer et al. 2019 each description has, measured. Off unless one is named."""
    crystal: Crystal = Crystal()
    """Classification of crystals: models, tests of them, and maps of samples."""
    replica: Replica = Replica()
    """Energies of all atoms of a large model from those of a few of them in small cells."""
    alloy: Alloy = Alloy()
    """Energies of an amorphous alloy, and what is learned from them."""
    published: Published = Published()
    """Published figures to compare with."""
    figures: Figures = Figures()
    """Figures and tables of the report."""

    @property
    def maps(self) -> dict[str, Map]:
        """The maps that are computed, each with its sample."""
        return {
            name: its.model_copy(update={"structure": its.structure.model_copy(update={"path": self.structure})})
            if isinstance(its.structure, FileSample) and its.structure.path is None
            else its
            for name, its in self.crystal.maps.items()
        }

    @model_validator(mode="after")
    def _samples_are_given(self) -> "Config":
        lacking = [
            name
            for name, its in self.crystal.maps.items()
            if isinstance(its.structure, FileSample) and its.structure.path is None
        ]
        if lacking and self.structure is None and "crystal" in self.parts:
            raise ValueError(
                f"crystal.maps: {', '.join(lacking)} names no structure; give one by --config structure=FILE, or as its "
                "structure.path"
            )
        return self

    @property
    def compared(self) -> Published:
        """The published figures that this run can be compared with: none if they are for another potential."""
        if self.published.potential in (None, self.survey.potential.name):
            return self.published
        return Published(table=None, supplement=None, accuracies=None, snapshots=None)

    @model_validator(mode="after")
    def _targets_are_known(self) -> "Config":
        known = self.compared.table or self.compared.supplement
        unknown = [target for target in self.learn.targets if target != "energy" and not known]
        if unknown:
            raise ValueError(
                f"learn.targets: {', '.join(unknown)} need published figures for this potential; give published.table "
                "(and published.potential), or learn 'energy' only"
            )
        return self

    @model_validator(mode="after")
    def _enough_to_learn_from(self) -> "Config":
        wanted = self.survey.enumeration
        count = len(wanted.ids) if wanted.ids is not None else wanted.count
        folds = self.learn.trees.folds
        if self.learn.targets and self.survey.structures is None and count is not None:
            training = count - round(count * self.learn.test_fraction)
            if training < folds:
                raise ValueError(
                    f"{count} boundaries leave {training} for training, fewer than learn.trees.folds = {folds}: build more, "
                    "or set learn.targets to [] to learn nothing"
                )
        return self

    @model_validator(mode="after")
    def _snapshots_can_be_made(self) -> "Config":
        if self.snapshots.boundary is None:
            return self
        known = list(self.features.representations)
        unknown = [name for name in self.snapshots.learning.representations if name not in known]
        if unknown:
            raise ValueError(
                f"snapshots.learning.representations: {', '.join(unknown)} is not one of features.representations {known}"
            )
        for name in self.snapshots.learning.representations:
            representation = self.features.representations[name]
            parts = representation.of if isinstance(representation, Concatenate) else (name,)
            if any(self.features.representations[part].kind == "local_environments" for part in parts):
                raise ValueError(
                    f"snapshots.learning.representations: {name} is made of the environments of a whole survey, snapshots are "
                    "not described by it"
                )
        self._require_enumerated(f"snapshots.boundary = '{self.snapshots.boundary}'", [self.snapshots.boundary])
        return self

    @model_validator(mode="after")
    def _relevance_can_be_mapped(self) -> "Config":
        if self.relevance.boundary is None:
            return self
        members = expand(self.features.representations)
        scattering = [name for name, its in members.items() if its.kind in ("scattering", "oriented_scattering")]
        if self.relevance.representation not in scattering:
            raise ValueError(
                f"relevance.representation = '{self.relevance.representation}': it must be one of the "
                f"features.representations that are a kind of scattering, {scattering}"
            )
        if self.snapshots.boundary not in (None, self.relevance.boundary):
            raise ValueError(
                f"relevance.boundary = '{self.relevance.boundary}' but the snapshots are of '{self.snapshots.boundary}'"
            )
        if self.snapshots.boundary is not None and self.relevance.n_train > self.snapshots.n_snapshots - 2:
            raise ValueError(
                f"relevance.n_train = {self.relevance.n_train} of {self.snapshots.n_snapshots} snapshots leaves fewer than two "
                "to explain"
            )
        self._require_enumerated(f"relevance.boundary = '{self.relevance.boundary}'", [self.relevance.boundary])
        return self

    @model_validator(mode="after")
    def _representations_to_learn_from_are_known(self) -> "Config":
        self.learn.require_representations(expand(self.features.representations))
        return self

    @model_validator(mode="after")
    def _descriptors_can_be_measured(self) -> "Config":
        its = self.descriptor_properties
        if not its.wanted:
            return self
        computed = [n for n, r in self.features.representations.items() if not isinstance(r, Concatenate)]
        unknown = [name for name in its.representations if name not in computed]
        if unknown:
            raise ValueError(
                f"descriptor_properties.representations: {', '.join(unknown)} is not one of features.representations that are "
                f"computed from atoms, {computed}"
            )
        ids = self.survey.enumeration.ids
        missing = [name for name in its.boundaries if ids is not None and name not in ids]
        self._require_enumerated(f"descriptor_properties.boundaries: {', '.join(missing)}", missing)
        return self

    def _require_enumerated(self, what: str, names: Sequence[str]) -> None:
        """Refuse boundaries that the survey is not going to have, where its ids are given."""
        ids = self.survey.enumeration.ids
        if self.survey.structures is None and ids is not None and any(name not in ids for name in names):
            raise ValueError(f"{what} is not one of survey.enumeration.ids {ids}: add it there")

    @model_validator(mode="after")
    def _lattice_is_known_to_the_analysis(self) -> "Config":
        if self.survey.enumeration.lattice == "sc":
            raise ValueError(
                "survey.enumeration.lattice = 'sc': common-neighbour analysis, which finds the boundary atoms, knows fcc and "
                "bcc only; sc boundaries can be enumerated from Python"
            )
        return self

    @model_validator(mode="after")
    def _spheres_fit_the_slab(self) -> "Config":
        if self.survey.structures is not None:
            return self  # structures of one's own have their own thickness
        thickness = self.survey.relaxation.half_thickness_angstrom
        room = thickness - self.survey.boundary_atoms.buffer_angstrom
        for name, representation in expand(self.features.representations).items():
            cutoff = _longest_cutoff(representation)
            if cutoff >= room:
                raise ValueError(
                    f"features.representations.{name}: cutoff_angstrom = {cutoff:g} reaches out of the slab; allowed is "
                    f"less than survey.relaxation.half_thickness_angstrom - survey.boundary_atoms.buffer_angstrom = {room:g}"
                )
        return self


def _longest_cutoff(representation: Representation) -> float:
    match representation:
        case AtomicSoap():
            return representation.cutoff_angstrom
        case MultiScaleSoap():
            return representation.scales[-1].cutoff_angstrom
        case _:
            return 0.0


class ConfigError(ValueError):
    """The configuration is not valid; the message names each key, what was given and what is allowed."""


def listed(problems: list[str]) -> str:
    """Message of a `ConfigError`: each problem on a line of its own."""
    count = "1 problem" if len(problems) == 1 else f"{len(problems)} problems"
    return f"The configuration has {count}:\n" + "\n".join(f"  {p}" for p in problems)


def load(raw: Mapping[str, Any], project: str | Path = ".") -> Config:
    """Validate a configuration as read from YAML.

    Types are strict: "3" is no number. Relative paths start from the working directory or, where there is no such file,
    from the project's folder.

    Args:
        raw: nested mapping; missing keys take their defaults.
        project: folder of the project, for the tables that it ships.

    Raises:
        ConfigError: one line for each problem: key, value, what is allowed.
    """
    try:
        # Through JSON, in whose strict mode a list is a tuple but a string is no number.
        config = Config.model_validate_json(_as_json(_without_null_members(raw)), strict=True)
    except ValidationError as error:
        raise ConfigError(listed(_joined([_describe(dict(e)) for e in error.errors()]))) from None
    missing = []
    for key, given in _paths(config, project).items():
        paths = (given,) if isinstance(given, str) else given
        found = tuple(_beside(path, project) for path in paths)
        kind, folder = _kind(key)
        missing += [
            f"{'.'.join(key)} = {_shown(path)}: {problem}"
            for path, where in zip(paths, found, strict=True)
            if (problem := name_problem(path) or path_problem(where, kind, folder))
        ]
        config = _with_value(config, key, found[0] if isinstance(given, str) else found)
    if missing:
        raise ConfigError(listed(missing))
    return config


def begin_file_checks(configs: Sequence[Config], results: str | Path, project: str | Path) -> Callable[[], None]:
    """Begin to look into the files that configurations name, but for those of the project itself.

    Args:
        configs: as `load` returns them, of one run or of all points of a sweep.
        results: folder of the run.
        project: folder of the project, whose `resources` are trusted.

    Returns:
        A function to be called before anything is computed from them; it raises a `ConfigError` that names each key, file
        and problem.
    """
    files: dict[UserFile, None] = {}
    for config in configs:
        for key, given in _paths(config, project).items():
            kind, folder = _kind(key)
            paths = (given,) if isinstance(given, str) else given
            files |= {UserFile(".".join(key), path, kind, folder, _format(config, key)): None for path in paths}
    checked = begin_checks(list(files), results, Path(project) / "resources")

    def finish() -> None:
        if problems := checked():
            raise ConfigError(listed(problems))

    return finish


_PATHS: dict[str, Kind] = {
    "structure": "structure",
    "costs": "text",
    "survey.structures": "structure",
    "survey.shipped": "survey",
    "survey.ship_with": "survey",
    "survey.potential.file": "potential",
    "crystal.prototypes": "classes",
    "replica.model.structure": "structure",
    "replica.potential.file": "potential",
    "alloy.crystals": "text",
    "published.table": "text",
    "published.supplement": "text",
    "published.accuracies": "text",
    "published.snapshots": "text",
    "published.crystals": "text",
    "published.replica": "text",
}
_FOLDERS = ("survey.structures", "published.supplement")


def _kind(key: tuple[str, ...]) -> tuple[Kind, bool]:
    """What a key names, and whether a folder of them."""
    name = ".".join(key)
    if key[:2] in (("crystal", "model"), ("crystal", "models")):
        return "network", False
    return _PATHS.get(name, "structure"), name in _FOLDERS


def _paths(config: Config, project: str | Path) -> dict[tuple[str, ...], str | tuple[str, ...]]:
    """Files and folders that the configuration names, by their keys."""
    crystal = config.crystal
    found: dict[tuple[str, ...], str | tuple[str, ...] | None] = {
        tuple(key.split(".")): attrgetter(key)(config)
        for key in _PATHS
        if key != "survey.shipped" or config.survey.source == "shipped"
    }
    found["crystal", "model"] = None if crystal.model in crystal.models else crystal.model
    found |= {("crystal", "models", name, "file"): its.file for name, its in crystal.models.items()}
    if config.alloy.structures.known:
        found[("alloy", "structures", "known")] = config.alloy.structures.known
    if computed := config.alloy.computed:
        files = computed.model_dump(exclude={"paths"})
        found |= {("alloy", "computed", name): path for name, path in files.items()}
        found |= {("alloy", "computed", "paths", name): path for name, path in computed.paths.items()}
    samples: dict[tuple[str, ...], str | None] = {}
    for name, its in crystal.structures.items():
        key = ("crystal", "structures", name)
        samples |= {key: its} if isinstance(its, str) else {(*key, "path"): its.path}
    for name, map_ in crystal.maps.items():
        if isinstance(map_.structure, FileSample):
            samples["crystal", "maps", name, "structure", "path"] = map_.structure.path
    # Samples that are not there yet are missed by Snakemake only if they are asked for.
    found |= {key: path for key, path in samples.items() if path is not None and not _is_absent(_beside(path, project))}
    return {key: given for key, given in found.items() if given is not None}


def _beside(path: str, project: str | Path) -> str:
    """A path as given, or in the project's folder if it is only there."""
    inside = Path(project) / path
    return str(inside) if _is_absent(path) and not _is_absent(inside) else path


def _is_absent(path: str | Path) -> bool:
    """Whether nothing is there, not even a link to nothing."""
    try:
        os.lstat(path)
    except (OSError, ValueError) as error:
        return isinstance(error, FileNotFoundError)
    return False


def _format(config: Config, key: tuple[str, ...]) -> str | None:
    """Name that the configuration has for the format of the structure at `key`, if any."""
    if key == ("structure",):
        samples = [its.structure for its in config.crystal.maps.values()]
        return next((its.format for its in samples if isinstance(its, FileSample) and its.path is None), None)
    return getattr(_at(config, key[:-1]), "format", None) if key[-1] == "path" else None


def _at(config: Config, key: Sequence[str]) -> Any:
    """The part of a configuration at `key`."""
    here: Any = config
    for name in key:
        here = here[name] if isinstance(here, dict) else getattr(here, name)
    return here


_MOST_CHARACTERS = 2**23
_MOST_SHOWN = 160


def _as_json(raw: Mapping[str, Any]) -> str:
    """A mapping as JSON, unless it is without end or nearly so, which aliases of YAML can make of a few lines."""
    parts, length = [], 0
    try:
        for part in json.JSONEncoder(default=str).iterencode(raw):
            parts.append(part)
            length += len(part)
            if length > _MOST_CHARACTERS:
                raise ConfigError(listed([f"it is longer than {_MOST_CHARACTERS:,} characters"]))
    except ConfigError:
        raise
    except (ValueError, RecursionError):
        raise ConfigError(listed(["a part of it is in itself, or nested too deeply"])) from None
    except TypeError:
        raise ConfigError(listed(["keys must be text or numbers"])) from None
    return "".join(parts)


def _shown(value: Any) -> str:
    """A value for a message: on one line, and no longer than that."""
    text = repr(value)
    return text if len(text) <= _MOST_SHOWN else f"{text[:_MOST_SHOWN]}..."


def _without_null_members(raw: Mapping[str, Any]) -> dict[str, Any]:
    """A null takes a default representation away."""
    features = raw.get("features")
    if not isinstance(features, Mapping) or not isinstance(features.get("representations"), Mapping):
        return dict(raw)
    kept = {name: its for name, its in features["representations"].items() if its is not None}
    return dict(raw) | {"features": dict(features) | {"representations": kept}}


def _with_value(here: Any, key: Sequence[str], value: str | tuple[str, ...]) -> Any:
    """A copy of `here`, a model or a dictionary, with another value at `key`, however deep."""
    if not key:
        return value
    name, *below = key
    if isinstance(here, dict):
        return here | {name: _with_value(here[name], below, value)}
    return here.model_copy(update={name: _with_value(getattr(here, name), below, value)})


def _joined(problems: Sequence[str]) -> list[str]:
    """One problem of those that the members of a union, one after the other, have with a value."""
    joined: list[str] = []
    for problem in problems:
        head, _, message = problem.partition(": ")
        if joined and joined[-1].startswith(f"{head}: "):
            joined[-1] += f"; or {message.removeprefix('input ')}"
        else:
            joined.append(problem)
    return joined


def _describe(error: dict[str, Any]) -> str:
    location = tuple(error["loc"])
    key = ".".join(map(_printable, _walk(location)[0]))
    if error["type"] == "extra_forbidden":
        allowed = list(_walk(location[:-1])[1].model_fields)
        close = difflib.get_close_matches(str(location[-1]), allowed, n=1)
        hint = f"; did you mean {close[0]!r}?" if close else "."
        return f"{key}: unknown key{hint} Allowed: {', '.join(allowed)}"
    message = error["msg"].removeprefix("Value error, ")
    if not key:
        return message  # of a check on several parts: it names the keys
    given = "" if isinstance(error["input"], Mapping | BaseModel) else f" = {_shown(error['input'])}"
    return f"{key}{given}: {message[0].lower()}{message[1:]}"


def _printable(step: Any) -> str:
    """A key as it is, or as Python writes it if a terminal would not show it so."""
    text = str(step)
    return text if text.isprintable() and len(text) <= _MOST_SHOWN else _shown(text)


def _walk(location: tuple[Any, ...]) -> tuple[list[Any], Any]:
    """Keys of an error's location, without the names of union members that pydantic mixes in, and the type found there."""
    keys: list[Any] = []
    here: Any = Config
    for step in location:
        members = _union_members(here)
        plain = _members_without_kind(here)
        if step in members:
            here = members[step]
        elif plain and not members:
            here = plain.get(str(step))
        else:
            keys.append(step)
            here = _type_below(here, step)
    return keys, here


def _type_below(annotation: Any, step: Any) -> Any:
    annotation = _bare(annotation)
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        field = annotation.model_fields.get(step)
        return field.annotation if field else None
    if get_origin(annotation) is dict:
        return get_args(annotation)[1]
    return get_args(annotation)[0] if get_origin(annotation) in (list, tuple) else None


def _union_members(annotation: Any) -> dict[str, Any]:
    """Members of a union discriminated by `kind`, by their tag."""
    annotation = _bare(annotation)
    members = {}
    if get_origin(annotation) in (Union, types.UnionType):
        for member in get_args(annotation):
            if isinstance(member, type) and issubclass(member, BaseModel) and "kind" in member.model_fields:
                members[member.model_fields["kind"].default] = member
    return members


def _members_without_kind(annotation: Any) -> dict[str, Any]:
    """Members of any other union, by the names under which pydantic reports what each of them refused."""
    annotation = _bare(annotation)
    if get_origin(annotation) not in (Union, types.UnionType):
        return {}
    return {getattr(_bare(member), "__name__", ""): _bare(member) for member in get_args(annotation)}


def _bare(annotation: Any) -> Any:
    while get_origin(annotation) is Annotated:
        annotation = get_args(annotation)[0]
    if get_origin(annotation) in (Union, types.UnionType):
        inner = [a for a in get_args(annotation) if a is not type(None)]
        if len(inner) == 1:
            return _bare(inner[0])
    return annotation
