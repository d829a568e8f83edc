"""Kubeconfigs: which one counts, which context, and errors that name the place."""

import base64
from collections.abc import Mapping
from pathlib import Path

import pytest
import yaml

from mrunners.errors import InvalidInputError, UnauthorizedError
from mrunners.kube import endpoint
from mrunners.kube.client import KubernetesCluster
from mrunners.kube.kubeconfig import Kubeconfig, KubeconfigSource, read_context
from mrunners.kube.session import Session, SessionOpener
from tests.fakes import Raw
from tests.unit.kube.certificates import Authority

GOOD: Raw = {
    "current-context": "here",
    "contexts": [{"name": "here", "context": {"cluster": "here", "user": "me"}}],
    "clusters": [{"name": "here", "cluster": {"server": "http://127.0.0.1:1"}}],
    "users": [{"name": "me", "user": {"token": "t"}}],
}


def problem(kubeconfig: str) -> str:
    with pytest.raises(InvalidInputError) as caught:
        KubernetesCluster(kubeconfig, warn=print)
    (line,) = caught.value.problems
    return line


def test_a_missing_file_is_invalid(tmp_path: Path) -> None:
    assert problem(f"{tmp_path}/none") == f"kubeconfig {tmp_path}/none: no such file"


@pytest.mark.parametrize(
    "content",
    [
        "a: [",
        "",
        "words",
        "[]",
        "{}",
        yaml.safe_dump({**GOOD, "current-context": ""}),
        yaml.safe_dump({key: value for key, value in GOOD.items() if key != "current-context"}),
        yaml.safe_dump({**GOOD, "current-context": "elsewhere"}),
        yaml.safe_dump({**GOOD, "clusters": None}),
        yaml.safe_dump({**GOOD, "clusters": "x"}),
        yaml.safe_dump({**GOOD, "clusters": [{"name": "here"}]}),
        yaml.safe_dump({**GOOD, "contexts": [{"name": "here", "context": {"cluster": "other"}}]}),
        "\x00",
    ],
)
def test_the_error_about_a_broken_file_is_one_line_that_names_it(
    tmp_path: Path, content: str
) -> None:
    path = tmp_path / "config"
    path.write_text(content)
    line = problem(str(path))
    assert line.startswith(f"kubeconfig {path}: ")
    assert "\n" not in line


def test_a_file_that_is_not_text_is_invalid(tmp_path: Path) -> None:
    path = tmp_path / "config"
    path.write_bytes(b"\xff\xfe\xff")
    assert problem(str(path)).startswith(f"kubeconfig {path}: ")


