# Learn every target from every representation; one table of each kind at the end.


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
        representation=one_of(REPRESENTATIONS),
    conda:
        "../../envs/learn.yaml"
    threads: CONFIG.learn.trees.n_threads
    resources:
        mem_mb=4000,
        runtime=120,
        tasks=1,
    params:
        settings=leaf(CONFIG.learn),
        seed=CONFIG.seed,
        code=code_hash("gbscape.survey.learn_target"),
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
        representation=one_of(REPRESENTATIONS),
    conda:
        "../../envs/learn.yaml"
    threads: CONFIG.learn.trees.n_threads
    resources:
        mem_mb=4000,
        runtime=120,
        tasks=1,
    params:
        settings=leaf(CONFIG.learn),
        seed=CONFIG.seed,
        code=code_hash("gbscape.survey.learn_target"),
    script:
        "../scripts/learn_curve.py"


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
        mem_mb=2000,
        runtime=30,
        tasks=1,
    params:
        settings=leaf(CONFIG.learn),
        seed=CONFIG.seed,
        code=code_hash("gbscape.survey.learn_target"),
    script:
        "../scripts/learn_random.py"


rule gather_learning:
    input:
        scores=learned("scores", baseline=True),
        predictions=learned("predictions", baseline=True),
        importance=learned("importance"),
        confusion=learned("confusion", baseline=True),
        learning_curve=learned("learning_curve", targets=REGRESSION_TARGETS),
    output:
        scores=f"{LEARN}/scores.csv",
        predictions=f"{LEARN}/predictions.csv",
        importance=f"{LEARN}/importance.csv",
        confusion=f"{LEARN}/confusion.csv",
        learning_curve=f"{LEARN}/learning_curve.csv",
    log:
        f"{LOGS}/gather_learning.log",
    benchmark:
        f"{BENCHMARKS}/gather_learning.tsv"
    conda:
        "../../envs/learn.yaml"
    resources:
        mem_mb=2000,
        runtime=30,
        tasks=1,
    params:
        code=code_hash("gbscape.store.tables"),
    script:
        "../scripts/learn_gather.py"
