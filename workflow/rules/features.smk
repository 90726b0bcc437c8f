# Representations of the boundaries: sharded over boundaries, one file a representation at the end.

LOCAL_ENVIRONMENTS = [
    name for name, r in COMPUTED.items() if r.kind == "local_environments"
]
ENVIRONMENT_TABLES = [
    f"{FEATURES}/{LAYOUT.file_name(name)}/environments.csv"
    for name in LOCAL_ENVIRONMENTS
]
BY_BOUNDARY = [name for name in COMPUTED if name not in LOCAL_ENVIRONMENTS]


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
        representation=one_of(LAYOUT.made_here("features", BY_BOUNDARY)),
    conda:
        "../../envs/features.yaml"
    resources:
        mem_mb=mem_mb(4000),
        runtime=runtime(120, "featurize", "representation"),
        tasks=1,
        gpu=lambda wildcards: int(
            computed_by_torch(
                # Of snapshots by the name itself.
                COMPUTED[
                    NAME_OF.get(wildcards.representation, wildcards.representation)
                ]
            )
        ),
    params:
        settings=lambda wildcards: leaf(COMPUTED[NAME_OF[wildcards.representation]]),
        n_shards=n_shards("featurize", "representation"),
        code=code_of("features_featurize.py"),
    script:
        "../scripts/features_featurize.py"


rule find_environments:
    input:
        survey=rules.select_boundary_atoms.output[0],
    output:
        f"{FEATURES}/{{representation}}/candidates/shard_{{shard}}.h5",
    log:
        f"{LOGS}/find_environments/{{representation}}/{{shard}}.log",
    benchmark:
        f"{BENCHMARKS}/find_environments/{{representation}}/{{shard}}.tsv"
    wildcard_constraints:
        representation=one_of(LAYOUT.made_here("features", LOCAL_ENVIRONMENTS)),
    conda:
        "../../envs/features.yaml"
    resources:
        mem_mb=mem_mb(4000),
        runtime=runtime(120, "find_environments", "representation"),
        tasks=1,
    params:
        settings=lambda wildcards: leaf(COMPUTED[NAME_OF[wildcards.representation]]),
        n_shards=n_shards("find_environments", "representation"),
        code=code_of("features_candidates.py"),
    script:
        "../scripts/features_candidates.py"


rule merge_environments:
    input:
        survey=rules.select_boundary_atoms.output[0],
        shards=shards_by(
            rules.find_environments.output[0], "find_environments", "representation"
        ),
    output:
        f"{FEATURES}/{{representation}}/dictionary.h5",
    log:
        f"{LOGS}/merge_environments/{{representation}}.log",
    benchmark:
        f"{BENCHMARKS}/merge_environments/{{representation}}.tsv"
    wildcard_constraints:
        representation=one_of(LAYOUT.made_here("features", LOCAL_ENVIRONMENTS)),
    conda:
        "../../envs/features.yaml"
    resources:
        mem_mb=mem_mb(4000),
        runtime=runtime(60),
        tasks=1,
    params:
        settings=lambda wildcards: leaf(COMPUTED[NAME_OF[wildcards.representation]]),
        on_failure=CONFIG.on_failure,
        code=code_of("features_dictionary.py"),
    script:
        "../scripts/features_dictionary.py"


rule count_environments:
    input:
        survey=rules.select_boundary_atoms.output[0],
        dictionary=rules.merge_environments.output[0],
    output:
        f"{FEATURES}/{{representation}}/shard_{{shard}}.h5",
    log:
        f"{LOGS}/count_environments/{{representation}}/{{shard}}.log",
    benchmark:
        f"{BENCHMARKS}/count_environments/{{representation}}/{{shard}}.tsv"
    wildcard_constraints:
        representation=one_of(LAYOUT.made_here("features", LOCAL_ENVIRONMENTS)),
    conda:
        "../../envs/features.yaml"
    resources:
        mem_mb=mem_mb(4000),
        runtime=runtime(120, "find_environments", "representation"),
        tasks=1,
    params:
        settings=lambda wildcards: leaf(COMPUTED[NAME_OF[wildcards.representation]]),
        n_shards=n_shards("find_environments", "representation"),
        code=code_of("features_fractions.py"),
    script:
        "../scripts/features_fractions.py"


rule gather_features:
    input:
        survey=rules.select_boundary_atoms.output[0],
        shards=lambda wildcards: shards_by(
            rules.featurize.output[0],
            (
                "find_environments"
                if NAME_OF[wildcards.representation] in LOCAL_ENVIRONMENTS
                else "featurize"
            ),
            "representation",
        )(wildcards),
    output:
        f"{FEATURES}/{{representation}}.h5",
    log:
        f"{LOGS}/gather_features/{{representation}}.log",
    benchmark:
        f"{BENCHMARKS}/gather_features/{{representation}}.tsv"
    wildcard_constraints:
        representation=one_of(LAYOUT.made_here("features", COMPUTED)),
    conda:
        "../../envs/features.yaml"
    resources:
        mem_mb=mem_mb(2000),
        runtime=runtime(30),
        tasks=1,
    params:
        on_failure=CONFIG.on_failure,
        code=code_of("features_gather.py"),
    script:
        "../scripts/features_gather.py"


rule tabulate_environments:
    input:
        dictionary=rules.merge_environments.output[0],
        features=rules.gather_features.output[0],
    output:
        f"{FEATURES}/{{representation}}/environments.csv",
    log:
        f"{LOGS}/tabulate_environments/{{representation}}.log",
    benchmark:
        f"{BENCHMARKS}/tabulate_environments/{{representation}}.tsv"
    wildcard_constraints:
        representation=one_of(LAYOUT.made_here("features", LOCAL_ENVIRONMENTS)),
    conda:
        "../../envs/features.yaml"
    resources:
        mem_mb=mem_mb(2000),
        runtime=runtime(10),
        tasks=1,
    params:
        code=code_of("features_environments.py"),
    script:
        "../scripts/features_environments.py"


rule concatenate_features:
    input:
        lambda wildcards: [
            features_of(part)
            for part in CONCATENATED[NAME_OF[wildcards.representation]]
        ],
    output:
        f"{FEATURES}/{{representation}}.h5",
    log:
        f"{LOGS}/concatenate_features/{{representation}}.log",
    benchmark:
        f"{BENCHMARKS}/concatenate_features/{{representation}}.tsv"
    wildcard_constraints:
        representation=one_of(LAYOUT.made_here("features", CONCATENATED)),
    conda:
        "../../envs/features.yaml"
    resources:
        mem_mb=mem_mb(4000),
        runtime=runtime(30),
        tasks=1,
    params:
        code=code_of("features_concatenate.py"),
    script:
        "../scripts/features_concatenate.py"


rule tabulate_failures:
    input:
        [f"{SURVEY}/{name}.h5" for name in SURVEY_STEPS.values()],
        [features_of(name) for name in REPRESENTATIONS],
    output:
        f"{RESULTS}/failures.tsv",
    log:
        f"{LOGS}/tabulate_failures.log",
    benchmark:
        f"{BENCHMARKS}/tabulate_failures.tsv"
    conda:
        "../../envs/survey.yaml"
    resources:
        mem_mb=mem_mb(1000),
        runtime=runtime(10),
        tasks=1,
    params:
        steps=[*SURVEY_STEPS, *REPRESENTATIONS],
        code=code_of("tabulate_failures.py"),
    script:
        "../scripts/tabulate_failures.py"
