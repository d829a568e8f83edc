import json

import pytest

from mrunners.errors import (
    ApiStatusError,
    ForbiddenError,
    InvalidInputError,
    UnauthorizedError,
    UnreachableError,
)
from mrunners.kube.responses import Asked, no_answer, trouble_of
from mrunners.kube.retry import TroubleKind

GET = Asked("https://api:6443", "get", "jobs.batch", "load", "mrunners-0")
CREATE = Asked("https://api:6443", "create", "configmaps", "load")


def status(reason: str, message: object) -> bytes:
    return json.dumps({"kind": "Status", "reason": reason, "message": message}).encode()


@pytest.mark.parametrize("code", [429, 500, 502, 503, 504])
def test_a_server_in_trouble_may_recover(code: int) -> None:
    trouble = trouble_of(GET, code, status("x", "wait"), None)
    assert (trouble.kind, type(trouble.error)) == (TroubleKind.PASSING, UnreachableError)
    assert str(trouble) == (
        f"the API server https://api:6443 answers {code} to get jobs.batch load/mrunners-0: wait"
    )


def test_a_429_of_plain_text_is_read_and_its_retry_after_kept() -> None:
    body = b"Too many requests, please try again later.\n"
    trouble = trouble_of(GET, 429, body, "1")
    assert str(trouble).endswith(": Too many requests, please try again later.")
    assert trouble.retry_after_seconds == 1.0


@pytest.mark.parametrize("header", [None, "", "soon", "-1", "Fri, 02 Jan 2026 03:04:05 GMT"])
def test_a_retry_after_that_is_no_number_is_as_good_as_none(header: str | None) -> None:
    assert trouble_of(GET, 429, b"", header).retry_after_seconds is None


def test_401_is_said_with_what_to_do() -> None:
    trouble = trouble_of(GET, 401, status("Unauthorized", "Unauthorized"), None)
    assert (trouble.kind, type(trouble.error)) == (TroubleKind.LASTING, UnauthorizedError)
    assert str(trouble) == (
        "the API server https://api:6443 does not accept the credentials (get jobs.batch "
        "load/mrunners-0): Unauthorized; sign in again, or check --kubeconfig"
    )


def test_403_says_which_verb_on_which_resource() -> None:
    trouble = trouble_of(CREATE, 403, status("Forbidden", 'User "x" cannot'), None)
    error = trouble.error
    assert isinstance(error, ForbiddenError)
    assert (trouble.kind, error.verb, error.resource, error.namespace) == (
        TroubleKind.FORBIDDEN,
        "create",
        "configmaps",
        "load",
    )
    assert str(error) == (
        'forbidden: create configmaps in namespace load: User "x" cannot; grant it, for example '
        "with examples/rbac.yaml"
    )


def test_404_on_create_means_that_the_namespace_is_missing() -> None:
    trouble = trouble_of(CREATE, 404, status("NotFound", 'namespaces "load" not found'), None)
    assert trouble.kind is TroubleKind.LASTING
    assert isinstance(trouble.error, InvalidInputError)
    assert str(trouble) == (
        'namespace load does not exist (namespaces "load" not found); create it with: kubectl '
        "create namespace load"
    )


@pytest.mark.parametrize("code", [400, 404, 409, 410, 413, 415, 422])
def test_any_other_status_keeps_its_number_and_reason(code: int) -> None:
    trouble = trouble_of(GET, code, status("Why", "because"), None)
    error = trouble.error
    assert isinstance(error, ApiStatusError)
    assert (trouble.kind, error.status, error.reason) == (TroubleKind.LASTING, code, "Why")
    assert str(error) == (
        f"the API server https://api:6443 refuses to get jobs.batch load/mrunners-0: {code} because"
    )


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b"", "no message"),
        (b" \n ", "no message"),
        (b"<html>\nBad Gateway", "<html>"),
        (b'{"message": ', '{"message":'),
        (b"[]", "[]"),
        (b"null", "null"),
        (status("x", None), '{"kind": "Status", "reason": "x", "message": null}'),
        (b"\xff\xfe", "\ufffd\ufffd"),
        (b"x" * 1000, "x" * 300),
        (b"[" * 100_000, "[" * 300),
    ],
)
def test_a_broken_status_body_is_quoted_by_its_first_line(body: bytes, message: str) -> None:
    assert str(trouble_of(GET, 503, body, None)).endswith(f"mrunners-0: {message}")


def test_no_answer_may_pass_and_says_why_there_was_none() -> None:
    trouble = no_answer(GET, "connection refused")
    assert (trouble.kind, type(trouble.error)) == (TroubleKind.PASSING, UnreachableError)
    assert str(trouble) == (
        "no usable answer from the API server https://api:6443: connection refused (get "
        "jobs.batch load/mrunners-0); check that it runs and that --kubeconfig names the right "
        "cluster"
    )


@pytest.mark.parametrize(
    "message",
    [
        'jobs.batch "t-0" is forbidden: exceeded quota: few',
        "unable to create new content in namespace load because it is being terminated",
    ],
)
def test_a_403_that_no_role_mends_does_not_advise_one(message: str) -> None:
    trouble = trouble_of(CREATE, 403, status("Forbidden", message), None)
    assert trouble.kind is TroubleKind.LASTING
    assert isinstance(trouble.error, ApiStatusError)
    assert "rbac" not in str(trouble.error)
