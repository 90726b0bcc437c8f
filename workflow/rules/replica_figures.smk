# Pictures and the scorecard of the atomic energies (figures 2 to 8 of Tamura et al. 2020): a data step whose table can be
# read and tested, and a plot step.
REPLICA_FIGURES = f"{FIGURES}/replica"
PUBLISHED_REPLICA = CONFIG.published.replica or []

REPLICA_TABLE = f"{REPLICA_FIGURES}/{{table}}.csv"

# Tables by name: the function of gbscape.replica.figure_data, its inputs and options.
REPLICA_TABLES = {
    "slice": {
        "inputs": {
            "model_h5": rules.relax_model.output[0],
            "types_h5": rules.classify_atoms.output[0],
            "predicted_h5": rules.predict_energies.output[0],
        },
        "options": {},
    },
    "components": {
        "inputs": {
            "vectors_h5": rules.describe_atoms.output[0],
            "types_h5": rules.classify_atoms.output[0],
            "points_csv": rules.tabulate_points.output[0],
        },
        "options": {"seed": CONFIG.seed},
    },
    "computed": {
        "inputs": {
            "model_h5": rules.relax_model.output[0],
            "types_h5": rules.classify_atoms.output[0],
            "energies_csv": rules.tabulate_atomic_energies.output[0],
            "potential_json": rules.prepare_replica_potential.output.description,
            "points_csv": rules.tabulate_points.output[0],
        },
        "options": {},
    },
    "descriptions": {
        "inputs": {
            "vectors_h5": [
                rules.describe_atoms.output[0],
                *expand(
                    rules.describe_alternative.output[0], alternative=ITS.alternatives
                ),
            ],
            "errors_csv": [
                rules.evaluate_strategies.output.errors,
                *expand(
                    rules.evaluate_alternative.output[0], alternative=ITS.alternatives
                ),
            ],
        },
        "options": {"names": [ITS.vectors.kind, *ITS.alternatives]},
    },
    "by_dft": {
        "inputs": {
            "computed_csv": REPLICA_TABLE.format(table="computed"),
            "dft_csv": BATCH_ENERGIES.format(batch=DFT_BATCH),
            "points_csv": rules.tabulate_points.output[0],
        },
        "options": {},
    },
    "radii": {
        "inputs": {
            "model_h5": rules.relax_model.output[0],
            "types_h5": rules.classify_atoms.output[0],
            "points_csv": rules.tabulate_points.output[0],
            "predicted_h5": rules.predict_energies.output[0],
        },
        "options": {},
    },
}

# Pictures by name: their table, what draws them (of gbscape.figures), title and file type.
REPLICA_PLOTS = {
    "structure_types": {
        "table": REPLICA_TABLE.format(table="slice"),
        "plot": "replica_slice.plot_structure_types",
        "label": "Model, structure types",
        "suffix": "png",
    },
    "components": {
        "table": REPLICA_TABLE.format(table="components"),
        "plot": "replica_components.plot_components",
        "label": "Principal components",
        "suffix": "svg",
    },
    "computed": {
        "table": REPLICA_TABLE.format(table="computed"),
        "plot": "replica_errors.plot_computed",
        "label": "Computed energies and the potential's",
        "suffix": "svg",
    },
    "parity": {
        "table": rules.evaluate_strategies.output.predictions,
        "plot": "replica_errors.plot_energy_parity",
        "label": "Predicted and computed energies",
        "suffix": "svg",
    },
    "errors": {
        "table": rules.evaluate_strategies.output.errors,
        "plot": "replica_errors.plot_selection_errors",
        "label": "Errors against training atoms",
        "suffix": "svg",
    },
    "descriptions": {
        "table": REPLICA_TABLE.format(table="descriptions"),
        "plot": "replica_errors.plot_descriptions",
        "label": "Errors with different vectors",
        "suffix": "svg",
    },
    "selected": {
        "table": REPLICA_TABLE.format(table="components"),
        "plot": "replica_components.plot_selected",
        "label": "Selected atoms",
        "suffix": "svg",
    },
    "predicted_energies": {
        "table": REPLICA_TABLE.format(table="slice"),
        "plot": "replica_slice.plot_predicted_energies",
        "label": "Model, predicted energies",
        "suffix": "png",
    },
    "by_dft": {
        "table": REPLICA_TABLE.format(table="by_dft"),
        "plot": "replica_dft.write_dft_table",
        "label": "Atoms by DFT",
        "suffix": "html",
    },
    "averaged_error": {
        "table": REPLICA_TABLE.format(table="radii"),
        "plot": "replica_errors.plot_averaged_error",
        "label": "Averaged error",
        "suffix": "svg",
    },
}


