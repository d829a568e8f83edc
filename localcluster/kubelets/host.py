"""The files and daemons of one kubelet host: a containerd and a kubelet."""

import json
import re
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import yaml

from localcluster.console import last_lines
from localcluster.errors import PlaneError
from localcluster.kubelets.namespaces import Namespaces
from localcluster.kubelets.network import bridge_name, node_address, pod_subnet
from localcluster.processes.identity import Identity

__all__ = ["HostSettings", "KubeletHost"]

PAUSE_IMAGE = "registry.k8s.io/pause:3.10"
HOST_LABEL = "localcluster.mrunners.dev/host=kubelet"


@dataclass(frozen=True)
class HostSettings:
    """What all kubelet hosts of a cluster share.

    Attributes:
        control_group: The path of the cluster's.
        server: The URL of the API server.
        pki: The folder of the cluster's certificates.
        registry_port: Of the registry that all images come from.
        bin_folder: The built binaries.
        cni_folder: The CNI plugins.
        log_limit_bytes: The size at which a kubelet rotates a container's log.
        eviction_hard: Signals and thresholds; a kubelet evicts pods beyond them.
    """

    control_group: str
    server: str
    pki: Path
    registry_port: int
    bin_folder: Path
    cni_folder: Path
    log_limit_bytes: int
    eviction_hard: Mapping[str, str]


