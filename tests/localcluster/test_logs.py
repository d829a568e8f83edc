import re
import ssl
import time
import urllib.error
import urllib.request

import pytest

from tests.localcluster.env import LocalCluster, script_pod, wait_for

STAMPED = re.compile(r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}Z (.*)$")


@pytest.fixture(scope="module")
def finished(cluster: LocalCluster) -> str:
    """A pod that has written 100 lines to stdout and one to stderr, and has ended."""
    cluster.apply(script_pod("finished", "seq 1 100; sleep 0.2; echo error >&2; printf unfinished"))
    cluster.wait_for_phase("finished", "Succeeded")
    return "finished"


def test_stdout_and_stderr_are_one_log(cluster: LocalCluster, finished: str) -> None:
    lines = cluster.kubectl("logs", finished).splitlines()
    assert lines == [*map(str, range(1, 101)), "error", "unfinished"]


def test_each_line_begins_with_a_timestamp(cluster: LocalCluster, finished: str) -> None:
    lines = cluster.kubectl("logs", finished, "--timestamps").splitlines()
    assert [STAMPED.fullmatch(line)[1] for line in lines[-2:]] == ["error", "unfinished"]  # type: ignore[index]


def test_tail_lines_and_limit_bytes_cut_the_log(cluster: LocalCluster, finished: str) -> None:
    assert cluster.kubectl("logs", finished, "--tail=3") == "100\nerror\nunfinished"
    assert cluster.kubectl("logs", finished, "--tail=0") == ""
    assert cluster.kubectl("logs", finished, "--limit-bytes=5") == "1\n2\n3"


def test_since_omits_older_lines(cluster: LocalCluster, finished: str) -> None:
    time.sleep(1.1)
    assert cluster.kubectl("logs", finished, "--since=1s") == ""
    assert len(cluster.kubectl("logs", finished, "--since=1h").splitlines()) == 102


def test_follow_ends_with_the_container(cluster: LocalCluster) -> None:
    cluster.apply(script_pod("slow", "for i in 1 2 3; do echo $i; sleep 0.5; done"))
    cluster.wait_for_phase("slow", "Running", "Succeeded")
    assert cluster.kubectl("logs", "slow", "--follow") == "1\n2\n3\n"


def test_without_a_log_the_error_is_the_one_of_a_kubelet(
    cluster: LocalCluster, finished: str
) -> None:
    message = cluster.kubectl("logs", finished, "--previous", code=1)
    assert 'previous terminated container "main"' in message
    message = cluster.kubectl("logs", finished, "-c", "other", code=1)
    assert "container other is not valid for pod finished" in message
    cluster.apply(script_pod("waits", "exit 0", securityContext={"runAsNonRoot": True}))
    cluster.wait_for_reason("waits", "CreateContainerConfigError")
    message = cluster.kubectl("logs", "waits", code=1)
    assert "is waiting to start: CreateContainerConfigError" in message


def test_logs_are_served_to_the_apiserver_only(cluster: LocalCluster, finished: str) -> None:
    node = cluster.get("node", cluster.pod(finished)["spec"]["nodeName"])
    port = node["status"]["daemonEndpoints"]["kubeletEndpoint"]["Port"]
    client = ssl.create_default_context()
    client.check_hostname, client.verify_mode = False, ssl.CERT_NONE
    url = f"https://127.0.0.1:{port}/containerLogs/default/{finished}"
    with pytest.raises((urllib.error.URLError, ssl.SSLError, ConnectionError)):
        urllib.request.urlopen(f"{url}/main", context=client, timeout=5)
    pki = cluster.folder / "kwok" / "clusters" / cluster.name / "pki"
    client.load_cert_chain(pki / "admin.crt", pki / "admin.key")
    with urllib.request.urlopen(f"{url}/main", context=client, timeout=5) as response:
        assert response.read().startswith(b"1\n2\n")
    with pytest.raises(urllib.error.HTTPError, match="404"):
        urllib.request.urlopen(f"{url}/other", context=client, timeout=5)


def test_a_long_line_is_returned_in_one_piece(cluster: LocalCluster) -> None:
    cluster.apply(script_pod("long", "head -c 100000 /dev/zero | tr '\\0' x; echo; echo after"))
    cluster.wait_for_phase("long", "Succeeded")
    assert cluster.kubectl("logs", "long") == "x" * 100_000 + "\nafter\n"


def test_the_files_of_a_deleted_pod_are_deleted(cluster: LocalCluster) -> None:
    cluster.apply(script_pod("brief", "exit 0"))
    pod = cluster.wait_for_phase("brief", "Succeeded")
    host = cluster.folder / "hosts" / pod["spec"]["nodeName"]
    folder = host / "pods" / pod["metadata"]["uid"]
    assert folder.is_dir()
    cluster.kubectl("delete", "pod", "brief")
    wait_for(folder.exists, lambda exists: not exists)
