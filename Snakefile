# Lets `snakemake` be started in the project folder; the workflow is in workflow/Snakefile.
include: "workflow/Snakefile"


# An included file brings no default target along.
rule default:
    input:
        rules.all.input,
    default_target: True
    localrule: True
