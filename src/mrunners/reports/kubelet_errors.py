"""Recognise the errors that a node writes where the log should be, in a body with status 200.

It must not be asked about logs that hold a report: a runner may print such words as well.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

__all__ = ["kubelet_error"]

# Source: Kubernetes v1.37.2. The kubelet writes zero bytes, and with them status 200, before it
# asks for the log (pkg/kubelet/kubelet_pods.go, GetKubeletContainerLogs); an error after that goes
# into the body, without a newline, from the line that meant to answer 400
# (pkg/kubelet/server/server.go, getContainerLogs). What can come that late:
_KNOWN = (
    # pkg/kubelet/kuberuntime/kuberuntime_container.go, GetContainerLogs
    re.compile(rb"^unable to retrieve container logs for \S"),
    # staging cri-client/pkg/remote_runtime.go, ErrContainerStatusNil
    re.compile(rb"^container status is nil$"),
    # staging cri-client/pkg/logs/logs.go, ReadLogs: `lstat ...: no such file or directory` follows
    re.compile(rb'^failed to try resolving symlinks in path "'),
    re.compile(rb'^failed to (?:open|read) log file "'),
    re.compile(rb'^failed to (?:seek \d+|reset seek|tail -?\d+ lines) (?:in|of) log file "'),
    re.compile(rb"^failed to get parse function: unsupported log format: "),
    # the same function when it follows; the last one is the runtime's own error
    re.compile(rb"^failed to create fsnotify watcher: "),
    re.compile(rb'^failed to watch directory "'),
    re.compile(rb"^rpc error: code = "),
)
# Rotation has no text of its own here: while it renames the file, opening it fails as above.
# `container "c" in pod "p" is not available` and its like come with status 400, never in a body.

_MAX_SAID = 160


def kubelet_error(lines: Sequence[bytes]) -> str | None:
    """The node's error, if the log's last words are one.

    Args:
        lines: the log's lines.
    Returns: the error in printable ASCII, cut to one short line; None when there is none.
    """
    last = next((line for line in reversed(lines) if line.strip()), b"").strip()
    if any(known.search(last) for known in _KNOWN):
        text = last[:_MAX_SAID].decode("ascii", "backslashreplace")
        return "".join(c if c.isprintable() else "?" for c in text)
    return None
