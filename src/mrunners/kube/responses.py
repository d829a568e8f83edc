"""Pure functions from an HTTP response of the API server to an error, and whether to retry."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from http import HTTPStatus

from mrunners.errors import (
    ApiStatusError,
    ForbiddenError,
    InvalidInputError,
    UnauthorizedError,
    UnreachableError,
)
from mrunners.kube.retry import FailureKind, RequestFailure
from mrunners.text import printable

__all__ = [
    "RequestInfo",
    "conflict_failure",
    "failure_from_status",
    "is_of_policy",
    "is_status",
    "no_response",
    "unusable_answer",
]

# 500 and 504 come from an API server whose etcd does not answer, 502 and 503 from a proxy in
# between, 408 and those above 504 from a balancer, 429 from Priority and Fairness.
TRANSIENT_STATUSES = frozenset({408, 429, 500, 502, 503, 504, *range(520, 531)})

# The end of what an authorizer says, such as: User "x" cannot list resource "pods" in API group "".
# Admission answers 403 too, as do proxies, and against those no role helps.
_NO_RIGHT = re.compile(r'User "[^"]*" cannot\b')

# As the message of a Status begins: configmaps "mrunners" is forbidden: User …
_IS_FORBIDDEN = re.compile(r'[a-z./]+ (?:"[^"]*" )?is forbidden: ')

# What the API server puts before the texts of a ValidatingAdmissionPolicy and of a webhook.
_POLICY = re.compile(r"ValidatingAdmissionPolicy '|admission webhook \"[^\"]*\" denied the request")

# A proxy may answer with a page of HTML on one line.
_LINE_LIMIT = 500


@dataclass(frozen=True, slots=True)
class RequestInfo:
    """One request, in the terms of RBAC.

    Attributes:
        server: The API server's URL.
        verb: One of get, list, create, patch and delete.
        resource: Such as `jobs.batch`.
        namespace: The namespace of the object or list; empty for a list of the whole cluster.
        name: The object's name; empty for a list or a creation.
    """

    server: str
    verb: str
    resource: str
    namespace: str
    name: str = ""

    def __str__(self) -> str:
        """Return the request as `get jobs.batch load/mrunners-0`."""
        if not self.namespace:
            return f"{self.verb} {self.resource}"
        target = f"{self.namespace}/{self.name}" if self.name else f"in namespace {self.namespace}"
        return f"{self.verb} {self.resource} {target}"


def no_response(info: RequestInfo, cause: str) -> RequestFailure:
    """Return the failure of a request that got no readable response.

    The API server may have carried out the request all the same.
    """
    return RequestFailure(
        FailureKind.TRANSIENT,
        UnreachableError(
            f"cannot reach the API server {info.server}: {cause} ({info}); check that it "
            "runs and that the kubeconfig names the right cluster"
        ),
    )


def unusable_answer(info: RequestInfo, problem: str) -> RequestFailure:
    """Return the failure of a request with an answer that no API server would give.

    A proxy, a balancer or a sign-in page gives such answers for a while. The API server may have
    carried out the request all the same.

    Args:
        info: The request.
        problem: The end of a sentence about the answer.
    """
    return RequestFailure(
        FailureKind.TRANSIENT,
        UnreachableError(
            f"no usable answer from the API server {info.server}: {problem} ({info}); check what "
            "answers at that address"
        ),
    )


def failure_from_status(
    info: RequestInfo, status: int, body: bytes, retry_after: str | None
) -> RequestFailure:
    """Return the failure of a request that got a status which is not a success.

    Args:
        info: The request.
        status: The HTTP status, 400 or above.
        body: The body: a Status object, or any text (that of a 429 is text/plain).
        retry_after: The Retry-After header as it came.
    """
    reason, message = _reason_and_message(body)
    answered = f"{info} failed: the API server {info.server} answered {status}: {message}"
    if status in TRANSIENT_STATUSES:
        return RequestFailure(
            FailureKind.TRANSIENT,
            UnreachableError(answered),
            _seconds(retry_after),
            throttled=status == HTTPStatus.TOO_MANY_REQUESTS,
        )
    if is_of_policy(message):
        # Such a policy chooses its status: 403 mostly, but 401, 413 and 422 too.
        text = f"{info} was refused by an admission policy of the cluster: {message}"
        return RequestFailure(
            FailureKind.PERMANENT, ApiStatusError(text, status=status, reason=reason)
        )
    if status == 401:
        return RequestFailure(
            FailureKind.PERMANENT,
            UnauthorizedError(
                f"the API server {info.server} does not accept the credentials ({info}): "
                f"{message}; sign in again, or check the kubeconfig"
            ),
        )
    if status == 403:
        return _forbidden(info, reason, message)
    if status == 404 and info.verb == "create":
        return RequestFailure(
            FailureKind.PERMANENT,
            InvalidInputError(
                f"namespace {info.namespace} does not exist ({message}); create it with: "
                f"kubectl create namespace {info.namespace}"
            ),
        )
    return RequestFailure(
        FailureKind.PERMANENT, ApiStatusError(answered, status=status, reason=reason)
    )


def _forbidden(info: RequestInfo, reason: str, message: str) -> RequestFailure:
    if "system:anonymous" in message:
        # The last thing to do about it is to grant a right to everybody.
        return RequestFailure(
            FailureKind.PERMANENT,
            UnauthorizedError(
                f"the API server {info.server} got no credentials ({info}): {message}; sign in, or "
                "give the kubeconfig's user a token, a certificate or an exec plugin"
            ),
        )
    if _NO_RIGHT.search(message):
        advice = "; grant it, for example with examples/rbac.yaml"
    elif info.verb in {"create", "patch", "delete"}:
        text = f"{info} was refused: {message}"
        return RequestFailure(
            FailureKind.PERMANENT, ApiStatusError(text, status=403, reason=reason)
        )
    else:
        advice = ""
    # An API server says itself which request is forbidden, and kubectl no more than that.
    said = message if _IS_FORBIDDEN.match(message) else f"forbidden: {info}: {message}"
    return RequestFailure(
        FailureKind.FORBIDDEN,
        ForbiddenError(
            f"{said}{advice}",
            verb=info.verb,
            resource=info.resource,
            namespace=info.namespace,
        ),
    )


def is_of_policy(message: str) -> bool:
    """Whether an admission policy of the cluster has refused an object, as an error says."""
    return _POLICY.search(message) is not None


def conflict_failure(info: RequestInfo, status: int, body: bytes) -> RequestFailure | None:
    """Return the failure of a creation that conflicted with others; None for any other status.

    A 409 of the reason `AlreadyExists` is an answer. The reason `Conflict` means that the object
    may not exist: many creations at once were charged to one ResourceQuota of the namespace.
    """
    reason, message = _reason_and_message(body)
    if (info.verb, status, reason) != ("create", 409, "Conflict"):
        return None
    return RequestFailure(FailureKind.TRANSIENT, UnreachableError(f"{info} failed: {message}"))


def is_status(body: bytes) -> bool:
    """Whether a body is a Status object, as with every error of an API server but 429."""
    try:
        status = json.loads(body)
    except (ValueError, RecursionError):
        return False
    return isinstance(status, dict) and status.get("kind") == "Status"


def _reason_and_message(body: bytes) -> tuple[str, str]:
    """Return both of a Status object; no reason and the first line of any other text."""
    text = body.decode("utf-8", "replace")
    try:
        status = json.loads(text)
    except (ValueError, RecursionError):
        status = None
    if isinstance(status, dict) and isinstance(status.get("message"), str):
        return str(status.get("reason") or ""), status["message"]
    return "", printable((text.strip().splitlines() or ["no message"])[0], _LINE_LIMIT)


def _seconds(retry_after: str | None) -> float | None:
    """Return a Retry-After header in seconds; API servers do not use its other form, a date."""
    if retry_after is not None and retry_after.strip().isdecimal():
        return float(retry_after)
    return None
