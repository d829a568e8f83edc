"""The pinned binaries: what they are, and how they come into the cache; it must not start any."""

__all__: list[str] = []
