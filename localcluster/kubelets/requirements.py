"""Say what this machine lacks for kubelet hosts, all at once, and how to install it."""

import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from localcluster.errors import UsageError
from localcluster.kubelets.control_groups import try_control_group
from localcluster.kubelets.namespaces import PRIVATE_FOLDERS, SEARCH_PATH
from localcluster.paths import cache_root, state_root

__all__ = ["cni_plugins", "kubelet_host_problems", "require_kubelet_hosts"]

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

# A program that is not static names one of these at its beginning.
_LINKERS = (b"/ld-linux", b"/ld-musl")
_HEADER_BYTES = 4096


def cni_plugins() -> Path | None:
    """Return the folder that has the CNI plugins and that kubelet hosts see, if there is one."""
    for folder in _CNI_FOLDERS:
        has_all = all((folder / plugin).is_file() for plugin in _CNI_PLUGINS)
        if has_all and _private_folder(folder) is None:
            return folder
    return None


def require_kubelet_hosts(environ: Mapping[str, str]) -> None:
    """Check that this machine can run kubelet hosts.

    Args:
        environ: This process's environment.

    Raises:
        UsageError: It cannot; the message has everything that is missing.
    """
    if problems := kubelet_host_problems(environ):
        raise UsageError(f"this machine cannot run kubelet hosts: {'; '.join(problems)}")


def kubelet_host_problems(environ: Mapping[str, str]) -> list[str]:
    """Return what keeps this machine from running kubelet hosts.

    Args:
        environ: This process's environment.
    """
    problems = []
    if sys.platform != "linux":
        problems.append("they need Linux")
    elif os.geteuid() != 0:
        problems.append("they need root, for namespaces, mounts and control groups")
    path = environ.get("PATH", "") + os.pathsep + SEARCH_PATH
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
    else:
        busybox = Path(shutil.which("busybox", path=path) or "")
        if any(linker in busybox.read_bytes()[:_HEADER_BYTES] for linker in _LINKERS):
            problems.append("busybox must be a static one, as in the package busybox-static")
    problems += _hidden_folders(environ)
    if not problems:
        problems += [problem for problem in (_try_namespaces(path), _try_groups()) if problem]
    return problems


def _hidden_folders(environ: Mapping[str, str]) -> list[str]:
    needed = {
        "MRUNNERS_LOCALCLUSTER_STATE": state_root(environ),
        "MRUNNERS_LOCALCLUSTER_CACHE": cache_root(environ),
    }
    return [
        f"{folder} is in {private}, of which kubelet hosts have their own; set {variable} to "
        "another folder"
        for variable, folder in needed.items()
        if (private := _private_folder(folder))
    ]


def _private_folder(folder: Path) -> Path | None:
    """Return the folder around another one that has other files in kubelet hosts, if any."""
    within = (one for one in PRIVATE_FOLDERS if folder.resolve().is_relative_to(one.resolve()))
    return next(within, None)


def _try_namespaces(path: str) -> str:
    command = ["unshare", "--mount", "--net", "--propagation=slave", "true"]
    result = subprocess.run(
        command, capture_output=True, text=True, check=False, env={**os.environ, "PATH": path}
    )
    return f"namespaces cannot be created: {result.stderr.strip()}" if result.returncode else ""


def _try_groups() -> str:
    try:
        try_control_group()
    except OSError as error:
        return f"control groups cannot be created: {error}"
    return ""
