"""Which jobs the rules of the local environment representation make; `test_workflow.py` runs them."""

import re

from tests.workflow.conftest import Run

REPRESENTATIONS = {
    "soap": None,
    "multi_scale_soap": None,
    "st": None,
    "soap+st": None,
    "ler": {"kind": "local_environments", "sweep": {"threshold": [0.05, 0.1]}},
    "pooled": {"kind": "pooled_soap"},
    "both": {"kind": "concatenate", "of": ["ler", "pooled"]},
}


def test_a_swept_threshold_makes_a_dictionary_each(snakemake: Run) -> None:
    config = {"features": {"shards": 2, "representations": REPRESENTATIONS}, "learn": {"targets": []}}
    planned = snakemake(config, "--dry-run", "--quiet", "rules")
    assert planned.returncode == 0, planned.stderr
    jobs = dict(re.findall(r"^(\w+) +(\d+)$", planned.stdout + planned.stderr, flags=re.MULTILINE))
    expected = {
        "find_environments": 4,
        "merge_environments": 2,
        "count_environments": 4,
        "tabulate_environments": 2,
        "featurize": 2,  # the pooled SOAP alone
        "gather_features": 3,
        "concatenate_features": 2,
    }
    assert {name: int(jobs[name]) for name in expected} == expected
