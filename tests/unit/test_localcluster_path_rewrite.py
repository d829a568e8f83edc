import pytest

from localcluster.agent.expansion import expand
from localcluster.agent.path_rewrite import rewrite_arguments, rewrite_paths

PATHS = {"/config": "/here/c", "/config/extra": "/here/x", "/tmp": "/here/t", "/kperf": "/b/kperf"}


@pytest.mark.parametrize(
    ("text", "replaced"),
    [
        ("/kperf", "/b/kperf"),
        ("--config=/config/load_profile.yaml", "--config=/here/c/load_profile.yaml"),
        ("/config/extra/a", "/here/x/a"),
        ("cat /config/a >/tmp/b 2>/tmp/c;/kperf", "cat /here/c/a >/here/t/b 2>/here/t/c;/b/kperf"),
        ("trap 'rm \"/tmp/x\"' TERM", "trap 'rm \"/here/t/x\"' TERM"),
        ("A=/tmp:/config", "A=/here/t:/here/c"),
        ("ls `/kperf` (/tmp) {/tmp,/config}", "ls `/b/kperf` (/here/t) {/here/t,/here/c}"),
        ("written to /tmp.", "written to /here/t."),
        ("${X:-/tmp}/y", "${X:-/here/t}/y"),
        ("curl -d @/tmp/x", "curl -d @/here/t/x"),
    ],
)
def test_a_path_of_the_container_is_replaced_by_a_local_path(text: str, replaced: str) -> None:
    assert rewrite_paths(text, PATHS) == replaced


@pytest.mark.parametrize(
    "text",
    [
        "/configs",
        "/config.yaml",
        "/config-map/a",
        "/etc/config",
        "./config",
        "../tmp",
        "~/tmp",
        "$HOME/tmp",
        "${HOME}/config",
        "$(pwd)/tmp",
        "http://host/kperf",
        "/kperf2",
        "/tmp_x",
        "a/tmp",
    ],
)
def test_text_that_only_resembles_a_path_of_the_container_is_kept(text: str) -> None:
    assert rewrite_paths(text, PATHS) == text


def test_a_replaced_path_is_not_replaced_again() -> None:
    assert rewrite_arguments(["/a /b"], {"/a": "/b", "/b": "/a"}) == ["/b /a"]


def test_without_paths_nothing_is_replaced() -> None:
    assert rewrite_paths("/tmp /", {"/": "/root"}) == "/tmp /"


@pytest.mark.parametrize(
    ("text", "expanded"),
    [
        ("$(A)", "1"),
        ("$(A)$(B)", "12"),
        ("$$(A)", "$(A)"),
        ("$(NONE)", "$(NONE)"),
        ("$A ${A} $", "$A ${A} $"),
        ("$$$(A)", "$1"),
        ("$(A", "$(A"),
    ],
)
def test_references_are_expanded_as_kubernetes_does(text: str, expanded: str) -> None:
    assert expand(text, {"A": "1", "B": "2"}) == expanded
