"""The control plane: etcd, apiserver, controller manager, scheduler and kwok."""

__all__: list[str] = []
