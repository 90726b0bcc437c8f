# Pictures and tables of the report: a data step, whose output can be read and tested, and a plot step.
FIGURES = f"{RESULTS}/figures"

# Plots of tables, each with a module of its name in gbscape.figures. `file` may hold the wildcard {target};
# `settings_for` names the steps that take the settings of the figures.
PLOTS = {
    "energy_against_published": {
        "file": "energy_against_published",
        "tables": {"energies": rules.tabulate_energies.output[0]},
        "settings_for": ["data", "plot"],
        "category": "1. Survey",
        "label": "Energy against published energy",
    },
    "energy_against_disorientation": {
        "file": "energy_against_disorientation",
        "tables": {"energies": rules.tabulate_energies.output[0]},
        "settings_for": [],
        "category": "1. Survey",
        "label": "Energy against disorientation",
    },
    "parity": {
        "file": "parity_{target}",
        "tables": {
            "predictions": f"{LEARN}/predictions.csv",
            "scores": f"{LEARN}/scores.csv",
        },
        "settings_for": [],
        "category": "2. Learning",
        "label": "Parity plot, {target}",
    },
    "learning_curve": {
        "file": "learning_curve_{target}",
        "tables": {"learning_curve": f"{LEARN}/learning_curve.csv"},
        "settings_for": [],
        "category": "2. Learning",
        "label": "Learning curve, {target}",
    },
    "importance": {
        "file": "importance_{target}",
        "tables": {"importance": f"{LEARN}/importance.csv"},
        "settings_for": ["plot"],
        "category": "2. Learning",
        "label": "Feature importance, {target}",
    },
    "confusion": {
        "file": "confusion_{target}",
        "tables": {"confusion": f"{LEARN}/confusion.csv"},
        "settings_for": [],
        "category": "2. Learning",
        "label": "Confusion matrices, {target}",
    },
}

SWEPT = any("~" in name for name in REPRESENTATIONS)
if SWEPT:
    PLOTS["sweep"] = {
        "file": "sweep_{target}",
        "tables": {"scores": f"{LEARN}/scores.csv"},
        "settings_for": [],
        "category": "2. Learning",
        "label": "Sweep, {target}",
    }

for figure, its in PLOTS.items():

    rule:
        name:
            f"{figure}_data"
        input:
            **its["tables"],
        output:
            f"{FIGURES}/{its['file']}.csv",
        log:
            f"{LOGS}/{its['file']}_data.log",
        benchmark:
            f"{BENCHMARKS}/{its['file']}_data.tsv"
        conda:
            "../../envs/figures.yaml"
        resources:
            mem_mb=mem_mb(2000),
            runtime=runtime(20),
            tasks=1,
        params:
            figure=figure,
            settings=leaf(CONFIG.figures) if "data" in its["settings_for"] else None,
            code=code_of("figures_data.py", f"gbscape.figures.{figure}"),
        script:
            "../scripts/figures_data.py"

    rule:
        name:
            f"plot_{figure}"
        input:
            f"{FIGURES}/{its['file']}.csv",
        output:
            report(
                f"{FIGURES}/{its['file']}.svg",
                caption=f"../report/{figure}.rst",
                category=its["category"],
                labels=labelled(its["label"], f"{FIGURES}/{its['file']}.svg"),
            ),
        log:
            f"{LOGS}/plot_{its['file']}.log",
        benchmark:
            f"{BENCHMARKS}/plot_{its['file']}.tsv"
        conda:
            "../../envs/figures.yaml"
        resources:
            mem_mb=mem_mb(2000),
            runtime=runtime(20),
            tasks=1,
        params:
            figure=figure,
            settings=leaf(CONFIG.figures) if "plot" in its["settings_for"] else None,
            code=code_of("figures_plot.py", f"gbscape.figures.{figure}"),
        script:
            "../scripts/figures_plot.py"


rule gallery_data:
    input:
        survey=rules.select_boundary_atoms.output[0],
        energies=rules.tabulate_energies.output[0],
        boundaries=BOUNDARIES,
    output:
        f"{FIGURES}/gallery.h5",
    log:
        f"{LOGS}/gallery_data.log",
    benchmark:
        f"{BENCHMARKS}/gallery_data.tsv"
    conda:
        "../../envs/figures.yaml"
    resources:
        mem_mb=mem_mb(2000),
        runtime=runtime(20),
        tasks=1,
    params:
        settings=leaf(CONFIG.figures.gallery),
        code=code_of("figures_gallery_data.py"),
    script:
        "../scripts/figures_gallery_data.py"


