"""Where the trouble of a run is: each module looks at one question and gives frozen records.

It must not touch kperf's own figures, and must not hold a copy of the samples: they stay in the
pods' arrays.

The way of the data: outcomes -> `stats` (one pod's numbers) -> `nodes`, `stragglers`,
`error_classes`, `throughput`, `starts` -> `findings` (sentences for people).
"""
