"""What `workflow/Snakefile` does with a configuration before it plans, for many of them, each in a process of its own.

`python -m tests.hostile.plan FOLDER...`: each holds a `case.yaml`. Prints for each a line of JSON: the message ("" if the
configuration is accepted), seconds, MiB of the largest process, and whether it ended without a message of its own.
"""

import json
import os
import resource
import sys
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from gbscape.config.model import ConfigError, begin_file_checks
from gbscape.config.plain_yaml import PlainYamlError, read_plain_yaml
from gbscape.sweeps.points import points_of

PROJECT = Path(__file__).resolve().parents[2]
MEMORY_BYTES = 2**32
"""More than is allowed, which the tests look at, so that no limit but the project's own ends anything."""


def laid_over(below: Any, above: Any) -> Any:
    """A configuration over another, as Snakemake lays them."""
    if not isinstance(below, Mapping) or not isinstance(above, Mapping):
        return above
    return dict(below) | {key: laid_over(below.get(key), value) for key, value in above.items()}


def refusal(defaults: Mapping[str, Any]) -> str:
    """The message with which `case.yaml` of this folder is refused, or nothing."""
    try:
        given = read_plain_yaml("case.yaml")
        configs = [point.config for point in points_of(laid_over(defaults, given or {}), project=PROJECT)]
        begin_file_checks(configs, f"results/{configs[0].name}", PROJECT)()
    except (PlainYamlError, ConfigError) as error:
        return str(error)
    return ""


def main() -> None:
    """Plan each folder in a process of its own."""
    defaults = read_plain_yaml(PROJECT / "config/config.yaml")
    for folder in sys.argv[1:]:
        start = time.monotonic()
        with tempfile.TemporaryFile("w+") as answer:
            child = os.fork()
            if child == 0:
                status = 1
                try:
                    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
                    resource.setrlimit(resource.RLIMIT_CPU, (60, 60))
                    os.chdir(folder)
                    answer.write(refusal(defaults))
                    answer.flush()
                    status = 0
                finally:
                    os._exit(status)
            _, status, used = os.wait4(child, 0)
            answer.seek(0)
            row = {"message": answer.read(), "mib": used.ru_maxrss / 1024, "failed": status != 0}
        row |= {"seconds": time.monotonic() - start, "cpu_seconds": used.ru_utime + used.ru_stime}
        print(json.dumps(row), flush=True)


if __name__ == "__main__":
    main()
