"""On which kind of hosts the cluster tests run, and how their cluster is changed.

`MRUNNERS_TEST_HOSTS=kubelet` runs them on real kubelets, for which a machine needs root.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from localcluster.paths import ClusterFolder
from tests.cluster.env import FAKE_KPERF

__all__ = ["HOSTS_OPTIONS", "ON_KUBELETS", "localcluster"]

ON_KUBELETS = os.environ.get("MRUNNERS_TEST_HOSTS", "process") == "kubelet"

_FAKE = Path(__file__).parents[1] / "faults" / "fake_kperf"

HOSTS_OPTIONS = (
    ("--kubelet-hosts", "2")
    if ON_KUBELETS
    else ("--process-hosts", "4", "--image", f"{FAKE_KPERF}=/kperf:{_FAKE}")
)


def localcluster(folder: ClusterFolder, command: str, *options: str) -> None:
    """Run a command of the local cluster.

    Raises:
        subprocess.CalledProcessError: It failed.
    """
    environ = {**os.environ, "MRUNNERS_LOCALCLUSTER_STATE": str(folder.path.parent)}
    words = [sys.executable, "-m", "localcluster", command, "--name", folder.name, *options]
    subprocess.run(words, env=environ, check=True, stdout=subprocess.DEVNULL)
