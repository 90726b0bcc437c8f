# What the rules of crystals share: folders, names, and inputs that depend on the settings of a model or a map.
MODELS = f"{CRYSTAL}/models"
CRYSTAL_MODELS = CONFIG.crystal.models
TRAINED = {name: its for name, its in CRYSTAL_MODELS.items() if its.file is None}
CANDIDATES = {
    name: model.search.candidates if model.search else 1
    for name, model in TRAINED.items()
}
AUGMENTED = [
    name
    for name, model in TRAINED.items()
    if model.augmentation.displacements
    or model.augmentation.missing
    or model.augmentation.both
]
JUDGED_BY = ("accuracy", "accuracy_by_class", "reliability", "calibration", "confident")


def model_file(name):
    """File of a model: one that is trained here, or one that the configuration names."""
    return CRYSTAL_MODELS[name].file or f"{MODELS}/{name}.safetensors"


# File of the model that classifies maps and structures.
CRYSTAL_MODEL = (
    model_file(CONFIG.crystal.model)
    if CONFIG.crystal.model in CRYSTAL_MODELS
    else CONFIG.crystal.model
)
MAPS = CONFIG.maps
MAP = f"{CRYSTAL}/maps/{{map}}"
LEVEL_MAP = f"{MAP}/levels/map_{{level}}.h5"
LEVELS = {
    name: its.refinement.levels + 1 if its.refinement else 1
    for name, its in MAPS.items()
}


wildcard_constraints:
    model=one_of(TRAINED),
    method=one_of(CONFIG.crystal.other_methods),
    number=r"\d+",
    map=one_of(MAPS),
    level=r"\d+",


def training_inputs(wildcards):
    """Vectors that a network is trained on, and the trials of a search for its settings."""
    name = wildcards.model
    return {"pristine": f"{CRYSTAL}/pristine.h5"} | {
        what: path
        for what, path, wanted in (
            ("augmentation", f"{MODELS}/{name}/augmentation.h5", name in AUGMENTED),
            ("trials", f"{MODELS}/{name}/trials.csv", TRAINED[name].search),
        )
        if wanted
    }


def of_training(wildcards):
    """Settings of a model but for those of its calibration, which a network does not depend on."""
    return leaf(TRAINED[wildcards.model], without=["calibration", "background"])


def of_map(wildcards):
    """Settings of the map of a job."""
    return MAPS[wildcards.map]


def level_before(wildcards):
    """Map of the levels before that of a job, which level 0 lacks."""
    level = int(wildcards.level)
    return LEVEL_MAP.format(map=wildcards.map, level=level - 1) if level else []


def last_level(wildcards):
    """Map of all levels of a map."""
    return LEVEL_MAP.format(map=wildcards.map, level=LEVELS[wildcards.map] - 1)


def in_space(its):
    """Whether a map has boxes along all axes."""
    stride = its.stride_angstrom
    return not isinstance(stride, tuple) or None not in stride


def unit_of(its):
    """Unit of the positions of a map's sample."""
    return getattr(its.structure, "unit", "Å")


def of_each_map(options):
    """Options of a picture; those of a picture of each map are a function of the map's settings."""
    if not callable(options):
        return options
    return lambda wildcards: options(MAPS[wildcards.map])
