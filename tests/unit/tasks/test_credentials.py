import traceback
from collections.abc import Mapping
from types import TracebackType
from typing import Any

import httpx
import pytest
from prefect.client.schemas.objects import BlockDocument
from prefect.exceptions import ObjectNotFound
from pydantic import ValidationError

from mrunners.errors import InvalidInputError, MrunnersError, UnreachableError
from mrunners.kube.kubeconfig import Kubeconfig, KubeconfigSource
from mrunners_tasks import credentials
from mrunners_tasks.credentials import kubeconfig_of

CONFIG = {"current-context": "here", "users": []}
CREDENTIALS = "block:///kubernetes-credentials/prod"
CLUSTER_CONFIG = "block:///kubernetes-cluster-config/prod"


class Document:
    def __init__(self, data: Mapping[str, Any]) -> None:
        self.data = data


class Server:
    """A Prefect client that knows the blocks it was given, by slug and name."""

    def __init__(self, blocks: Mapping[tuple[str, str], Any]) -> None:
        self._blocks = blocks

    def __enter__(self) -> "Server":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        pass

    def read_block_document_by_name(self, name: str, block_type_slug: str) -> Document:
        found = self._blocks.get((block_type_slug, name), ObjectNotFound(KeyError(name)))
        if isinstance(found, Exception):
            raise found
        return Document(found)


def status(code: int) -> httpx.HTTPStatusError:
    request = httpx.Request("GET", "http://127.0.0.1/")
    return httpx.HTTPStatusError("no", request=request, response=httpx.Response(code))


def unreadable() -> ValidationError:
    try:
        BlockDocument.model_validate({"data": "token of the cluster"})
    except ValidationError as error:
        return error
    raise AssertionError


def reading(monkeypatch: pytest.MonkeyPatch, reference: str, found: Any) -> Kubeconfig:
    slug, name = reference.split("/")[-2:]
    blocks = {} if found is None else {(slug, name): found}
    monkeypatch.setattr(credentials, "get_client", lambda sync_client: Server(blocks))
    given = kubeconfig_of(reference)
    assert isinstance(given, KubeconfigSource)
    assert given.name == reference
    return given.read()


@pytest.mark.parametrize("given", ["", "/etc/kubeconfig", "relative/kubeconfig"])
def test_a_path_and_nothing_stay_what_they_are(given: str) -> None:
    assert kubeconfig_of(given) == given


@pytest.mark.parametrize(
    ("reference", "data"),
    [
        (CREDENTIALS, {"cluster_config": {"config": CONFIG, "context_name": "there"}}),
        (CLUSTER_CONFIG, {"config": CONFIG, "context_name": "there"}),
    ],
)
def test_a_block_gives_its_kubeconfig_and_context(
    reference: str, data: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert reading(monkeypatch, reference, data) == Kubeconfig(CONFIG, "there")


def test_what_was_read_is_shown_nowhere(monkeypatch: pytest.MonkeyPatch) -> None:
    data = {"config": {"users": [{"token": "secret"}]}, "context_name": "there"}
    assert "secret" not in repr(reading(monkeypatch, CLUSTER_CONFIG, data))


@pytest.mark.parametrize(
    ("found", "kind", "said"),
    [
        (None, InvalidInputError, "there is no such block; list them with: prefect block ls"),
        ({"cluster_config": None}, InvalidInputError, "this block holds no kubeconfig"),
        ({}, InvalidInputError, "this block holds no kubeconfig"),
        (httpx.ConnectError("away"), UnreachableError, "does not give the block: away"),
        (status(503), UnreachableError, "the Prefect server answers 503"),
        (status(401), InvalidInputError, "the Prefect server answers 401"),
        (unreadable(), InvalidInputError, "the Prefect server's answer holds no block"),
    ],
)
def test_a_block_that_gives_no_kubeconfig_says_why(
    found: object, kind: type[MrunnersError], said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(kind) as raised:
        reading(monkeypatch, CREDENTIALS, found)
    assert f"kubeconfig {CREDENTIALS}: " in str(raised.value)
    assert said in str(raised.value)
    assert "token of the cluster" not in "".join(traceback.format_exception(raised.value))


@pytest.mark.parametrize(
    "given",
    [
        "block://kubernetes-credentials/prod",
        "block:///prod",
        "block:///secret/prod",
        "block:///kubernetes-credentials/Prod",
        "block:///kubernetes-credentials/",
        "block:///kubernetes-credentials/a/b",
        "block:///kubernetes-credentials/prod\n",
    ],
)
def test_what_is_no_block_of_a_kubeconfig_is_refused(given: str) -> None:
    with pytest.raises(InvalidInputError) as refused:
        kubeconfig_of(given)
    assert "a block is given as block:///kubernetes-credentials/NAME" in str(refused.value)
