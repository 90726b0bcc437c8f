# Representations of the boundaries: sharded over boundaries, one file a representation at the end.
import re

from gbscape.config.features import Concatenate, expand as expand_sweeps

FEATURES = f"{RESULTS}/features"
REPRESENTATIONS = expand_sweeps(CONFIG.features.representations)
CONCATENATED = {
    name: r.of for name, r in REPRESENTATIONS.items() if isinstance(r, Concatenate)
}
COMPUTED = {
    name: r for name, r in REPRESENTATIONS.items() if name not in CONCATENATED
}


def one_of(names):
    """Regular expression that matches exactly these names."""
    return "|".join(re.escape(name) for name in names) or "(?!)"


rule featurize:
    input:
        survey=rules.select_boundary_atoms.output[0],
    output:
        f"{FEATURES}/{{representation}}/shard_{{shard}}.h5",
    params:
        settings=lambda wildcards: leaf(COMPUTED[wildcards.representation]),
        n_shards=CONFIG.features.shards,
        on_failure=CONFIG.on_failure,
        code=code_hash("gbscape.survey.feature_shard"),
    log:
        f"{LOGS}/featurize/{{representation}}/{{shard}}.log",
    benchmark:
        f"{BENCHMARKS}/featurize/{{representation}}/{{shard}}.tsv"
    wildcard_constraints:
        representation=one_of(COMPUTED),
    resources:
        mem_mb=4000,
        runtime=120,
        tasks=1,
    conda:
        "../../envs/features.yaml"
    script:
        "../scripts/features_featurize.py"


rule gather_features:
    input:
        survey=rules.select_boundary_atoms.output[0],
        shards=shards(rules.featurize.output[0], CONFIG.features.shards),
    output:
        f"{FEATURES}/{{representation}}.h5",
    params:
        on_failure=CONFIG.on_failure,
        code=code_hash("gbscape.survey.gather"),
    log:
        f"{LOGS}/gather_features/{{representation}}.log",
    benchmark:
        f"{BENCHMARKS}/gather_features/{{representation}}.tsv"
    wildcard_constraints:
        representation=one_of(COMPUTED),
    resources:
        mem_mb=2000,
        runtime=30,
        tasks=1,
    conda:
        "../../envs/features.yaml"
    script:
        "../scripts/features_gather.py"


rule concatenate_features:
    input:
        lambda wildcards: [
            f"{FEATURES}/{part}.h5" for part in CONCATENATED[wildcards.representation]
        ],
    output:
        f"{FEATURES}/{{representation}}.h5",
    params:
        code=code_hash("gbscape.features.matrix"),
    log:
        f"{LOGS}/concatenate_features/{{representation}}.log",
    benchmark:
        f"{BENCHMARKS}/concatenate_features/{{representation}}.tsv"
    wildcard_constraints:
        representation=one_of(CONCATENATED),
    resources:
        mem_mb=4000,
        runtime=30,
        tasks=1,
    conda:
        "../../envs/features.yaml"
    script:
        "../scripts/features_concatenate.py"
