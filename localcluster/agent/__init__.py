"""The agent: what a kubelet does for pods, with plain processes; it knows nothing of `up`."""

__all__: list[str] = []
