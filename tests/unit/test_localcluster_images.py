from pathlib import Path

import pytest

from localcluster.agent.container_errors import ConfigError, StartError, start_failure
from localcluster.agent.container_start import find_program
from localcluster.agent.images import (
    Image,
    full_reference,
    image_table,
    is_valid_name,
    parse_image_option,
)
from localcluster.agent.security import validate_user
from localcluster.errors import UsageError

KPERF = "ghcr.io/azure/kperf:0.3.5"
SCRATCH = "ghcr.io/azure/kperf-scratch:0.3.5"


def test_the_table_contains_kperf_and_the_images_of_the_options() -> None:
    table = image_table(Path("/bin"), ["x.test/a:1=/a:/files/a", "x.test/a:1=/b:/files/b"])
    kperf = {"/kperf": "/bin/kperf"}
    assert table == {
        KPERF: Image(KPERF, kperf),
        "ghcr.io/azure/kperf-busybox:0.3.5": Image("ghcr.io/azure/kperf-busybox:0.3.5", kperf),
        SCRATCH: Image(SCRATCH, kperf, shell=False),
        "x.test/a:1": Image("x.test/a:1", {"/a": "/files/a", "/b": "/files/b"}),
    }


@pytest.mark.parametrize(
    ("name", "reference"),
    [
        ("busybox", "docker.io/library/busybox:latest"),
        ("a/b:1", "docker.io/a/b:1"),
        ("host:5000/a", "host:5000/a:latest"),
        ("localhost/a", "localhost/a:latest"),
        (KPERF, KPERF),
        (f"a@sha256:{'0' * 64}", f"docker.io/library/a@sha256:{'0' * 64}"),
    ],
)
def test_a_reference_has_registry_and_tag_as_in_messages_of_containerd(
    name: str, reference: str
) -> None:
    assert full_reference(name) == reference


def test_an_image_without_a_shell_has_only_its_own_files_and_mounts(tmp_path: Path) -> None:
    (tmp_path / "kperf").touch()
    path = str(tmp_path / "kperf")
    variables = {"PATH": "/bin"}
    assert find_program(path, "/kperf", variables, tmp_path, shell=False) == path
    for requested, reason in (
        ("/bin/sh", "stat /bin/sh: no such file or directory"),
        ("sh", "executable file not found in $PATH"),
    ):
        assert find_program(requested, requested, variables, tmp_path) == "/bin/sh"
        with pytest.raises(StartError) as caught:
            find_program(requested, requested, variables, tmp_path, shell=False)
        assert str(caught.value) == start_failure(requested, reason)
        assert str(caught.value).endswith(f': exec: "{requested}": {reason}: unknown')


@pytest.mark.parametrize("option", ["", "a", "a=/x", "a=x:/f", "A B=/x:/f", "a=/x:"])
def test_an_image_option_in_another_format_is_rejected(option: str) -> None:
    with pytest.raises(UsageError, match="NAME=/PATH/IN/IMAGE:LOCAL-FILE"):
        parse_image_option(option)


@pytest.mark.parametrize(
    "name",
    ["busybox", "a/b:c", KPERF, "host:5000/a", "localhost/a_b__c", f"a@sha256:{'0' * 64}"],
)
def test_a_reference_that_a_runtime_can_parse_is_valid(name: str) -> None:
    assert is_valid_name(name)


@pytest.mark.parametrize(
    "name", ["", "A/B", "a::b", "a b", "a:", "/a", "a/", "a@b", "-a", "https://a/b"]
)
def test_a_reference_that_a_runtime_cannot_parse_is_invalid(name: str) -> None:
    assert not is_valid_name(name)


@pytest.mark.parametrize(
    ("pod_context", "container_context", "message"),
    [
        ({}, {}, None),
        ({"runAsNonRoot": True, "runAsUser": 1}, {}, None),
        ({"runAsNonRoot": True}, {"runAsUser": 1}, None),
        ({"runAsNonRoot": True}, {"runAsNonRoot": False}, None),
        ({"runAsNonRoot": True}, {}, "image will run as root"),
        ({}, {"runAsNonRoot": True, "runAsUser": 0}, "breaks non-root policy"),
        ({"runAsUser": 1}, {"runAsNonRoot": True, "runAsUser": 0}, "breaks non-root policy"),
    ],
)
def test_root_is_rejected_where_a_kubelet_rejects_it(
    pod_context: dict[str, object], container_context: dict[str, object], message: str | None
) -> None:
    pod = {
        "metadata": {"name": "p", "namespace": "n", "uid": "u"},
        "spec": {"securityContext": pod_context},
    }
    container = {"name": "c", "securityContext": container_context}
    image = image_table(Path("/bin"))[KPERF]
    if message is None:
        validate_user(pod, container, image)
        return
    with pytest.raises(ConfigError, match=message):
        validate_user(pod, container, image)
