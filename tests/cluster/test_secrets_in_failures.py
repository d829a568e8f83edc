"""Commands fail with secrets in their kubeconfig or environment, and show none of them."""

from __future__ import annotations

import base64
import json
import socket
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
import yaml

from tests.cluster.commands import Finished, Mrunners
from tests.cluster.credentials import kubeconfig_of
from tests.cluster.env import Env, NewEnv
from tests.cluster.planted import Planted, leaks, outputs, written_into
from tests.unit.kube.certificates import Authority, encoded

Change = Callable[[Planted, dict[str, Any], dict[str, Any]], None]
"""Changes the user and the cluster of a kubeconfig."""


def _closed_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as closed_soon:
        port: int = closed_soon.getsockname()[1]
    return port


def _token(planted: Planted, user: dict[str, Any], _: dict[str, Any]) -> None:
    user["token"] = planted.new("token")


def _token_of_two_lines(planted: Planted, user: dict[str, Any], _: dict[str, Any]) -> None:
    user["token"] = f"{planted.new('token')}\n{planted.new('second line')}"


def _token_in_a_list(planted: Planted, user: dict[str, Any], _: dict[str, Any]) -> None:
    user["token"] = [planted.new("token")]


def _password(planted: Planted, user: dict[str, Any], _: dict[str, Any]) -> None:
    user |= {"username": "me", "password": planted.new("password")}


def _key_that_is_none(planted: Planted, user: dict[str, Any], _: dict[str, Any]) -> None:
    user["client-certificate-data"] = encoded(Authority().issue("me").pem)
    user["client-key-data"] = base64.b64encode(planted.new("key").encode()).decode()


def _key_that_is_no_base64(planted: Planted, user: dict[str, Any], _: dict[str, Any]) -> None:
    user |= {"client-certificate-data": "AA==", "client-key-data": f"!{planted.new('key')}"}


def _refused(planted: Planted, user: dict[str, Any], cluster: dict[str, Any]) -> None:
    _token(planted, user, cluster)
    cluster["server"] = f"https://127.0.0.1:{_closed_port()}"


def _server_with_a_password(
    planted: Planted, user: dict[str, Any], cluster: dict[str, Any]
) -> None:
    _token(planted, user, cluster)
    password = quote(planted.new("server"), safe="")
    cluster["server"] = cluster["server"].replace("https://", f"https://me:{password}@")


def _proxy_that_is_not_there(
    planted: Planted, user: dict[str, Any], cluster: dict[str, Any]
) -> None:
    _token(planted, user, cluster)
    password = quote(planted.new("proxy-url"), safe="")
    cluster["proxy-url"] = f"http://me:{password}@127.0.0.1:{_closed_port()}"


def _proxy_that_is_none(planted: Planted, user: dict[str, Any], cluster: dict[str, Any]) -> None:
    _token(planted, user, cluster)
    cluster["proxy-url"] = f"ftp://me:{planted.new('proxy-url')}@proxy"


def _untrusted(planted: Planted, user: dict[str, Any], cluster: dict[str, Any]) -> None:
    _token(planted, user, cluster)
    cluster["certificate-authority-data"] = Authority().data


def _plugin(code: str) -> Change:
    def change(planted: Planted, user: dict[str, Any], _: dict[str, Any]) -> None:
        user["exec"] = {
            "apiVersion": "client.authentication.k8s.io/v1",
            "interactiveMode": "Never",
            "command": sys.executable,
            "args": ["-c", code, planted.new("argument")],
            "env": [{"name": "PASSWORD", "value": planted.new("environment")}],
        }

    return change


# What the kubeconfig says, and how each command ends with it.
CASES: dict[str, tuple[Change, int]] = {
    "401 for a token": (_token, 7),
    "a token of two lines": (_token_of_two_lines, 2),
    "a token in a list": (_token_in_a_list, 2),
    "401 for a password": (_password, 7),
    "a key that is none": (_key_that_is_none, 2),
    "a key that is no Base64": (_key_that_is_no_base64, 2),
    "a connection that is refused": (_refused, 7),
    "a server's URL with a password": (_server_with_a_password, 7),
    "a proxy that is not there": (_proxy_that_is_not_there, 7),
    "a proxy that is none": (_proxy_that_is_none, 2),
    "a certificate that is not trusted": (_untrusted, 7),
    "a plugin that prints what it knows": (
        _plugin("import os, sys; print(sys.argv[1], os.environ['PASSWORD'])"),
        2,
    ),
    "a plugin that fails": (_plugin("import sys; sys.exit(1)"), 7),
}


