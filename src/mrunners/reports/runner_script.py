"""The command of a runner's container: kperf, and the shell script that frames its report.

The runner's script is its container's PID 1, which has consequences:

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
keep that pipe open, so what copies from it is ended after a moment, and the end is known then too.

A node limits the log of each container. So a report that is too large for one is cut into parts:
the runner prints the first, and gives each other one through a named pipe to a native sidecar,
which prints it (`part_script`). The runner ends when all parts were taken; the last bytes of one
may reach its log a moment later.

Pods that start together wait for a moment by their nodes' clocks. kperf has started by then and
waits for its profile from a named pipe, so that nothing but the load is left to do. The process
that writes to that pipe ends with kperf. The time of a file tells when the load began: that takes
no process at that moment, and busybox has no other clock with fractions.
"""

from __future__ import annotations

from enum import StrEnum

from mrunners.reports.log_size import (
    FRAME_MARGIN_BYTES,
    LINE_CHARACTERS,
    LINE_OVERHEAD_BYTES,
    MAX_REPORT_LOGS,
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


# A copy that is not done by then waits for a process that kperf has left behind. Less than a pod's
# grace period, which must also be enough for the report.
_COPY_SECONDS = 2

# A sidecar takes its part within a second (measured), and one that was killed is back after ten.
_PART_SECONDS = 60

# `$(( $(wc -c < f) ))` also removes the blanks that some versions of `wc` print.
_SCRIPT = f"""\
exec 2>&1
id="run=${{MRUNNERS_RUN_ID:-}} job=${{MRUNNERS_JOB:-}} index=${{JOB_COMPLETION_INDEX:-}}"
pod="pod=${{MRUNNERS_POD:-}}"
limit="${{MRUNNERS_LOG_LIMIT_BYTES:-10485760}}"
logs="${{MRUNNERS_REPORT_LOGS:-1}}"
start="${{MRUNNERS_START_AT:-}}"
delay="${{MRUNNERS_START_DELAY:-3600}}"
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
status=
await() {{
  while :; do
    interrupted=
    wait "$1" 2>/dev/null
    ended=$?
    [ "$ended" -eq 127 ] || status=$ended
    [ -n "$interrupted" ] || return 0
  done
}}
# Sets `seconds` since the epoch, and `micros`, to the time of a file.
time_of() {{
  seconds=
  set -- $(stat -c '%Y %y' "$1" 2>/dev/null)
  fraction="${{3:-}}"
  case "$fraction" in *.*) ;; *) fraction=.0 ;; esac
  fraction="${{fraction#*.}}000000"
  micros="${{fraction%"${{fraction#??????}}"}}"
  case "${{1:-}}$micros" in *[!0-9]*) return 1 ;; esac
  seconds="${{1:-}}"
  [ -n "$seconds" ]
}}
# Sleeps until the common start, but never longer than the delay: no clock can hold a pod.
sleep_until_start() {{
  fractions=
  sleep 0.01 2>/dev/null && fractions=1
  : > /tmp/now
  time_of /tmp/now || exit
  left=$((start - seconds - 1))
  [ "$left" -ge 0 ] || exit
  rest=$((2000000 - 1$micros))
  if [ "$rest" -eq 1000000 ]; then
    left=$((left + 1))
    rest=0
  fi
  [ "$left" -lt "$delay" ] || left=$delay
  [ -n "$fractions" ] || exec sleep $((left + 1))
  exec sleep "$left.$(printf '%06d' "$rest")"
}}
tools="gzip base64 tr fold wc sha256sum cat mkfifo tail head sleep"
[ -z "$start" ] || tools="$tools stat"
for tool in $tools; do
  command -v "$tool" >/dev/null || none "missing-$tool"
done
mkfifo /tmp/output.pipe /tmp/tail.pipe || none mkfifo-failed
if [ -n "$start" ]; then
  : > /tmp/now
  time_of /tmp/now || none no-clock
  mkfifo /tmp/profile.pipe /tmp/alarm.pipe || none mkfifo-failed
fi
part=2
while [ "$part" -le "$logs" ]; do
  # The sidecar may have made it already.
  mkfifo "/tmp/report-$part.pipe" 2>/dev/null
  [ -p "/tmp/report-$part.pipe" ] || none mkfifo-failed
  part=$((part + 1))
done
cat < /tmp/output.pipe > /tmp/tail.pipe &
copy=$!
tail -c {OUTPUT_BYTES} < /tmp/tail.pipe > /tmp/output &
reader=$!
export GOTRACEBACK="${{GOTRACEBACK:-none}}"
profile=/config/load_profile.yaml
starter=
if [ -n "$start" ]; then
  sleep_until_start > /tmp/alarm.pipe &
  sleeper=$!
  {{
    text=$(cat "$profile")
    # Until the one that sleeps has ended.
    read -r nothing < /tmp/alarm.pipe
    {{ : > /tmp/started; printf '%s\\n' "$text"; }} > /tmp/profile.pipe
  }} >/dev/null 2>&1 &
  starter=$!
  profile=/tmp/profile.pipe
else
  : > /tmp/started
fi
/kperf -v=0 runner run --config="$profile" --raw-data --result=/tmp/report.json \\
  > /tmp/output.pipe 2>&1 &
child=$!
[ -z "$stopped" ] || kill -TERM "$child" 2>/dev/null
await "$child"
code=${{status:-127}}
child=
# Not TERM, which a shell can miss while it has just been forked.
[ -z "$starter" ] || kill -KILL "$starter" "$sleeper" 2>/dev/null
{{ sleep {_COPY_SECONDS}; kill "$copy"; }} >/dev/null 2>&1 &
watchdog=$!
await "$reader"
kill "$watchdog" 2>/dev/null
tail -n {OUTPUT_LINES} /tmp/output
[ -s /tmp/report.json ] || none no-report
gzip -c < /tmp/report.json > /tmp/report.gz || none gzip-failed
base64 < /tmp/report.gz > /tmp/report.wrapped || none base64-failed
tr -d '\\r\\n' < /tmp/report.wrapped > /tmp/report.line || none tr-failed
bytes=$(( $(wc -c < /tmp/report.json) ))
encoded=$(( $(wc -c < /tmp/report.line) ))
hash=$(sha256sum < /tmp/report.json) || none sha256sum-failed
hash=${{hash%% *}}
lines=$(( (encoded + {LINE_CHARACTERS - 1}) / {LINE_CHARACTERS} ))
needed=$(( encoded + lines * {LINE_OVERHEAD_BYTES} + {FRAME_MARGIN_BYTES} ))
parts=1
if [ "$needed" -gt "$limit" ]; then
  room=$(( (limit - {FRAME_MARGIN_BYTES}) / {LINE_CHARACTERS + LINE_OVERHEAD_BYTES} ))
  parts=$(( room > 0 ? (lines + room - 1) / room : {MAX_REPORT_LOGS + 1} ))
fi
if [ "$parts" -gt "$logs" ]; then
  printf '\\nmrunners-report too-large v1 %s %s bytes=%s encoded=%s limit=%s logs=%s\\n' \\
    "$id" "$pod" "$bytes" "$encoded" "$limit" "$logs"
  exit "$code"
fi
! time_of /tmp/started || printf '\\nmrunners-load v1 %s started=%s.%s' \\
  "$pod" "$seconds" "$micros"
begin="$id $pod bytes=$bytes sha256=$hash encoding=gzip+base64 encoded=$encoded"
end="$id sha256=$hash"
frame() {{
  printf '\\nmrunners-report begin v1 %s\\n' "$begin$2" || return
  cat "$1" || return
  printf '\\nmrunners-report end v1 %s\\n' "$end$3"
}}
if [ "$parts" -eq 1 ]; then
  fold -w {LINE_CHARACTERS} < /tmp/report.line > /tmp/report.body || none fold-failed
  frame /tmp/report.body "" ""
  exit "$code"
fi
size=$(( (lines + parts - 1) / parts * {LINE_CHARACTERS} ))
part=1
while [ "$part" -le "$parts" ]; do
  tail -c "+$(( (part - 1) * size + 1 ))" /tmp/report.line 2>/dev/null |
    head -c "$size" > /tmp/part.line || none head-failed
  length=$(( $(wc -c < /tmp/part.line) ))
  of_part=$(sha256sum < /tmp/part.line) || none sha256sum-failed
  fold -w {LINE_CHARACTERS} < /tmp/part.line > /tmp/part.body || none fold-failed
  frame /tmp/part.body " part=$part/$parts part-encoded=$length part-sha256=${{of_part%% *}}" \\
    " part=$part/$parts" > "/tmp/report-$part.frame" || none frame-failed
  part=$((part + 1))
done
writers=
part=2
while [ "$part" -le "$parts" ]; do
  cat "/tmp/report-$part.frame" > "/tmp/report-$part.pipe" &
  writers="$writers $!"
  part=$((part + 1))
done
{{ sleep {_PART_SECONDS}; kill $writers; }} >/dev/null 2>&1 &
watchdog=$!
cat /tmp/report-1.frame
for writer in $writers; do
  await "$writer"
done
kill "$watchdog" 2>/dev/null
exit "$code"
"""


def runner_command(mode: ReportMode) -> list[str]:
    """Return the `command` of the runner's container (kperf's image has no entrypoint).

    The framed form reads MRUNNERS_RUN_ID, MRUNNERS_JOB, MRUNNERS_POD, JOB_COMPLETION_INDEX,
    MRUNNERS_LOG_LIMIT_BYTES, MRUNNERS_REPORT_LOGS, MRUNNERS_START_AT (in seconds since the epoch)
    and MRUNNERS_START_DELAY (in seconds) from the environment, and writes only to /tmp. In both
    modes the container's exit code is kperf's.
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
