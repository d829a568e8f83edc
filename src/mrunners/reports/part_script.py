"""The command of a native sidecar that prints a further part of a report: see `runner_script`.

Until it gets its part, a sidecar waits in open(2), which takes no CPU from the load. The kubelet
ends the sidecars once the runner has ended, however it has. Until it asks them to, they must not
end: they would be started again, with another log.
"""

from __future__ import annotations

__all__ = ["part_command"]

# To open a pipe for reading and writing lets go of a reader that waits for a writer; what was
# written to it is read first. Once more a second later, if the reader was not there yet.
_PART_SCRIPT = """\
pipe="/tmp/$0.pipe"
stopped=
interrupted=
stop() {
  stopped=1
  interrupted=1
  : <> "$pipe"
  { sleep 1; : <> "$pipe"; } >/dev/null 2>&1 &
}
trap stop TERM INT
mkfifo "$pipe" 2>/dev/null
while [ -z "$stopped" ]; do
  cat < "$pipe" &
  reader=$!
  while :; do
    interrupted=
    wait "$reader"
    [ -n "$interrupted" ] || break
  done
done
exit 0
"""


def part_command(container: str) -> list[str]:
    """Return the `command` of a native sidecar that prints a further part of the report.

    Args:
        container: Its name.
    """
    return ["/bin/sh", "-c", _PART_SCRIPT, container]
