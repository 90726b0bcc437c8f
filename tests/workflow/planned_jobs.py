"""`python -m tests.workflow.planned_jobs CONFIG...`: for each configuration a line of JSON with all jobs that Snakemake plans."""

import json
import os
import sys
import traceback
from pathlib import Path
from typing import Any

from snakemake.api import SnakemakeApi
from snakemake.io import strip_wildcard_constraints
from snakemake.settings.types import ConfigSettings, DAGSettings, OutputSettings, Quietness, ResourceSettings

PROJECT = Path(__file__).resolve().parents[2]


def planned_jobs(config: Path) -> dict[str, dict[str, Any]]:
    """What makes out each job, by its rule and wildcards; nothing is looked up on the disk but inputs from outside."""
    output = OutputSettings(dryrun=True, quiet={Quietness.ALL})
    with SnakemakeApi(output) as api:
        workflow_api = api.workflow(
            resource_settings=ResourceSettings(cores=1),
            config_settings=ConfigSettings(configfiles=[config]),
            snakefile=PROJECT / "Snakefile",
        )
        workflow = workflow_api.dag(DAGSettings(forceall=True)).workflow_api._workflow
        workflow._prepare_dag(forceall=True, ignore_incomplete=True, lock_warn_only=True)
        workflow._build_dag()
        found = {}
        for job in workflow.dag.jobs:
            key = f"{job.rule.name}:{json.dumps(dict(job.wildcards_dict), sort_keys=True)}"
            found[key] = {
                "rule": job.rule.name,
                "input": list(map(str, job.input)),
                "output": list(map(str, job.output)),
                "patterns": [str(strip_wildcard_constraints(pattern)) for pattern in job.rule.output],
                "records": [*map(str, job.log), str(job.benchmark)],
                "params": json.loads(json.dumps(dict(job.params.items()), sort_keys=True, default=str)),
                "after": sorted({other.rule.name for other in workflow.dag.dependencies[job]}),
            }
        return found


if __name__ == "__main__":
    answers = sys.stdout
    sys.stdout = sys.stderr
    for path in sys.argv[1:]:
        # In a process of its own: Snakemake keeps what it has read.
        child = os.fork()
        if child == 0:
            status = 1
            try:
                print(json.dumps(planned_jobs(Path(path))), file=answers, flush=True)
                status = 0
            except BaseException:
                traceback.print_exc()
            finally:
                os._exit(status)
        if os.waitpid(child, 0)[1] != 0:
            sys.exit(f"{path} cannot be planned")
