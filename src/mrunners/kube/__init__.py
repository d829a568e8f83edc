"""The layer between mrunners and Kubernetes: a Protocol, its records and the one real client.

A request passes through client (paths and pages), retry (what to try again), transport (HTTPS),
responses (what a status means) and objects (records from raw JSON).
"""
