"""The agent of one process host: `python -m localcluster.agent CLUSTER-FOLDER NODE`."""

import sys
from pathlib import Path

from localcluster.agent.daemon import run_agent
from localcluster.paths import ClusterFolder

__all__: list[str] = []

if __name__ == "__main__":
    path = Path(sys.argv[1])
    run_agent(ClusterFolder(name=path.name, path=path), sys.argv[2])
