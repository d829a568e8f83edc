"""Recognise the errors that a node writes where the log should be, in a body with status 200.

It must only be asked about logs without a report: a runner may print such words as well.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

__all__ = ["kubelet_error"]

# Source: kubernetes, pkg/kubelet/kuberuntime (GetContainerLogs) and cri-client/pkg/logs (ReadLogs),
# whose errors can reach a stream that has already begun with status 200.
_KNOWN = (
    re.compile(rb"^unable to retrieve container logs for "),
    re.compile(rb"^failed to try resolving symlinks in path "),
    re.compile(rb"^failed to (?:open|read|watch|get|seek|parse) .*log"),
    re.compile(rb"^failed to create fsnotify watcher"),
    re.compile(rb"^rpc error: code = "),
    re.compile(rb"^container .* is not available$"),
)

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
