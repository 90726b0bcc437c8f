# An amorphous alloy: its structures and their energies by DFT, made in rounds.


rule pack_structures:
    output:
        STRUCTURES.format(batch="packed"),
    log:
        f"{LOGS}/pack_structures.log",
    benchmark:
        f"{BENCHMARKS}/pack_structures.tsv"
    conda:
        "../../envs/alloy.yaml"
    resources:
        mem_mb=mem_mb(2000),
        runtime=runtime(30),
        tasks=1,
    params:
        species=CONFIG.alloy.species,
        settings=OF_STRUCTURES,
        code=code_of("alloy_pack.py"),
    script:
        "../scripts/alloy_pack.py"


rule read_known_structures:
    input:
        CONFIG.alloy.structures.known or [],
    output:
        ALLOY_ENERGIES.format(batch=KNOWN),
    log:
        f"{LOGS}/read_known_structures.log",
    benchmark:
        f"{BENCHMARKS}/read_known_structures.tsv"
    conda:
        "../../envs/alloy.yaml"
    resources:
        mem_mb=mem_mb(2000),
        runtime=runtime(30),
        tasks=1,
    params:
        species=CONFIG.alloy.species,
        code=code_of("alloy_known.py"),
    script:
        "../scripts/alloy_known.py"


rule fit_cheap_potential:
    input:
        lambda wildcards: of_alloy_batches_before(ALLOY_ENERGIES, wildcards.batch),
    output:
        f"{ALLOY}/potentials/{{batch}}.json",
    log:
        f"{LOGS}/fit_cheap_potential/{{batch}}.log",
    benchmark:
        f"{BENCHMARKS}/fit_cheap_potential/{{batch}}.tsv"
    wildcard_constraints:
        batch=one_of([*ALLOY_BATCHES[1:], LARGER]),
    conda:
        "../../envs/alloy.yaml"
    resources:
        mem_mb=mem_mb(4000),
        runtime=runtime(60),
        tasks=1,
    params:
        species=CONFIG.alloy.species,
        settings=leaf(CONFIG.alloy.structures.potential),
        code=code_of("alloy_fit.py"),
    script:
        "../scripts/alloy_fit.py"


rule heat_structures:
    input:
        rules.fit_cheap_potential.output[0],
    output:
        STRUCTURES,
    log:
        f"{LOGS}/heat_structures/{{batch}}.log",
    benchmark:
        f"{BENCHMARKS}/heat_structures/{{batch}}.tsv"
    wildcard_constraints:
        batch=one_of([*ALLOY_BATCHES[1:], LARGER]),
    conda:
        "../../envs/alloy.yaml"
    resources:
        mem_mb=mem_mb(2000),
        runtime=runtime(120),
        tasks=1,
    params:
        settings=OF_STRUCTURES,
        code=code_of("alloy_heat.py"),
    script:
        "../scripts/alloy_heat.py"


rule collect_crystals:
    input:
        CONFIG.alloy.crystals or [],
    output:
        STRUCTURES.format(batch=CRYSTALS),
    log:
        f"{LOGS}/collect_crystals.log",
    benchmark:
        f"{BENCHMARKS}/collect_crystals.tsv"
    conda:
        "../../envs/alloy.yaml"
    resources:
        mem_mb=mem_mb(1000),
        runtime=runtime(10),
        tasks=1,
    params:
        species=CONFIG.alloy.species,
        code=code_of("alloy_crystals.py"),
    script:
        "../scripts/alloy_crystals.py"


rule strain_cells:
    input:
        table=CONFIG.alloy.crystals or [],
        amorphous=STRUCTURES.format(batch=ALLOY_BATCHES[-1]),
    output:
        STRUCTURES.format(batch=STRAINED),
    log:
        f"{LOGS}/strain_cells.log",
    benchmark:
        f"{BENCHMARKS}/strain_cells.tsv"
    conda:
        "../../envs/alloy.yaml"
    resources:
        mem_mb=mem_mb(1000),
        runtime=runtime(10),
        tasks=1,
    params:
        species=CONFIG.alloy.species,
        settings=leaf(CONFIG.alloy.elastic),
        dft=leaf(CONFIG.alloy.dft),
        code=code_of("alloy_strained.py"),
    script:
        "../scripts/alloy_strained.py"


