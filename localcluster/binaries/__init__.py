"""The pinned binaries: the catalog, and the build into the cache."""

__all__: list[str] = []
