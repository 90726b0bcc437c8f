# Maps of samples: strided pattern matching, level by level where a map is refined, each level sharded over boxes.


rule make_sample:
    input:
        prototypes=CONFIG.crystal.prototypes,
        file=lambda wildcards: getattr(of_map(wildcards).structure, "path", []),
        survey=lambda wildcards: (
            rules.select_boundary_atoms.output[0]
            if of_map(wildcards).structure.kind == "boundary"
            else []
        ),
    output:
        f"{MAP}/sample.xyz",
    log:
        f"{LOGS}/make_sample/{{map}}.log",
    benchmark:
        f"{BENCHMARKS}/make_sample/{{map}}.tsv"
    conda:
        "../../envs/crystal.yaml"
    resources:
        mem_mb=mem_mb(4000),
        runtime=runtime(30),
        tasks=1,
    params:
        settings=lambda wildcards: leaf(of_map(wildcards)),
        code=code_of("crystal_sample.py"),
    script:
        "../scripts/crystal_sample.py"


rule choose_boxes:
    input:
        sample=rules.make_sample.output[0],
        before=level_before,
    output:
        f"{MAP}/levels/boxes_{{level}}.h5",
    log:
        f"{LOGS}/choose_boxes/{{map}}/{{level}}.log",
    benchmark:
        f"{BENCHMARKS}/choose_boxes/{{map}}/{{level}}.tsv"
    conda:
        "../../envs/crystal.yaml"
    resources:
        mem_mb=mem_mb(4000),
        runtime=runtime(30),
        tasks=1,
    params:
        settings=lambda wildcards: leaf(of_map(wildcards)),
        code=code_of("crystal_choose_boxes.py"),
    script:
        "../scripts/crystal_choose_boxes.py"


rule classify_boxes:
    input:
        sample=rules.make_sample.output[0],
        boxes=rules.choose_boxes.output[0],
        model=CRYSTAL_MODEL,
    output:
        f"{MAP}/levels/{{level}}/shard_{{shard}}.h5",
    log:
        f"{LOGS}/classify_boxes/{{map}}/{{level}}/{{shard}}.log",
    benchmark:
        f"{BENCHMARKS}/classify_boxes/{{map}}/{{level}}/{{shard}}.tsv"
    conda:
        "../../envs/crystal.yaml"
    resources:
        mem_mb=mem_mb(4000, "classify_boxes", "map", "level"),
        runtime=runtime(120, "classify_boxes", "map", "level"),
        tasks=1,
        gpu=1,
    params:
        settings=lambda wildcards: leaf(of_map(wildcards)),
        n_shards=n_shards("classify_boxes", "map", "level"),
        code=code_of("crystal_classify_boxes.py"),
    script:
        "../scripts/crystal_classify_boxes.py"


rule join_level:
    input:
        shards=shards_by(
            rules.classify_boxes.output[0], "classify_boxes", "map", "level"
        ),
        before=level_before,
    output:
        LEVEL_MAP,
    log:
        f"{LOGS}/join_level/{{map}}/{{level}}.log",
    benchmark:
        f"{BENCHMARKS}/join_level/{{map}}/{{level}}.tsv"
    conda:
        "../../envs/crystal.yaml"
    resources:
        mem_mb=mem_mb(4000),
        runtime=runtime(30),
        tasks=1,
    params:
        code=code_of("crystal_join_level.py"),
    script:
        "../scripts/crystal_join_level.py"


rule finish_map:
    input:
        sample=rules.make_sample.output[0],
        levels=last_level,
    output:
        f"{MAP}/map.h5",
    log:
        f"{LOGS}/finish_map/{{map}}.log",
    benchmark:
        f"{BENCHMARKS}/finish_map/{{map}}.tsv"
    conda:
        "../../envs/crystal.yaml"
    resources:
        mem_mb=mem_mb(8000, "finish_map", "map"),
        runtime=runtime(30),
        tasks=1,
    params:
        settings=lambda wildcards: leaf(of_map(wildcards)),
        code=code_of("crystal_finish_map.py"),
    script:
        "../scripts/crystal_finish_map.py"


rule check_refinement:
    input:
        sample=rules.make_sample.output[0],
        map=rules.finish_map.output[0],
        model=CRYSTAL_MODEL,
    output:
        f"{MAP}/refinement_check.csv",
    log:
        f"{LOGS}/check_refinement/{{map}}.log",
    benchmark:
        f"{BENCHMARKS}/check_refinement/{{map}}.tsv"
    conda:
        "../../envs/crystal.yaml"
    resources:
        mem_mb=mem_mb(8000),
        runtime=runtime(30),
        tasks=1,
    params:
        settings=lambda wildcards: leaf(of_map(wildcards)),
        code=code_of("crystal_check_refinement.py"),
    script:
        "../scripts/crystal_check_refinement.py"


rule export_map:
    input:
        sample=rules.make_sample.output[0],
        map=rules.finish_map.output[0],
    output:
        boxes=f"{MAP}/boxes.xyz",
        atoms=f"{MAP}/atoms.xyz",
        grid=f"{MAP}/map.vti",
    log:
        f"{LOGS}/export_map/{{map}}.log",
    benchmark:
        f"{BENCHMARKS}/export_map/{{map}}.tsv"
    conda:
        "../../envs/crystal.yaml"
    resources:
        mem_mb=mem_mb(8000, "export_map", "map"),
        runtime=runtime(30),
        tasks=1,
    params:
        settings=lambda wildcards: leaf(of_map(wildcards)),
        code=code_of("crystal_export_map.py"),
    script:
        "../scripts/crystal_export_map.py"


rule crystal_maps:
    input:
        expand(rules.export_map.output, map=MAPS),
    localrule: True
