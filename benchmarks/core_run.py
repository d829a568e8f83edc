"""One whole run through the core, without Prefect, in a process of its own.

    python -m benchmarks.core_run NAMESPACE URI

Prints the merged report.
"""

from __future__ import annotations

import sys

from mrunners import RunOptions, connect
from mrunners.reports.merged import to_json
from tests.cluster.env import KPERF

__all__: list[str] = []


def main(namespace: str, uri: str) -> None:
    """Start, wait, collect, and print the report."""
    options = RunOptions(namespace=namespace, runner_image=KPERF, runners=(uri,))
    with connect() as cluster:
        run = cluster.start(options)
        run.wait().require_complete()
        print(to_json(run.collect()), end="")


if __name__ == "__main__":
    main(*sys.argv[1:])
