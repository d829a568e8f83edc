#!/usr/bin/env bash
# Runs a load test in a CI job, leaves its report in a folder, and exits with its verdict.
#
#   MRUNNERS_NAMESPACE=load MRUNNERS_RUNNER_IMAGE=ghcr.io/azure/kperf:0.3.5 \
#       MRUNNERS_RUNNERS='file:///etc/load.yaml?numbers=10' \
#       MRUNNERS_SLO=$'kubernetes\nerrors < 0.1%' deploy/ci/load-test.sh --replace
#
# Every option of `mrunners run` is an argument, or a variable MRUNNERS_…; the namespace must be the
# variable. MRUNNERS_SLO has one objective a line. The folder, REPORTS or mrunners-report, gets
# report.json, .html, .md, .xml (JUnit) and .prom (OpenMetrics); GitHub shows the Markdown as the
# summary of the job.
set -uo pipefail
: "${MRUNNERS_NAMESPACE:?set it to the namespace of the Jobs}"
reports="${REPORTS:-mrunners-report}"
mkdir -p "$reports" || exit
rm -f "$reports"/report.{json,html,md,xml,prom}

tracker=$(mrunners run --wait "$@")
code=$?
# Only these have a report: complete, incomplete, an unmet objective, in doubt.
case "$code" in 0 | 5 | 8 | 9) ;; *) exit "$code" ;; esac

for output in json:json html:html markdown:md junit:xml openmetrics:prom; do
    # Its exit code is the same verdict once more.
    mrunners result --quiet --tracker "$tracker" --output "${output%:*}" \
        --output-file "$reports/report.${output#*:}" 2> /dev/null
    [ -s "$reports/report.${output#*:}" ] || echo "no report.${output#*:}" >&2
done
[ -z "${GITHUB_STEP_SUMMARY:-}" ] || cat "$reports/report.md" >> "$GITHUB_STEP_SUMMARY"
exit "$code"
