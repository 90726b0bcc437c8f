# Pictures and tables of the crystal classification: of models and maps, beside what was published. Only those that the
# configuration asks for. A data step whose table can be read and tested, and a plot step.
CRYSTAL_FIGURES = f"{FIGURES}/crystal"
CLUSTERED = [name for name, its in MAPS.items() if its.clustering]
WITH_DISTANCES = [name for name in CLUSTERED if MAPS[name].clustering.distances]
RANKED = {name: leaf(its) for name, its in CONFIG.crystal.structure_files.items()}
ANNEALED = CONFIG.crystal.annealing_minutes
TESTED = bool(CRYSTAL_MODELS or CONFIG.crystal.other_methods)
BY_LABEL = (
    f"{MODELS}/{next(iter(CRYSTAL_MODELS))}/accuracy_by_class.csv"
    if CRYSTAL_MODELS
    else f"{CRYSTAL}/other_methods.csv" if CONFIG.crystal.other_methods else []
)
PUBLISHED_CRYSTALS = CONFIG.published.crystals or []
ACCURACY_TABLES = ("5.1", "5.2", "5.3", "A.1", "A.2", "A.3")


VOLUMES = [name for name, its in MAPS.items() if in_space(its) and unit_of(its) == "Å"]

# Pictures by name: their tables, what draws them (of gbscape.figures), its options, caption, title and file type. {map} in a
# name is a wildcard, and the options of such a picture are a function of the map's settings.
CRYSTAL_PLOTS = {
    "map_{map}": {
        "tables": [f"{CRYSTAL_FIGURES}/map_{{map}}.csv"],
        "plot": "strided_map.plot_strided_map",
        "options": lambda its: {"unit": unit_of(its)},
        "caption": "crystal_map",
        "label": "Map {map}",
        "suffix": "svg",
        "of": list(MAPS),
    },
    "volume_{map}": {
        "tables": [
            f"{CRYSTAL_FIGURES}/volume_{{map}}.csv",
            f"{CRYSTAL_FIGURES}/precipitate_{{map}}.csv",
        ],
        "plot": "strided_map.plot_class_volume",
        "options": lambda its: {},
        "caption": "crystal_class_volume",
        "label": "One class in space, map {map}",
        "suffix": "png",
        "of": VOLUMES,
    },
    "clusters_{map}": {
        "tables": [f"{MAP}/clusters.csv"],
        "plot": "clusters.plot_clusters",
        "options": lambda its: {
            "unit": unit_of(its),
            "layer": f"layer_{its.clustering.layers[0]}",
        },
        "caption": "crystal_clusters",
        "label": "Clusters, map {map}",
        "suffix": "svg",
        "of": CLUSTERED,
    },
    "cluster_layers_{map}": {
        "tables": [f"{MAP}/clusters.csv"],
        "plot": "clusters.plot_cluster_layers",
        "options": lambda its: {"unit": unit_of(its)},
        "caption": "crystal_cluster_layers",
        "label": "Clusters of each layer, map {map}",
        "suffix": "svg",
        "of": CLUSTERED,
    },
    "differences_{map}": {
        "tables": [f"{MAP}/differences.csv"],
        "plot": "clusters.plot_differences",
        "options": lambda its: {"species": list(its.clustering.distances)},
        "caption": "crystal_differences",
        "label": "Distances in clusters, map {map}",
        "suffix": "svg",
        "of": WITH_DISTANCES,
    },
    "bain_path": {
        "tables": [f"{CRYSTAL}/bain_path.csv"],
        "plot": "bain_path.plot_bain_path",
        "options": {},
        "caption": "crystal_bain_path",
        "label": "Bain path",
        "suffix": "svg",
        "of": CONFIG.crystal.bain_path,
    },
    "bain_probabilities": {
        "tables": [f"{CRYSTAL}/bain_path.csv"],
        "plot": "bain_path.plot_bain_probabilities",
        "options": {},
        "caption": "crystal_bain_probabilities",
        "label": "Bain path, probabilities",
        "suffix": "svg",
        "of": CONFIG.crystal.bain_path,
    },
    "ranking": {
        "tables": [
            f"{CRYSTAL_FIGURES}/ranking.csv",
            f"{CRYSTAL_FIGURES}/ranking_structures.csv",
        ],
        "plot": "ranking.plot_ranking",
        "options": {},
        "caption": "crystal_ranking",
        "label": "Whole structures",
        "suffix": "svg",
        "of": RANKED,
    },
    "annealing": {
        "tables": [
            f"{CRYSTAL_FIGURES}/annealing_{table}.csv"
            for table in ("histogram", "radial", "change")
        ],
        "plot": "annealing.plot_annealing",
        "options": {},
        "caption": "crystal_annealing",
        "label": "Order against annealing time",
        "suffix": "svg",
        "of": ANNEALED,
    },
    "annealing_slices": {
        "tables": [f"{CRYSTAL_FIGURES}/annealing_slices.csv"],
        "plot": "annealing.plot_annealing_slices",
        "options": {},
        "caption": "crystal_annealing_slices",
        "label": "Annealing, slices",
        "suffix": "svg",
        "of": ANNEALED,
    },
    "reliability": {
        "tables": [f"{CRYSTAL_FIGURES}/reliability.csv"],
        "plot": "reliability.plot_reliability",
        "options": {},
        "caption": "crystal_reliability",
        "label": "Reliability",
        "suffix": "svg",
        "of": CRYSTAL_MODELS,
    },
    "defect_accuracy": {
        "tables": [f"{CRYSTAL_FIGURES}/defect_accuracy.csv"],
        "plot": "defect_accuracy.plot_defect_accuracy",
        "options": {},
        "caption": "crystal_defect_accuracy",
        "label": "Accuracy under defects",
        "suffix": "svg",
        "of": TESTED,
    },
}


