from pathlib import Path

import pytest

from localcluster.agent.images import image_table, is_valid_name, parse_image_option
from localcluster.agent.problems import ConfigError
from localcluster.agent.security import check_user
from localcluster.errors import UsageError

KPERF = "ghcr.io/azure/kperf:0.3.5"


def test_kperf_is_known_and_users_may_add_images() -> None:
    table = image_table(Path("/bin"), ["x.test/a:1=/a:/files/a", "x.test/a:1=/b:/files/b"])
    assert {name: dict(image.files) for name, image in table.items()} == {
        KPERF: {"/kperf": "/bin/kperf"},
        "x.test/a:1": {"/a": "/files/a", "/b": "/files/b"},
    }


@pytest.mark.parametrize("option", ["", "a", "a=/x", "a=x:/f", "A B=/x:/f", "a=/x:"])
def test_an_image_option_of_another_form_is_refused(option: str) -> None:
    with pytest.raises(UsageError, match="NAME=/PATH/IN/IMAGE:LOCAL-FILE"):
        parse_image_option(option)


@pytest.mark.parametrize(
    "name",
    ["busybox", "a/b:c", KPERF, "host:5000/a", "localhost/a_b__c", f"a@sha256:{'0' * 64}"],
)
def test_what_a_runtime_can_read_is_valid(name: str) -> None:
    assert is_valid_name(name)


@pytest.mark.parametrize(
    "name", ["", "A/B", "a::b", "a b", "a:", "/a", "a/", "a@b", "-a", "https://a/b"]
)
def test_what_a_runtime_cannot_read_is_not(name: str) -> None:
    assert not is_valid_name(name)


@pytest.mark.parametrize(
    ("shared", "own", "refused"),
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
def test_root_is_refused_where_a_kubelet_refuses_it(
    shared: dict[str, object], own: dict[str, object], refused: str | None
) -> None:
    pod = {
        "metadata": {"name": "p", "namespace": "n", "uid": "u"},
        "spec": {"securityContext": shared},
    }
    container = {"name": "c", "securityContext": own}
    image = image_table(Path("/bin"))[KPERF]
    if refused is None:
        check_user(pod, container, image)
        return
    with pytest.raises(ConfigError, match=refused):
        check_user(pod, container, image)
