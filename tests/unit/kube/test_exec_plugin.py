"""Exec plugins: real programs, and what their failures mean."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import yaml

from mrunners.errors import (
    ClusterError,
    InvalidInputError,
    MrunnersError,
    UnauthorizedError,
    UnreachableError,
)
from mrunners.kube.exec_plugin import PluginTimeoutError
from mrunners.kube.plugin_process import PluginProcess
from mrunners.kube.retry import request_deadline
from tests.cluster.commands import has_ended, until
from tests.unit.kube.apiserver import ApiServer, Client, listed, refuses, serving
from tests.unit.kube.certificates import Authority, encoded

V1 = "client.authentication.k8s.io/v1"
LATER, EARLIER = "2999-01-01T00:00:00Z", "2001-01-01T00:00:00Z"


@pytest.fixture
def api() -> Iterator[ApiServer]:
    with serving() as server:
        yield server


def plugin(code: str, **fields: object) -> dict[str, object]:
    """Return the user of a kubeconfig whose plugin runs some Python."""
    entry = {"apiVersion": V1, "command": sys.executable, "args": ["-c", code]}
    return {"exec": {**entry, **fields}}


def prints(status: Mapping[str, object], api_version: str = V1) -> str:
    credential = {"apiVersion": api_version, "kind": "ExecCredential", "status": dict(status)}
    return f"print({json.dumps(credential)!r})"


def problem(api: ApiServer, folder: Path, user: Mapping[str, object]) -> MrunnersError:
    """Return why there are no credentials; nothing is sent then."""
    kubeconfig = api.kubeconfig(folder, **user)
    with pytest.raises(MrunnersError) as caught:
        Client(kubeconfig)
    assert api.received == []
    return caught.value


@pytest.mark.parametrize("version", ["v1", "v1beta1"])
def test_requests_have_the_plugins_token(api: ApiServer, tmp_path: Path, version: str) -> None:
    api_version = f"client.authentication.k8s.io/{version}"
    api.answers.append(listed("Job"))
    code = prints({"token": "from-plugin\n"}, api_version)
    client = Client(api.kubeconfig(tmp_path, **plugin(code, apiVersion=api_version)))
    assert client.list_jobs("load", "") == []
    assert [request.token for request in api.received] == ["from-plugin"]


def test_requests_have_the_plugins_certificate(tmp_path: Path) -> None:
    authority = Authority()
    context = authority.server_context(
        tmp_path, authority.issue("server", "127.0.0.1"), clients=True
    )
    me = authority.issue("me")
    status = {"clientCertificateData": me.pem.decode(), "clientKeyData": me.key_pem.decode()}
    with serving(context) as api:
        api.answers.append(listed("Job"))
        trust = {"certificate-authority-data": authority.data}
        client = Client(api.kubeconfig(tmp_path, trust, **plugin(prints(status))))
        assert client.list_jobs("load", "") == []


def test_a_plugin_learns_of_the_cluster_only_if_it_wants_to(api: ApiServer, tmp_path: Path) -> None:
    code = (
        "import json, os; open('seen', 'a').write(os.environ['KUBERNETES_EXEC_INFO'] + chr(10));"
        f"os.environ['ADDED'] == 'yes' and {prints({'token': 't'})}"
    ).replace("'seen'", repr(str(tmp_path / "seen")))
    authority = encoded(Authority().pair.pem)
    extension = {"name": "client.authentication.k8s.io/exec", "extension": {"audience": "x"}}
    cluster = {"certificate-authority-data": authority, "extensions": [extension]}
    added = [{"name": "ADDED", "value": "yes"}]
    for wants in (True, False):
        user = plugin(code, env=added, provideClusterInfo=wants, interactiveMode="Never")
        Client(api.kubeconfig(tmp_path, cluster, **user))
    known = {
        "server": api.url,
        "certificate-authority-data": authority,
        "config": {"audience": "x"},
    }
    assert [json.loads(line) for line in (tmp_path / "seen").read_text().splitlines()] == [
        {
            "apiVersion": V1,
            "kind": "ExecCredential",
            "spec": {"interactive": False, "cluster": known},
        },
        {"apiVersion": V1, "kind": "ExecCredential", "spec": {"interactive": False}},
    ]


def test_a_relative_command_is_beside_the_kubeconfig(
    api: ApiServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = tmp_path / "bin" / "login"
    program.parent.mkdir()
    program.write_text(f"#!{sys.executable}\n{prints({'token': 'beside'})}\n")
    program.chmod(0o700)
    monkeypatch.chdir("/")
    api.answers.append(listed("Job"))
    user = {"exec": {"apiVersion": V1, "command": "bin/login"}}
    Client(api.kubeconfig(tmp_path, **user)).list_jobs("load", "")
    assert api.received[0].token == "beside"


def test_a_plugin_that_fails_is_reported_with_its_last_line_and_nothing_is_sent(
    api: ApiServer, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    user = {
        "exec": {"apiVersion": V1, "command": "sh", "args": ["-c", "echo expired >&2; exit 255"]}
    }
    error = problem(api, tmp_path, user)
    assert (type(error), str(error)) == (
        UnauthorizedError,
        f"kubeconfig {tmp_path}/kubeconfig: its exec plugin 'sh' failed (exit 255): expired; sign "
        "in again, or run the plugin by hand to see why",
    )
    assert capfd.readouterr() == ("", "")


def test_all_lines_of_a_plugin_that_fails_with_several_are_shown(
    api: ApiServer, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    user = plugin("import sys; sys.exit('Traceback:\\n  why\\nKeyError')")
    error = problem(api, tmp_path, user)
    assert "failed (exit 1): KeyError; " in str(error)
    assert capsys.readouterr().err == "Traceback:\n  why\nKeyError\n"


def test_a_plugin_that_is_not_installed_is_invalid_input_with_its_hint(
    api: ApiServer, tmp_path: Path
) -> None:
    entry = {"apiVersion": V1, "command": "no-such-login"}
    missing = problem(api, tmp_path, {"exec": entry})
    hinted = problem(api, tmp_path, {"exec": {**entry, "installHint": "get it\nhere"}})
    start = f"kubeconfig {tmp_path}/kubeconfig: its exec plugin 'no-such-login' is not installed"
    assert (type(missing), str(missing), str(hinted)) == (
        InvalidInputError,
        f"{start}; install it, or set PATH",
        f"{start}; get it here",
    )


@pytest.mark.parametrize(
    ("code", "told"),
    [
        ("print('token: secret')", "did not print JSON"),
        ("print('[' * 100_000)", "did not print JSON"),
        ("", "did not print JSON"),
        ("print('[\"secret\"]')", "did not print an ExecCredential with a status"),
        ('print(\'{"token": "secret"}\')', "did not print an ExecCredential with a status"),
        (prints({"token": "secret"}, "x/v2"), "printed an ExecCredential of another apiVersion"),
        (prints({}), "printed neither a token nor a certificate with its key"),
        (prints({"clientKeyData": "secret"}), "printed neither a token nor a certificate"),
        (prints({"token": "s", "expirationTimestamp": "secret"}), "expirationTimestamp that is no"),
        (prints({"token": "sec ret"}), "the token of the exec plugin contains characters that are"),
        (
            prints({"clientCertificateData": "secret", "clientKeyData": "secret"}),
            "clientCertificateData of the exec plugin",
        ),
    ],
)
def test_an_answer_that_is_no_credential_is_invalid_input_and_never_quoted(
    tmp_path: Path, code: str, told: str
) -> None:
    with serving() as api:
        api.url = "https://127.0.0.1:1"
        error = problem(api, tmp_path, plugin(code))
    assert isinstance(error, InvalidInputError)
    assert str(error).startswith(f"kubeconfig {tmp_path}/kubeconfig: ")
    assert told in str(error)
    assert "secret" not in str(error)


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ({"apiVersion": "client.authentication.k8s.io/v1alpha1"}, "has the apiVersion"),
        ({"command": ""}, "the exec plugin of user 'me' has no command"),
        ({"interactiveMode": "Sometimes"}, "has the interactiveMode 'Sometimes'"),
        ({"interactiveMode": "Always"}, "needs a terminal (interactiveMode is Always)"),
        ({"args": "x"}, "args of the exec plugin of user 'me' is not a list"),
        ({"env": [{"value": "x"}]}, "env of the exec plugin of user 'me' holds an item without"),
        ({"args": ["\x00"]}, "cannot be started: its arguments are not strings"),
    ],
)
def test_an_entry_that_kubectl_would_refuse_is_invalid_input(
    api: ApiServer, tmp_path: Path, fields: Mapping[str, object], told: str
) -> None:
    error = problem(api, tmp_path, plugin(prints({"token": "t"}), **fields))
    assert isinstance(error, InvalidInputError)
    assert told in str(error)


@pytest.mark.parametrize("child", ["sleep 1000", "sh -c 'trap \"\" TERM; sleep 1000'"])
def test_a_plugin_that_waits_for_a_person_is_shown_and_then_ended(
    api: ApiServer,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    child: str,
) -> None:
    for name in ("hold_seconds", "patient_seconds"):
        monkeypatch.setattr(PluginProcess, name, 0.2)
    monkeypatch.setattr(PluginProcess, "limit_seconds", 2.0)
    pid = tmp_path / "pid"
    script = f"echo open https://example/device >&2; {child} & echo $! >{pid}; wait"
    user = {"exec": {"apiVersion": V1, "command": "sh", "args": ["-c", script]}}
    kubeconfig = api.kubeconfig(tmp_path, **user)
    warnings: list[str] = []
    with pytest.raises(ClusterError) as caught:
        _Warned(kubeconfig, warnings)
    shown = f"kubeconfig {kubeconfig}: its exec plugin 'sh'"
    assert warnings == [f"{shown} may ask for a sign-in; waiting for it for up to 2s"]
    assert str(caught.value) == (
        f"{shown} did not end within 2s: open https://example/device; sign in first, or use "
        "credentials that need no person"
    )
    assert capsys.readouterr().err == "open https://example/device\n"
    until("the plugin's child has ended", lambda: has_ended(int(pid.read_text())), 10)


class _Warned(Client):
    """A client whose warnings can be seen though it could not be made."""

    def __init__(self, kubeconfig: str, warnings: list[str]) -> None:
        super(Client, self).__init__(kubeconfig, warn=warnings.append)


def counting(folder: Path, *, expires: str) -> dict[str, object]:
    """Return a user whose plugin gives another token each time it runs."""
    code = (
        f"import json, pathlib; p = pathlib.Path({str(folder / 'runs')!r});"
        "n = len(p.read_text()) if p.exists() else 0; p.write_text('x' * (n + 1));"
        f"s = dict(token=f't{{n}}', expirationTimestamp={expires!r});"
        f"print(json.dumps(dict(apiVersion={V1!r}, kind='ExecCredential', status=s)))"
    )
    return plugin(code)


def test_a_plugin_runs_once_until_its_credentials_expire(api: ApiServer, tmp_path: Path) -> None:
    api.answers.extend([listed("Job")] * 4)
    for expires in (LATER, EARLIER):
        client = Client(api.kubeconfig(tmp_path, **counting(tmp_path, expires=expires)))
        client.list_jobs("load", "")
        client.list_jobs("load", "")
    assert [request.token for request in api.received] == ["t0", "t0", "t2", "t3"]


def test_a_plugin_runs_again_when_the_server_refuses_its_token(
    api: ApiServer, tmp_path: Path
) -> None:
    api.answers.extend([refuses(401), listed("Job")])
    client = Client(api.kubeconfig(tmp_path, **counting(tmp_path, expires=LATER)))
    assert client.list_jobs("load", "") == []
    assert [request.token for request in api.received] == ["t0", "t1"]


def test_a_plugin_that_fails_in_mid_run_is_an_outage(api: ApiServer, tmp_path: Path) -> None:
    # Most plugins need the network that is away as well.
    code = (
        f"import pathlib, sys; p = pathlib.Path({str(tmp_path / 'runs')!r});"
        "n = len(p.read_text()) if p.exists() else 0; p.write_text('x' * (n + 1));"
        f"n in (1, 2) and sys.exit('no route'); {prints({'token': 't'})}"
    )
    api.answers.extend([listed("Job"), refuses(401), listed("Job")])
    client = Client(api.kubeconfig(tmp_path, **plugin(code)))
    client.list_jobs("load", "")
    api.answers.appendleft(refuses(401))
    assert client.list_jobs("load", "") == []
    first, last = client.warnings
    assert "failed (exit 1): no route; " in first
    assert last.startswith("the API server is back after ")


def signing_in(folder: Path) -> dict[str, object]:
    """Return a user whose plugin waits for a person from its second run on."""
    code = (
        f"import pathlib, time; p = pathlib.Path({str(folder / 'runs')!r});"
        "n = len(p.read_text()) if p.exists() else 0; p.write_text('x' * (n + 1));"
        f"n and time.sleep(1000); {prints({'token': 't'})}"
    )
    return plugin(code)


def runs(folder: Path) -> int:
    return len((folder / "runs").read_text())


def test_a_plugin_is_ended_at_the_deadline_of_the_caller(api: ApiServer, tmp_path: Path) -> None:
    api.answers.extend([listed("Job"), refuses(401)])
    kubeconfig = api.kubeconfig(tmp_path, **signing_in(tmp_path))
    client = Client(kubeconfig)
    client.list_jobs("load", "")
    with request_deadline(time.monotonic() + 0.5, time.monotonic):
        for ask in (lambda: client.list_jobs("load", ""), lambda: Client(kubeconfig)):
            with pytest.raises(UnreachableError, match="did not end within 1s; sign in first"):
                ask()


def test_nobody_is_asked_twice_to_sign_in_during_an_outage(
    api: ApiServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(PluginProcess, "limit_seconds", 3.0)
    api.answers.extend([listed("Job"), refuses(401), refuses(401)])
    client = Client(api.kubeconfig(tmp_path, **signing_in(tmp_path)))
    client.list_jobs("load", "")
    with ThreadPoolExecutor(2) as threads:
        first = threads.submit(client.list_jobs, "load", "")
        while runs(tmp_path) < 2:
            time.sleep(0.01)
        second = threads.submit(client.list_jobs, "load", "")
        for request in (first, second):
            assert isinstance(request.exception(), PluginTimeoutError)
    assert runs(tmp_path) == 2


def test_the_plugins_arguments_do_not_show_in_a_kubeconfigs_error(
    api: ApiServer, tmp_path: Path
) -> None:
    path = Path(api.kubeconfig(tmp_path, **plugin("x", env=[{"name": "S", "value": "secret"}])))
    document = yaml.safe_load(path.read_text())
    document["users"][0]["user"]["exec"]["apiVersion"] = "x"
    path.write_text(yaml.safe_dump(document))
    with pytest.raises(InvalidInputError) as caught:
        Client(str(path))
    assert "secret" not in str(caught.value)
