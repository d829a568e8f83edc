"""Stop a cluster and delete its files.

Only processes and files of this cluster are touched: each is recorded with its identity, or lies
in the cluster's own folder.
"""

import shutil
import signal
from collections.abc import Mapping
from pathlib import Path

from localcluster.binaries.builder import binary_folder
from localcluster.console import print_line
from localcluster.kubelets.cluster import end_kubelet_hosts
from localcluster.lifecycle.lock import lock_cluster
from localcluster.lifecycle.process_hosts import end_process_hosts
from localcluster.lifecycle.record import Record, load_record
from localcluster.paths import ClusterFolder
from localcluster.plane.kubeconfig import is_localcluster_kubeconfig
from localcluster.plane.kwokctl import component_processes
from localcluster.processes.identity import processes_within
from localcluster.processes.signals import end_processes

__all__ = ["down", "tear_down"]


def down(folder: ClusterFolder, environ: Mapping[str, str]) -> None:
    """Stop a cluster and delete all its data. Does nothing when the cluster does not exist.

    Args:
        folder: The cluster's folder.
        environ: This process's environment.
    """
    with lock_cluster(folder, create=False) as locked:
        if not locked:
            print_line(f'cluster "{folder.name}" does not exist')
            return
        tear_down(folder, environ)
    print_line(f'cluster "{folder.name}" deleted')


def tear_down(
    folder: ClusterFolder, environ: Mapping[str, str], *, keep_lock: bool = False
) -> None:
    """Do what `down` does, for a caller that already holds the lock.

    Args:
        folder: The cluster's folder.
        environ: This process's environment.
        keep_lock: Keep the folder and the lock in it.
    """
    record = load_record(folder)
    end_process_hosts(folder, record)
    end_kubelet_hosts(folder)
    components = {*record.components.values(), *component_processes(folder).values()}
    # No grace period: everything that they could still write is about to be deleted.
    end_processes(components, signal.SIGKILL, 0.0)
    # A crash may have kept components from being recorded, so look for our binaries in our folder.
    # Look twice: a kwokctl that a killed `up` left running may start one in the meantime.
    for _ in range(2):
        for bin_folder in _bin_folders(record, environ):
            end_processes(processes_within(folder.path.resolve(), bin_folder), signal.SIGKILL, 0.0)
    _remove_kubeconfigs(record, folder)
    for path in folder.path.iterdir():
        if path != folder.lock:
            shutil.rmtree(path) if path.is_dir() and not path.is_symlink() else path.unlink()
    if not keep_lock:
        # Delete the lock last: other commands wait for it.
        folder.lock.unlink()
        folder.path.rmdir()


def _bin_folders(record: Record, environ: Mapping[str, str]) -> set[Path]:
    folders = {binary_folder(environ).resolve()}
    if record.bin_folder:  # differs when another version of the checkout started the cluster
        folders.add(Path(record.bin_folder).resolve())
    return folders


def _remove_kubeconfigs(record: Record, folder: ClusterFolder) -> None:
    for path in map(Path, record.kubeconfigs):
        # Another cluster may have overwritten it in the meantime.
        if path.is_file() and not path.is_relative_to(folder.path):
            text = path.read_text(errors="replace")
            if is_localcluster_kubeconfig(text) and f"localcluster-{folder.name}\n" in text:
                path.unlink()
