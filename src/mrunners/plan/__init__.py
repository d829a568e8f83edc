"""The plan of a run: records and manifests, built by pure functions before anything is created.

`option_table` and `options` are what a user can set, `planning` makes a plan of it, `tracker` and
`job` make the manifests, and `metadata` has the names, labels and annotations.
"""
