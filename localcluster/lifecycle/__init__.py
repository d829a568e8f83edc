"""The life of a cluster: up, down, and what is recorded between; it must not know pods."""

__all__: list[str] = []
