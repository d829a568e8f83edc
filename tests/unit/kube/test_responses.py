import json

import pytest

from mrunners.errors import (
    ApiStatusError,
    ForbiddenError,
    InvalidInputError,
    UnauthorizedError,
    UnreachableError,
)
from mrunners.kube.responses import RequestInfo, failure_from_status, is_status, no_response
from mrunners.kube.retry import FailureKind

GET = RequestInfo("https://api:6443", "get", "jobs.batch", "load", "mrunners-0")
CREATE = RequestInfo("https://api:6443", "create", "configmaps", "load")


def status(reason: str, message: object) -> bytes:
    return json.dumps({"kind": "Status", "reason": reason, "message": message}).encode()


@pytest.mark.parametrize("code", [408, 429, 500, 502, 503, 504, 522])
def test_a_status_of_an_overloaded_server_is_transient(code: int) -> None:
    failure = failure_from_status(GET, code, status("x", "wait"), None)
    assert (failure.kind, type(failure.error)) == (FailureKind.TRANSIENT, UnreachableError)
    assert str(failure) == (
        "get jobs.batch load/mrunners-0 failed: the API server https://api:6443 answered "
        f"{code}: wait"
    )


def test_a_429_of_plain_text_is_read_and_its_retry_after_kept() -> None:
    body = b"Too many requests, please try again later.\n"
    failure = failure_from_status(GET, 429, body, "1")
    assert str(failure).endswith(": Too many requests, please try again later.")
    assert failure.retry_after_seconds == 1.0


@pytest.mark.parametrize("header", [None, "", "soon", "-1", "Fri, 02 Jan 2026 03:04:05 GMT"])
def test_a_retry_after_that_is_not_a_number_is_ignored(header: str | None) -> None:
    assert failure_from_status(GET, 429, b"", header).retry_after_seconds is None


def test_a_401_says_what_to_do() -> None:
    failure = failure_from_status(GET, 401, status("Unauthorized", "Unauthorized"), None)
    assert (failure.kind, type(failure.error)) == (FailureKind.PERMANENT, UnauthorizedError)
    assert str(failure) == (
        "the API server https://api:6443 does not accept the credentials (get jobs.batch "
        "load/mrunners-0): Unauthorized; sign in again, or check the kubeconfig"
    )


def test_a_403_names_the_verb_and_the_resource() -> None:
    failure = failure_from_status(CREATE, 403, status("Forbidden", 'User "x" cannot'), None)
    error = failure.error
    assert isinstance(error, ForbiddenError)
    assert (failure.kind, error.verb, error.resource, error.namespace) == (
        FailureKind.FORBIDDEN,
        "create",
        "configmaps",
        "load",
    )
    assert str(error) == (
        'forbidden: create configmaps in namespace load: User "x" cannot; grant it, for example '
        "with examples/rbac.yaml"
    )


def test_a_404_on_create_means_that_the_namespace_does_not_exist() -> None:
    failure = failure_from_status(
        CREATE, 404, status("NotFound", 'namespaces "load" not found'), None
    )
    assert failure.kind is FailureKind.PERMANENT
    assert isinstance(failure.error, InvalidInputError)
    assert str(failure) == (
        'namespace load does not exist (namespaces "load" not found); create it with: kubectl '
        "create namespace load"
    )


@pytest.mark.parametrize("code", [400, 404, 409, 410, 413, 415, 422])
def test_the_error_about_any_other_status_has_its_number_and_reason(code: int) -> None:
    failure = failure_from_status(GET, code, status("Why", "because"), None)
    error = failure.error
    assert isinstance(error, ApiStatusError)
    assert (failure.kind, error.status, error.reason) == (FailureKind.PERMANENT, code, "Why")
    assert str(error) == (
        "get jobs.batch load/mrunners-0 failed: the API server https://api:6443 answered "
        f"{code}: because"
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
        (b"x" * 1000, "x" * 250 + "…" + "x" * 249),
        (b"[" * 100_000, "[" * 250 + "…" + "[" * 249),
        (b"\x1b[31mred", r"\x1b[31mred"),
    ],
)
def test_the_first_line_of_a_body_that_is_no_status_is_the_message(
    body: bytes, message: str
) -> None:
    assert str(failure_from_status(GET, 503, body, None)).endswith(f" answered 503: {message}")