for figure, its in CRYSTAL_PLOTS.items():

    rule:
        name:
            f"plot_crystal_{figure}".replace("_{map}", "")
        input:
            its["tables"],
        output:
            report(
                f"{CRYSTAL_FIGURES}/{figure}.{its['suffix']}",
                caption=f"../report/{its['caption']}.rst",
                category="4. Crystals",
                labels=labelled(its["label"]),
            ),
        log:
            f"{LOGS}/plot_crystal/{figure}.log",
        benchmark:
            f"{BENCHMARKS}/plot_crystal/{figure}.tsv"
        conda:
            "../../envs/figures.yaml"
        resources:
            mem_mb=mem_mb(4000),
            runtime=runtime(30),
            tasks=1,
        params:
            plot=its["plot"],
            options=of_each_map(its["options"]),
            code=code_of(
                "plot_tables.py", f"gbscape.figures.{its['plot'].split('.')[0]}"
            ),
        script:
            "../scripts/plot_tables.py"


rule crystal_map_data:
    input:
        sample=rules.make_sample.output[0],
        map=rules.finish_map.output[0],
    output:
        f"{CRYSTAL_FIGURES}/map_{{map}}.csv",
    log:
        f"{LOGS}/crystal_map_data/{{map}}.log",
    benchmark:
        f"{BENCHMARKS}/crystal_map_data/{{map}}.tsv"
    conda:
        "../../envs/crystal.yaml"
    resources:
        mem_mb=mem_mb(8000),
        runtime=runtime(30),
        tasks=1,
    params:
        settings=lambda wildcards: leaf(of_map(wildcards)),
        code=code_of("crystal_map_data.py"),
    script:
        "../scripts/crystal_map_data.py"


rule crystal_volume_data:
    input:
        sample=rules.make_sample.output[0],
        map=rules.finish_map.output[0],
    output:
        data=f"{CRYSTAL_FIGURES}/volume_{{map}}.csv",
        truth=f"{CRYSTAL_FIGURES}/precipitate_{{map}}.csv",
    log:
        f"{LOGS}/crystal_volume_data/{{map}}.log",
    benchmark:
        f"{BENCHMARKS}/crystal_volume_data/{{map}}.tsv"
    conda:
        "../../envs/crystal.yaml"
    resources:
        mem_mb=mem_mb(8000),
        runtime=runtime(30),
        tasks=1,
    params:
        settings=lambda wildcards: leaf(of_map(wildcards)),
        code=code_of("crystal_volume_data.py"),
    script:
        "../scripts/crystal_volume_data.py"


rule summarise_map:
    input:
        sample=rules.make_sample.output[0],
        map=rules.finish_map.output[0],
        check=lambda wildcards: (
            rules.check_refinement.output[0] if of_map(wildcards).refinement else []
        ),
    output:
        f"{MAP}/summary.csv",
    log:
        f"{LOGS}/summarise_map/{{map}}.log",
    benchmark:
        f"{BENCHMARKS}/summarise_map/{{map}}.tsv"
    conda:
        "../../envs/crystal.yaml"
    resources:
        mem_mb=mem_mb(8000),
        runtime=runtime(30),
        tasks=1,
    params:
        settings=lambda wildcards: leaf(of_map(wildcards)),
        code=code_of("crystal_summary.py"),
    script:
        "../scripts/crystal_summary.py"


