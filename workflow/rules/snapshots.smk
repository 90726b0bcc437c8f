# Molecular dynamics of one boundary in restartable segments; its snapshots, checked, described and learned from.
SNAPSHOTS = f"{RESULTS}/snapshots"
SNAPSHOT_RESULTS = []


if CONFIG.snapshots.boundary is not None:
    LEARNING = CONFIG.snapshots.learning
    SNAPSHOT_REPRESENTATIONS = [
        name
        for name in REPRESENTATIONS
        if name.split("~")[0] in LEARNING.representations
    ]
    SNAPSHOT_RESULTS += [
        f"{SNAPSHOTS}/trajectory.xyz",
        f"{SNAPSHOTS}/checks.csv",
        f"{FIGURES}/snapshot_energies.svg",
    ]
    if SNAPSHOT_REPRESENTATIONS:
        SNAPSHOT_RESULTS.append(f"{FIGURES}/snapshot_learning.svg")

    PER_SEGMENT = CONFIG.snapshots.snapshots_per_segment
    N_SEGMENTS = -(-CONFIG.snapshots.n_snapshots // PER_SEGMENT)

    rule equilibrate_boundary:
        input:
            survey=rules.select_boundary_atoms.output[0],
            potential=rules.prepare_potential.output.description,
        output:
            f"{SNAPSHOTS}/start.h5",
        log:
            f"{LOGS}/equilibrate_boundary.log",
        benchmark:
            f"{BENCHMARKS}/equilibrate_boundary.tsv"
        conda:
            "../../envs/survey.yaml"
        resources:
            mem_mb=mem_mb(1000),
            runtime=runtime(60),
            tasks=1,
        params:
            settings=leaf(CONFIG.snapshots.dynamics),
            boundary=CONFIG.snapshots.boundary,
            min_length_angstrom=CONFIG.snapshots.min_length_angstrom,
            code=code_of("snapshots_equilibrate.py"),
        script:
            "../scripts/snapshots_equilibrate.py"

    rule run_segment:
        input:
            start=rules.equilibrate_boundary.output[0],
            before=lambda wildcards: (
                f"{SNAPSHOTS}/segments/state_{int(wildcards.shard) - 1}.h5"
                if int(wildcards.shard) > 0
                else f"{SNAPSHOTS}/start.h5"
            ),
            potential=rules.prepare_potential.output.description,
        output:
            shard=f"{SNAPSHOTS}/segments/shard_{{shard}}.h5",
            state=f"{SNAPSHOTS}/segments/state_{{shard}}.h5",
        log:
            f"{LOGS}/run_segment/{{shard}}.log",
        benchmark:
            f"{BENCHMARKS}/run_segment/{{shard}}.tsv"
        conda:
            "../../envs/survey.yaml"
        resources:
            mem_mb=mem_mb(1000),
            runtime=runtime(120),
            tasks=1,
        params:
            settings=leaf(CONFIG.snapshots.dynamics),
            # How many snapshots follow does not concern a segment.
            first_and_last=lambda wildcards: [
                int(wildcards.shard) * PER_SEGMENT + 1,
                min(
                    (int(wildcards.shard) + 1) * PER_SEGMENT,
                    CONFIG.snapshots.n_snapshots,
                ),
            ],
            code=code_of("snapshots_run_segment.py"),
        script:
            "../scripts/snapshots_run_segment.py"

    rule gather_segments:
        input:
            shards(rules.run_segment.output.shard, N_SEGMENTS),
        output:
            f"{SNAPSHOTS}/snapshots.h5",
        log:
            f"{LOGS}/gather_segments.log",
        benchmark:
            f"{BENCHMARKS}/gather_segments.tsv"
        conda:
            "../../envs/survey.yaml"
        resources:
            mem_mb=mem_mb(1000),
            runtime=runtime(30),
            tasks=1,
        params:
            n_snapshots=CONFIG.snapshots.n_snapshots,
            code=code_of("snapshots_gather.py"),
        script:
            "../scripts/snapshots_gather.py"

    rule export_trajectory:
        input:
            snapshots=rules.gather_segments.output[0],
        output:
            f"{SNAPSHOTS}/trajectory.xyz",
        log:
            f"{LOGS}/export_trajectory.log",
        benchmark:
            f"{BENCHMARKS}/export_trajectory.tsv"
        conda:
            "../../envs/survey.yaml"
        resources:
            mem_mb=mem_mb(1000),
            runtime=runtime(30),
            tasks=1,
        params:
            code=code_of("snapshots_export.py"),
        script:
            "../scripts/snapshots_export.py"

    rule check_snapshots:
        input:
            snapshots=rules.gather_segments.output[0],
            start=rules.equilibrate_boundary.output[0],
            potential=rules.prepare_potential.output.description,
        output:
            energies=f"{SNAPSHOTS}/energies.csv",
            checks=f"{SNAPSHOTS}/checks.csv",
        log:
            f"{LOGS}/check_snapshots.log",
        benchmark:
            f"{BENCHMARKS}/check_snapshots.tsv"
        conda:
            "../../envs/survey.yaml"
        resources:
            mem_mb=mem_mb(1000),
            runtime=runtime(60),
            tasks=1,
        params:
            relaxation=leaf(CONFIG.survey.relaxation),
            temperature_kelvin=CONFIG.snapshots.dynamics.temperature_kelvin,
            quenched=CONFIG.snapshots.quenched,
            code=code_of("snapshots_check.py"),
        script:
            "../scripts/snapshots_check.py"

    use rule featurize as featurize_snapshots with:
        input:
            survey=rules.gather_segments.output[0],
        output:
            f"{SNAPSHOTS}/features/{{representation}}/shard_{{shard}}.h5",
        log:
            f"{LOGS}/featurize_snapshots/{{representation}}/{{shard}}.log",
        benchmark:
            f"{BENCHMARKS}/featurize_snapshots/{{representation}}/{{shard}}.tsv"
        wildcard_constraints:
            representation=one_of(BY_BOUNDARY),
        params:
            settings=lambda wildcards: leaf(COMPUTED[wildcards.representation]),
            n_shards=n_shards("featurize_snapshots", "representation"),
            code=code_of("features_featurize.py"),

    use rule gather_features as gather_snapshot_features with:
        input:
            survey=rules.gather_segments.output[0],
            shards=shards_by(
                rules.featurize_snapshots.output[0],
                "featurize_snapshots",
                "representation",
            ),
        output:
            f"{SNAPSHOTS}/features/{{representation}}.h5",
        log:
            f"{LOGS}/gather_snapshot_features/{{representation}}.log",
        benchmark:
            f"{BENCHMARKS}/gather_snapshot_features/{{representation}}.tsv"
        wildcard_constraints:
            representation=one_of(COMPUTED),

    use rule concatenate_features as concatenate_snapshot_features with:
        input:
            lambda wildcards: [
                f"{SNAPSHOTS}/features/{part}.h5"
                for part in CONCATENATED[wildcards.representation]
            ],
        output:
            f"{SNAPSHOTS}/features/{{representation}}.h5",
        log:
            f"{LOGS}/concatenate_snapshot_features/{{representation}}.log",
        benchmark:
            f"{BENCHMARKS}/concatenate_snapshot_features/{{representation}}.tsv"
        wildcard_constraints:
            representation=one_of(CONCATENATED),

    rule learn_snapshots:
        input:
            features=f"{SNAPSHOTS}/features/{{representation}}.h5",
            snapshots=rules.gather_segments.output[0],
        output:
            scores=f"{SNAPSHOTS}/learn/{{representation}}/{{model}}/scores.csv",
            predictions=f"{SNAPSHOTS}/learn/{{representation}}/{{model}}/predictions.csv",
        log:
            f"{LOGS}/learn_snapshots/{{representation}}/{{model}}.log",
        benchmark:
            f"{BENCHMARKS}/learn_snapshots/{{representation}}/{{model}}.tsv"
        wildcard_constraints:
            representation=one_of(SNAPSHOT_REPRESENTATIONS),
            model=one_of(LEARNING.models),
        conda:
            "../../envs/learn.yaml"
        threads: CONFIG.learn.trees.n_threads
        resources:
            mem_mb=mem_mb(6000),
            runtime=runtime(240),
            tasks=1,
        params:
            settings=leaf(LEARNING, without=["representations", "models", "shards"]),
            trees=leaf(CONFIG.learn.trees),
            seed=CONFIG.seed,
            code=code_of("snapshots_learn.py"),
        script:
            "../scripts/snapshots_learn.py"

    if SNAPSHOT_REPRESENTATIONS:

        rule gather_snapshot_learning:
            input:
                **{
                    table: expand(
                        f"{SNAPSHOTS}/learn/{{representation}}/{{model}}/{table}.csv",
                        representation=SNAPSHOT_REPRESENTATIONS,
                        model=LEARNING.models,
                    )
                    for table in ("scores", "predictions")
                },
            output:
                **{
                    table: f"{SNAPSHOTS}/{table}.csv"
                    for table in ("scores", "predictions")
                },
            log:
                f"{LOGS}/gather_snapshot_learning.log",
            benchmark:
                f"{BENCHMARKS}/gather_snapshot_learning.tsv"
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

        rule snapshot_learning_data:
            input:
                scores=rules.gather_snapshot_learning.output.scores,
                predictions=rules.gather_snapshot_learning.output.predictions,
                published=CONFIG.compared.snapshots or [],
            output:
                f"{FIGURES}/snapshot_learning.csv",
            log:
                f"{LOGS}/snapshot_learning_data.log",
            benchmark:
                f"{BENCHMARKS}/snapshot_learning_data.tsv"
            conda:
                "../../envs/figures.yaml"
            resources:
                mem_mb=mem_mb(2000),
                runtime=runtime(20),
                tasks=1,
            params:
                boundary=CONFIG.snapshots.boundary,
                temperature_kelvin=CONFIG.snapshots.dynamics.temperature_kelvin,
                code=code_of("snapshots_learning_data.py"),
            script:
                "../scripts/snapshots_learning_data.py"

        rule plot_snapshot_learning:
            input:
                rules.snapshot_learning_data.output[0],
            output:
                report(
                    f"{FIGURES}/snapshot_learning.svg",
                    caption="../report/snapshot_learning.rst",
                    category="3. Snapshots and relevance",
                    labels=labelled("Energies of snapshots"),
                ),
            log:
                f"{LOGS}/plot_snapshot_learning.log",
            benchmark:
                f"{BENCHMARKS}/plot_snapshot_learning.tsv"
            conda:
                "../../envs/figures.yaml"
            resources:
                mem_mb=mem_mb(2000),
                runtime=runtime(20),
                tasks=1,
            params:
                figure="snapshot_learning",
                code=code_of("snapshots_plot.py"),
            script:
                "../scripts/snapshots_plot.py"

    rule snapshot_energies_data:
        input:
            energies=rules.check_snapshots.output.energies,
            checks=rules.check_snapshots.output.checks,
        output:
            f"{FIGURES}/snapshot_energies.csv",
        log:
            f"{LOGS}/snapshot_energies_data.log",
        benchmark:
            f"{BENCHMARKS}/snapshot_energies_data.tsv"
        conda:
            "../../envs/figures.yaml"
        resources:
            mem_mb=mem_mb(1000),
            runtime=runtime(10),
            tasks=1,
        params:
            code=code_of("snapshots_energies_data.py"),
        script:
            "../scripts/snapshots_energies_data.py"

    rule plot_snapshot_energies:
        input:
            rules.snapshot_energies_data.output[0],
        output:
            report(
                f"{FIGURES}/snapshot_energies.svg",
                caption="../report/snapshot_energies.rst",
                category="3. Snapshots and relevance",
                labels=labelled("Energies of one boundary in motion"),
            ),
        log:
            f"{LOGS}/plot_snapshot_energies.log",
        benchmark:
            f"{BENCHMARKS}/plot_snapshot_energies.tsv"
        conda:
            "../../envs/figures.yaml"
        resources:
            mem_mb=mem_mb(2000),
            runtime=runtime(20),
            tasks=1,
        params:
            figure="snapshot_energies",
            code=code_of("snapshots_plot.py"),
        script:
            "../scripts/snapshots_plot.py"