def test_a_missing_response_is_transient_and_says_why_there_is_none() -> None:
    failure = no_response(GET, "connection refused")
    assert (failure.kind, type(failure.error)) == (FailureKind.TRANSIENT, UnreachableError)
    assert str(failure) == (
        "cannot reach the API server https://api:6443: connection refused (get "
        "jobs.batch load/mrunners-0); check that it runs and that the kubeconfig names the right "
        "cluster"
    )


@pytest.mark.parametrize(
    "message",
    [
        'jobs.batch "t-0" is forbidden: exceeded quota: few',
        "unable to create new content in namespace load because it is being terminated",
    ],
)
def test_a_403_from_admission_does_not_suggest_a_role(message: str) -> None:
    failure = failure_from_status(CREATE, 403, status("Forbidden", message), None)
    assert failure.kind is FailureKind.PERMANENT
    assert isinstance(failure.error, ApiStatusError)
    assert "rbac" not in str(failure.error)


@pytest.mark.parametrize(
    ("code", "message"),
    [
        (
            403,
            "jobs.batch \"mrunners-0\" is forbidden: ValidatingAdmissionPolicy 'limits' with "
            "binding 'b' denied request: all containers need limits (ask the platform team)",
        ),
        (403, 'admission webhook "validation.gatekeeper.sh" denied the request: [team] no label'),
        (400, 'admission webhook "validate.kyverno.svc-fail" denied the request: policy x'),
        (
            401,
            "configmaps \"m\" is forbidden: ValidatingAdmissionPolicy 'p' with binding 'b' denied "
            "request: sign first",
        ),
        (422, "jobs \"m\" is invalid: ValidatingAdmissionPolicy 'p' with binding 'b' denied it"),
    ],
)
def test_what_a_policy_refuses_is_told_in_its_words_and_not_as_a_missing_right(
    code: int, message: str
) -> None:
    failure = failure_from_status(CREATE, code, status("Forbidden", message), None)
    assert (failure.kind, type(failure.error), str(failure)) == (
        FailureKind.PERMANENT,
        ApiStatusError,
        "create configmaps in namespace load was refused by an admission policy of the cluster: "
        f"{message}",
    )


def test_a_webhook_that_does_not_answer_is_no_refusal() -> None:
    message = 'failed calling webhook "x": connection refused'
    assert failure_from_status(CREATE, 500, status("x", message), None).kind is (
        FailureKind.TRANSIENT
    )


@pytest.mark.parametrize("info", [GET, CREATE])
def test_nobody_is_told_to_grant_rights_to_everybody(info: RequestInfo) -> None:
    message = 'configmaps is forbidden: User "system:anonymous" cannot list resource "configmaps"'
    failure = failure_from_status(info, 403, status("Forbidden", message), None)
    assert (failure.kind, type(failure.error), str(failure)) == (
        FailureKind.PERMANENT,
        UnauthorizedError,
        f"the API server https://api:6443 got no credentials ({info}): {message}; sign in, or give "
        "the kubeconfig's user a token, a certificate or an exec plugin",
    )


def test_a_403_of_a_proxy_is_forbidden_without_a_role_to_grant() -> None:
    failure = failure_from_status(GET, 403, b"<html>Access denied</html>", None)
    assert str(failure) == ("forbidden: get jobs.batch load/mrunners-0: <html>Access denied</html>")


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (status("NotFound", "x"), True),
        (b"{}", False),
        (b"[]", False),
        (b"default backend - 404", False),
        (b"[" * 100_000, False),
    ],
)
def test_a_status_is_known_by_its_kind(body: bytes, expected: bool) -> None:
    assert is_status(body) is expected