rule plot_gallery:
    input:
        rules.gallery_data.output[0],
    output:
        report(
            f"{FIGURES}/gallery.png",
            caption="../report/gallery.rst",
            category="1. Survey",
            labels=labelled("Relaxed boundaries", f"{FIGURES}/gallery.png"),
        ),
    log:
        f"{LOGS}/plot_gallery.log",
    benchmark:
        f"{BENCHMARKS}/plot_gallery.tsv"
    conda:
        "../../envs/figures.yaml"
    resources:
        mem_mb=mem_mb(2000),
        runtime=runtime(20),
        tasks=1,
    params:
        settings=leaf(CONFIG.figures.gallery),
        code=code_of("figures_gallery_plot.py"),
    script:
        "../scripts/figures_gallery_plot.py"


use rule gallery_data as lower_than_published_data with:
    input:
        survey=rules.select_lower_than_published.output.survey,
        energies=rules.select_lower_than_published.output.table,
        boundaries=BOUNDARIES,
    output:
        f"{FIGURES}/lower_than_published.h5",
    log:
        f"{LOGS}/lower_than_published_data.log",
    benchmark:
        f"{BENCHMARKS}/lower_than_published_data.tsv"


use rule plot_gallery as plot_lower_than_published with:
    input:
        rules.lower_than_published_data.output[0],
    output:
        report(
            f"{FIGURES}/lower_than_published.png",
            caption="../report/lower_than_published.rst",
            category="1. Survey",
            labels=labelled(
                "Lower than published", f"{FIGURES}/lower_than_published.png"
            ),
        ),
    log:
        f"{LOGS}/plot_lower_than_published.log",
    benchmark:
        f"{BENCHMARKS}/plot_lower_than_published.tsv"


rule accuracies_data:
    input:
        scores=f"{LEARN}/scores.csv",
        published=PUBLISHED_ACCURACIES,
    output:
        f"{FIGURES}/accuracies.csv",
    log:
        f"{LOGS}/accuracies_data.log",
    benchmark:
        f"{BENCHMARKS}/accuracies_data.tsv"
    conda:
        "../../envs/figures.yaml"
    resources:
        mem_mb=mem_mb(1000),
        runtime=runtime(10),
        tasks=1,
    params:
        code=code_of("figures_accuracies_data.py"),
    script:
        "../scripts/figures_accuracies_data.py"


rule plot_accuracies:
    input:
        rules.accuracies_data.output[0],
    output:
        report(
            f"{FIGURES}/accuracies.html",
            caption="../report/accuracies.rst",
            category="2. Learning",
            labels=labelled("Table of accuracies"),
        ),
    log:
        f"{LOGS}/plot_accuracies.log",
    benchmark:
        f"{BENCHMARKS}/plot_accuracies.tsv"
    conda:
        "../../envs/figures.yaml"
    resources:
        mem_mb=mem_mb(1000),
        runtime=runtime(10),
        tasks=1,
    params:
        code=code_of("figures_accuracies_plot.py"),
    script:
        "../scripts/figures_accuracies_plot.py"


rule scorecard_data:
    input:
        energies=rules.tabulate_energies.output[0],
        accuracies=rules.accuracies_data.output[0] if TARGETS else [],
        published=PUBLISHED,
        snapshots=f"{FIGURES}/snapshot_learning.csv" if SNAPSHOTS_LEARNED else [],
        relevance=f"{RESULTS}/relevance/statistics.csv" if MAPPED else [],
        properties=(f"{RESULTS}/descriptor_properties/properties.csv" if JUDGED else []),
        environments=ENVIRONMENT_TABLES,
    output:
        SURVEY_SCORECARD,
    log:
        f"{LOGS}/scorecard_data.log",
    benchmark:
        f"{BENCHMARKS}/scorecard_data.tsv"
    conda:
        "../../envs/figures.yaml"
    resources:
        mem_mb=mem_mb(1000),
        runtime=runtime(10),
        tasks=1,
    params:
        enumeration=(
            leaf(CONFIG.survey.enumeration)
            if CONFIG.survey.structures is None
            else None
        ),
        published=leaf(CONFIG.compared, without=["crystals"]),
        settings=leaf(CONFIG.figures),
        environments=LOCAL_ENVIRONMENTS,
        code=code_of("figures_scorecard_data.py"),
    script:
        "../scripts/figures_scorecard_data.py"


