# Lets `snakemake` be started in the project folder; the workflow is in workflow/Snakefile.
include: "workflow/Snakefile"


# An included file brings no default target along.
rule default:
    default_target: True
    input:
        rules.all.input,
    localrule: True
