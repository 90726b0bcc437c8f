# Atomic energies of a large model: the model, its vectors, which atoms are computed and in which cells, their energies,
# and those of all atoms learned from them.


rule prepare_replica_potential:
    input:
        ITS.potential.file or [],
    output:
        description=f"{REPLICA}/potential/potential.json",
    log:
        f"{LOGS}/prepare_replica_potential.log",
    benchmark:
        f"{BENCHMARKS}/prepare_replica_potential.tsv"
    conda:
        "../../envs/replica.yaml"
    resources:
        mem_mb=mem_mb(1000),
        runtime=runtime(10),
        tasks=1,
    params:
        settings=leaf(ITS.potential),
        lattice=ITS.lattice,
        code=code_of("survey_potential.py"),
    script:
        "../scripts/survey_potential.py"


rule build_model:
    input:
        potential=rules.prepare_replica_potential.output.description,
        structure=ITS.model.structure or [],
    output:
        f"{REPLICA}/built.h5",
    log:
        f"{LOGS}/build_model.log",
    benchmark:
        f"{BENCHMARKS}/build_model.tsv"
    conda:
        "../../envs/replica.yaml"
    resources:
        mem_mb=mem_mb(4000, "build_model"),
        runtime=runtime(60, "build_model"),
        tasks=1,
    params:
        settings=leaf(ITS.model),
        least_edge=max(
            [ITS.cells.edge_angstrom] + ([BY_DFT.edge_angstrom] if BY_DFT else [])
        ),
        code=code_of("replica_build.py"),
    script:
        "../scripts/replica_build.py"


# The next and `select_optimal` run under MPI, whose launcher starts the module itself: scripts of Snakemake cannot be. They have as
# many threads as tasks for Snakemake to count on one machine; on a cluster each task has one processor.
rule relax_model:
    input:
        built=rules.build_model.output[0],
        potential=rules.prepare_replica_potential.output.description,
    output:
        f"{REPLICA}/model.h5",
    log:
        f"{LOGS}/relax_model.log",
    benchmark:
        f"{BENCHMARKS}/relax_model.tsv"
    conda:
        "../../envs/replica.yaml"
    threads: ITS.model.ranks
    resources:
        mem_mb=mem_mb(6000, "relax_model"),
        runtime=runtime(720, "relax_model"),
        tasks=ITS.model.ranks,
        cpus_per_task=1,
        mpi=mpi(ITS.model.ranks),
    params:
        launcher=launcher,
        arguments=lambda wildcards, input, output: as_json(
            built_h5=input.built,
            potential_json=input.potential,
            out=output[0],
            settings=leaf(ITS.model),
            code=modules_hash("gbscape.replica.model"),
        ),
        code=modules_hash("gbscape.replica.model"),
    shell:
        "OMP_NUM_THREADS=1 {params.launcher} "
        "python -m gbscape.replica relax {params.arguments:q} > {log} 2>&1"


rule describe_atoms:
    input:
        rules.relax_model.output[0],
    output:
        f"{REPLICA}/vectors.h5",
    log:
        f"{LOGS}/describe_atoms.log",
    benchmark:
        f"{BENCHMARKS}/describe_atoms.tsv"
    conda:
        "../../envs/replica.yaml"
    resources:
        mem_mb=mem_mb(4000, "describe_atoms"),
        runtime=runtime(120, "describe_atoms"),
        tasks=1,
        gpu=int(computed_by_torch(ITS.vectors)),
    params:
        settings=leaf(ITS.vectors),
        code=code_of("replica_describe.py"),
    script:
        "../scripts/replica_describe.py"


rule select_optimal:
    input:
        rules.describe_atoms.output[0],
    output:
        f"{REPLICA}/selected/{{strategy}}.csv",
    log:
        f"{LOGS}/select_optimal/{{strategy}}.log",
    benchmark:
        f"{BENCHMARKS}/select_optimal/{{strategy}}.tsv"
    conda:
        "../../envs/replica.yaml"
    threads: ITS.selection.ranks
    resources:
        mem_mb=mem_mb(4000, "select_optimal", "strategy"),
        runtime=runtime(60, "select_optimal", "strategy"),
        tasks=ITS.selection.ranks,
        cpus_per_task=1,
        mpi=mpi(ITS.selection.ranks),
    params:
        launcher=launcher,
        arguments=selection_arguments,
        code=modules_hash("gbscape.replica.select_points"),
    shell:
        "{params.launcher} "
        "python -m gbscape.replica select {params.arguments:q} > {log} 2>&1"