@dataclass(frozen=True)
class Failure:
    """What a command printed that failed with secrets in its kubeconfig."""

    planted: Planted
    done: Finished
    written: dict[str, bytes]


@pytest.fixture(scope="module")
def failures(new_env: NewEnv) -> Iterator[dict[str, Failure]]:
    """All of them at once, since some try again until they give up."""
    with new_env("failing") as env:
        started = {}
        base = yaml.safe_load(kubeconfig_of(env, "mrunners").read_text())
        for number, (name, (change, _)) in enumerate(CASES.items()):
            planted, config = Planted(), json.loads(json.dumps(base))
            config["users"][0]["user"] = {}
            change(planted, config["users"][0]["user"], config["clusters"][0]["cluster"])
            folder = env.folder / str(number)
            folder.mkdir()
            kubeconfig = env.folder / f"kubeconfig-{number}"
            kubeconfig.write_text(json.dumps(config))
            mrunners = _in(folder, env.mrunners, kubeconfig)
            started[name] = planted, folder, mrunners.start("status", env.namespace)
        yield {
            name: Failure(planted, command.finish(), written_into(folder, without=set()))
            for name, (planted, folder, command) in started.items()
        }


def _in(folder: Path, mrunners: Mrunners, kubeconfig: Path) -> Mrunners:
    return mrunners.with_environ(
        HOME=str(folder),
        TMPDIR=str(folder),
        XDG_STATE_HOME=str(folder / "state"),
        PREFECT_HOME=str(folder / "prefect"),
        KUBECONFIG=str(kubeconfig),
    )


@pytest.mark.parametrize("name", CASES)
def test_a_command_that_fails_shows_no_secret(failures: dict[str, Failure], name: str) -> None:
    failure = failures[name]
    assert (failure.done.code, failure.done.stdout) == (CASES[name][1], ""), failure.done
    assert failure.done.stderr.splitlines()[-1].startswith("error: ")
    assert failure.planted.words
    assert leaks(failure.planted, outputs(failure.done) | failure.written) == {}


def test_a_kubeconfig_that_is_taken_for_a_load_profile_or_is_no_yaml_shows_nothing(
    env: Env,
) -> None:
    planted = Planted()
    config = yaml.safe_load(kubeconfig_of(env, "mrunners").read_text())
    token = planted.add("token", config["users"][0]["user"]["token"])
    broken = env.folder / "broken"
    broken.write_text(f"users:\n- user: {{token: {token}\n{planted.new('key')}: [")
    profile = f"file://{env.folder}/kubeconfig-mrunners?numbers=1"
    user_info = f"https://me:{planted.new('URI')}@host/load.yaml?numbers=1"
    commands = [
        env.run(profile, f"file://{broken}?numbers=1", user_info),
        env.run(env.quick(), options=["--kubeconfig", str(broken)]),
    ]
    assert [done.code for done in commands] == [2, 2], commands
    assert leaks(planted, outputs(*commands)) == {}


def test_a_prefect_server_that_is_not_there_is_named_without_its_password(env: Env) -> None:
    planted = Planted()
    password = quote(planted.new("PREFECT_API_URL"), safe="")
    mrunners = env.mrunners.with_environ(
        PREFECT_API_URL=f"http://me:{password}@127.0.0.1:{_closed_port()}/api",
        PREFECT_API_KEY=planted.new("PREFECT_API_KEY"),
        PREFECT_LOGGING_LEVEL="DEBUG",
    )
    done = mrunners(*env.run_arguments(env.quick()))
    assert (done.code, done.stdout) == (7, ""), done
    inputs = {env.folder / "kubeconfig-mrunners"}
    written = outputs(done) | written_into(env.folder, without=inputs)
    assert leaks(planted, written) == {}
