"""A real Kubernetes cluster on this machine: a control plane, and nodes that run processes.

The product never imports it: mrunners does not know which cluster it talks to.
"""

__all__: list[str] = []
