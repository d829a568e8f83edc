"""The steps of a run as Prefect tasks, one file per step, in the order of the flow.

parsing -> loading -> tracking -> creating -> waiting -> collecting -> merging. A task is a name,
retries, a cache policy and one call into the core.
"""
