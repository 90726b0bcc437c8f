# Learn every target from every representation by boosted trees, and by the further models; one table of each kind at the end.


rule learn:
    input:
        features=f"{FEATURES}/{{representation}}.h5",
        energies=rules.tabulate_energies.output[0],
    output:
        scores=f"{LEARN}/{{target}}/{{representation}}/scores.csv",
        predictions=f"{LEARN}/{{target}}/{{representation}}/predictions.csv",
        importance=f"{LEARN}/{{target}}/{{representation}}/importance.csv",
        confusion=f"{LEARN}/{{target}}/{{representation}}/confusion.csv",
    log:
        f"{LOGS}/learn/{{target}}/{{representation}}.log",
    benchmark:
        f"{BENCHMARKS}/learn/{{target}}/{{representation}}.tsv"
    wildcard_constraints:
        representation=one_of(LAYOUT.made_here("learning", REPRESENTATIONS)),
    conda:
        "../../envs/learn.yaml"
    threads: CONFIG.learn.trees.n_threads
    resources:
        mem_mb=lambda wildcards, input, attempt: attempt
        * (1000 + 5 * int(input.size_mb)),
        runtime=runtime(120),
        tasks=1,
    params:
        representation=lambda wildcards: NAME_OF[wildcards.representation],
        settings=lambda wildcards: leaf(
            CONFIG.learn,
            without=["targets", "representations", "learning_curve", "models"]
            + (["smote"] if wildcards.target in REGRESSION_TARGETS else []),
        ),
        seed=CONFIG.seed,
        code=code_of("learn_target.py"),
    script:
        "../scripts/learn_target.py"


rule learn_curve:
    input:
        features=f"{FEATURES}/{{representation}}.h5",
        energies=rules.tabulate_energies.output[0],
    output:
        f"{LEARN}/{{target}}/{{representation}}/learning_curve.csv",
    log:
        f"{LOGS}/learn_curve/{{target}}/{{representation}}.log",
    benchmark:
        f"{BENCHMARKS}/learn_curve/{{target}}/{{representation}}.tsv"
    wildcard_constraints:
        target=one_of(REGRESSION_TARGETS),
        representation=one_of(LAYOUT.made_here("learning", REPRESENTATIONS)),
    conda:
        "../../envs/learn.yaml"
    threads: CONFIG.learn.trees.n_threads
    resources:
        mem_mb=lambda wildcards, input, attempt: attempt
        * (1000 + 5 * int(input.size_mb)),
        runtime=runtime(120),
        tasks=1,
    params:
        representation=lambda wildcards: NAME_OF[wildcards.representation],
        settings=leaf(
            CONFIG.learn,
            without=["targets", "representations", "n_splits", "models", "smote"],
        )
        | {
            "learning_curve": leaf(
                CONFIG.learn.learning_curve, without=["representations"]
            )
        },
        seed=CONFIG.seed,
        code=code_of("learn_curve.py"),
    script:
        "../scripts/learn_curve.py"


rule learn_model:
    input:
        features=lambda wildcards: [
            features_of(name) for name in learned_by(NAME_OF[wildcards.model])
        ],
        energies=rules.tabulate_energies.output[0],
    output:
        scores=f"{LEARN}/{{target}}/{{model}}/scores.csv",
        predictions=f"{LEARN}/{{target}}/{{model}}/predictions.csv",
        confusion=f"{LEARN}/{{target}}/{{model}}/confusion.csv",
    log:
        f"{LOGS}/learn_model/{{target}}/{{model}}.log",
    benchmark:
        f"{BENCHMARKS}/learn_model/{{target}}/{{model}}.tsv"
    wildcard_constraints:
        model=one_of(LAYOUT.made_here("learning", CONFIG.learn.models)),
    conda:
        "../../envs/learn.yaml"
    resources:
        mem_mb=lambda wildcards, input, attempt: attempt
        * (1000 + 10 * int(input.size_mb)),
        runtime=runtime(120),
        tasks=1,
    params:
        representations=lambda wildcards: learned_by(NAME_OF[wildcards.model]),
        model=lambda wildcards: NAME_OF[wildcards.model],
        settings=lambda wildcards: leaf(
            CONFIG.learn,
            without=["targets", "representations", "learning_curve", "trees", "smote"],
        )
        | {"models": models_behind(NAME_OF[wildcards.model])},
        seed=CONFIG.seed,
        code=code_of("learn_model.py"),
    script:
        "../scripts/learn_model.py"


rule learn_random:
    input:
        energies=rules.tabulate_energies.output[0],
    output:
        scores=f"{LEARN}/{{target}}/random/scores.csv",
        predictions=f"{LEARN}/{{target}}/random/predictions.csv",
        confusion=f"{LEARN}/{{target}}/random/confusion.csv",
    log:
        f"{LOGS}/learn_random/{{target}}.log",
    benchmark:
        f"{BENCHMARKS}/learn_random/{{target}}.tsv"
    conda:
        "../../envs/learn.yaml"
    resources:
        mem_mb=mem_mb(2000),
        runtime=runtime(30),
        tasks=1,
    params:
        settings=leaf(
            CONFIG.learn,
            without=[
                "targets",
                "representations",
                "learning_curve",
                "models",
                "trees",
                "smote",
            ],
        ),
        seed=CONFIG.seed,
        code=code_of("learn_random.py"),
    script:
        "../scripts/learn_random.py"


if LEARNED:

    rule gather_learning:
        input:
            **{table: learned(table) for table in LEARNED},
        output:
            **{table: f"{LEARN}/{table}.csv" for table in LEARNED},
        log:
            f"{LOGS}/gather_learning.log",
        benchmark:
            f"{BENCHMARKS}/gather_learning.tsv"
        conda:
            "../../envs/learn.yaml"
        resources:
            mem_mb=mem_mb(2000),
            runtime=runtime(30),
            tasks=1,
        params:
            code=code_of("learn_gather.py"),
        script:
            "../scripts/learn_gather.py"