use rule describe_atoms as describe_alternative with:
    output:
        f"{REPLICA}/alternatives/{{alternative}}.h5",
    log:
        f"{LOGS}/describe_alternative/{{alternative}}.log",
    benchmark:
        f"{BENCHMARKS}/describe_alternative/{{alternative}}.tsv"
    resources:
        mem_mb=mem_mb(8000, "describe_alternative", "alternative"),
        runtime=runtime(120, "describe_alternative", "alternative"),
        tasks=1,
        gpu=lambda wildcards: int(
            computed_by_torch(ITS.alternatives[wildcards.alternative])
        ),
    params:
        settings=lambda wildcards: leaf(ITS.alternatives[wildcards.alternative]),
        code=code_of("replica_describe.py"),


use rule select_optimal as select_alternative with:
    input:
        rules.describe_alternative.output[0],
    output:
        f"{REPLICA}/alternative_{{alternative}}.csv",
    log:
        f"{LOGS}/select_alternative/{{alternative}}.log",
    benchmark:
        f"{BENCHMARKS}/select_alternative/{{alternative}}.tsv"
    resources:
        mem_mb=mem_mb(4000, "select_alternative", "alternative"),
        runtime=runtime(60, "select_alternative", "alternative"),
        tasks=ITS.selection.ranks,
        cpus_per_task=1,
        mpi=mpi(ITS.selection.ranks),


rule classify_atoms:
    input:
        rules.relax_model.output[0],
    output:
        f"{REPLICA}/types.h5",
    log:
        f"{LOGS}/classify_atoms.log",
    benchmark:
        f"{BENCHMARKS}/classify_atoms.tsv"
    conda:
        "../../envs/replica.yaml"
    resources:
        mem_mb=mem_mb(4000, "classify_atoms"),
        runtime=runtime(60, "classify_atoms"),
        tasks=1,
    params:
        lattice=ITS.lattice,
        code=code_of("replica_classify.py"),
    script:
        "../scripts/replica_classify.py"


rule tabulate_points:
    input:
        model=rules.relax_model.output[0],
        types=rules.classify_atoms.output[0],
        optimal=expand(rules.select_optimal.output[0], strategy=OPTIMAL_STRATEGIES),
    output:
        f"{REPLICA}/points.csv",
    log:
        f"{LOGS}/tabulate_points.log",
    benchmark:
        f"{BENCHMARKS}/tabulate_points.tsv"
    conda:
        "../../envs/replica.yaml"
    resources:
        mem_mb=mem_mb(2000, "classify_atoms"),
        runtime=runtime(30),
        tasks=1,
    params:
        optimal=OPTIMAL_STRATEGIES,
        selection=leaf(ITS.selection),
        evaluation=leaf(ITS.evaluation),
        reference_atoms=ITS.cells.reference_atoms,
        lattice=ITS.lattice,
        seed=CONFIG.seed,
        code=code_of("replica_points.py"),
    script:
        "../scripts/replica_points.py"


rule cut_cells:
    input:
        model=rules.relax_model.output[0],
        atoms=ATOMS,
        before=atoms_before,
    output:
        f"{REPLICA}/cells/{{batch}}/shard_{{shard}}.xyz",
    log:
        f"{LOGS}/cut_cells/{{batch}}/{{shard}}.log",
    benchmark:
        f"{BENCHMARKS}/cut_cells/{{batch}}/{{shard}}.tsv"
    conda:
        "../../envs/replica.yaml"
    resources:
        mem_mb=mem_mb(2000, "cut_cells", "batch"),
        runtime=runtime(30),
        tasks=1,
    params:
        settings=cells_of,
        shards=n_shards("compute_energies", "batch"),
        # As the planned cost goes with the electrons (gbscape.planning.costs.cell).
        power=lambda wildcards: 1.0 if backend_of(wildcards) == "eam" else 3.0,
        code=code_of("replica_cells.py"),
    script:
        "../scripts/replica_cells.py"


rule compute_energies:
    input:
        cells=rules.cut_cells.output[0],
        model=rules.relax_model.output[0],
        potential=rules.prepare_replica_potential.output.description,
    output:
        f"{REPLICA}/energies/{{batch}}/shard_{{shard}}.h5",
    log:
        f"{LOGS}/compute_energies/{{batch}}/{{shard}}.log",
    benchmark:
        f"{BENCHMARKS}/compute_energies/{{batch}}/{{shard}}.tsv"
    conda:
        "../../envs/replica.yaml"
    threads: ranks_of
    resources:
        mem_mb=mem_mb(4000, "compute_energies", "batch"),
        runtime=runtime(1440, "compute_energies", "batch"),
        tasks=1,
    params:
        backend=backend_of,
        dft=leaf(ITS.dft),
        cells=cells_of,
        workdir=LAYOUT.placed(f"{REPLICA}/scratch/{{batch}}"),
        code=code_of("replica_energies.py", *BACKEND_MODULES),
    script:
        "../scripts/replica_energies.py"


