# The survey: enumerate boundaries, prepare the potential, relax, find the boundary atoms, gather.


if CONFIG.survey.structures is None:

    rule enumerate_boundaries:
        output:
            f"{SURVEY}/boundaries.csv",
        log:
            f"{LOGS}/enumerate_boundaries.log",
        benchmark:
            f"{BENCHMARKS}/enumerate_boundaries.tsv"
        conda:
            "../../envs/survey.yaml"
        resources:
            mem_mb=mem_mb(2000),
            runtime=runtime(30),
            tasks=1,
        params:
            settings=leaf(CONFIG.survey.enumeration),
            code=code_of("survey_enumerate.py"),
        script:
            "../scripts/survey_enumerate.py"


rule prepare_potential:
    input:
        CONFIG.survey.potential.file or [],
    output:
        description=f"{SURVEY}/potential/potential.json",
    log:
        f"{LOGS}/prepare_potential.log",
    benchmark:
        f"{BENCHMARKS}/prepare_potential.tsv"
    conda:
        "../../envs/survey.yaml"
    resources:
        mem_mb=mem_mb(1000),
        runtime=runtime(10),
        tasks=1,
    params:
        settings=leaf(CONFIG.survey.potential),
        lattice=CONFIG.survey.enumeration.lattice,
        code=code_of("survey_potential.py"),
    script:
        "../scripts/survey_potential.py"


if RELAXED_HERE:

    rule relax_boundaries:
        input:
            boundaries=rules.enumerate_boundaries.output[0],
            potential=rules.prepare_potential.output.description,
        output:
            f"{SURVEY}/relaxed/shard_{{shard}}.h5",
        log:
            f"{LOGS}/relax_boundaries/{{shard}}.log",
        benchmark:
            f"{BENCHMARKS}/relax_boundaries/{{shard}}.tsv"
        conda:
            "../../envs/survey.yaml"
        resources:
            mem_mb=mem_mb(1000),
            runtime=runtime(120, "relax_boundaries"),
            tasks=1,
        params:
            settings=leaf(CONFIG.survey.relaxation),
            n_shards=PLAN["relax_boundaries"].jobs,
            code=code_of("survey_relax.py"),
        script:
            "../scripts/survey_relax.py"

    rule gather_relaxed:
        input:
            boundaries=rules.enumerate_boundaries.output[0],
            shards=shards(
                rules.relax_boundaries.output[0], PLAN["relax_boundaries"].jobs
            ),
        output:
            f"{SURVEY}/{SURVEY_STEPS['structures']}.h5",
        log:
            f"{LOGS}/gather_relaxed.log",
        benchmark:
            f"{BENCHMARKS}/gather_relaxed.tsv"
        conda:
            "../../envs/survey.yaml"
        resources:
            mem_mb=mem_mb(1000),
            runtime=runtime(30),
            tasks=1,
        params:
            on_failure=CONFIG.on_failure,
            code=code_of("survey_gather.py"),
        script:
            "../scripts/survey_gather.py"

    rule ship_survey:
        input:
            survey=f"{SURVEY}/relaxed.h5",
            joined=CONFIG.survey.ship_with,
        output:
            f"{SURVEY}/shipped.h5",
        log:
            f"{LOGS}/ship_survey.log",
        benchmark:
            f"{BENCHMARKS}/ship_survey.tsv"
        conda:
            "../../envs/survey.yaml"
        resources:
            mem_mb=mem_mb(4000),
            runtime=runtime(30),
            tasks=1,
        params:
            enumeration=leaf(CONFIG.survey.enumeration),
            potential=leaf(CONFIG.survey.potential),
            code=code_of("survey_ship.py"),
        script:
            "../scripts/survey_ship.py"


if SEARCHED_LOCALLY:

    rule search_locally:
        input:
            boundaries=rules.enumerate_boundaries.output[0],
            potential=rules.prepare_potential.output.description,
            relaxed=rules.gather_relaxed.output[0],
            published=PUBLISHED,
        output:
            f"{SURVEY}/local_search/shard_{{shard}}.h5",
        log:
            f"{LOGS}/search_locally/{{shard}}.log",
        benchmark:
            f"{BENCHMARKS}/search_locally/{{shard}}.tsv"
        conda:
            "../../envs/survey.yaml"
        resources:
            mem_mb=mem_mb(1000),
            runtime=runtime(120, "search_locally"),
            tasks=1,
        params:
            settings=leaf(CONFIG.survey.local_search),
            relaxation=leaf(CONFIG.survey.relaxation),
            compared=leaf(CONFIG.compared, without=["crystals"]),
            reached_within_j_m2=CONFIG.figures.reached_within_j_m2,
            n_shards=PLAN["search_locally"].jobs,
            code=code_of("survey_local_search.py"),
        script:
            "../scripts/survey_local_search.py"

    rule gather_local_search:
        input:
            survey=rules.gather_relaxed.output[0],
            shards=shards(rules.search_locally.output[0], PLAN["search_locally"].jobs),
        output:
            f"{SURVEY}/relaxed.h5",
        log:
            f"{LOGS}/gather_local_search.log",
        benchmark:
            f"{BENCHMARKS}/gather_local_search.tsv"
        conda:
            "../../envs/survey.yaml"
        resources:
            mem_mb=mem_mb(1000),
            runtime=runtime(30),
            tasks=1,
        params:
            on_failure=CONFIG.on_failure,
            code=code_of("features_gather.py"),
        script:
            "../scripts/features_gather.py"


