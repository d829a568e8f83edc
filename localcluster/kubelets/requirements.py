"""Say what this machine lacks for kubelet hosts, all at once, and how to install it."""

import os
import shutil
import sys
from collections.abc import Mapping
from pathlib import Path

from localcluster.errors import UsageError

__all__ = ["cni_plugins", "require_kubelet_hosts"]

# The program and the Debian package that has it.
_PROGRAMS = {
    "apt-get": "apt",
    "busybox": "busybox-static",
    "containerd": "containerd",
    "dpkg-deb": "dpkg",
    "ip": "iproute2",
    "nft": "nftables",
    "nsenter": "util-linux",
    "runc": "runc",
    "unshare": "util-linux",
}
# Where Debian and the CNI project put the plugins.
_CNI_FOLDERS = (Path("/usr/lib/cni"), Path("/opt/cni/bin"))
_CNI_PLUGINS = ("bridge", "host-local", "loopback")


def cni_plugins() -> Path | None:
    """Return the folder that has the CNI plugins, if there is one."""
    for folder in _CNI_FOLDERS:
        if all((folder / plugin).is_file() for plugin in _CNI_PLUGINS):
            return folder
    return None


def require_kubelet_hosts(environ: Mapping[str, str]) -> None:
    """Check that this machine can run kubelet hosts.

    Args:
        environ: This process's environment.

    Raises:
        UsageError: It cannot; the message has everything that is missing.
    """
    problems = []
    if sys.platform != "linux":
        problems.append("they need Linux")
    elif os.geteuid() != 0:
        problems.append("they need root, for namespaces, mounts and control groups")
    path = environ.get("PATH", os.defpath) + os.pathsep + "/usr/sbin:/sbin"
    missing = {
        package for name, package in _PROGRAMS.items() if shutil.which(name, path=path) is None
    }
    if cni_plugins() is None:
        missing.add("containernetworking-plugins")
    if missing:
        problems.append(
            "programs are missing; on Debian: apt-get install --no-install-recommends "
            f"{' '.join(sorted(missing))}"
        )
    if problems:
        raise UsageError(f"this machine cannot run kubelet hosts: {'; '.join(problems)}")
