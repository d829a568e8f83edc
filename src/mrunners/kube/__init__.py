"""The border to Kubernetes: a Protocol, the records that come back, and the one real client.

The way of a request: client (paths, pages) -> patience (retries) -> transport (HTTPS) -> answers
(what a status means) -> seen (raw JSON to records).
"""