rule gather_energies:
    input:
        shards=shards_by(rules.compute_energies.output[0], "compute_energies", "batch"),
        atoms=ATOMS,
        before=atoms_before,
    output:
        gathered=f"{REPLICA}/energies/{{batch}}.h5",
        table=BATCH_ENERGIES,
    log:
        f"{LOGS}/gather_energies/{{batch}}.log",
    benchmark:
        f"{BENCHMARKS}/gather_energies/{{batch}}.tsv"
    conda:
        "../../envs/replica.yaml"
    resources:
        mem_mb=mem_mb(2000),
        runtime=runtime(30),
        tasks=1,
    params:
        # What is beside the point takes nothing along.
        on_failure=lambda wildcards: (
            "skip" if wildcards.batch == DFT_BATCH else CONFIG.on_failure
        ),
        code=code_of("replica_gather.py"),
    script:
        "../scripts/replica_gather.py"


rule select_round:
    input:
        vectors=rules.describe_atoms.output[0],
        points=rules.tabulate_points.output[0],
        energies=lambda wildcards: of_batches_before(BATCH_ENERGIES, wildcards.round),
        before=lambda wildcards: of_batches_before(ATOMS, wildcards.round)[1:],
    output:
        f"{REPLICA}/round_{{round}}.csv",
    log:
        f"{LOGS}/select_round/{{round}}.log",
    benchmark:
        f"{BENCHMARKS}/select_round/{{round}}.tsv"
    conda:
        "../../envs/replica.yaml"
    threads: ITS.selection.ranks
    resources:
        mem_mb=mem_mb(4000, "select_round", "round"),
        runtime=runtime(60, "select_round", "round"),
        tasks=ITS.selection.ranks,
        cpus_per_task=1,
        mpi=mpi(ITS.selection.ranks),
    params:
        launcher=launcher,
        arguments=round_arguments,
        code=modules_hash("gbscape.replica.select_points"),
    shell:
        "{params.launcher} "
        "python -m gbscape.replica select_round {params.arguments:q} > {log} 2>&1"


rule select_dft_atoms:
    input:
        rules.tabulate_points.output[0],
    output:
        ATOMS.format(batch=DFT_BATCH),
    log:
        f"{LOGS}/select_dft_atoms.log",
    benchmark:
        f"{BENCHMARKS}/select_dft_atoms.tsv"
    conda:
        "../../envs/replica.yaml"
    resources:
        mem_mb=mem_mb(500),
        runtime=runtime(10),
        tasks=1,
    params:
        strategy=ITS.selection.strategies[0],
        n_atoms=BY_DFT.atoms if BY_DFT else 0,
        code=code_of("replica_dft_atoms.py"),
    script:
        "../scripts/replica_dft_atoms.py"


rule compute_reference:
    input:
        rules.prepare_replica_potential.output.description,
    output:
        f"{REPLICA}/reference.json",
    log:
        f"{LOGS}/compute_reference.log",
    benchmark:
        f"{BENCHMARKS}/compute_reference.tsv"
    conda:
        "../../envs/replica.yaml"
    threads: ITS.dft.ranks if ITS.backend == "gpaw" else 1
    resources:
        mem_mb=mem_mb(4000),
        runtime=runtime(240),
        tasks=1,
    params:
        backend=ITS.backend,
        dft=leaf(ITS.dft),
        workdir=LAYOUT.placed(f"{REPLICA}/scratch/reference"),
        code=code_of("replica_reference.py", *BACKEND_MODULES),
    script:
        "../scripts/replica_reference.py"


rule tabulate_atoms_that_failed:
    input:
        expand(rules.gather_energies.output.gathered, batch=COMPUTED_BATCHES),
    output:
        f"{REPLICA}/failures.tsv",
    log:
        f"{LOGS}/tabulate_atoms_that_failed.log",
    benchmark:
        f"{BENCHMARKS}/tabulate_atoms_that_failed.tsv"
    conda:
        "../../envs/replica.yaml"
    resources:
        mem_mb=mem_mb(1000),
        runtime=runtime(10),
        tasks=1,
    params:
        steps=COMPUTED_BATCHES,
        code=code_of("tabulate_failures.py"),
    script:
        "../scripts/tabulate_failures.py"


