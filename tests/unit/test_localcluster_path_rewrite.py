import pytest

from localcluster.agent.expansion import expand
from localcluster.agent.path_rewrite import replace_paths, replace_words

PLACES = {"/config": "/here/c", "/config/extra": "/here/x", "/tmp": "/here/t", "/kperf": "/b/kperf"}


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
def test_a_path_of_the_container_becomes_one_of_this_machine(text: str, replaced: str) -> None:
    assert replace_paths(text, PLACES) == replaced


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
def test_what_only_looks_like_it_stays(text: str) -> None:
    assert replace_paths(text, PLACES) == text


def test_a_replaced_path_is_not_replaced_again() -> None:
    assert replace_words(["/a /b"], {"/a": "/b", "/b": "/a"}) == ["/b /a"]


def test_without_places_nothing_changes() -> None:
    assert replace_paths("/tmp /", {"/": "/root"}) == "/tmp /"


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
