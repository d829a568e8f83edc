"""The run, decided: records and manifests, built by pure functions before anything is created.

The way of the data: plan -> tracker (the ConfigMap that owns all) -> job (one Job per runner).
"""
