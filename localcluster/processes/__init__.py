"""Processes that are ours, recognised beyond doubt; it must not act on a name alone."""

__all__: list[str] = []
