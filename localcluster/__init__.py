"""A real Kubernetes on this machine: etcd and the control plane, with hosts that run processes.

It must not be imported by the product: mrunners never knows which cluster it talks to.
"""

__all__: list[str] = []