def test_having_no_kubeconfig_at_all_is_invalid(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("KUBERNETES_SERVICE_HOST", raising=False)
    monkeypatch.delenv("KUBECONFIG", raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    assert "give the path of another one" in problem("")


def test_nothing_is_sent_before_the_first_call(tmp_path: Path) -> None:
    path = tmp_path / "config"
    path.write_text(yaml.safe_dump(GOOD))
    assert KubernetesCluster(str(path), warn=print).traffic == {}


def test_a_context_that_does_not_exist_is_named(tmp_path: Path) -> None:
    path = tmp_path / "config"
    path.write_text(yaml.safe_dump(GOOD))
    with pytest.raises(InvalidInputError) as caught:
        KubernetesCluster(str(path), "staging", warn=print)
    assert str(caught.value) == (
        f"context 'staging' does not exist in kubeconfig {path}; list the contexts with: "
        "kubectl config get-contexts"
    )


def document(name: str, **cluster: object) -> Raw:
    """Return a kubeconfig whose context, cluster and user have one name."""
    return {
        "current-context": name,
        "contexts": [{"name": name, "context": {"cluster": name, "user": name}}],
        "clusters": [{"name": name, "cluster": {"server": f"http://{name}", **cluster}}],
        "users": [{"name": name, "user": {"token": f"token-of-{name}"}}],
    }


def written(path: Path, content: object) -> str:
    path.parent.mkdir(exist_ok=True)
    path.write_text(yaml.safe_dump(content))
    return str(path)


def opened(environ: Mapping[str, str], kubeconfig: str = "", context: str = "") -> Session:
    return SessionOpener(kubeconfig, context, environ, print).open()


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "home"
    folder.mkdir()
    monkeypatch.setenv("HOME", str(folder))
    return folder


@pytest.fixture
def pod(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """The environment of a pod with a token; its kubelet has written the token with a newline."""
    folder = tmp_path / "serviceaccount"
    folder.mkdir()
    (folder / "token").write_text("of-the-pod\n")
    (folder / "ca.crt").write_bytes(Authority().pair.pem)
    monkeypatch.setattr(endpoint, "POD_FOLDER", folder)
    monkeypatch.setattr("mrunners.kube.authentication.POD_FOLDER", folder)
    return {"KUBERNETES_SERVICE_HOST": "10.0.0.1", "KUBERNETES_SERVICE_PORT": "443"}


def test_the_pods_token_is_used_only_where_there_is_no_kubeconfig(
    pod: dict[str, str], home: Path, tmp_path: Path
) -> None:
    given = written(tmp_path / "given", document("given"))
    named = {**pod, "KUBECONFIG": written(tmp_path / "named", document("named"))}
    servers = [opened(pod).endpoint.server]
    written(home / ".kube" / "config", document("default"))
    servers += [
        opened(environ, *words).endpoint.server
        for environ, words in (
            (pod, ()),
            (named, ()),
            (named, (given,)),
            (named, ("", "named")),
        )
    ]
    assert servers == [
        "https://10.0.0.1:443",
        "http://default",
        "http://named",
        "http://given",
        "http://named",
    ]


def test_the_pods_token_is_sent_without_its_newline(pod: dict[str, str], home: Path) -> None:
    session = opened(pod)
    assert session.credentials.headers == (("Authorization", "Bearer of-the-pod"),)
    assert (session.credentials.from_file, session.location.context) == (True, "")


def test_a_pod_has_an_address_of_either_family(pod: dict[str, str], home: Path) -> None:
    assert opened({**pod, "KUBERNETES_SERVICE_HOST": "fd00::1"}).endpoint.server == (
        "https://[fd00::1]:443"
    )


def test_a_context_that_is_named_is_never_looked_for_in_the_pod(
    pod: dict[str, str], home: Path
) -> None:
    with pytest.raises(InvalidInputError, match=r"^kubeconfig ~/.kube/config: no such file"):
        opened(pod, context="staging")


def test_a_variable_that_names_no_file_is_no_reason_to_load_the_pods_own_cluster(
    pod: dict[str, str], home: Path, tmp_path: Path
) -> None:
    paths = f"{tmp_path}/one:{tmp_path}/two"
    with pytest.raises(InvalidInputError) as caught:
        opened({**pod, "KUBECONFIG": paths})
    assert str(caught.value) == f"kubeconfig {tmp_path}/one: no such file"


def test_files_are_merged_and_the_first_to_say_something_wins(tmp_path: Path) -> None:
    first = {**document("a"), "current-context": ""}
    second = {**document("b"), "clusters": document("b", proxy="x")["clusters"]}
    also_a = {**document("a"), "users": [{"name": "a", "user": {"token": "late"}}]}
    paths = [
        written(tmp_path / "1" / "config", first),
        f"{tmp_path}/missing",
        written(tmp_path / "2" / "config", second),
        written(tmp_path / "3" / "config", also_a),
    ]
    environ = {"KUBECONFIG": ":".join(paths)}
    current, named = read_context("", "", environ), read_context("", "a", environ)
    assert current is not None
    assert named is not None
    assert (current.name, current.cluster.folder) == ("b", tmp_path / "2")
    assert named.user.content == {"token": "token-of-a"}


def test_a_file_that_is_not_yaml_is_reported_with_its_line(tmp_path: Path) -> None:
    path = tmp_path / "config"
    path.write_text("apiVersion: v1\nclusters: [{name: c\nusers: []\n")
    assert problem(str(path)) == (
        f"kubeconfig {path}: it is not YAML: line 3, column 6: expected ',' or '}}', but got ':'; "
        "give the path of another one"
    )


@pytest.mark.parametrize(
    "content", ["x: 2026-99-99", "[" * 1000, "&a [*a]", "!!python/x y", "\x07"]
)
def test_odd_yaml_is_no_bug_of_ours(tmp_path: Path, content: str) -> None:
    path = tmp_path / "config"
    path.write_text(content)
    assert problem(str(path)).startswith(f"kubeconfig {path}: ")


def test_a_folder_and_a_path_that_is_none_are_invalid(tmp_path: Path) -> None:
    assert problem(str(tmp_path)) == (
        f"kubeconfig {tmp_path}: it cannot be read: is a directory; give the path of another one"
    )
    assert problem("a\x00b").startswith("kubeconfig a\x00b: it cannot be read: ")


@pytest.mark.parametrize(
    ("server", "url"),
    [
        ("http://Api:8080/", "http://api:8080"),
        ("https://api/k8s/clusters/c-1/", "https://api/k8s/clusters/c-1"),
        ("https://me:secret@api", "https://api"),
        ("api:6443", "http://api:6443"),
        (" https://[fd00::1]:6443 ", "https://[fd00::1]:6443"),
    ],
)
def test_a_servers_url_is_read_as_kubectl_reads_it(tmp_path: Path, server: str, url: str) -> None:
    path = written(tmp_path / "config", document("a", server=server))
    assert opened({}, path).endpoint.server == url


def test_a_server_without_a_scheme_has_tls_if_certificates_are_spoken_of(tmp_path: Path) -> None:
    content = document("a", **{"server": "api:6443", "insecure-skip-tls-verify": True})
    assert opened({}, written(tmp_path / "config", content)).endpoint.server == "https://api:6443"


@pytest.mark.parametrize("server", ["https://exa mple:6443", "ftp://api", "https://", "a:b:c", ""])
def test_a_server_that_is_no_url_is_named(tmp_path: Path, server: str) -> None:
    path = written(tmp_path / "config", document("a", server=server))
    assert problem(path).startswith(f"kubeconfig {path}: ")
    assert "cluster 'a'" in problem(path)


@pytest.mark.parametrize(
    ("user", "headers"),
    [
        ({"token": "of-me\n"}, [("Authorization", "Bearer of-me")]),
        ({"tokenFile": "token"}, [("Authorization", "Bearer of-file")]),
        ({"token": "of-me", "tokenFile": "token"}, [("Authorization", "Bearer of-file")]),
        ({"username": "me", "password": 123}, [("Authorization", "Basic bWU6MTIz")]),
        ({}, []),
        (
            {
                "token": "t",
                "as": "jane",
                "as-uid": "7",
                "as-groups": ["a", "b"],
                "as-user-extra": {"scope": ["x"]},
            },
            [
                ("Authorization", "Bearer t"),
                ("Impersonate-User", "jane"),
                ("Impersonate-Uid", "7"),
                ("Impersonate-Group", "a"),
                ("Impersonate-Group", "b"),
                ("Impersonate-Extra-scope", "x"),
            ],
        ),
    ],
)
def test_a_user_becomes_headers(
    tmp_path: Path, user: dict[str, object], headers: list[tuple[str, str]]
) -> None:
    (tmp_path / "token").write_text("\n of-file \n")
    content = {**document("a"), "users": [{"name": "a", "user": user}]}
    session = opened({}, written(tmp_path / "config", content))
    assert list(session.credentials.headers) == headers


@pytest.mark.parametrize(
    ("user", "told"),
    [
        (
            {"token": "sec\nret"},
            "token of user 'a' contains characters that are not allowed in a token",
        ),
        (
            {"token": "secrét"},
            "token of user 'a' contains characters that are not allowed in a token",
        ),
        ({"tokenFile": "/none/token"}, "tokenFile of user 'a': /none/token: no such file or"),
        (
            {"tokenFile": "config"},
            "tokenFile of user 'a' contains characters that are not allowed in a token",
        ),
        ({"token": ["secret"]}, "token of user 'a' is not a string"),
        ({"exec": "secret"}, "exec of user 'a' is not a mapping"),
        ({"client-key-data": "c2VjcmV0"}, "user 'a' has a client-key and no client-certificate"),
        ({"as-groups": ["x"]}, "user 'a' impersonates a group or UID without a user"),
        ({"as": "j\nane"}, "user 'a' impersonates a name that no HTTP header can hold"),
        ({"as": "jane", "as-groups": "x"}, "as-groups of user 'a' is not a list"),
        ({"auth-provider": {"name": "gcp"}}, "user 'a' has the auth-provider 'gcp', which"),
    ],
)
def test_a_broken_user_is_named_and_never_quoted(
    tmp_path: Path, user: dict[str, object], told: str
) -> None:
    content = {**document("a"), "users": [{"name": "a", "user": user}]}
    path = written(tmp_path / "config", content)
    assert problem(path).startswith(f"kubeconfig {path}: {told}")
    assert "secret" not in problem(path)


def test_a_user_of_the_old_oidc_provider_has_its_id_token(tmp_path: Path) -> None:
    claims = base64.urlsafe_b64encode(b'{"exp":32503680000}').decode().rstrip("=")
    token = f"head.{claims}.signature"
    user = {"auth-provider": {"name": "oidc", "config": {"id-token": token}}}
    content = {**document("a"), "users": [{"name": "a", "user": user}]}
    session = opened({}, written(tmp_path / "config", content))
    assert session.credentials.headers == (("Authorization", f"Bearer {token}"),)


@pytest.mark.parametrize("config", [{}, {"id-token": "secret"}, {"id-token": 1}, None])
def test_an_oidc_provider_without_a_token_asks_to_sign_in(tmp_path: Path, config: object) -> None:
    user = {"auth-provider": {"name": "oidc", "config": config}}
    content = {**document("a"), "users": [{"name": "a", "user": user}]}
    path = written(tmp_path / "config", content)
    with pytest.raises(UnauthorizedError, match=r"gave no token \(.*\); sign in again$") as caught:
        opened({}, path)
    assert "secret" not in str(caught.value)


def test_switching_the_current_context_moves_no_running_wait(tmp_path: Path) -> None:
    both = {
        key: value if key == "current-context" else [*value, *document("b")[key]]
        for key, value in document("a").items()
    }
    path = written(tmp_path / "config", both)
    opener = SessionOpener(path, "", {}, print)
    first = opener.open()
    written(tmp_path / "config", {**both, "current-context": "b"})
    renewed = opener.renew(first)
    assert (renewed.endpoint.server, renewed.pool is first.pool) == ("http://a", True)
    assert opener.open().endpoint.server == "http://b"


def test_a_kubeconfig_that_appears_in_a_pod_moves_no_running_wait(
    pod: dict[str, str], home: Path
) -> None:
    opener = SessionOpener("", "", pod, print)
    first = opener.open()
    written(home / ".kube" / "config", document("default"))
    assert opener.renew(first).endpoint == first.endpoint


def test_a_source_says_which_context_to_use() -> None:
    both = {**document("a"), "contexts": [*document("a")["contexts"], *document("b")["contexts"]]}
    both["clusters"] = [*both["clusters"], *document("b")["clusters"]]
    both["users"] = [*both["users"], *document("b")["users"]]
    source = KubeconfigSource("block:///x/y", lambda: Kubeconfig(both, "b"))
    contexts = [read_context(source, name, {}) for name in ("", "a")]
    assert [context.name for context in contexts if context] == ["b", "a"]
