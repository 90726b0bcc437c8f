# Representations of the boundaries: sharded over boundaries, one file a representation at the end.


rule featurize:
    input:
        survey=rules.select_boundary_atoms.output[0],
    output:
        f"{FEATURES}/{{representation}}/shard_{{shard}}.h5",
    log:
        f"{LOGS}/featurize/{{representation}}/{{shard}}.log",
    benchmark:
        f"{BENCHMARKS}/featurize/{{representation}}/{{shard}}.tsv"
    wildcard_constraints:
        representation=one_of(COMPUTED),
    conda:
        "../../envs/features.yaml"
    resources:
        mem_mb=4000,
        runtime=120,
        tasks=1,
    params:
        settings=lambda wildcards: leaf(COMPUTED[wildcards.representation]),
        n_shards=CONFIG.features.shards,
        on_failure=CONFIG.on_failure,
        code=code_hash("gbscape.survey.feature_shard"),
    script:
        "../scripts/features_featurize.py"


rule gather_features:
    input:
        survey=rules.select_boundary_atoms.output[0],
        shards=shards(rules.featurize.output[0], CONFIG.features.shards),
    output:
        f"{FEATURES}/{{representation}}.h5",
    log:
        f"{LOGS}/gather_features/{{representation}}.log",
    benchmark:
        f"{BENCHMARKS}/gather_features/{{representation}}.tsv"
    wildcard_constraints:
        representation=one_of(COMPUTED),
    conda:
        "../../envs/features.yaml"
    resources:
        mem_mb=2000,
        runtime=30,
        tasks=1,
    params:
        on_failure=CONFIG.on_failure,
        code=code_hash("gbscape.survey.gather"),
    script:
        "../scripts/features_gather.py"


rule concatenate_features:
    input:
        lambda wildcards: [
            f"{FEATURES}/{part}.h5" for part in CONCATENATED[wildcards.representation]
        ],
    output:
        f"{FEATURES}/{{representation}}.h5",
    log:
        f"{LOGS}/concatenate_features/{{representation}}.log",
    benchmark:
        f"{BENCHMARKS}/concatenate_features/{{representation}}.tsv"
    wildcard_constraints:
        representation=one_of(CONCATENATED),
    conda:
        "../../envs/features.yaml"
    resources:
        mem_mb=4000,
        runtime=30,
        tasks=1,
    params:
        code=code_hash("gbscape.features.matrix"),
    script:
        "../scripts/features_concatenate.py"
