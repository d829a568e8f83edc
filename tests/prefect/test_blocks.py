"""A kubeconfig that is kept in a Prefect block, as its UI keeps it."""

from __future__ import annotations

import json
from typing import Any

import yaml

from tests.cluster.commands import Finished, until
from tests.cluster.credentials import kubeconfig_of
from tests.cluster.env import KPERF, Env
from tests.prefect.server import PrefectServer


def _block(server: PrefectServer, slug: str, name: str, data: object) -> str:
    """A new block document of a type that the server brings with it; its ID."""
    kind = until(f"the server knows {slug}", lambda: _kind(server, slug))
    (schema, *_) = server.post(
        "block_schemas/filter", block_schemas={"block_type_id": {"any_": [kind["id"]]}}
    )
    made = server.post(
        "block_documents/",
        name=name,
        data=data,
        block_type_id=kind["id"],
        block_schema_id=schema["id"],
    )
    return str(made["id"])


def _kind(server: PrefectServer, slug: str) -> Any:
    kinds = server.post("block_types/filter", block_types={"slug": {"any_": [slug]}})
    return kinds[0] if kinds else None


def _run(env: Env, kubeconfig: str) -> Finished:
    """The flow where there is no other way to the cluster than that."""
    options = {
        "namespace": env.namespace,
        "runner_image": KPERF,
        "runners": [env.quick(2)],
        "service_account": "kperf-runner",
        "kubeconfig": kubeconfig,
    }
    words = ["-m", "tests.prefect.own_process", json.dumps(options)]
    return env.mrunners.with_environ(KUBECONFIG="/absent").python(*words).finish()


def test_a_credentials_block_gives_the_cluster_and_its_token_is_nowhere_in_plain_text(
    server: PrefectServer, env: Env
) -> None:
    config = yaml.safe_load(kubeconfig_of(env, "mrunners").read_text())
    context = config.pop("current-context")
    inner = {"config": config, "context_name": context}
    of = _block(server, "kubernetes-cluster-config", f"{env.namespace}-config", inner)
    reference = {"cluster_config": {"$ref": {"block_document_id": of}}}
    _block(server, "kubernetes-credentials", env.namespace, reference)

    done = _run(env, f"block:///kubernetes-credentials/{env.namespace}")
    assert done.code == 0, done.stderr
    assert "2 of 2 reports merged" in done.stderr
    by_config = _run(env, f"block:///kubernetes-cluster-config/{env.namespace}-config")
    assert by_config.code == 0, by_config.stderr

    token = config["users"][0]["user"]["token"].encode()
    kept = [server.database, server.database.with_name("prefect.db-wal"), server.log]
    content = b"".join(path.read_bytes() for path in kept if path.exists())
    assert env.namespace.encode() in content
    assert token not in content
    assert token not in (done.stdout + done.stderr).encode()


def test_a_block_that_is_not_there_is_invalid_before_anything_is_created(
    server: PrefectServer, env: Env
) -> None:
    absent = "block:///kubernetes-credentials/absent"
    assert _run(env, absent).code != 0
    (run,) = server.runs_in(env.namespace)
    assert run["state_name"] == "Invalid"
    assert f"kubeconfig {absent}: the block does not exist" in run["state"]["message"]
    assert "mrunners" not in env.kubectl.names("configmaps")


def test_the_command_line_says_that_only_flows_of_a_deployment_read_blocks(env: Env) -> None:
    where = ["--kubeconfig", "block:///kubernetes-credentials/prod"]
    for words in (env.run_arguments(env.quick()), ["wait", env.namespace]):
        done = env.mrunners(*words, *where)
        assert (done.code, done.stdout) == (2, "")
        assert "only the flows of a deployment read Prefect blocks" in done.stderr
