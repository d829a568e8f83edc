"""The control plane: etcd, apiserver, controllers, scheduler, kwok; it knows no process host."""

__all__: list[str] = []
