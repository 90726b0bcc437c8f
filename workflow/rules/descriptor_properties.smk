# Properties of descriptors (Table 2 of Homer et al. 2019), measured; only where the configuration asks for them.
PROPERTIES = f"{RESULTS}/descriptor_properties"
DESCRIPTOR_PROPERTIES = []

if CONFIG.descriptor_properties.wanted:
    MEASURED = [
        name
        for name in COMPUTED
        if name.split("~")[0] in CONFIG.descriptor_properties.representations
    ]
    CLASSIFIED = CONFIG.descriptor_properties.classifications
    # What the measurements share; those of single descriptors do not depend on which others are measured.
    MEASURING = leaf(
        CONFIG.descriptor_properties, without=["representations", "classifications"]
    )

    # Names in the published table.
    PUBLISHED_AS = {
        "soap": "soap",
        "local_environments": "ler",
        "scattering": "st",
        "oriented_scattering": "st",
    }

    rule relax_again:
        input:
            survey=rules.select_boundary_atoms.output[0],
            potential=rules.prepare_potential.output.description,
        output:
            f"{PROPERTIES}/relaxed_again.h5",
        log:
            f"{LOGS}/relax_again.log",
        benchmark:
            f"{BENCHMARKS}/relax_again.tsv"
        conda:
            "../../envs/survey.yaml"
        resources:
            mem_mb=mem_mb(2000),
            runtime=runtime(60),
            tasks=1,
        params:
            settings={
                name: MEASURING[name]
                for name in ("boundaries", "relaxations", "shaken_angstrom", "seed")
            },
            relaxation=leaf(CONFIG.survey.relaxation),
            boundary_atoms=leaf(CONFIG.survey.boundary_atoms),
            lattice=CONFIG.survey.enumeration.lattice,
            code=code_of("descriptor_properties_relax_again.py"),
        script:
            "../scripts/descriptor_properties_relax_again.py"

    rule measure_descriptor:
        input:
            survey=rules.select_boundary_atoms.output[0],
            features=lambda wildcards: (
                features_of(wildcards.descriptor)
                if wildcards.descriptor in MEASURED
                else []
            ),
            dictionary=lambda wildcards: (
                f"{FEATURES}/{LAYOUT.file_name(wildcards.descriptor)}/dictionary.h5"
                if wildcards.descriptor in LOCAL_ENVIRONMENTS
                else []
            ),
            relaxed_again=rules.relax_again.output[0],
            boundaries=BOUNDARIES,
        output:
            f"{PROPERTIES}/{{descriptor}}.csv",
        log:
            f"{LOGS}/measure_descriptor/{{descriptor}}.log",
        benchmark:
            f"{BENCHMARKS}/measure_descriptor/{{descriptor}}.tsv"
        wildcard_constraints:
            descriptor=one_of([*CLASSIFIED, *MEASURED]),
        conda:
            "../../envs/descriptor_properties.yaml"
        resources:
            mem_mb=mem_mb(4000),
            runtime=runtime(120),
            tasks=1,
            gpu=lambda wildcards: int(
                wildcards.descriptor in MEASURED
                and computed_by_torch(COMPUTED[wildcards.descriptor])
            ),
        params:
            representation=lambda wildcards: (
                leaf(COMPUTED[wildcards.descriptor])
                if wildcards.descriptor in MEASURED
                else None
            ),
            settings=MEASURING,
            boundary_atoms=leaf(CONFIG.survey.boundary_atoms),
            lattice=CONFIG.survey.enumeration.lattice,
            code=code_of("descriptor_properties_measure.py"),
        script:
            "../scripts/descriptor_properties_measure.py"

    rule judge_descriptors:
        input:
            measurements=[
                f"{PROPERTIES}/{name}.csv" for name in [*CLASSIFIED, *MEASURED]
            ],
            published=os.path.relpath(
                PROJECT / "resources" / "published" / "homer2019_table2.csv"
            ),
        output:
            measurements=f"{PROPERTIES}/measurements.csv",
            properties=f"{PROPERTIES}/properties.csv",
        log:
            f"{LOGS}/judge_descriptors.log",
        benchmark:
            f"{BENCHMARKS}/judge_descriptors.tsv"
        conda:
            "../../envs/figures.yaml"
        resources:
            mem_mb=mem_mb(1000),
            runtime=runtime(10),
            tasks=1,
        params:
            settings=leaf(CONFIG.descriptor_properties),
            published_as={
                name: PUBLISHED_AS[COMPUTED[name].kind]
                for name in MEASURED
                if COMPUTED[name].kind in PUBLISHED_AS
            },
            code=code_of("descriptor_properties_judge.py"),
        script:
            "../scripts/descriptor_properties_judge.py"

    rule plot_descriptor_properties:
        input:
            measurements=rules.judge_descriptors.output.measurements,
            properties=rules.judge_descriptors.output.properties,
        output:
            table=report(
                f"{RESULTS}/figures/descriptor_properties.html",
                caption="../report/descriptor_properties_table.rst",
                category="4. Descriptors",
                labels=labelled("Properties of descriptors"),
            ),
            picture=report(
                f"{RESULTS}/figures/descriptor_properties.svg",
                caption="../report/descriptor_properties.rst",
                category="4. Descriptors",
                labels=labelled("Perturbations, paths, range"),
            ),
        log:
            f"{LOGS}/plot_descriptor_properties.log",
        benchmark:
            f"{BENCHMARKS}/plot_descriptor_properties.tsv"
        conda:
            "../../envs/figures.yaml"
        resources:
            mem_mb=mem_mb(1000),
            runtime=runtime(10),
            tasks=1,
        params:
            settings=leaf(CONFIG.descriptor_properties),
            code=code_of("descriptor_properties_plot.py"),
        script:
            "../scripts/descriptor_properties_plot.py"

    DESCRIPTOR_PROPERTIES = [
        *rules.judge_descriptors.output,
        *rules.plot_descriptor_properties.output,
    ]
