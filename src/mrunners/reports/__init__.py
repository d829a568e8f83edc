"""From the runners' logs to one merged report. Pure functions: no network, no clock, no files.

The way of the data: `runner_script` (what a pod runs) -> log -> `frame` or `plain_log` (the raw
JSON) -> `kperf_report` (a KperfReport) -> `outcomes` (one per planned pod) -> `budget` (what fits
into memory) -> `merge` -> `merged` (the MergedReport, which `render` shows).
"""
