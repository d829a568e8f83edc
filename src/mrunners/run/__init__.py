"""What acts on a cluster, by the decisions of the pure packages.

preflight -> create -> wait (fetch, as pods end) -> collect -> result; delete at any time.
`mrunners.connection` puts these functions together for callers.
"""