if CONFIG.survey.source == "shipped":

    rule read_shipped_survey:
        input:
            shipped=CONFIG.survey.shipped,
            boundaries=rules.enumerate_boundaries.output[0],
        output:
            f"{SURVEY}/relaxed.h5",
        log:
            f"{LOGS}/read_shipped_survey.log",
        benchmark:
            f"{BENCHMARKS}/read_shipped_survey.tsv"
        conda:
            "../../envs/survey.yaml"
        resources:
            mem_mb=mem_mb(2000),
            runtime=runtime(10),
            tasks=1,
        params:
            potential=leaf(CONFIG.survey.potential),
            on_failure=CONFIG.on_failure,
            code=code_of("survey_read_shipped.py"),
        script:
            "../scripts/survey_read_shipped.py"


if CONFIG.survey.structures is not None:

    rule import_structures:
        input:
            lambda wildcards: structure_files(CONFIG.survey.structures),
        output:
            f"{SURVEY}/relaxed.h5",
        log:
            f"{LOGS}/import_structures.log",
        benchmark:
            f"{BENCHMARKS}/import_structures.tsv"
        conda:
            "../../envs/survey.yaml"
        resources:
            mem_mb=mem_mb(2000),
            runtime=runtime(60),
            tasks=1,
        params:
            lattice=CONFIG.survey.enumeration.lattice,
            on_failure=CONFIG.on_failure,
            code=code_of("survey_import.py"),
        script:
            "../scripts/survey_import.py"


rule select_boundary_atoms:
    input:
        survey=f"{SURVEY}/relaxed.h5",
    output:
        f"{SURVEY}/survey.h5",
    log:
        f"{LOGS}/select_boundary_atoms.log",
    benchmark:
        f"{BENCHMARKS}/select_boundary_atoms.tsv"
    conda:
        "../../envs/survey.yaml"
    resources:
        mem_mb=mem_mb(2000),
        runtime=runtime(60, "select_boundary_atoms"),
        tasks=1,
    params:
        settings=leaf(CONFIG.survey.boundary_atoms),
        lattice=CONFIG.survey.enumeration.lattice,
        on_failure=CONFIG.on_failure,
        code=code_of("survey_select_atoms.py"),
    script:
        "../scripts/survey_select_atoms.py"


rule export_structures:
    input:
        survey=rules.select_boundary_atoms.output[0],
    output:
        directory(f"{SURVEY}/structures"),
    log:
        f"{LOGS}/export_structures.log",
    benchmark:
        f"{BENCHMARKS}/export_structures.tsv"
    conda:
        "../../envs/survey.yaml"
    resources:
        mem_mb=mem_mb(1000),
        runtime=runtime(30),
        tasks=1,
    params:
        code=code_of("survey_export.py"),
    script:
        "../scripts/survey_export.py"


rule tabulate_energies:
    input:
        boundaries=BOUNDARIES,
        survey=rules.select_boundary_atoms.output[0],
        published=PUBLISHED,
    output:
        f"{SURVEY}/energies.csv",
    log:
        f"{LOGS}/tabulate_energies.log",
    benchmark:
        f"{BENCHMARKS}/tabulate_energies.tsv"
    conda:
        "../../envs/survey.yaml"
    resources:
        mem_mb=mem_mb(1000),
        runtime=runtime(10),
        tasks=1,
    params:
        settings=leaf(CONFIG.compared, without=["crystals"]),
        code=code_of("survey_energies.py"),
    script:
        "../scripts/survey_energies.py"


rule select_lower_than_published:
    input:
        survey=f"{SURVEY}/relaxed.h5",
        energies=rules.tabulate_energies.output[0],
    output:
        survey=f"{SURVEY}/lower_than_published.h5",
        table=f"{SURVEY}/lower_than_published.csv",
    log:
        f"{LOGS}/select_lower_than_published.log",
    benchmark:
        f"{BENCHMARKS}/select_lower_than_published.tsv"
    conda:
        "../../envs/survey.yaml"
    resources:
        mem_mb=mem_mb(1000),
        runtime=runtime(10),
        tasks=1,
    params:
        lower_by_j_m2=CONFIG.figures.lower_by_j_m2,
        settings=leaf(CONFIG.survey.boundary_atoms),
        lattice=CONFIG.survey.enumeration.lattice,
        code=code_of("survey_lower.py"),
    script:
        "../scripts/survey_lower.py"


use rule export_structures as export_lower_than_published with:
    input:
        survey=rules.select_lower_than_published.output.survey,
    output:
        directory(f"{SURVEY}/lower_than_published"),
    log:
        f"{LOGS}/export_lower_than_published.log",
    benchmark:
        f"{BENCHMARKS}/export_lower_than_published.tsv"
