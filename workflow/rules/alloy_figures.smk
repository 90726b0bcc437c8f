# Pictures and the scorecard of the alloy (Sinz et al. 2020): a data step whose table can be read and tested, and a plot step.
ALLOY_FIGURES = f"{FIGURES}/alloy"

# Tables by name: the function of gbscape.alloy.figure_data, its inputs and options.
ALLOY_TABLES = {
    "moduli": {
        "inputs": {
            "predictions_csv": ALLOY_TABLE.format(table="unseen"),
            "strained_xyz": ALLOY_CELLS.get(STRAINED, [[]])[0],
        },
        "options": {
            "species": CONFIG.alloy.species,
            "strain": CONFIG.alloy.elastic.strain,
        },
    },
    "barriers": {
        "inputs": {
            "predictions_csv": ALLOY_TABLE.format(table="unseen"),
            "paths_xyz": ALLOY_CELLS.get(PATHS, []),
        },
        "options": {
            "species": CONFIG.alloy.species,
            "names": CONFIG.alloy.path_names,
        },
    },
    "errors": {
        "inputs": {
            "errors_csv": ALLOY_TABLE.format(table="errors"),
            "predictions_csv": ALLOY_TABLE.format(table="unseen"),
            "moduli_csv": f"{ALLOY_FIGURES}/moduli.csv",
            "barriers_csv": f"{ALLOY_FIGURES}/barriers.csv",
        },
        "options": {},
    },
}

# Pictures by name: their table, what draws them (of gbscape.figures) and title.
ALLOY_PLOTS = {
    "parity": {
        "table": ALLOY_TABLE.format(table="predictions"),
        "plot": "alloy_energies.plot_alloy_parity",
        "label": "Predicted and computed energies",
    },
    "sizes": {
        "table": ALLOY_TABLE.format(table="sizes"),
        "plot": "alloy_energies.plot_alloy_sizes",
        "label": "Errors against the number of features",
    },
    "learning_curve": {
        "table": ALLOY_TABLE.format(table="learning_curve"),
        "plot": "alloy_energies.plot_alloy_learning_curve",
        "label": "Learning curve",
    },
    "errors": {
        "table": f"{ALLOY_FIGURES}/errors.csv",
        "plot": "alloy_extrapolation.plot_alloy_errors",
        "label": "Errors of all that was asked",
    },
    "moduli": {
        "table": f"{ALLOY_FIGURES}/moduli.csv",
        "plot": "alloy_extrapolation.plot_moduli",
        "label": "Elastic moduli",
    },
    "barriers": {
        "table": f"{ALLOY_FIGURES}/barriers.csv",
        "plot": "alloy_extrapolation.plot_barriers",
        "label": "Migration barriers",
    },
}


for table, its in ALLOY_TABLES.items():

    rule:
        name:
            f"alloy_{table}_data"
        input:
            **its["inputs"],
        output:
            f"{ALLOY_FIGURES}/{table}.csv",
        log:
            f"{LOGS}/alloy_data/{table}.log",
        benchmark:
            f"{BENCHMARKS}/alloy_data/{table}.tsv"
        conda:
            "../../envs/alloy.yaml"
        resources:
            mem_mb=mem_mb(2000),
            runtime=runtime(30),
            tasks=1,
        params:
            function=f"tabulate_{table}",
            options=its["options"],
            code=code_of("alloy_figure_data.py"),
        script:
            "../scripts/alloy_figure_data.py"


for figure, its in ALLOY_PLOTS.items():

    rule:
        name:
            f"plot_alloy_{figure}"
        input:
            its["table"],
        output:
            report(
                f"{ALLOY_FIGURES}/{figure}.svg",
                caption=f"../report/alloy_{figure}.rst",
                category="7. Energies of an alloy",
                labels=labelled(its["label"]),
            ),
        log:
            f"{LOGS}/plot_alloy/{figure}.log",
        benchmark:
            f"{BENCHMARKS}/plot_alloy/{figure}.tsv"
        conda:
            "../../envs/figures.yaml"
        resources:
            mem_mb=mem_mb(2000),
            runtime=runtime(30),
            tasks=1,
        params:
            plot=its["plot"],
            options={},
            code=code_of(
                "plot_tables.py", f"gbscape.figures.{its['plot'].split('.')[0]}"
            ),
        script:
            "../scripts/plot_tables.py"


rule alloy_scorecard_data:
    input:
        errors=rules.alloy_errors_data.output[0],
        learning_curve=ALLOY_TABLE.format(table="learning_curve"),
        cells=ALLOY_TABLE.format(table="predictions"),
    output:
        ALLOY_SCORECARD,
    log:
        f"{LOGS}/alloy_scorecard_data.log",
    benchmark:
        f"{BENCHMARKS}/alloy_scorecard_data.tsv"
    conda:
        "../../envs/figures.yaml"
    resources:
        mem_mb=mem_mb(1000),
        runtime=runtime(10),
        tasks=1,
    params:
        code=code_of("alloy_scorecard_data.py"),
    script:
        "../scripts/alloy_scorecard_data.py"


rule plot_alloy_scorecard:
    input:
        rules.alloy_scorecard_data.output[0],
    output:
        report(
            f"{ALLOY_FIGURES}/scorecard.html",
            caption="../report/scorecard.rst",
            category="5. Scorecard",
            labels=labelled("Energies of an alloy"),
        ),
    log:
        f"{LOGS}/plot_alloy_scorecard.log",
    benchmark:
        f"{BENCHMARKS}/plot_alloy_scorecard.tsv"
    conda:
        "../../envs/figures.yaml"
    resources:
        mem_mb=mem_mb(1000),
        runtime=runtime(10),
        tasks=1,
    params:
        plot="alloy_scorecard.write_alloy_scorecard",
        options={},
        code=code_of("plot_tables.py", "gbscape.figures.alloy_scorecard"),
    script:
        "../scripts/plot_tables.py"


rule alloy:
    input:
        ALLOY_CELLS.values(),
        rules.tabulate_cells_that_failed.output,
        expand(f"{ALLOY_FIGURES}/{{figure}}.svg", figure=ALLOY_PLOTS),
        rules.plot_alloy_scorecard.output,
        SCORECARD,
        RECORDED,
    localrule: True
