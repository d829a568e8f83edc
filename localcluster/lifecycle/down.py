"""Take a cluster away, all of it; it must not touch a process or file that is not this one's."""

import shutil
import signal
from collections.abc import Mapping
from pathlib import Path

from localcluster.agent.orphans import end_leftovers
from localcluster.binaries.builder import binary_folder
from localcluster.console import say
from localcluster.lifecycle.daemon import stop_agent
from localcluster.lifecycle.lock import hold
from localcluster.lifecycle.record import Record, load_record
from localcluster.paths import ClusterFolder
from localcluster.plane.kubeconfig import is_ours
from localcluster.plane.kwokctl import component_processes
from localcluster.processes.ending import end_processes
from localcluster.processes.identity import processes_within

__all__ = ["dismantle", "down"]


def down(folder: ClusterFolder, environ: Mapping[str, str]) -> None:
    """End everything of a cluster and remove its files; harmless where there is none.

    Args:
        folder: of the cluster.
        environ: this process's environment.
    """
    with hold(folder, create=False) as held:
        if not held:
            say(f"{folder.name}: nothing is there")
            return
        dismantle(folder, environ)
    say(f"{folder.name}: is gone")


def dismantle(
    folder: ClusterFolder, environ: Mapping[str, str], *, keep_lock: bool = False
) -> None:
    """The same for who holds the lock already.

    Args:
        folder: of the cluster.
        environ: this process's environment.
        keep_lock: leave the folder with the lock in it.
    """
    record = load_record(folder)
    stop_agent(folder, record.agent)
    end_leftovers(folder.pods.iterdir() if folder.pods.is_dir() else [])
    components = {*record.components.values(), *component_processes(folder).values()}
    # No grace: what they could still save is removed in a moment.
    end_processes(components, signal.SIGKILL, 0.0)
    # What a crash kept from being recorded: our own programs at work in our own folder. Twice,
    # as a kwokctl that a killed `up` left behind may have started one meanwhile.
    for _ in range(2):
        for programs in _program_folders(record, environ):
            end_processes(processes_within(folder.path.resolve(), programs), signal.SIGKILL, 0.0)
    _remove_kubeconfigs(record, folder)
    for path in folder.path.iterdir():
        if path != folder.lock:
            shutil.rmtree(path) if path.is_dir() and not path.is_symlink() else path.unlink()
    if not keep_lock:
        # The lock goes last, and with it what others wait for.
        folder.lock.unlink()
        folder.path.rmdir()


def _program_folders(record: Record, environ: Mapping[str, str]) -> set[Path]:
    folders = {binary_folder(environ).resolve()}
    if record.programs:  # an older checkout's
        folders.add(Path(record.programs).resolve())
    return folders


def _remove_kubeconfigs(record: Record, folder: ClusterFolder) -> None:
    for path in map(Path, record.kubeconfigs):
        # It may belong to a cluster that was written over ours since.
        if path.is_file() and not path.is_relative_to(folder.path):
            text = path.read_text(errors="replace")
            if is_ours(text) and f"localcluster-{folder.name}\n" in text:
                path.unlink()
