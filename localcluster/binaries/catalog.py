"""The binaries that a local cluster consists of, and the flags that each is built with."""

from dataclasses import dataclass
from pathlib import Path

__all__ = ["BINARIES", "KUBERNETES_VERSION", "MODULES", "Binary", "binary_flags"]

KUBERNETES_VERSION = "v1.37.2"
MODULES = Path(__file__).resolve().parent.parent / "modules"

_STRIP = "-s -w"
_VERSION = "k8s.io/component-base/version"
_MAJOR, _MINOR, _ = KUBERNETES_VERSION.removeprefix("v").split(".")
# Without these flags the apiserver reports v0.0.0, and clients take it for a very old server.
_KUBERNETES_LDFLAGS = (
    f"{_STRIP} -X {_VERSION}.gitVersion={KUBERNETES_VERSION}"
    f" -X {_VERSION}.gitMajor={_MAJOR} -X {_VERSION}.gitMinor={_MINOR}"
)


@dataclass(frozen=True)
class Binary:
    """One program of a pinned Go module."""

    name: str
    module: str
    package: str
    # Duration of a first build without any cache (measured on two cores); shown as progress only.
    typical_seconds: int
    ldflags: str = _KUBERNETES_LDFLAGS
    # Kubelet hosts alone need it.
    for_kubelets: bool = False


BINARIES = (
    Binary("etcd", "kubernetes", "go.etcd.io/etcd/server/v3", 60),
    Binary("kwokctl", "kubernetes", "sigs.k8s.io/kwok/cmd/kwokctl", 70),
    Binary("kwok", "kubernetes", "sigs.k8s.io/kwok/cmd/kwok", 20),
    Binary("kube-apiserver", "kubernetes", "k8s.io/kubernetes/cmd/kube-apiserver", 420),
    Binary(
        "kube-controller-manager",
        "kubernetes",
        "k8s.io/kubernetes/cmd/kube-controller-manager",
        120,
    ),
    Binary("kube-scheduler", "kubernetes", "k8s.io/kubernetes/cmd/kube-scheduler", 30),
    Binary("kubectl", "kubernetes", "k8s.io/kubernetes/cmd/kubectl", 40),
    Binary("kperf", "kperf", "github.com/Azure/kperf/cmd/kperf", 120, _STRIP),
    Binary("kubelet", "kubernetes", "k8s.io/kubernetes/cmd/kubelet", 60, for_kubelets=True),
    Binary(
        "crane",
        "crane",
        "github.com/google/go-containerregistry/cmd/crane",
        15,
        _STRIP,
        for_kubelets=True,
    ),
)


def binary_flags(binary: Binary) -> tuple[str, ...]:
    """Return the flags of `go build`. They never vary, so that Go's own build cache is used."""
    return ("-trimpath", f"-ldflags={binary.ldflags}")
