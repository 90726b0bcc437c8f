# A sweep: the whole workflow once for each point, as a module with its own configuration and folder. What points share (see
# gbscape/sweeps/stages.py) has the same path in all of them, and its rules are those of the first of them.
from gbscape.config.files import sweep_yaml
from gbscape.config.model import ConfigError, begin_file_checks
from gbscape.store.code import code_hash
from gbscape.sweeps.layout import LAYOUT_KEY, layouts_of
from gbscape.sweeps.modules import (
    leave_out,
    module_name,
    modules_of_job,
    set_in_all_points,
)
from gbscape.sweeps.points import points_of

try:
    POINTS = points_of(config, project=PROJECT)
    SWEEP = f"results/{POINTS[0].config.name}"
    if workflow.is_main_process:
        begin_file_checks([point.config for point in POINTS], SWEEP, PROJECT)()
        guard_execution(
            workflow,
            SWEEP,
            end_snakemake,
            missing_backends([its.config for its in POINTS]) if OWN_ENVIRONMENT else [],
        )
except ConfigError as error:
    end_snakemake(str(error))

LAYOUTS = {
    module_name(point): layout
    for point, layout in zip(POINTS, layouts_of(POINTS), strict=True)
}
# A job parses the workflow again, of which it needs one point, or only this file.
HERE = modules_of_job(sys.argv, LAYOUTS)
set_in_all_points(workflow.resource_settings)
# Of files that points share.
MAKERS = {}

for point in POINTS:
    # Names of variables below, as Snakemake looks for them there.
    name = module_name(point)
    prefix = f"{name}_"
    if name not in HERE:
        continue

    module:
        name: name
        snakefile:
            "../Snakefile"
        config:
            {**point.raw, LAYOUT_KEY: LAYOUTS[name]}
        replace_prefix:
            LAYOUTS[name].replaced

    use rule * from name as prefix*

    leave_out(workflow, name, LAYOUTS[name].made_elsewhere, MAKERS)


# After those of the points, which it replaces.
onerror:
    print(
        f"Jobs have failed: above is what each was to write, and its log. {remedy(SWEEP)}",
        file=sys.stderr,
    )


onsuccess:
    require_sealed(SWEEP, end_snakemake)


SCRIPTS = PROJECT / "workflow" / "scripts"
SCORECARDS = [f"{layout.folder}/scorecard.csv" for layout in LAYOUTS.values()]


rule record_sweep:
    output:
        f"{SWEEP}/config.yaml",
    log:
        f"{SWEEP}/logs/record_sweep.log",
    benchmark:
        f"{SWEEP}/benchmarks/record_sweep.tsv"
    conda:
        "../../envs/survey.yaml"
    resources:
        mem_mb=lambda wildcards, attempt: 500 * attempt,
        runtime=lambda wildcards, attempt: 5 * attempt,
        tasks=1,
    params:
        text=sweep_yaml(config),
        code=code_hash(SCRIPTS / "record_config.py"),
    script:
        "../scripts/record_config.py"


rule tabulate_sweep:
    input:
        SCORECARDS,
    output:
        f"{SWEEP}/sweep.csv",
    log:
        f"{SWEEP}/logs/tabulate_sweep.log",
    benchmark:
        f"{SWEEP}/benchmarks/tabulate_sweep.tsv"
    conda:
        "../../envs/figures.yaml"
    resources:
        mem_mb=lambda wildcards, attempt: 1000 * attempt,
        runtime=lambda wildcards, attempt: 10 * attempt,
        tasks=1,
    params:
        points={LAYOUTS[module_name(point)].folder: point.row for point in POINTS},
        code=code_hash(SCRIPTS / "sweep_table.py"),
    script:
        "../scripts/sweep_table.py"


rule sweep_results_data:
    input:
        table=rules.tabulate_sweep.output[0],
    output:
        f"{SWEEP}/figures/sweep_results.csv",
    log:
        f"{SWEEP}/logs/sweep_results_data.log",
    benchmark:
        f"{SWEEP}/benchmarks/sweep_results_data.tsv"
    conda:
        "../../envs/figures.yaml"
    resources:
        mem_mb=lambda wildcards, attempt: 1000 * attempt,
        runtime=lambda wildcards, attempt: 10 * attempt,
        tasks=1,
    params:
        figure="sweep_results",
        settings=None,
        code=code_hash(SCRIPTS / "figures_data.py", "gbscape.figures.sweep_results"),
    script:
        "../scripts/figures_data.py"


rule plot_sweep_results:
    input:
        rules.sweep_results_data.output[0],
    output:
        report(
            f"{SWEEP}/figures/sweep_results.svg",
            caption="../report/sweep_results.rst",
            category="0. Sweep",
            labels={"figure": "Numbers of the scorecards"},
        ),
    log:
        f"{SWEEP}/logs/plot_sweep_results.log",
    benchmark:
        f"{SWEEP}/benchmarks/plot_sweep_results.tsv"
    conda:
        "../../envs/figures.yaml"
    resources:
        mem_mb=lambda wildcards, attempt: 2000 * attempt,
        runtime=lambda wildcards, attempt: 20 * attempt,
        tasks=1,
    params:
        figure="sweep_results",
        settings=None,
        code=code_hash(SCRIPTS / "figures_plot.py", "gbscape.figures.sweep_results"),
    script:
        "../scripts/figures_plot.py"


rule whole_sweep:
    input:
        [
            rule.input
            for rule in (workflow._rules.get(f"{name}_all") for name in HERE)
            if rule
        ],
        rules.record_sweep.output,
        rules.tabulate_sweep.output,
        rules.plot_sweep_results.output,
    localrule: True
