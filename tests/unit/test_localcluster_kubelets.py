"""What kubelet hosts need, and how they are configured; tests/kubelet runs them."""

from __future__ import annotations

import datetime
import socket
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import NameOID

from localcluster.errors import UsageError
from localcluster.kubelets import requirements
from localcluster.kubelets.certificates import write_client_certificate
from localcluster.kubelets.control_groups import control_group
from localcluster.kubelets.host import HostSettings, KubeletHost
from localcluster.kubelets.network import node_address, pod_subnet
from localcluster.paths import ClusterFolder

NOW = datetime.datetime(2026, 1, 2, tzinfo=datetime.UTC)


def test_what_a_machine_lacks_is_told_at_once_with_how_to_install_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("os.geteuid", lambda: 1000)
    monkeypatch.setattr("shutil.which", lambda name, path: None)
    monkeypatch.setattr(requirements, "_CNI_FOLDERS", ())
    with pytest.raises(UsageError) as caught:
        requirements.require_kubelet_hosts({})
    assert str(caught.value) == (
        "this machine cannot run kubelet hosts: they need root, for namespaces, mounts and control "
        "groups; programs are missing; on Debian: apt-get install --no-install-recommends apt "
        "busybox-static containerd containernetworking-plugins dpkg iproute2 nftables runc "
        "util-linux"
    )


def settings(folder: Path, log_limit_bytes: int = 1 << 20) -> HostSettings:
    return HostSettings(
        control_group="/localcluster-one-0123abcd",
        server="https://127.0.0.1:6443",
        pki=folder,
        registry_port=5000,
        bin_folder=folder,
        cni_folder=folder,
        log_limit_bytes=log_limit_bytes,
        eviction_hard={"memory.available": "100Mi"},
    )


def test_a_daemon_starts_again_only_when_its_configuration_has_changed(tmp_path: Path) -> None:
    host = KubeletHost(2, tmp_path / "2")
    assert host.changed(settings(tmp_path)) == {"containerd", "kubelet"}
    host.write_files(settings(tmp_path))
    assert host.changed(settings(tmp_path)) == set()
    assert host.changed(settings(tmp_path, log_limit_bytes=1 << 21)) == {"kubelet"}


def test_a_kubelet_has_addresses_and_a_control_group_of_its_own(tmp_path: Path) -> None:
    host = KubeletHost(2, tmp_path / "2")
    host.write_files(settings(tmp_path))
    written = yaml.safe_load((host.folder / "kubelet.yaml").read_text())
    assert (host.name, written["address"]) == ("kubelet-2", node_address(2))
    assert written["cgroupRoot"] == "/localcluster-one-0123abcd/kubelet-2"
    assert written["protectKernelDefaults"] is True
    assert Path(written["resolvConf"]).read_text() == "nameserver 10.0.0.10\n"
    assert written["containerLogMaxSize"] == "1048576"
    assert pod_subnet(2) in (host.folder / "cni" / "10-pods.conflist").read_text()


def test_clusters_of_one_name_in_two_state_folders_have_control_groups_of_their_own(
    tmp_path: Path,
) -> None:
    one, other = (ClusterFolder("same", tmp_path / name / "same") for name in ("a", "b"))
    groups = {control_group(one), control_group(other)}
    assert len(groups) == 2
    assert all(group.startswith("/localcluster-same-") for group in groups)
    assert control_group(one, "kubelet-1") == f"{control_group(one)}/kubelet-1"


@pytest.mark.parametrize("kind", ["STATE", "CACHE"])
def test_a_folder_that_the_namespaces_would_hide_is_refused(kind: str) -> None:
    variable = f"MRUNNERS_LOCALCLUSTER_{kind}"
    told = rf"/run/user/0/mrunners is in /run, of which .* set {variable} to another folder"
    with pytest.raises(UsageError, match=told):
        requirements.require_kubelet_hosts({variable: "/run/user/0/mrunners"})


def test_cni_plugins_that_the_namespaces_would_hide_do_not_count(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for plugin in ("bridge", "host-local", "loopback"):
        (tmp_path / plugin).touch()
    monkeypatch.setattr(requirements, "_CNI_FOLDERS", (tmp_path,))
    assert requirements.cni_plugins() == tmp_path
    monkeypatch.setattr(requirements, "PRIVATE_FOLDERS", (tmp_path.parent,))
    assert requirements.cni_plugins() is None


def test_a_relay_whose_port_is_taken_does_not_say_that_it_listens() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        relay = subprocess.run(
            [sys.executable, "-m", "localcluster", "relay", "--port", port, "--holder", "1"],
            capture_output=True,
            text=True,
            check=False,
        )
    assert relay.returncode != 0
    assert relay.stdout == ""
    assert "Address already in use" in relay.stderr


def test_no_socket_of_a_host_has_a_path_as_long_as_its_folders(tmp_path: Path) -> None:
    host = KubeletHost(2, tmp_path / ("deep" * 50) / "2")
    assert str(host.socket) == "/run/kubelet-2/containerd.sock"


def test_the_last_error_of_a_kubelet_is_known_when_its_logs_are_deleted(tmp_path: Path) -> None:
    host = KubeletHost(2, tmp_path)
    assert host.last_error() == ""
    lines = ["I1127 04:00:00 begin", "E1127 04:00:01 one", "F1127 04:00:02 two", "goroutine 1"]
    (tmp_path / "kubelet.log").write_text("\n".join(lines))
    assert host.last_error() == "F1127 04:00:02 two"


def test_a_kubelets_certificate_is_the_nodes_and_signed_by_the_cluster(tmp_path: Path) -> None:
    authority = rsa.generate_private_key(65537, 2048)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "authority")])
    administrator = (
        x509.CertificateBuilder()
        .subject_name(x509.Name([]))
        .issuer_name(name)
        .public_key(authority.public_key())
        .serial_number(1)
        .not_valid_before(NOW)
        .not_valid_after(NOW + datetime.timedelta(days=1))
        .sign(authority, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    (tmp_path / "admin.crt").write_bytes(administrator.public_bytes(pem))
    (tmp_path / "ca.key").write_bytes(
        authority.private_bytes(
            pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
    )
    target = tmp_path / "client.pem"
    write_client_certificate(tmp_path, "kubelet-1", target, NOW)
    certificate = x509.load_pem_x509_certificate(target.read_bytes())
    assert certificate.subject.rfc4514_string() == "CN=system:node:kubelet-1,O=system:nodes"
    assert certificate.issuer == name
    assert target.stat().st_mode & 0o777 == 0o600
    key = serialization.load_pem_private_key(target.read_bytes(), None)
    assert key.public_key() == certificate.public_key()
