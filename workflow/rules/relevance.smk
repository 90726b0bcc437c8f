# The inverse scattering transform: relevance of every point of one boundary for its predicted energy.
RELEVANCE = f"{RESULTS}/relevance"
RELEVANCE_RESULTS = []


if CONFIG.relevance.boundary is not None:
    EXPLAINED = CONFIG.relevance.representation
    # Features and energies that models are trained on.
    TRAINED_ON = {
        "survey": {
            "features": features_of(EXPLAINED),
            "energies": rules.tabulate_energies.output[0],
        }
    }
    AT_REST = {
        "boundary": CONFIG.relevance.boundary,
        "parameters": leaf(COMPUTED[EXPLAINED]),
    }
    IN_MOTION = {
        **AT_REST,
        "n_explained": CONFIG.relevance.n_explained,
        "path_points": CONFIG.relevance.path_points,
    }
    # Maps: what their models are trained on, and settings.
    RELEVANCE_MAPS = {"survey": ("survey", AT_REST)}
    if CONFIG.snapshots.boundary is not None:
        TRAINED_ON["snapshots"] = {
            "features": f"{SNAPSHOTS}/features/{EXPLAINED}.h5",
            "energies": rules.check_snapshots.output.energies,
        }
        RELEVANCE_MAPS |= {
            "snapshots": ("snapshots", AT_REST),
            "snapshots_from_rest": ("snapshots", IN_MOTION),
        }
    RELEVANCE_RESULTS = [
        *expand(
            f"{RELEVANCE}/{{map}}.{{suffix}}",
            map=RELEVANCE_MAPS,
            suffix=["xyz", "cube"],
        ),
        *expand(f"{RELEVANCE}/scores_{{training}}.csv", training=TRAINED_ON),
        f"{FIGURES}/relevance.png",
    ]

    rule train_surrogates:
        input:
            features=lambda wildcards: TRAINED_ON[wildcards.training]["features"],
            energies=lambda wildcards: TRAINED_ON[wildcards.training]["energies"],
        output:
            models=f"{RELEVANCE}/models_{{training}}.h5",
            scores=f"{RELEVANCE}/scores_{{training}}.csv",
        log:
            f"{LOGS}/train_surrogates/{{training}}.log",
        benchmark:
            f"{BENCHMARKS}/train_surrogates/{{training}}.tsv"
        wildcard_constraints:
            training=one_of(TRAINED_ON),
        conda:
            "../../envs/learn.yaml"
        threads: CONFIG.learn.trees.n_threads
        resources:
            mem_mb=mem_mb(8000),
            runtime=runtime(120),
            tasks=1,
        params:
            settings=lambda wildcards: {
                "test_fraction": CONFIG.learn.test_fraction,
                "n_train": (
                    CONFIG.relevance.n_train
                    if wildcards.training == "snapshots"
                    else None
                ),
                "n_splits": CONFIG.relevance.n_splits,
            },
            trees=leaf(CONFIG.learn.trees),
            seed=CONFIG.seed,
            code=code_of("relevance_train.py"),
        script:
            "../scripts/relevance_train.py"

    rule map_relevance:
        input:
            models=lambda wildcards: (
                f"{RELEVANCE}/models_{RELEVANCE_MAPS[wildcards.map][0]}.h5"
            ),
            survey=rules.select_boundary_atoms.output[0],
            snapshots=lambda wildcards: (
                rules.gather_segments.output[0]
                if wildcards.map == "snapshots_from_rest"
                else []
            ),
        output:
            f"{RELEVANCE}/{{map}}.h5",
        log:
            f"{LOGS}/map_relevance/{{map}}.log",
        benchmark:
            f"{BENCHMARKS}/map_relevance/{{map}}.tsv"
        wildcard_constraints:
            map=one_of(RELEVANCE_MAPS),
        conda:
            "../../envs/features.yaml"
        resources:
            mem_mb=mem_mb(8000),
            runtime=runtime(240),
            tasks=1,
            gpu=1,
        params:
            settings=lambda wildcards: RELEVANCE_MAPS[wildcards.map][1],
            code=code_of("relevance_map.py"),
        script:
            "../scripts/relevance_map.py"

    rule export_relevance:
        input:
            f"{RELEVANCE}/{{map}}.h5",
        output:
            xyz=f"{RELEVANCE}/{{map}}.xyz",
            cube=f"{RELEVANCE}/{{map}}.cube",
        log:
            f"{LOGS}/export_relevance/{{map}}.log",
        benchmark:
            f"{BENCHMARKS}/export_relevance/{{map}}.tsv"
        wildcard_constraints:
            map=one_of(RELEVANCE_MAPS),
        conda:
            "../../envs/figures.yaml"
        resources:
            mem_mb=mem_mb(2000),
            runtime=runtime(20),
            tasks=1,
        params:
            code=code_of("relevance_export.py"),
        script:
            "../scripts/relevance_export.py"

    rule tabulate_relevance:
        input:
            expand(f"{RELEVANCE}/{{map}}.h5", map=RELEVANCE_MAPS),
        output:
            f"{RELEVANCE}/statistics.csv",
        log:
            f"{LOGS}/tabulate_relevance.log",
        benchmark:
            f"{BENCHMARKS}/tabulate_relevance.tsv"
        conda:
            "../../envs/figures.yaml"
        resources:
            mem_mb=mem_mb(2000),
            runtime=runtime(20),
            tasks=1,
        params:
            code=code_of("relevance_statistics.py"),
        script:
            "../scripts/relevance_statistics.py"

    rule relevance_data:
        input:
            maps=rules.tabulate_relevance.input,
            statistics=rules.tabulate_relevance.output[0],
            boundaries=BOUNDARIES,
        output:
            f"{FIGURES}/relevance.h5",
        log:
            f"{LOGS}/relevance_data.log",
        benchmark:
            f"{BENCHMARKS}/relevance_data.tsv"
        conda:
            "../../envs/figures.yaml"
        resources:
            mem_mb=mem_mb(2000),
            runtime=runtime(20),
            tasks=1,
        params:
            boundary=CONFIG.relevance.boundary,
            code=code_of("relevance_data.py"),
        script:
            "../scripts/relevance_data.py"

    rule plot_relevance:
        input:
            rules.relevance_data.output[0],
        output:
            report(
                f"{FIGURES}/relevance.png",
                caption="../report/relevance.rst",
                category="3. Snapshots and relevance",
                labels=labelled("Inverse scattering transform"),
            ),
        log:
            f"{LOGS}/plot_relevance.log",
        benchmark:
            f"{BENCHMARKS}/plot_relevance.tsv"
        conda:
            "../../envs/figures.yaml"
        resources:
            mem_mb=mem_mb(2000),
            runtime=runtime(20),
            tasks=1,
        params:
            code=code_of("relevance_plot.py"),
        script:
            "../scripts/relevance_plot.py"
