# One run: its rules, and what is asked of them.


include: "common.smk"


# One Snakemake at a time works on a run, and says what to do when it has failed.
if workflow.is_main_process and not LAYOUT.point:
    guard_execution(
        workflow,
        RESULTS,
        end_snakemake,
        missing_backends([CONFIG]) if OWN_ENVIRONMENT else [],
    )


onerror:
    print(
        f"Jobs have failed: above is what each was to write, and its log. {remedy(RESULTS)}",
        file=sys.stderr,
    )


# Neither a batch system's word nor Snakemake's is proof.
onsuccess:
    require_sealed(RESULTS, end_snakemake)


include: "survey.smk"
include: "features.smk"
include: "learn.smk"
include: "figures.smk"
include: "snapshots.smk"
include: "relevance.smk"
include: "descriptor_properties.smk"


# Files were looked into while the rules above were read.
if FILES_CHECKED:
    try:
        FILES_CHECKED()
    except ConfigError as error:
        end_snakemake(str(error))


include: "crystal_common.smk"
include: "crystal_models.smk"
include: "crystal_maps.smk"
include: "crystal_figures.smk"
include: "replica_common.smk"
include: "replica.smk"
include: "replica_figures.smk"
include: "alloy_common.smk"
include: "alloy.smk"
include: "alloy_models.smk"
include: "alloy_figures.smk"


rule survey:
    input:
        rules.export_structures.output,
        rules.export_lower_than_published.output,
        rules.tabulate_failures.output,
        ENVIRONMENT_TABLES,
        rules.figures.input,
        SNAPSHOT_RESULTS,
        RELEVANCE_RESULTS,
        DESCRIPTOR_PROPERTIES,
    localrule: True


rule whole_run:
    input:
        rules.survey.input if "survey" in CONFIG.parts else [],
        rules.crystal_models.input if "crystal" in CONFIG.parts else [],
        rules.crystal_maps.input if "crystal" in CONFIG.parts else [],
        rules.crystal_figures.input if "crystal" in CONFIG.parts else [],
        rules.replica.input if "replica" in CONFIG.parts else [],
        rules.alloy.input if "alloy" in CONFIG.parts else [],
    localrule: True
