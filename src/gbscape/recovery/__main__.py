"""`python -m gbscape.recovery [--run] results/NAME`: put a run in order that was killed or went wrong, and go on with it.

Safe at any time: it refuses while a controller works on the run, does nothing where nothing is to be done, and may be killed
and started again itself.
"""

import argparse
import os
import shlex
import sys

from gbscape.recovery.controller import ControllerError, last_command
from gbscape.recovery.recover import recover
from gbscape.recovery.slurm import SlurmError


def main(arguments: list[str] | None = None) -> int:
    """Recover a run; what is wrong is one message on standard error, and 1 is returned."""
    parser = argparse.ArgumentParser(prog="python -m gbscape.recovery", description=__doc__)
    parser.add_argument("results", help="folder of the run, results/NAME")
    parser.add_argument("--run", action="store_true", help="then start the command again that started the run last")
    parser.add_argument(
        "--controller-is-dead",
        action="store_true",
        help="its Snakemake, on another machine, is surely not running any more",
    )
    given = parser.parse_args(arguments)
    try:
        done = recover(given.results, given.controller_is_dead)
    except (ControllerError, SlurmError, OSError) as error:
        print(error, file=sys.stderr)
        return 1
    print(done.text(), flush=True)
    started = last_command(given.results)
    if started is None:
        print("Go on with the command that started the run.")
        return 1 if given.run else 0
    if given.run:
        os.chdir(started.folder)
        os.execvp(started.words[0], started.words)
    print(f"Go on with: cd {shlex.quote(str(started.folder))} && {shlex.join(started.words)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
