import re
import ssl
import time
import urllib.error
import urllib.request

import pytest

from tests.localcluster.env import LocalCluster, script, wait_for

STAMPED = re.compile(r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}Z (.*)$")


@pytest.fixture(scope="module")
def told(cluster: LocalCluster) -> str:
    """A pod that said 100 lines and one on stderr, and has ended."""
    cluster.apply(script("told", "seq 1 100; sleep 0.2; echo error >&2; printf unfinished"))
    cluster.phase("told", "Succeeded")
    return "told"


def test_stdout_and_stderr_are_one_log(cluster: LocalCluster, told: str) -> None:
    lines = cluster.kubectl("logs", told).splitlines()
    assert lines == [*map(str, range(1, 101)), "error", "unfinished"]


def test_timestamps_stand_before_each_line(cluster: LocalCluster, told: str) -> None:
    lines = cluster.kubectl("logs", told, "--timestamps").splitlines()
    assert [STAMPED.fullmatch(line)[1] for line in lines[-2:]] == ["error", "unfinished"]  # type: ignore[index]


def test_tail_lines_and_limit_bytes_cut_the_log(cluster: LocalCluster, told: str) -> None:
    assert cluster.kubectl("logs", told, "--tail=3") == "100\nerror\nunfinished"
    assert cluster.kubectl("logs", told, "--tail=0") == ""
    assert cluster.kubectl("logs", told, "--limit-bytes=5") == "1\n2\n3"


def test_since_leaves_out_what_is_older(cluster: LocalCluster, told: str) -> None:
    time.sleep(1.1)
    assert cluster.kubectl("logs", told, "--since=1s") == ""
    assert len(cluster.kubectl("logs", told, "--since=1h").splitlines()) == 102


def test_follow_goes_on_until_the_end(cluster: LocalCluster) -> None:
    cluster.apply(script("slow", "for i in 1 2 3; do echo $i; sleep 0.5; done"))
    cluster.phase("slow", "Running", "Succeeded")
    assert cluster.kubectl("logs", "slow", "--follow") == "1\n2\n3\n"


def test_what_has_no_log_is_refused_as_a_kubelet_does(cluster: LocalCluster, told: str) -> None:
    said = cluster.kubectl("logs", told, "--previous", code=1)
    assert 'previous terminated container "main"' in said
    said = cluster.kubectl("logs", told, "-c", "other", code=1)
    assert "container other is not valid for pod told" in said
    cluster.apply(script("waits", "exit 0", securityContext={"runAsNonRoot": True}))
    cluster.waiting("waits", "CreateContainerConfigError")
    said = cluster.kubectl("logs", "waits", code=1)
    assert "is waiting to start: CreateContainerConfigError" in said


def test_logs_are_served_to_the_apiserver_only(cluster: LocalCluster, told: str) -> None:
    node = cluster.get("node", cluster.pod(told)["spec"]["nodeName"])
    port = node["status"]["daemonEndpoints"]["kubeletEndpoint"]["Port"]
    client = ssl.create_default_context()
    client.check_hostname, client.verify_mode = False, ssl.CERT_NONE
    url = f"https://127.0.0.1:{port}/containerLogs/default/{told}"
    with pytest.raises((urllib.error.URLError, ssl.SSLError, ConnectionError)):
        urllib.request.urlopen(f"{url}/main", context=client, timeout=5)
    pki = cluster.folder / "kwok" / "clusters" / cluster.name / "pki"
    client.load_cert_chain(pki / "admin.crt", pki / "admin.key")
    with urllib.request.urlopen(f"{url}/main", context=client, timeout=5) as answer:
        assert answer.read().startswith(b"1\n2\n")
    with pytest.raises(urllib.error.HTTPError, match="404"):
        urllib.request.urlopen(f"{url}/other", context=client, timeout=5)


def test_a_long_line_comes_back_whole(cluster: LocalCluster) -> None:
    cluster.apply(script("long", "head -c 100000 /dev/zero | tr '\\0' x; echo; echo after"))
    cluster.phase("long", "Succeeded")
    assert cluster.kubectl("logs", "long") == "x" * 100_000 + "\nafter\n"


def test_a_deleted_pods_files_are_removed(cluster: LocalCluster) -> None:
    cluster.apply(script("brief", "exit 0"))
    uid = cluster.phase("brief", "Succeeded")["metadata"]["uid"]
    folder = cluster.folder / "pods" / uid
    assert folder.is_dir()
    cluster.kubectl("delete", "pod", "brief")
    wait_for(lambda: {"there": folder.exists()}, lambda seen: not seen["there"])
