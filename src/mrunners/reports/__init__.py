"""From the logs of the runners to one merged report; pure: no network, no clock, no files.

It must not draw anything: that is for the views.

The way of the data: `runner_script` (what a pod runs) -> log -> `frame` or `plain_log` (the raw
JSON) -> `kperf_report` (a KperfReport) -> `outcomes` (one per planned pod) -> `merge` -> `merged`.
"""
