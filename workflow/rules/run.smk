# One run: its rules, and what is asked of them.


include: "common.smk"
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


rule all:
    default_target: True
    input:
        rules.survey.input if "survey" in CONFIG.parts else [],
        rules.crystal_models.input if "crystal" in CONFIG.parts else [],
        rules.crystal_maps.input if "crystal" in CONFIG.parts else [],
        rules.crystal_figures.input if "crystal" in CONFIG.parts else [],
        rules.replica.input if "replica" in CONFIG.parts else [],
        rules.alloy.input if "alloy" in CONFIG.parts else [],
    localrule: True
