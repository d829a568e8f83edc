"""What went wrong in a run and where; each module answers one question with frozen records.

kperf's own figures stay as they are, and the samples stay in the pods' arrays.

The way of the data: outcomes -> `pod_stats` (the figures of each pod) -> `stragglers`,
`node_summaries`, `error_classes`, `throughput`, `start_skew` -> `findings` (sentences for people).
`analyze` calls them in this order.
"""