for table, its in REPLICA_TABLES.items():

    rule:
        name:
            f"replica_{table}_data"
        input:
            **its["inputs"],
        output:
            REPLICA_TABLE.format(table=table),
        log:
            f"{LOGS}/replica_data/{table}.log",
        benchmark:
            f"{BENCHMARKS}/replica_data/{table}.tsv"
        conda:
            "../../envs/replica.yaml"
        resources:
            mem_mb=mem_mb(4000, "evaluate_strategies"),
            runtime=runtime(30),
            tasks=1,
        params:
            function=f"tabulate_{table}",
            options=its["options"],
            code=code_of("replica_figure_data.py"),
        script:
            "../scripts/replica_figure_data.py"


for figure, its in REPLICA_PLOTS.items():

    rule:
        name:
            f"plot_replica_{figure}"
        input:
            its["table"],
        output:
            report(
                f"{REPLICA_FIGURES}/{figure}.{its['suffix']}",
                caption=f"../report/replica_{figure}.rst",
                category="6. Atomic energies",
                labels=labelled(its["label"]),
            ),
        log:
            f"{LOGS}/plot_replica/{figure}.log",
        benchmark:
            f"{BENCHMARKS}/plot_replica/{figure}.tsv"
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


rule replica_scorecard_data:
    input:
        summary=rules.export_predictions.output.summary,
        components=REPLICA_TABLE.format(table="components"),
        errors=rules.evaluate_strategies.output.errors,
        predictions=rules.evaluate_strategies.output.predictions,
        descriptions=REPLICA_TABLE.format(table="descriptions"),
        radii=REPLICA_TABLE.format(table="radii"),
        vectors=rules.describe_atoms.output[0],
        published=PUBLISHED_REPLICA,
    output:
        REPLICA_SCORECARD,
    log:
        f"{LOGS}/replica_scorecard_data.log",
    benchmark:
        f"{BENCHMARKS}/replica_scorecard_data.tsv"
    conda:
        "../../envs/figures.yaml"
    resources:
        mem_mb=mem_mb(1000),
        runtime=runtime(10),
        tasks=1,
    params:
        backend=ITS.backend,
        code=code_of("replica_scorecard_data.py"),
    script:
        "../scripts/replica_scorecard_data.py"


rule plot_replica_scorecard:
    input:
        rules.replica_scorecard_data.output[0],
    output:
        report(
            f"{REPLICA_FIGURES}/scorecard.html",
            caption="../report/scorecard.rst",
            category="5. Scorecard",
            labels=labelled("Atomic energies, measured against published"),
        ),
    log:
        f"{LOGS}/plot_replica_scorecard.log",
    benchmark:
        f"{BENCHMARKS}/plot_replica_scorecard.tsv"
    conda:
        "../../envs/figures.yaml"
    resources:
        mem_mb=mem_mb(1000),
        runtime=runtime(10),
        tasks=1,
    params:
        plot="replica_scorecard.write_replica_scorecard",
        options={},
        code=code_of("plot_tables.py", "gbscape.figures.replica_scorecard"),
    script:
        "../scripts/plot_tables.py"


rule replica:
    input:
        rules.export_predictions.output,
        rules.tabulate_atoms_that_failed.output,
        expand(
            f"{REPLICA_FIGURES}/{{picture}}",
            picture=[
                f"{name}.{its['suffix']}"
                for name, its in REPLICA_PLOTS.items()
                if name != "by_dft" or BY_DFT
            ],
        ),
        rules.plot_replica_scorecard.output,
        SCORECARD,
        RECORDED,
    localrule: True
