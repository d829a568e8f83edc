"""The command of a runner's container: kperf, and the shell script that frames its report.

The script is the container's PID 1, which has consequences:

- A shell as PID 1 ignores TERM unless it traps it, and does not pass it on. So kperf runs in the
  background, the shell waits, and the trap forwards TERM and INT to kperf, also one that arrives
  before kperf has started.
- A trapped signal interrupts `wait`, so the script waits again until `wait` was not interrupted.
  `wait` returns 127 when the child was reaped already: then the earlier status is kperf's.
- The container exits with kperf's code in every case, so the Job's state is kperf's result.

Here kperf writes its report to a file, and only a complete file is printed, as gzip and base64
between a begin and an end line that `frame` verifies. kperf creates the file before the load
starts, so an empty file is not a report. sh has no pipefail, so every step writes a file and is
checked on its own. When there is no report to print, one line says why (`none`, `too-large`).

A container runtime reads stdout and stderr one by one, so what is written to both can arrive in any
order. So everything goes to stdout. What kperf itself writes goes to a named pipe, however much it
is, and only the end of it into the log, before the frame. A process that kperf has left behind can
keep that pipe open, so its reader is ended after a few seconds.
"""

from __future__ import annotations

from enum import StrEnum

from mrunners.reports.log_size import (
    FRAME_MARGIN_BYTES,
    LINE_CHARACTERS,
    LINE_OVERHEAD_BYTES,
    OUTPUT_BYTES,
    OUTPUT_LINES,
)

__all__ = ["ReportMode", "runner_command"]


class ReportMode(StrEnum):
    """How a runner's report is written to the pod's log.

    FRAMED needs a POSIX shell and coreutils (or busybox) in the image; any damage to the log is
    detected. PLAIN runs kperf alone, for images without a shell: its report is several times
    larger, and without a checksum not all damage can be detected.
    """

    FRAMED = "framed"
    PLAIN = "plain"


# A reader that is not done by then waits for a process that kperf has left behind.
_READER_SECONDS = 5

# `$(( $(wc -c < f) ))` also removes the blanks that some versions of `wc` print.
_SCRIPT = f"""\
exec 2>&1
id="run=${{MRUNNERS_RUN_ID:-}} job=${{MRUNNERS_JOB:-}} index=${{JOB_COMPLETION_INDEX:-}}"
pod="pod=${{MRUNNERS_POD:-}}"
limit="${{MRUNNERS_LOG_LIMIT_BYTES:-10485760}}"
code=127
none() {{
  printf '\\nmrunners-report none v1 %s %s exit=%s reason=%s\\n' "$id" "$pod" "$code" "$1"
  exit "$code"
}}
child=
stopped=
interrupted=
forward() {{
  stopped=1
  interrupted=1
  [ -z "$child" ] || kill -TERM "$child" 2>/dev/null
}}
trap forward TERM INT
for tool in gzip base64 tr fold wc sha256sum cat mkfifo tail sleep; do
  command -v "$tool" >/dev/null || none "missing-$tool"
done
mkfifo /tmp/output.pipe || none mkfifo-failed
tail -c {OUTPUT_BYTES} < /tmp/output.pipe > /tmp/output &
reader=$!
export GOTRACEBACK="${{GOTRACEBACK:-none}}"
/kperf -v=0 runner run --config=/config/load_profile.yaml --raw-data --result=/tmp/report.json \\
  > /tmp/output.pipe 2>&1 &
child=$!
[ -z "$stopped" ] || kill -TERM "$child" 2>/dev/null
while :; do
  interrupted=
  wait "$child"
  status=$?
  [ "$status" -eq 127 ] || code=$status
  [ -n "$interrupted" ] || break
done
child=
{{ sleep {_READER_SECONDS}; kill "$reader"; }} >/dev/null 2>&1 &
watchdog=$!
wait "$reader"
kill "$watchdog" 2>/dev/null
tail -n {OUTPUT_LINES} /tmp/output
[ -s /tmp/report.json ] || none no-report
gzip -c < /tmp/report.json > /tmp/report.gz || none gzip-failed
base64 < /tmp/report.gz > /tmp/report.wrapped || none base64-failed
tr -d '\\r\\n' < /tmp/report.wrapped > /tmp/report.line || none tr-failed
fold -w {LINE_CHARACTERS} < /tmp/report.line > /tmp/report.body || none fold-failed
bytes=$(( $(wc -c < /tmp/report.json) ))
encoded=$(( $(wc -c < /tmp/report.line) ))
hash=$(sha256sum < /tmp/report.json) || none sha256sum-failed
hash=${{hash%% *}}
lines=$(( (encoded + {LINE_CHARACTERS - 1}) / {LINE_CHARACTERS} ))
needed=$(( encoded + lines * {LINE_OVERHEAD_BYTES} + {FRAME_MARGIN_BYTES} ))
if [ "$needed" -gt "$limit" ]; then
  printf '\\nmrunners-report too-large v1 %s %s bytes=%s encoded=%s limit=%s\\n' \\
    "$id" "$pod" "$bytes" "$encoded" "$limit"
  exit "$code"
fi
printf '\\nmrunners-report begin v1 %s %s bytes=%s sha256=%s encoding=gzip+base64 encoded=%s\\n' \\
  "$id" "$pod" "$bytes" "$hash" "$encoded"
cat /tmp/report.body
printf '\\nmrunners-report end v1 %s sha256=%s\\n' "$id" "$hash"
exit "$code"
"""


def runner_command(mode: ReportMode) -> list[str]:
    """Return the `command` of the runner's container (kperf's image has no entrypoint).

    The framed form reads MRUNNERS_RUN_ID, MRUNNERS_JOB, MRUNNERS_POD, JOB_COMPLETION_INDEX and
    MRUNNERS_LOG_LIMIT_BYTES from the environment, and writes only to /tmp. In both modes the
    container's exit code is kperf's.
    """
    match mode:
        case ReportMode.FRAMED:
            return ["/bin/sh", "-c", _SCRIPT]
        case ReportMode.PLAIN:
            return [
                "/kperf",
                "-v=0",
                "runner",
                "run",
                "--config=/config/load_profile.yaml",
                "--raw-data",
            ]