rule cluster_map:
    input:
        sample=rules.make_sample.output[0],
        map=rules.finish_map.output[0],
    output:
        clusters=f"{MAP}/clusters.csv",
        agreement=f"{MAP}/agreement.csv",
        differences=f"{MAP}/differences.csv",
    log:
        f"{LOGS}/cluster_map/{{map}}.log",
    benchmark:
        f"{BENCHMARKS}/cluster_map/{{map}}.tsv"
    conda:
        "../../envs/crystal.yaml"
    resources:
        mem_mb=mem_mb(16000),
        runtime=runtime(240),
        tasks=1,
    params:
        settings=lambda wildcards: leaf(of_map(wildcards)),
        code=code_of("crystal_cluster.py"),
    script:
        "../scripts/crystal_cluster.py"


rule map_bain_path:
    input:
        model=CRYSTAL_MODEL,
    output:
        f"{CRYSTAL}/bain_path.csv",
    log:
        f"{LOGS}/map_bain_path.log",
    benchmark:
        f"{BENCHMARKS}/map_bain_path.tsv"
    conda:
        "../../envs/crystal.yaml"
    resources:
        mem_mb=mem_mb(4000),
        runtime=runtime(240),
        tasks=1,
    params:
        code=code_of("crystal_bain.py"),
    script:
        "../scripts/crystal_bain.py"


rule rank_structures:
    input:
        model=CRYSTAL_MODEL,
        structures=[its["path"] for its in RANKED.values()],
    output:
        ranking=f"{CRYSTAL}/ranking.csv",
        failures=f"{CRYSTAL}/failures.tsv",
    log:
        f"{LOGS}/rank_structures.log",
    benchmark:
        f"{BENCHMARKS}/rank_structures.tsv"
    conda:
        "../../envs/crystal.yaml"
    resources:
        mem_mb=mem_mb(4000),
        runtime=runtime(240),
        tasks=1,
    params:
        structures=RANKED,
        passes=CONFIG.crystal.structure_passes,
        code=code_of("crystal_rank.py"),
    script:
        "../scripts/crystal_rank.py"


rule crystal_ranking_data:
    input:
        ranking=rules.rank_structures.output.ranking,
        structures=[its["path"] for its in RANKED.values()],
    output:
        ranking=f"{CRYSTAL_FIGURES}/ranking.csv",
        structures=f"{CRYSTAL_FIGURES}/ranking_structures.csv",
    log:
        f"{LOGS}/crystal_ranking_data.log",
    benchmark:
        f"{BENCHMARKS}/crystal_ranking_data.tsv"
    conda:
        "../../envs/figures.yaml"
    resources:
        mem_mb=mem_mb(2000),
        runtime=runtime(20),
        tasks=1,
    params:
        structures=RANKED,
        code=code_of("crystal_rank_data.py"),
    script:
        "../scripts/crystal_rank_data.py"


rule crystal_annealing_data:
    input:
        samples=expand(rules.make_sample.output[0], map=ANNEALED),
        maps=expand(rules.finish_map.output[0], map=ANNEALED),
    output:
        **{
            table: f"{CRYSTAL_FIGURES}/annealing_{table}.csv"
            for table in ("histogram", "radial", "change", "slices")
        },
    log:
        f"{LOGS}/crystal_annealing_data.log",
    benchmark:
        f"{BENCHMARKS}/crystal_annealing_data.tsv"
    conda:
        "../../envs/crystal.yaml"
    resources:
        mem_mb=mem_mb(8000),
        runtime=runtime(30),
        tasks=1,
    params:
        minutes=list(ANNEALED.values()),
        code=code_of("crystal_annealing_data.py"),
    script:
        "../scripts/crystal_annealing_data.py"


rule crystal_defect_accuracy_data:
    input:
        models=expand(f"{MODELS}/{{model}}/accuracy.csv", model=CRYSTAL_MODELS),
        others=(
            rules.tabulate_other_methods.output[0]
            if CONFIG.crystal.other_methods
            else []
        ),
        published=PUBLISHED_CRYSTALS,
    output:
        f"{CRYSTAL_FIGURES}/defect_accuracy.csv",
    log:
        f"{LOGS}/crystal_defect_accuracy_data.log",
    benchmark:
        f"{BENCHMARKS}/crystal_defect_accuracy_data.tsv"
    conda:
        "../../envs/figures.yaml"
    resources:
        mem_mb=mem_mb(1000),
        runtime=runtime(10),
        tasks=1,
    params:
        names=list(CRYSTAL_MODELS),
        code=code_of("crystal_accuracy_data.py"),
    script:
        "../scripts/crystal_accuracy_data.py"


