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

CONFIG = {"current-context": "one", "users": []}
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
        block = self._blocks.get((block_type_slug, name), ObjectNotFound(KeyError(name)))
        if isinstance(block, Exception):
            raise block
        return Document(block)


def status(code: int) -> httpx.HTTPStatusError:
    request = httpx.Request("GET", "http://127.0.0.1/")
    return httpx.HTTPStatusError("no", request=request, response=httpx.Response(code))


def refused() -> httpx.ConnectError:
    error = httpx.ConnectError("[Errno 111] Connection refused")
    error.__cause__ = ConnectionRefusedError(111, "Connection refused")
    return error


def unreadable() -> ValidationError:
    try:
        BlockDocument.model_validate({"data": "token of the cluster"})
    except ValidationError as error:
        return error
    raise AssertionError


def read(monkeypatch: pytest.MonkeyPatch, reference: str, block: Any) -> Kubeconfig:
    slug, name = reference.split("/")[-2:]
    blocks = {} if block is None else {(slug, name): block}
    monkeypatch.setattr(credentials, "get_client", lambda sync_client: Server(blocks))
    source = kubeconfig_of(reference)
    assert isinstance(source, KubeconfigSource)
    assert source.name == reference
    return source.read()


@pytest.mark.parametrize("given", ["", "/etc/kubeconfig", "relative/kubeconfig"])
def test_a_path_and_an_empty_text_are_returned_unchanged(given: str) -> None:
    assert kubeconfig_of(given) == given


@pytest.mark.parametrize(
    ("reference", "data"),
    [
        (CREDENTIALS, {"cluster_config": {"config": CONFIG, "context_name": "other"}}),
        (CLUSTER_CONFIG, {"config": CONFIG, "context_name": "other"}),
    ],
)
def test_a_block_holds_a_kubeconfig_and_a_context(
    reference: str, data: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert read(monkeypatch, reference, data) == Kubeconfig(CONFIG, "other")


def test_a_kubeconfig_is_not_shown_by_its_repr(monkeypatch: pytest.MonkeyPatch) -> None:
    data = {"config": {"users": [{"token": "secret"}]}, "context_name": "other"}
    assert "secret" not in repr(read(monkeypatch, CLUSTER_CONFIG, data))


@pytest.mark.parametrize(
    ("block", "kind", "message"),
    [
        (None, InvalidInputError, "the block does not exist; list blocks with: prefect block ls"),
        ({"cluster_config": None}, InvalidInputError, "the block holds no kubeconfig"),
        ({}, InvalidInputError, "the block holds no kubeconfig"),
        (httpx.ConnectError("x"), UnreachableError, "return the block: the connection failed"),
        (httpx.ReadTimeout(""), UnreachableError, "return the block: the request timed out"),
        (refused(), UnreachableError, "does not return the block: connection refused"),
        (ValueError("token of the cluster"), InvalidInputError, "answer holds no block"),
        (status(503), UnreachableError, "the Prefect server answers 503"),
        (status(401), InvalidInputError, "the Prefect server answers 401"),
        (unreadable(), InvalidInputError, "the Prefect server's answer holds no block"),
    ],
)
def test_a_block_without_a_kubeconfig_is_an_error_that_says_why(
    block: object, kind: type[MrunnersError], message: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(kind) as raised:
        read(monkeypatch, CREDENTIALS, block)
    assert f"kubeconfig {CREDENTIALS}: " in str(raised.value)
    assert message in str(raised.value)
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
def test_a_reference_to_any_other_block_is_refused(given: str) -> None:
    with pytest.raises(InvalidInputError) as refused:
        kubeconfig_of(given)
    assert "name a block as block:///kubernetes-credentials/NAME" in str(refused.value)
