"""Pure functions from an HTTP response of the API server to an error, and whether to retry."""

from __future__ import annotations

import json
from dataclasses import dataclass

from mrunners.errors import (
    ApiStatusError,
    ForbiddenError,
    InvalidInputError,
    UnauthorizedError,
    UnreachableError,
)
from mrunners.kube.retry import FailureKind, RequestFailure
from mrunners.text import printable

__all__ = ["RequestInfo", "conflict_failure", "failure_from_status", "no_response"]

# Admission answers 403 too, and no role helps against these.
_ADMISSION_MESSAGES = ("exceeded quota", "is being terminated")

# 500 and 504 come from an API server whose etcd does not answer, 502 and 503 from a proxy in
# between, 429 from Priority and Fairness.
TRANSIENT_STATUSES = frozenset({429, 500, 502, 503, 504})

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
            FailureKind.TRANSIENT, UnreachableError(answered), _seconds(retry_after)
        )
    if status == 401:
        return RequestFailure(
            FailureKind.PERMANENT,
            UnauthorizedError(
                f"the API server {info.server} does not accept the credentials ({info}): "
                f"{message}; sign in again, or check the kubeconfig"
            ),
        )
    if status == 403 and any(text in message for text in _ADMISSION_MESSAGES):
        return RequestFailure(
            FailureKind.PERMANENT,
            ApiStatusError(f"{info} was refused: {message}", status=status, reason=reason),
        )
    if status == 403:
        return RequestFailure(
            FailureKind.FORBIDDEN,
            ForbiddenError(
                f"forbidden: {info}: {message}; grant it, for example with examples/rbac.yaml",
                verb=info.verb,
                resource=info.resource,
                namespace=info.namespace,
            ),
        )
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


def conflict_failure(info: RequestInfo, status: int, body: bytes) -> RequestFailure | None:
    """Return the failure of a creation that conflicted with others; None for any other status.

    A 409 of the reason `AlreadyExists` is an answer. The reason `Conflict` means that the object
    may not exist: many creations at once were charged to one ResourceQuota of the namespace.
    """
    reason, message = _reason_and_message(body)
    if (info.verb, status, reason) != ("create", 409, "Conflict"):
        return None
    return RequestFailure(FailureKind.TRANSIENT, UnreachableError(f"{info} failed: {message}"))


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