rule compute_structures:
    input:
        STRUCTURES,
    output:
        f"{ALLOY}/energies/{{batch}}/shard_{{shard}}.h5",
    log:
        f"{LOGS}/compute_structures/{{batch}}/{{shard}}.log",
    benchmark:
        f"{BENCHMARKS}/compute_structures/{{batch}}/{{shard}}.tsv"
    wildcard_constraints:
        batch=one_of(COMPUTED_HERE),
    conda:
        "../../envs/alloy.yaml"
    threads: CONFIG.alloy.dft.ranks
    resources:
        mem_mb=mem_mb(2000, "compute_structures", "batch"),
        runtime=runtime(120, "compute_structures", "batch"),
        tasks=1,
    params:
        dft=leaf(CONFIG.alloy.dft),
        shards=n_shards("compute_structures", "batch"),
        workdir=LAYOUT.placed(f"{ALLOY}/scratch/{{batch}}"),
        stress=lambda wildcards: wildcards.batch == STRAINED,
        code=code_of("alloy_energies.py", "gbscape.energies.gpaw_scf"),
    script:
        "../scripts/alloy_energies.py"


rule gather_structures:
    input:
        shards=shards_by(
            rules.compute_structures.output[0], "compute_structures", "batch"
        ),
        structures=STRUCTURES,
    output:
        ALLOY_ENERGIES,
    log:
        f"{LOGS}/gather_structures/{{batch}}.log",
    benchmark:
        f"{BENCHMARKS}/gather_structures/{{batch}}.tsv"
    wildcard_constraints:
        batch=one_of(COMPUTED_HERE),
    conda:
        "../../envs/alloy.yaml"
    resources:
        mem_mb=mem_mb(2000),
        runtime=runtime(30),
        tasks=1,
    params:
        on_failure=CONFIG.on_failure,
        code=code_of("alloy_gather.py"),
    script:
        "../scripts/alloy_gather.py"


rule relax_path:
    input:
        CONFIG.alloy.crystals or [],
    output:
        ALLOY_PATH,
    log:
        f"{LOGS}/relax_path/{{path}}.log",
    benchmark:
        f"{BENCHMARKS}/relax_path/{{path}}.tsv"
    wildcard_constraints:
        path=one_of(CONFIG.alloy.path_names),
    conda:
        "../../envs/alloy.yaml"
    threads: CONFIG.alloy.dft.ranks * CONFIG.alloy.migration.images
    resources:
        mem_mb=mem_mb(2000 * CONFIG.alloy.migration.images),
        runtime=runtime(1440),
        tasks=1,
    params:
        settings=leaf(CONFIG.alloy.migration),
        dft=leaf(CONFIG.alloy.dft),
        workdir=LAYOUT.placed(f"{ALLOY}/scratch/paths"),
        code=code_of("alloy_path.py", "gbscape.energies.gpaw_scf"),
    script:
        "../scripts/alloy_path.py"


rule write_cells:
    input:
        lambda wildcards: expand(
            ALLOY_ENERGIES,
            batch=(ALLOY_BATCHES if wildcards.batch == DATASET else wildcards.batch),
        ),
    output:
        f"{ALLOY}/cells/{{batch}}.xyz",
    log:
        f"{LOGS}/write_cells/{{batch}}.log",
    benchmark:
        f"{BENCHMARKS}/write_cells/{{batch}}.tsv"
    wildcard_constraints:
        batch=one_of([DATASET, LARGER, CRYSTALS, STRAINED]),
    conda:
        "../../envs/alloy.yaml"
    resources:
        mem_mb=mem_mb(2000),
        runtime=runtime(30),
        tasks=1,
    params:
        code=code_of("alloy_cells.py"),
    script:
        "../scripts/alloy_cells.py"
