# Molecular dynamics of one boundary in restartable segments; its snapshots, checked, described and learned from.
SNAPSHOTS = f"{RESULTS}/snapshots"
SNAPSHOT_RESULTS = []


if CONFIG.snapshots is not None:
    SNAPSHOT_RESULTS += [
        f"{SNAPSHOTS}/trajectory.xyz",
        f"{SNAPSHOTS}/checks.csv",
    ]
    N_SEGMENTS = -(
        -CONFIG.snapshots.n_snapshots // CONFIG.snapshots.snapshots_per_segment
    )

    def first_and_last(wildcards):
        """Numbers of a segment's snapshots; how many follow does not concern it."""
        segment, size = int(wildcards.shard), CONFIG.snapshots.snapshots_per_segment
        return [
            segment * size + 1,
            min((segment + 1) * size, CONFIG.snapshots.n_snapshots),
        ]

    def state_before(wildcards):
        segment = int(wildcards.shard)
        if segment == 0:
            return f"{SNAPSHOTS}/start.h5"
        return f"{SNAPSHOTS}/segments/state_{segment - 1}.h5"

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
            mem_mb=1000,
            runtime=60,
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
            before=state_before,
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
            mem_mb=1000,
            runtime=120,
            tasks=1,
        params:
            settings=leaf(CONFIG.snapshots.dynamics),
            first_and_last=first_and_last,
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
            mem_mb=1000,
            runtime=30,
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
            mem_mb=1000,
            runtime=30,
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
            mem_mb=1000,
            runtime=60,
            tasks=1,
        params:
            relaxation=leaf(CONFIG.survey.relaxation),
            temperature_kelvin=CONFIG.snapshots.dynamics.temperature_kelvin,
            quenched=CONFIG.snapshots.quenched,
            code=code_of("snapshots_check.py"),
        script:
            "../scripts/snapshots_check.py"