rule tabulate_atomic_energies:
    input:
        batches=expand(BATCH_ENERGIES, batch=BATCHES),
        points=rules.tabulate_points.output[0],
        reference=(
            [] if ITS.cells.reference_atoms else rules.compute_reference.output[0]
        ),
    output:
        f"{REPLICA}/energies.csv",
    log:
        f"{LOGS}/tabulate_atomic_energies.log",
    benchmark:
        f"{BENCHMARKS}/tabulate_atomic_energies.tsv"
    conda:
        "../../envs/replica.yaml"
    resources:
        mem_mb=mem_mb(1000),
        runtime=runtime(30),
        tasks=1,
    params:
        code=code_of("replica_tabulate_energies.py"),
    script:
        "../scripts/replica_tabulate_energies.py"


rule evaluate_strategies:
    input:
        vectors=rules.describe_atoms.output[0],
        points=rules.tabulate_points.output[0],
        energies=rules.tabulate_atomic_energies.output[0],
        rounds=expand(rules.select_round.output[0], round=ROUND_NUMBERS),
        also_chosen=expand(
            rules.select_alternative.output[0], alternative=ITS.alternatives
        ),
        model=rules.relax_model.output[0] if EXACT else [],
        potential=rules.prepare_replica_potential.output.description,
    output:
        errors=f"{REPLICA}/errors.csv",
        predictions=f"{REPLICA}/predictions.csv",
    log:
        f"{LOGS}/evaluate_strategies.log",
    benchmark:
        f"{BENCHMARKS}/evaluate_strategies.tsv"
    conda:
        "../../envs/replica.yaml"
    resources:
        mem_mb=mem_mb(4000, "evaluate_strategies"),
        runtime=runtime(60, "evaluate_strategies"),
        tasks=1,
    params:
        sizes=[*ITS.evaluation.sizes, ITS.selection.n_points],
        first_points=ITS.selection.first_points,
        ridge_lambda=RIDGE_LAMBDA,
        code=code_of("replica_evaluate.py"),
    script:
        "../scripts/replica_evaluate.py"


rule evaluate_alternative:
    input:
        vectors=rules.describe_alternative.output[0],
        points=rules.tabulate_points.output[0],
        energies=rules.tabulate_atomic_energies.output[0],
        chosen=rules.select_alternative.output[0],
        also_chosen=expand(rules.select_round.output[0], round=ROUND_NUMBERS)
        + expand(rules.select_alternative.output[0], alternative=ITS.alternatives),
        model=rules.relax_model.output[0] if EXACT else [],
        potential=rules.prepare_replica_potential.output.description,
    output:
        f"{REPLICA}/alternatives/{{alternative}}.csv",
    log:
        f"{LOGS}/evaluate_alternative/{{alternative}}.log",
    benchmark:
        f"{BENCHMARKS}/evaluate_alternative/{{alternative}}.tsv"
    conda:
        "../../envs/replica.yaml"
    resources:
        mem_mb=mem_mb(4000, "evaluate_alternative", "alternative"),
        runtime=runtime(60, "evaluate_alternative", "alternative"),
        tasks=1,
    params:
        size=ITS.selection.n_points,
        ridge_lambda=RIDGE_LAMBDA,
        code=code_of("replica_evaluate_alternative.py"),
    script:
        "../scripts/replica_evaluate_alternative.py"


rule predict_energies:
    input:
        vectors=rules.describe_atoms.output[0],
        points=rules.tabulate_points.output[0],
        energies=rules.tabulate_atomic_energies.output[0],
        model=rules.relax_model.output[0] if EXACT else [],
        potential=rules.prepare_replica_potential.output.description,
    output:
        f"{REPLICA}/predicted.h5",
    log:
        f"{LOGS}/predict_energies.log",
    benchmark:
        f"{BENCHMARKS}/predict_energies.tsv"
    conda:
        "../../envs/replica.yaml"
    resources:
        mem_mb=mem_mb(4000, "predict_energies"),
        runtime=runtime(30),
        tasks=1,
    params:
        strategy=ITS.selection.strategies[0],
        ridge_lambda=RIDGE_LAMBDA,
        code=code_of("replica_predict.py"),
    script:
        "../scripts/replica_predict.py"


rule export_predictions:
    input:
        built=rules.build_model.output[0],
        model=rules.relax_model.output[0],
        types=rules.classify_atoms.output[0],
        predicted=rules.predict_energies.output[0],
    output:
        atoms=f"{REPLICA}/atoms.xyz",
        summary=f"{REPLICA}/summary.csv",
    log:
        f"{LOGS}/export_predictions.log",
    benchmark:
        f"{BENCHMARKS}/export_predictions.tsv"
    conda:
        "../../envs/replica.yaml"
    resources:
        mem_mb=mem_mb(4000, "export_predictions"),
        runtime=runtime(60),
        tasks=1,
    params:
        code=code_of("replica_export.py"),
    script:
        "../scripts/replica_export.py"
