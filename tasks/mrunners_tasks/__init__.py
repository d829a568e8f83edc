"""The steps of a run as Prefect tasks.

profiles (parse, load) -> jobs (tracker, Jobs, wait) -> reports (collect, merge, save); `runs` for
runs that exist already. A step is a name, retries, a cache policy and one call into the core.
"""