@dataclass(frozen=True)
class KubeletHost:
    """One node.

    Attributes:
        number: Counted from 1.
        folder: The host's own folder.
    """

    number: int
    folder: Path

    @property
    def name(self) -> str:
        """The name of the node."""
        return f"kubelet-{self.number}"

    @property
    def certificate(self) -> Path:
        """The kubelet's client certificate and key."""
        return self.folder / "client.pem"

    @property
    def run_folder(self) -> Path:
        """Another path of `folder`, which only the namespaces have.

        A socket's path has at most 107 characters; the kubelet's are deep in its root folder.
        """
        return Path("/run") / self.name

    @property
    def socket(self) -> Path:
        """The socket of its containerd."""
        return self.run_folder / "containerd.sock"

    def last_error(self) -> str:
        """Return the last error that the kubelet logged, or nothing."""
        try:
            lines = (self.folder / "kubelet.log").read_text(errors="replace").splitlines()
        except OSError:
            return ""
        # klog begins each line with its severity and the date.
        return next((line for line in reversed(lines) if re.match(r"[EF]\d{4} ", line)), "")

    def changed(self, settings: HostSettings) -> set[str]:
        """Return the programs, `containerd` or `kubelet`, whose configuration is another one.

        Args:
            settings: What all hosts share.
        """
        return {
            program
            for name, (program, text) in self._files(settings).items()
            if not (path := self.folder / name).exists() or path.read_text() != text
        }

    def write_files(self, settings: HostSettings) -> None:
        """Write the configuration of both daemons; those that run must have ended before.

        Args:
            settings: What all hosts share.
        """
        for name in ("cni", "containerd", "containerd-state", "kubelet", "logs", "certs"):
            (self.folder / name).mkdir(parents=True, exist_ok=True)
        for name, (_, text) in self._files(settings).items():
            path = self.folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)

    def _files(self, settings: HostSettings) -> dict[str, tuple[str, str]]:
        """Return which program reads each file, and what is in it."""
        url = f"http://127.0.0.1:{settings.registry_port}"
        # Whatever registry an image names, it is looked for in this one and in no other.
        mirror = f'server = "{url}"\n[host."{url}"]\n  capabilities = ["pull", "resolve"]\n'
        return {
            "registries/_default/hosts.toml": ("containerd", mirror),
            "containerd.toml": ("containerd", self._containerd(settings)),
            "cni/10-pods.conflist": ("containerd", json.dumps(self._cni(), indent=1)),
            "resolv.conf": ("kubelet", "nameserver 10.0.0.10\n"),
            "kubelet.yaml": ("kubelet", yaml.safe_dump(self._kubelet(settings))),
            "kubeconfig": ("kubelet", yaml.safe_dump(self._kubeconfig(settings))),
        }

    def start_containerd(self, namespaces: Namespaces) -> Identity:
        """Start containerd and wait until it answers.

        Args:
            namespaces: Of the cluster.

        Raises:
            PlaneError: It does not answer within 20 s.
        """
        log = self.folder / "containerd.log"
        command = ["containerd", "--config", str(self.folder / "containerd.toml")]
        identity = namespaces.start(command, self.folder, log)
        deadline = time.monotonic() + 20
        while True:
            try:
                namespaces.run("ctr", "--address", str(self.socket), "version")
            except PlaneError as error:
                if time.monotonic() > deadline:
                    raise PlaneError(f"{error}; {last_lines(log)}") from error
                time.sleep(0.1)
            else:
                return identity

    def start_kubelet(self, namespaces: Namespaces, settings: HostSettings) -> Identity:
        """Start the kubelet, which registers the node by itself.

        Args:
            namespaces: Of the cluster.
            settings: What all hosts share.
        """
        command = [
            str(settings.bin_folder / "kubelet"),
            f"--config={self.folder / 'kubelet.yaml'}",
            f"--kubeconfig={self.folder / 'kubeconfig'}",
            f"--root-dir={self.run_folder / 'kubelet'}",
            f"--cert-dir={self.folder / 'certs'}",
            f"--hostname-override={self.name}",
            f"--node-ip={node_address(self.number)}",
            f"--node-labels={HOST_LABEL}",
            "--v=2",
        ]
        return namespaces.start(command, self.folder, self.folder / "kubelet.log")

    def _containerd(self, settings: HostSettings) -> str:
        return f"""\
version = 2
root = "{self.folder / "containerd"}"
state = "{self.folder / "containerd-state"}"
disabled_plugins = [
  "io.containerd.internal.v1.opt",
  "io.containerd.snapshotter.v1.aufs",
  "io.containerd.snapshotter.v1.btrfs",
  "io.containerd.snapshotter.v1.devmapper",
  "io.containerd.snapshotter.v1.zfs",
]
[grpc]
  address = "{self.socket}"
[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "{PAUSE_IMAGE}"
  # Without CAP_SYS_RESOURCE, runc could not set the values that a kubelet asks for.
  restrict_oom_score_adj = true
  [plugins."io.containerd.grpc.v1.cri".cni]
    bin_dir = "{settings.cni_folder}"
    conf_dir = "{self.folder / "cni"}"
  [plugins."io.containerd.grpc.v1.cri".registry]
    config_path = "{self.folder / "registries"}"
"""

    def _cni(self) -> dict[str, object]:
        return {
            "cniVersion": "0.4.0",
            "name": f"pods-{self.number}",
            "plugins": [
                {
                    "type": "bridge",
                    "bridge": bridge_name(self.number),
                    "isGateway": True,
                    "ipam": {
                        "type": "host-local",
                        "dataDir": str(self.folder / "addresses"),
                        "ranges": [[{"subnet": pod_subnet(self.number)}]],
                        "routes": [{"dst": "0.0.0.0/0"}],
                    },
                }
            ],
        }

    def _kubelet(self, settings: HostSettings) -> dict[str, object]:
        return {
            "apiVersion": "kubelet.config.k8s.io/v1beta1",
            "kind": "KubeletConfiguration",
            "address": node_address(self.number),
            "healthzBindAddress": node_address(self.number),
            "authentication": {
                "anonymous": {"enabled": False},
                "webhook": {"enabled": True},
                "x509": {"clientCAFile": str(settings.pki / "ca.crt")},
            },
            "authorization": {"mode": "Webhook"},
            "containerRuntimeEndpoint": f"unix://{self.socket}",
            "podLogsDir": str(self.folder / "logs"),
            "cgroupDriver": "cgroupfs",
            "cgroupRoot": f"{settings.control_group}/{self.name}",
            "failCgroupV1": False,
            "failSwapOn": False,
            "enforceNodeAllocatable": [],
            # No DNS server listens there. Without the setting, each pod gets a warning.
            "clusterDNS": ["10.0.0.10"],
            "clusterDomain": "cluster.local",
            # That of this machine may be a link into a folder that the namespaces do not have.
            "resolvConf": str(self.folder / "resolv.conf"),
            # Rather fail than change the kernel's settings for the whole machine.
            "protectKernelDefaults": True,
            "volumePluginDir": str(self.folder / "volume-plugins"),
            "containerLogMaxSize": str(settings.log_limit_bytes),
            "evictionHard": dict(settings.eviction_hard),
        }

    def _kubeconfig(self, settings: HostSettings) -> dict[str, object]:
        pem = str(self.certificate)
        cluster = {
            "server": settings.server,
            "certificate-authority": str(settings.pki / "ca.crt"),
        }
        return {
            "apiVersion": "v1",
            "kind": "Config",
            "clusters": [{"name": "cluster", "cluster": cluster}],
            "users": [{"name": "node", "user": {"client-certificate": pem, "client-key": pem}}],
            "contexts": [{"name": "node", "context": {"cluster": "cluster", "user": "node"}}],
            "current-context": "node",
        }
