"""Identify and signal the processes of a cluster, and no others."""

__all__: list[str] = []
