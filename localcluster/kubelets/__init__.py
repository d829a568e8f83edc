"""Kubelet hosts: nodes with a real kubelet, a containerd and a network for their pods."""

__all__: list[str] = []
