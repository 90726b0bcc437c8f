# Models that say which crystal a structure is: vectors of the classes, training, choice, tests. Only those that the
# configuration asks for; maps are classified by the shipped model otherwise.


rule describe_classes:
    input:
        prototypes=CONFIG.crystal.prototypes,
    output:
        f"{CRYSTAL}/{{kind}}/shard_{{shard}}.h5",
    log:
        f"{LOGS}/describe_classes/{{kind}}/{{shard}}.log",
    benchmark:
        f"{BENCHMARKS}/describe_classes/{{kind}}/{{shard}}.tsv"
    wildcard_constraints:
        kind="pristine|defective",
    conda:
        "../../envs/crystal.yaml"
    resources:
        mem_mb=mem_mb(2000),
        runtime=runtime(120),
        tasks=1,
    params:
        descriptor=leaf(CONFIG.crystal.descriptor),
        settings=lambda wildcards: leaf(
            {"pristine": CONFIG.crystal.grid, "defective": CONFIG.crystal.defects}[
                wildcards.kind
            ]
        ),
        n_shards=n_shards("describe_classes", "kind"),
        code=code_of("crystal_describe.py"),
    script:
        "../scripts/crystal_describe.py"


use rule describe_classes as describe_more_classes with:
    output:
        f"{MODELS}/{{model}}/{{kind}}/shard_{{shard}}.h5",
    log:
        f"{LOGS}/describe_more_classes/{{model}}/{{kind}}/{{shard}}.log",
    benchmark:
        f"{BENCHMARKS}/describe_more_classes/{{model}}/{{kind}}/{{shard}}.tsv"
    wildcard_constraints:
        kind="augmentation|calibration",
    params:
        descriptor=leaf(CONFIG.crystal.descriptor),
        settings=lambda wildcards: leaf(
            getattr(TRAINED[wildcards.model], wildcards.kind)
        ),
        n_shards=n_shards("describe_more_classes", "model", "kind"),
        code=code_of("crystal_describe.py"),


rule gather_classes:
    input:
        prototypes=CONFIG.crystal.prototypes,
        shards=shards_by(rules.describe_classes.output[0], "describe_classes", "kind"),
    output:
        f"{CRYSTAL}/{{kind}}.h5",
    log:
        f"{LOGS}/gather_classes/{{kind}}.log",
    benchmark:
        f"{BENCHMARKS}/gather_classes/{{kind}}.tsv"
    wildcard_constraints:
        kind="pristine|defective",
    conda:
        "../../envs/crystal.yaml"
    resources:
        mem_mb=mem_mb(2000),
        runtime=runtime(30),
        tasks=1,
    params:
        code=code_of("crystal_gather.py"),
    script:
        "../scripts/crystal_gather.py"


use rule gather_classes as gather_more_classes with:
    input:
        prototypes=CONFIG.crystal.prototypes,
        shards=shards_by(
            rules.describe_more_classes.output[0],
            "describe_more_classes",
            "model",
            "kind",
        ),
    output:
        f"{MODELS}/{{model}}/{{kind}}.h5",
    log:
        f"{LOGS}/gather_more_classes/{{model}}/{{kind}}.log",
    benchmark:
        f"{BENCHMARKS}/gather_more_classes/{{model}}/{{kind}}.tsv"
    wildcard_constraints:
        kind="augmentation|calibration",


rule search_network:
    input:
        pristine=f"{CRYSTAL}/pristine.h5",
    output:
        f"{MODELS}/{{model}}/trials.csv",
    log:
        f"{LOGS}/search_network/{{model}}.log",
    benchmark:
        f"{BENCHMARKS}/search_network/{{model}}.tsv"
    conda:
        "../../envs/crystal.yaml"
    resources:
        mem_mb=mem_mb(4000),
        runtime=runtime(1440),
        tasks=1,
        gpu=1,
    params:
        settings=of_training,
        code=code_of("crystal_search.py"),
    script:
        "../scripts/crystal_search.py"


rule train_candidate:
    input:
        unpack(training_inputs),
    output:
        network=f"{MODELS}/{{model}}/candidate_{{number}}.safetensors",
        history=f"{MODELS}/{{model}}/candidate_{{number}}.csv",
    log:
        f"{LOGS}/train_candidate/{{model}}/{{number}}.log",
    benchmark:
        f"{BENCHMARKS}/train_candidate/{{model}}/{{number}}.tsv"
    conda:
        "../../envs/crystal.yaml"
    resources:
        mem_mb=mem_mb(4000),
        runtime=runtime(240),
        tasks=1,
        gpu=1,
    params:
        settings=of_training,
        descriptor=leaf(CONFIG.crystal.descriptor),
        code=code_of("crystal_train.py"),
    script:
        "../scripts/crystal_train.py"


rule choose_candidate:
    input:
        candidates=lambda wildcards: [
            f"{MODELS}/{wildcards.model}/candidate_{number}.safetensors"
            for number in range(CANDIDATES[wildcards.model])
        ],
        pristine=f"{CRYSTAL}/pristine.h5",
        defective=f"{CRYSTAL}/defective.h5",
    output:
        f"{MODELS}/{{model}}/choice.csv",
    log:
        f"{LOGS}/choose_candidate/{{model}}.log",
    benchmark:
        f"{BENCHMARKS}/choose_candidate/{{model}}.tsv"
    conda:
        "../../envs/crystal.yaml"
    resources:
        mem_mb=mem_mb(4000),
        runtime=runtime(60),
        tasks=1,
    params:
        code=code_of("crystal_choose.py"),
    script:
        "../scripts/crystal_choose.py"


