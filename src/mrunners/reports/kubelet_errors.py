"""Recognize the errors that a kubelet writes in the place of a log, in a body with status 200.

Only for logs without a report: a runner may print such text as well.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

__all__ = ["kubelet_error"]

# Source: Kubernetes v1.37.2. The kubelet writes zero bytes, and with them status 200, before it
# requests the log (pkg/kubelet/kubelet_pods.go, GetKubeletContainerLogs). A later error goes into
# the body, without a newline, although the code means to answer 400
# (pkg/kubelet/server/server.go, getContainerLogs). These errors can come that late:
_LATE_ERRORS = (
    # pkg/kubelet/kuberuntime/kuberuntime_container.go, GetContainerLogs
    re.compile(rb"^unable to retrieve container logs for \S"),
    # staging cri-client/pkg/remote_runtime.go, ErrContainerStatusNil
    re.compile(rb"^container status is nil$"),
    # staging cri-client/pkg/logs/logs.go, ReadLogs: `lstat ...: no such file or directory` follows
    re.compile(rb'^failed to try resolving symlinks in path "'),
    re.compile(rb'^failed to (?:open|read) log file "'),
    re.compile(rb'^failed to (?:seek \d+|reset seek|tail -?\d+ lines) (?:in|of) log file "'),
    re.compile(rb"^failed to get parse function: unsupported log format: "),
    # the same function with follow=true; the last one is the runtime's own error
    re.compile(rb"^failed to create fsnotify watcher: "),
    re.compile(rb'^failed to watch directory "'),
    re.compile(rb"^rpc error: code = "),
)
# Rotation has no error of its own: while it renames the file, opening it fails as above.
# `container "c" in pod "p" is not available` and the like come with status 400, never in a body.

_MAX_ERROR_BYTES = 160


def kubelet_error(lines: Sequence[bytes]) -> str | None:
    """Return the kubelet's error if the last line of a log is one.

    Returns:
        The error in printable ASCII, cut to one short line; None when there is none.
    """
    last = next((line for line in reversed(lines) if line.strip()), b"").strip()
    if any(pattern.search(last) for pattern in _LATE_ERRORS):
        text = last[:_MAX_ERROR_BYTES].decode("ascii", "backslashreplace")
        return "".join(c if c.isprintable() else "?" for c in text)
    return None