rule plot_crystal_accuracy_tables:
    input:
        rules.crystal_defect_accuracy_data.output[0],
    output:
        report(
            f"{CRYSTAL_FIGURES}/table_{{table}}.html",
            caption="../report/crystal_accuracy_table.rst",
            category="4. Crystals",
            labels=labelled("Table {table}"),
        ),
    log:
        f"{LOGS}/plot_crystal_accuracy_tables/{{table}}.log",
    benchmark:
        f"{BENCHMARKS}/plot_crystal_accuracy_tables/{{table}}.tsv"
    wildcard_constraints:
        table=one_of(ACCURACY_TABLES),
    conda:
        "../../envs/figures.yaml"
    resources:
        mem_mb=mem_mb(1000),
        runtime=runtime(10),
        tasks=1,
    params:
        plot="defect_accuracy.write_accuracy_table",
        options=lambda wildcards: {"table": wildcards.table},
        code=code_of("plot_tables.py", "gbscape.figures.defect_accuracy"),
    script:
        "../scripts/plot_tables.py"


rule crystal_reliability_data:
    input:
        models=expand(f"{MODELS}/{{model}}/reliability.csv", model=CRYSTAL_MODELS),
    output:
        f"{CRYSTAL_FIGURES}/reliability.csv",
    log:
        f"{LOGS}/crystal_reliability_data.log",
    benchmark:
        f"{BENCHMARKS}/crystal_reliability_data.tsv"
    conda:
        "../../envs/figures.yaml"
    resources:
        mem_mb=mem_mb(1000),
        runtime=runtime(10),
        tasks=1,
    params:
        names=list(CRYSTAL_MODELS),
        code=code_of("crystal_reliability_data.py"),
    script:
        "../scripts/crystal_reliability_data.py"


rule crystal_scorecard_data:
    input:
        accuracies=rules.crystal_defect_accuracy_data.output[0] if TESTED else [],
        tested=BY_LABEL,
        calibration=expand(f"{MODELS}/{{model}}/calibration.csv", model=CRYSTAL_MODELS),
        confident=expand(f"{MODELS}/{{model}}/confident.csv", model=CRYSTAL_MODELS),
        summaries=expand(rules.summarise_map.output[0], map=MAPS),
        agreements=expand(rules.cluster_map.output.agreement, map=CLUSTERED),
        annealing=rules.crystal_annealing_data.output.change if ANNEALED else [],
        ranking=rules.rank_structures.output.ranking if RANKED else [],
        published=PUBLISHED_CRYSTALS,
    output:
        CRYSTAL_SCORECARD,
    log:
        f"{LOGS}/crystal_scorecard_data.log",
    benchmark:
        f"{BENCHMARKS}/crystal_scorecard_data.tsv"
    conda:
        "../../envs/figures.yaml"
    resources:
        mem_mb=mem_mb(1000),
        runtime=runtime(10),
        tasks=1,
    params:
        models=list(CRYSTAL_MODELS),
        maps=list(MAPS),
        clustered=CLUSTERED,
        code=code_of("crystal_scorecard_data.py"),
    script:
        "../scripts/crystal_scorecard_data.py"


rule plot_crystal_scorecard:
    input:
        rules.crystal_scorecard_data.output[0],
    output:
        report(
            f"{CRYSTAL_FIGURES}/scorecard.html",
            caption="../report/scorecard.rst",
            category="5. Scorecard",
            labels=labelled("Crystals, measured against published"),
        ),
    log:
        f"{LOGS}/plot_crystal_scorecard.log",
    benchmark:
        f"{BENCHMARKS}/plot_crystal_scorecard.tsv"
    conda:
        "../../envs/figures.yaml"
    resources:
        mem_mb=mem_mb(1000),
        runtime=runtime(10),
        tasks=1,
    params:
        plot="crystal_scorecard.write_crystal_scorecard",
        options={},
        code=code_of("plot_tables.py", "gbscape.figures.crystal_scorecard"),
    script:
        "../scripts/plot_tables.py"


rule crystal_figures:
    input:
        [
            path
            for picture, its in CRYSTAL_PLOTS.items()
            if its["of"]
            for path in expand(
                f"{CRYSTAL_FIGURES}/{picture}.{its['suffix']}",
                map=its["of"] if "{map}" in picture else "",
            )
        ],
        expand(
            rules.plot_crystal_accuracy_tables.output[0],
            table=ACCURACY_TABLES if TESTED else [],
        ),
        rules.plot_crystal_scorecard.output,
        SCORECARD,
        RECORDED,
    localrule: True
