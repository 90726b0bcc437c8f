# An amorphous alloy: cells described, their energies learned, and models asked for what they never saw.


rule describe_cells:
    input:
        lambda wildcards: ALLOY_CELLS[wildcards.batch],
    output:
        f"{ALLOY}/vectors/{{description}}/{{batch}}/shard_{{shard}}.h5",
    log:
        f"{LOGS}/describe_cells/{{description}}/{{batch}}/{{shard}}.log",
    benchmark:
        f"{BENCHMARKS}/describe_cells/{{description}}/{{batch}}/{{shard}}.tsv"
    wildcard_constraints:
        batch=one_of(ALLOY_CELLS),
    conda:
        "../../envs/alloy.yaml"
    resources:
        mem_mb=mem_mb(2000, "describe_cells", "description", "batch"),
        runtime=runtime(30, "describe_cells", "description", "batch"),
        tasks=1,
    params:
        species=CONFIG.alloy.species,
        settings=leaf(CONFIG.alloy.descriptions),
        shards=n_shards("describe_cells", "description", "batch"),
        strain=lambda wildcards: (
            CONFIG.alloy.elastic.strain if wildcards.batch == STRAINED else None
        ),
        code=code_of("alloy_describe.py"),
    script:
        "../scripts/alloy_describe.py"


rule gather_cells:
    input:
        shards=shards_by(
            rules.describe_cells.output[0], "describe_cells", "description", "batch"
        ),
        cells=lambda wildcards: ALLOY_CELLS[wildcards.batch],
    output:
        ALLOY_VECTORS,
    log:
        f"{LOGS}/gather_cells/{{description}}/{{batch}}.log",
    benchmark:
        f"{BENCHMARKS}/gather_cells/{{description}}/{{batch}}.tsv"
    wildcard_constraints:
        batch=one_of(ALLOY_CELLS),
    conda:
        "../../envs/alloy.yaml"
    resources:
        mem_mb=mem_mb(2000),
        runtime=runtime(30),
        tasks=1,
    params:
        species=CONFIG.alloy.species,
        on_failure=CONFIG.on_failure,
        code=code_of("alloy_gather_cells.py"),
    script:
        "../scripts/alloy_gather_cells.py"


# Gathered file of each step at which cells can fail.
ALLOY_STEPS = {
    f"energies/{batch}": ALLOY_ENERGIES.format(batch=batch)
    for batch in ([] if COMPUTED_BEFORE else [*ALLOY_BATCHES, *CONFIG.alloy.unseen])
} | {
    f"{description}/{batch}": ALLOY_VECTORS.format(description=description, batch=batch)
    for description in ALLOY_DESCRIPTIONS
    for batch in ALLOY_CELLS
}


rule tabulate_cells_that_failed:
    input:
        ALLOY_STEPS.values(),
    output:
        f"{ALLOY}/failures.tsv",
    log:
        f"{LOGS}/tabulate_cells_that_failed.log",
    benchmark:
        f"{BENCHMARKS}/tabulate_cells_that_failed.tsv"
    conda:
        "../../envs/alloy.yaml"
    resources:
        mem_mb=mem_mb(1000),
        runtime=runtime(10),
        tasks=1,
    params:
        steps=list(ALLOY_STEPS),
        code=code_of("tabulate_failures.py"),
    script:
        "../scripts/tabulate_failures.py"


# What is learned and judged for each draw of training cells: functions of gbscape.alloy.evaluate, and the tables that they write.
ALLOY_JUDGED = {
    "evaluate": ["errors", "predictions"],
    "learning_curve": ["learning_curve"],
    "error_by_size": ["sizes"],
}
ALLOY_TABLE = f"{ALLOY}/evaluation/{{table}}.csv"
ALLOY_DRAW = f"{ALLOY}/evaluation/draw_{{draw}}/{{table}}.csv"

for function, tables in ALLOY_JUDGED.items():

    rule:
        name:
            f"alloy_{function}"
        input:
            **of_alloy(ALLOY_VECTORS, [DATASET]),
            dataset=ALLOY_CELLS[DATASET][0],
        output:
            [ALLOY_DRAW.replace("{table}", table) for table in tables],
        log:
            f"{LOGS}/alloy_{function}/{{draw}}.log",
        benchmark:
            f"{BENCHMARKS}/alloy_{function}/{{draw}}.tsv"
        conda:
            "../../envs/alloy.yaml"
        resources:
            mem_mb=mem_mb(3000),
            runtime=runtime(120),
            tasks=1,
        params:
            function=function,
            descriptions=ALLOY_DESCRIPTIONS,
            regression=leaf(CONFIG.alloy.regression, without=["seeds"]),
            species=CONFIG.alloy.species,
            code=code_of("alloy_judge.py"),
        script:
            "../scripts/alloy_judge.py"


rule predict_unseen:
    input:
        **of_alloy(ALLOY_VECTORS, [DATASET]),
        **of_alloy(ALLOY_VECTORS, UNSEEN_CELLS),
        **{batch: ALLOY_CELLS[batch] for batch in UNSEEN_CELLS},
        dataset=ALLOY_CELLS[DATASET][0],
    output:
        ALLOY_DRAW.replace("{table}", "unseen"),
    log:
        f"{LOGS}/predict_unseen/{{draw}}.log",
    benchmark:
        f"{BENCHMARKS}/predict_unseen/{{draw}}.tsv"
    conda:
        "../../envs/alloy.yaml"
    resources:
        mem_mb=mem_mb(3000),
        runtime=runtime(60),
        tasks=1,
    params:
        batches=UNSEEN_CELLS,
        descriptions=ALLOY_DESCRIPTIONS,
        regression=leaf(CONFIG.alloy.regression, without=["seeds"]),
        species=CONFIG.alloy.species,
        code=code_of("alloy_predict.py"),
    script:
        "../scripts/alloy_predict.py"


rule join_alloy_tables:
    input:
        expand(
            ALLOY_DRAW,
            draw=range(CONFIG.alloy.regression.seeds),
            allow_missing=True,
        ),
    output:
        ALLOY_TABLE,
    log:
        f"{LOGS}/join_alloy_tables/{{table}}.log",
    benchmark:
        f"{BENCHMARKS}/join_alloy_tables/{{table}}.tsv"
    wildcard_constraints:
        table=one_of([*sum(ALLOY_JUDGED.values(), []), "unseen"]),
    conda:
        "../../envs/alloy.yaml"
    resources:
        mem_mb=mem_mb(1000),
        runtime=runtime(10),
        tasks=1,
    params:
        code=code_of("join_tables.py"),
    script:
        "../scripts/join_tables.py"