# The chosen candidate is member 0 of an ensemble; the others are trained with its settings.
use rule train_candidate as train_member with:
    input:
        unpack(training_inputs),
        choice=rules.choose_candidate.output[0],
    output:
        network=f"{MODELS}/{{model}}/member_{{number}}.safetensors",
        history=f"{MODELS}/{{model}}/member_{{number}}.csv",
    log:
        f"{LOGS}/train_member/{{model}}/{{number}}.log",
    benchmark:
        f"{BENCHMARKS}/train_member/{{model}}/{{number}}.tsv"


rule assemble_model:
    input:
        candidates=rules.choose_candidate.input.candidates,
        choice=rules.choose_candidate.output[0],
        members=lambda wildcards: [
            f"{MODELS}/{wildcards.model}/member_{number}.safetensors"
            for number in range(1, TRAINED[wildcards.model].network.members)
        ],
        pristine=f"{CRYSTAL}/pristine.h5",
        calibration=lambda wildcards: (
            f"{MODELS}/{wildcards.model}/calibration.h5"
            if TRAINED[wildcards.model].calibration
            else []
        ),
    output:
        f"{MODELS}/{{model}}.safetensors",
    log:
        f"{LOGS}/assemble_model/{{model}}.log",
    benchmark:
        f"{BENCHMARKS}/assemble_model/{{model}}.tsv"
    conda:
        "../../envs/crystal.yaml"
    resources:
        mem_mb=mem_mb(4000),
        runtime=runtime(60),
        tasks=1,
    params:
        settings=lambda wildcards: leaf(TRAINED[wildcards.model]),
        descriptor=leaf(CONFIG.crystal.descriptor),
        code=code_of("crystal_assemble.py"),
    script:
        "../scripts/crystal_assemble.py"


rule describe_outside:
    input:
        potential=rules.prepare_potential.output.description,
    output:
        f"{CRYSTAL}/outside.h5",
    log:
        f"{LOGS}/describe_outside.log",
    benchmark:
        f"{BENCHMARKS}/describe_outside.tsv"
    conda:
        "../../envs/crystal.yaml"
    resources:
        mem_mb=mem_mb(2000),
        runtime=runtime(60),
        tasks=1,
    params:
        settings=leaf(CONFIG.crystal.outside),
        descriptor=leaf(CONFIG.crystal.descriptor),
        code=code_of("crystal_outside.py"),
    script:
        "../scripts/crystal_outside.py"


rule judge_model:
    input:
        model=lambda wildcards: model_file(wildcards.model),
        pristine=f"{CRYSTAL}/pristine.h5",
        defective=f"{CRYSTAL}/defective.h5",
        outside=rules.describe_outside.output[0],
    output:
        **{table: f"{MODELS}/{{model}}/{table}.csv" for table in JUDGED_BY},
    log:
        f"{LOGS}/judge_model/{{model}}.log",
    benchmark:
        f"{BENCHMARKS}/judge_model/{{model}}.tsv"
    wildcard_constraints:
        model=one_of(CRYSTAL_MODELS),
    conda:
        "../../envs/crystal.yaml"
    resources:
        mem_mb=mem_mb(4000),
        runtime=runtime(120),
        tasks=1,
        gpu=1,
    params:
        passes=lambda wildcards: CRYSTAL_MODELS[wildcards.model].network.passes,
        descriptor=leaf(CONFIG.crystal.descriptor),
        code=code_of("crystal_judge.py"),
    script:
        "../scripts/crystal_judge.py"


rule ask_other_method:
    input:
        prototypes=CONFIG.crystal.prototypes,
    output:
        f"{CRYSTAL}/other_methods/{{method}}/shard_{{shard}}.h5",
    log:
        f"{LOGS}/ask_other_method/{{method}}/{{shard}}.log",
    benchmark:
        f"{BENCHMARKS}/ask_other_method/{{method}}/{{shard}}.tsv"
    conda:
        "../../envs/crystal.yaml"
    resources:
        mem_mb=mem_mb(2000),
        runtime=runtime(240),
        tasks=1,
    params:
        defects=leaf(CONFIG.crystal.defects),
        repeats=CONFIG.crystal.other_methods_repeats,
        n_shards=n_shards("ask_other_method", "method"),
        code=code_of("crystal_other_method.py"),
    script:
        "../scripts/crystal_other_method.py"


use rule gather_classes as gather_other_method with:
    input:
        prototypes=CONFIG.crystal.prototypes,
        shards=shards_by(rules.ask_other_method.output[0], "ask_other_method", "method"),
    output:
        f"{CRYSTAL}/other_methods/{{method}}.h5",
    log:
        f"{LOGS}/gather_other_method/{{method}}.log",
    benchmark:
        f"{BENCHMARKS}/gather_other_method/{{method}}.tsv"


rule tabulate_other_methods:
    input:
        prototypes=CONFIG.crystal.prototypes,
        scores=[
            f"{CRYSTAL}/other_methods/{method}.h5"
            for method in CONFIG.crystal.other_methods
        ],
    output:
        f"{CRYSTAL}/other_methods.csv",
    log:
        f"{LOGS}/tabulate_other_methods.log",
    benchmark:
        f"{BENCHMARKS}/tabulate_other_methods.tsv"
    conda:
        "../../envs/crystal.yaml"
    resources:
        mem_mb=mem_mb(2000),
        runtime=runtime(20),
        tasks=1,
    params:
        methods=CONFIG.crystal.other_methods,
        code=code_of("crystal_tabulate_methods.py"),
    script:
        "../scripts/crystal_tabulate_methods.py"


rule crystal_models:
    input:
        expand(rules.assemble_model.output[0], model=TRAINED),
        expand(rules.judge_model.output, model=CRYSTAL_MODELS),
        (rules.tabulate_other_methods.output if CONFIG.crystal.other_methods else []),
    localrule: True