rule plot_scorecard:
    input:
        rules.scorecard_data.output[0],
    output:
        report(
            f"{FIGURES}/scorecard.html",
            caption="../report/scorecard.rst",
            category="5. Scorecard",
            labels=labelled("Measured against published"),
        ),
    log:
        f"{LOGS}/plot_scorecard.log",
    benchmark:
        f"{BENCHMARKS}/plot_scorecard.tsv"
    conda:
        "../../envs/figures.yaml"
    resources:
        mem_mb=mem_mb(1000),
        runtime=runtime(10),
        tasks=1,
    params:
        code=code_of("figures_scorecard_plot.py"),
    script:
        "../scripts/figures_scorecard_plot.py"


rule record_config:
    output:
        f"{RESULTS}/config.yaml",
    log:
        f"{LOGS}/record_config.log",
    benchmark:
        f"{BENCHMARKS}/record_config.tsv"
    conda:
        "../../envs/survey.yaml"
    resources:
        mem_mb=mem_mb(500),
        runtime=runtime(5),
        tasks=1,
    params:
        text=resolved_yaml(CONFIG),
        code=code_of("record_config.py"),
    script:
        "../scripts/record_config.py"


rule rulegraph_data:
    input:
        config=rules.record_config.output[0],
        snakefile=os.path.relpath(PROJECT / "workflow" / "Snakefile"),
        rules=RULE_FILES,
    output:
        f"{FIGURES}/rulegraph.dot",
    log:
        f"{LOGS}/rulegraph_data.log",
    benchmark:
        f"{BENCHMARKS}/rulegraph_data.tsv"
    conda:
        "../../envs/figures.yaml"
    resources:
        mem_mb=mem_mb(1000),
        runtime=runtime(10),
        tasks=1,
    params:
        code=code_of("figures_rulegraph_data.py"),
    script:
        "../scripts/figures_rulegraph_data.py"


rule plot_rulegraph:
    input:
        graph=rules.rulegraph_data.output[0],
        rules=RULE_FILES,
    output:
        report(
            f"{FIGURES}/rulegraph.svg",
            caption="../report/rulegraph.rst",
            category="8. Workflow",
            labels=labelled("Rules"),
        ),
    log:
        f"{LOGS}/plot_rulegraph.log",
    benchmark:
        f"{BENCHMARKS}/plot_rulegraph.tsv"
    conda:
        "../../envs/figures.yaml"
    resources:
        mem_mb=mem_mb(1000),
        runtime=runtime(10),
        tasks=1,
    params:
        code=code_of("figures_rulegraph_plot.py"),
    script:
        "../scripts/figures_rulegraph_plot.py"


# The graph is made of the configuration, by which points of a sweep differ; of the graph they would all have the same.
RECORDED = (rules.record_config if LAYOUT.point else rules.plot_rulegraph).output


rule figures:
    input:
        rules.plot_gallery.output,
        rules.plot_lower_than_published.output,
        rules.plot_accuracies.output if TARGETS else [],
        rules.plot_scorecard.output,
        RECORDED,
        f"{FIGURES}/energy_against_published.svg",
        f"{FIGURES}/energy_against_disorientation.svg",
        expand(f"{FIGURES}/parity_{{target}}.svg", target=REGRESSION_TARGETS),
        expand(f"{FIGURES}/learning_curve_{{target}}.svg", target=REGRESSION_TARGETS),
        expand(f"{FIGURES}/importance_{{target}}.svg", target=TARGETS),
        expand(
            f"{FIGURES}/confusion_{{target}}.svg",
            target=[t for t in TARGETS if t not in REGRESSION_TARGETS],
        ),
        expand(f"{FIGURES}/sweep_{{target}}.svg", target=TARGETS if SWEPT else []),
    localrule: True


if len(CONFIG.parts) > 1:

    rule join_scorecards:
        input:
            [SCORECARD_OF[part] for part in CONFIG.parts],
        output:
            SCORECARD,
        log:
            f"{LOGS}/join_scorecards.log",
        benchmark:
            f"{BENCHMARKS}/join_scorecards.tsv"
        conda:
            "../../envs/figures.yaml"
        resources:
            mem_mb=mem_mb(500),
            runtime=runtime(10),
            tasks=1,
        params:
            code=code_of("join_tables.py"),
        script:
            "../scripts/join_tables.py"
