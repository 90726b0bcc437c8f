# An amorphous alloy: its structures and their energies by DFT, made in rounds.


rule pack_structures:
    output:
        STRUCTURES.format(batch="packed"),
    log:
        f"{LOGS}/pack_structures.log",
    benchmark:
        f"{BENCHMARKS}/pack_structures.tsv"
    conda:
        "../../envs/replica.yaml"
    resources:
        mem_mb=2000,
        runtime=30,
        tasks=1,
    params:
        species=CONFIG.alloy.species,
        settings=OF_STRUCTURES,
        code=code_of("alloy_pack.py"),
    script:
        "../scripts/alloy_pack.py"


rule fit_cheap_potential:
    input:
        lambda wildcards: of_alloy_batches_before(ALLOY_ENERGIES, wildcards.round),
    output:
        f"{ALLOY}/potentials/round_{{round}}.json",
    log:
        f"{LOGS}/fit_cheap_potential/{{round}}.log",
    benchmark:
        f"{BENCHMARKS}/fit_cheap_potential/{{round}}.tsv"
    conda:
        "../../envs/replica.yaml"
    resources:
        mem_mb=4000,
        runtime=60,
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
        STRUCTURES.format(batch="round_{round}"),
    log:
        f"{LOGS}/heat_structures/{{round}}.log",
    benchmark:
        f"{BENCHMARKS}/heat_structures/{{round}}.tsv"
    conda:
        "../../envs/replica.yaml"
    resources:
        mem_mb=2000,
        runtime=120,
        tasks=1,
    params:
        settings=OF_STRUCTURES,
        code=code_of("alloy_heat.py"),
    script:
        "../scripts/alloy_heat.py"


rule compute_structures:
    input:
        STRUCTURES,
    output:
        f"{ALLOY}/energies/{{batch}}/shard_{{shard}}.h5",
    log:
        f"{LOGS}/compute_structures/{{batch}}/{{shard}}.log",
    benchmark:
        f"{BENCHMARKS}/compute_structures/{{batch}}/{{shard}}.tsv"
    conda:
        "../../envs/replica.yaml"
    wildcard_constraints:
        batch=one_of(ALLOY_BATCHES),
    threads: CONFIG.alloy.dft.ranks
    resources:
        mem_mb=mem_mb(2000, "compute_structures", "batch"),
        runtime=runtime(120, "compute_structures", "batch"),
        tasks=1,
    params:
        dft=leaf(CONFIG.alloy.dft),
        shards=n_shards("compute_structures", "batch"),
        workdir=f"{ALLOY}/scratch/{{batch}}",
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
    conda:
        "../../envs/replica.yaml"
    wildcard_constraints:
        batch=one_of(ALLOY_BATCHES),
    resources:
        mem_mb=2000,
        runtime=30,
        tasks=1,
    params:
        on_failure=CONFIG.on_failure,
        code=code_of("alloy_gather.py"),
    script:
        "../scripts/alloy_gather.py"


rule write_dataset:
    input:
        expand(ALLOY_ENERGIES, batch=ALLOY_BATCHES),
    output:
        f"{ALLOY}/dataset.xyz",
    log:
        f"{LOGS}/write_dataset.log",
    benchmark:
        f"{BENCHMARKS}/write_dataset.tsv"
    conda:
        "../../envs/replica.yaml"
    resources:
        mem_mb=2000,
        runtime=30,
        tasks=1,
    params:
        code=code_of("alloy_dataset.py"),
    script:
        "../scripts/alloy_dataset.py"


rule alloy:
    input:
        rules.write_dataset.output,
    localrule: True
