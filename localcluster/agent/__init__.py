"""The agent: a kubelet that runs each container as a process of this machine."""

__all__: list[str] = []
