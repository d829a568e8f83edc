"""Secrets are planted all around a run, and nothing that it writes holds any of them.

Each is a word of its own, so that a finding names its source. What a credential is sent as, such as
the Base64 of HTTP's basic authentication, is searched for too.
"""

from __future__ import annotations

import base64
import json
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

import pytest
import yaml

from tests.cluster.commands import Finished, until
from tests.cluster.credentials import kubeconfig_of
from tests.cluster.env import Env, NewEnv
from tests.cluster.planted import Planted, leaks, outputs, written_into
from tests.unit.kube.proxy_servers import http_proxy

PULL_SECRET = "registry"


@pytest.mark.parametrize("prefix", ["", "me:", "user:"])
def test_a_secret_is_found_in_any_of_its_forms(prefix: str) -> None:
    planted = Planted()
    secret = planted.new("here")
    planted.new("elsewhere")
    basic = base64.b64encode(f"{prefix}{secret}\n".encode())
    for content in (secret.encode(), quote(secret, safe="").encode(), basic):
        assert planted.found_in(b"x" + content + b"y") == ["here"]
    assert planted.found_in(b"nothing") == []


@dataclass(frozen=True)
class Run:
    """A finished run with secrets all around it.

    Attributes:
        folder: Everything that its commands could write to.
        inputs: What was written there for it.
        commands: How its commands ended.
        objects: What the namespace had at its end, but Secrets, and the logs of the pods.
        proxied: How many connections went through the proxy that asks for a password.
    """

    env: Env
    planted: Planted
    inputs: set[Path]
    commands: list[Finished]
    objects: str
    proxied: int


@pytest.fixture(scope="module")
def run(new_env: NewEnv) -> Iterator[Run]:
    planted = Planted()
    with new_env("secrets") as env, http_proxy() as proxy:
        kubeconfig, script = _signing_in(env, planted, f"127.0.0.1:{proxy.port}")
        _plant_pull_secret(env, planted)
        temporary = env.folder / "tmp"
        temporary.mkdir()
        mrunners = env.mrunners.with_environ(
            KUBECONFIG=str(kubeconfig),
            TMPDIR=str(temporary),
            PREFECT_API_KEY=planted.new("PREFECT_API_KEY"),
            PREFECT_LOGGING_LEVEL="DEBUG",
            AWS_SECRET_ACCESS_KEY=planted.new("environment"),
        )
        uris = [env.quick(2)]
        options = ["--image-pull-secret", PULL_SECRET, "--wait"]
        commands = [mrunners(*env.run_arguments(*uris), *options)]
        files = [env.folder / f"report.{name}" for name in ("json", "html", "txt")]
        for name, file in zip(("json", "html", "table"), files, strict=True):
            done = mrunners("result", env.namespace, "-o", name)
            file.write_text(done.stdout)
            commands.append(done)
        commands += [mrunners(word, env.namespace) for word in ("status", "wait")]
        objects = _objects(env)
        commands.append(mrunners("delete", env.namespace, "--force"))
        credentials = {
            *(env.folder / f"kubeconfig-{name}" for name in ("mrunners", "signing-in")),
            script,
        }
        yield Run(env, planted, credentials, commands, objects, len(proxy.credentials))


def _signing_in(env: Env, planted: Planted, proxy: str) -> tuple[Path, Path]:
    """Write a kubeconfig with an exec plugin and a proxy, and the plugin."""
    config = yaml.safe_load(kubeconfig_of(env, "mrunners").read_text())
    token = planted.add("exec plugin's output", config["users"][0]["user"]["token"])
    status = {"token": token}
    version = "client.authentication.k8s.io/v1"
    credential = {"apiVersion": version, "kind": "ExecCredential", "status": status}
    script = env.folder / "plugin.py"
    script.write_text(f"print({json.dumps(credential)!r})")
    config["users"][0]["user"] = {
        "exec": {
            "apiVersion": version,
            "interactiveMode": "Never",
            "command": sys.executable,
            "args": [str(script), planted.new("exec plugin's arguments")],
            "env": [{"name": "PASSWORD", "value": planted.new("exec plugin's environment")}],
        }
    }
    password = quote(planted.new("proxy-url"), safe="")
    config["clusters"][0]["cluster"]["proxy-url"] = f"http://me:{password}@{proxy}"
    path = env.folder / "kubeconfig-signing-in"
    path.write_text(json.dumps(config))
    return path, script


def _plant_pull_secret(env: Env, planted: Planted) -> None:
    auth = {"auths": {"ghcr.io": {"auth": planted.new("image pull secret")}}}
    env.kubectl.apply(
        {
            "apiVersion": "v1",
            "kind": "Secret",
            "metadata": {"name": PULL_SECRET, "namespace": env.namespace},
            "type": "kubernetes.io/dockerconfigjson",
            "stringData": {".dockerconfigjson": json.dumps(auth)},
        }
    )


def _objects(env: Env) -> str:
    kinds = "configmaps,jobs,pods,events,serviceaccounts"
    logs = [env.kubectl("logs", f"pod/{name}") for name in sorted(env.kubectl.names("pods"))]
    return env.kubectl("get", kinds, "--output=json", "--show-managed-fields") + "".join(logs)


def test_the_run_used_what_was_planted(run: Run) -> None:
    assert [done.code for done in run.commands] == [0] * len(run.commands), run.commands
    assert run.proxied >= len(run.commands)
    assert json.loads(run.commands[1].stdout)["coverage"]["merged"] == 2
    assert PULL_SECRET in run.objects
    assert len(run.planted.words) == 7


def test_no_output_of_a_run_holds_a_secret(run: Run) -> None:
    assert leaks(run.planted, outputs(*run.commands)) == {}


def test_no_file_that_a_run_leaves_holds_a_secret(run: Run) -> None:
    written = written_into(run.env.folder, without=run.inputs)
    assert any("reports/" in name for name in written)  # the state home
    assert any(name.startswith("prefect/") for name in written)
    assert leaks(run.planted, written) == {}


def test_no_object_of_a_run_and_no_log_of_a_pod_holds_a_secret(run: Run) -> None:
    assert '"plan.json"' in run.objects
    assert run.planted.found_in(run.objects.encode()) == []


def test_the_prefect_servers_database_and_log_hold_no_secret(run: Run, prefect_home: Path) -> None:
    database = prefect_home / "prefect.db"

    def written() -> dict[str, bytes]:
        kept = [database, database.with_name("prefect.db-wal"), prefect_home / "log"]
        return {path.name: path.read_bytes() for path in kept if path.exists()}

    # The last lines of a flow's log arrive after the command has ended.
    merged = b"2 of 2 reports merged"
    until("the report has arrived", lambda: any(merged in text for text in written().values()))
    assert run.env.namespace.encode() in b"".join(written().values())
    assert leaks(run.planted, written()) == {}
