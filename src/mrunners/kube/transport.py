"""Sends one HTTPS request to the API server and names what went wrong.

This is the one module that imports the Kubernetes client. It sends each request once, except that
it reads expired credentials again; all other retries are up to `mrunners.kube.retry`.
"""

from __future__ import annotations

import email.utils
import os
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import urllib3
import yaml
from kubernetes.client import ApiClient, Configuration
from kubernetes.config import (
    ConfigException,
    load_incluster_config,
    load_kube_config,
    load_kube_config_from_dict,
)
from kubernetes.config.incluster_config import SERVICE_HOST_ENV_NAME, SERVICE_TOKEN_FILENAME

from mrunners.errors import InvalidInputError, UnauthorizedError
from mrunners.kube.kubeconfig import KubeconfigSource
from mrunners.kube.responses import RequestInfo, failure_from_status, no_response
from mrunners.kube.retry import RequestFailure, seconds_left

__all__ = ["Request", "Transport", "request_timeout"]

CONNECT_SECONDS = 5.0
# With etcd frozen, an API server answers after 37 s (measured).
READ_SECONDS = 45.0
# A server that accepts a connection and then stays silent must not use up the whole time for the
# first contact.
FIRST_READ_SECONDS = 10.0
# Enough for an answer of a server that is well, when the caller's own time is up.
LEAST_SECONDS = 1.0
# A flow collects logs on a few threads; each needs a connection of its own.
CONNECTIONS = 16


@dataclass(frozen=True, slots=True)
class Request:
    """One HTTP request.

    Attributes:
        info: The request as errors describe it.
        body: Sent as JSON.
        content_type: The type of the body.
        absent: The statuses that are an answer here and not an error, such as 404 or 409.
        limit_bytes: How much of the response's body to read, of whatever type; None reads it whole
            and accepts only JSON.
    """

    info: RequestInfo
    method: str
    path: str
    query: Mapping[str, str] = field(default_factory=dict)
    body: Mapping[str, object] | None = None
    content_type: str = "application/json"
    absent: frozenset[int] = frozenset()
    limit_bytes: int | None = None


class Transport:
    """Sends requests with the credentials of a kubeconfig or of the pod.

    It uses only the client's configuration, authentication and connection pool. The client's model
    classes are slow and large, and silently drop misspelled keys.

    Attributes:
        server: The API server's URL.
        requests: How many requests were sent so far.
    """

    def __init__(self, kubeconfig: str | KubeconfigSource, context: str = "") -> None:
        self._kubeconfig = kubeconfig
        self._context = context
        self._api = ApiClient(_configuration(kubeconfig, context))
        self._lock = threading.Lock()
        self._clock: tuple[datetime, float] | None = None
        self.server = str(self._api.configuration.host)
        self.requests = 0

    def now(self) -> datetime:
        """Return the API server's time: the last Date header plus what has passed since."""
        if self._clock is None:
            return datetime.now(UTC)
        at, monotonic = self._clock
        return at + timedelta(seconds=time.monotonic() - monotonic)

    def send(self, request: Request) -> tuple[int, bytes]:
        """Send a request, and send it once more with fresh credentials if it gets a 401.

        Returns:
            The status, which is a success or one in `request.absent`, and the body.

        Raises:
            RequestFailure: There was no response, or one with another status.
        """
        try:
            return self._send(request)
        except RequestFailure as failure:
            if not isinstance(failure.error, UnauthorizedError):
                raise
        # The client reads a token file once, and runs an exec plugin again only if the plugin named
        # an expiry. A new configuration reads all credentials anew.
        self._api = ApiClient(_configuration(self._kubeconfig, self._context))
        return self._send(request)

    def _send(self, request: Request) -> tuple[int, bytes]:
        headers = {"Accept": "application/json" if request.limit_bytes is None else "*/*"}
        if request.body is not None:
            headers["Content-Type"] = request.content_type
        api = self._api
        serialized = api.param_serialize(
            request.method,
            request.path,
            query_params=dict(request.query),
            header_params=headers,
            body=request.body,
            auth_settings=["BearerToken"],
        )
        with self._lock:
            self.requests += 1
        try:
            response = api.call_api(
                *serialized, _request_timeout=request_timeout(contacted=self._clock is not None)
            ).response
            body = _read(response, request.limit_bytes)
        except urllib3.exceptions.HTTPError as error:
            raise no_response(request.info, _cause(error)) from error
        if (date := _date(response.headers.get("Date"))) is not None:
            self._clock = (date, time.monotonic())
        if response.status < 400 or response.status in request.absent:
            return response.status, body
        raise failure_from_status(
            request.info, response.status, body, response.headers.get("Retry-After")
        )


def request_timeout(*, contacted: bool) -> tuple[float, float]:
    """Return for how many seconds a request may connect, and then wait for each part of the answer.

    Args:
        contacted: Whether the server has answered before.
    """
    read = READ_SECONDS if contacted else FIRST_READ_SECONDS
    left = seconds_left()
    if left is None:
        return CONNECT_SECONDS, read
    left = max(left, LEAST_SECONDS)
    return min(CONNECT_SECONDS, left), min(read, left)


def _configuration(kubeconfig: str | KubeconfigSource, context: str) -> Configuration:
    """Return the client's configuration.

    Raises:
        InvalidInputError: The kubeconfig is missing, broken or has no usable context.
    """
    configuration = Configuration()
    # The library would repeat GET and DELETE after a reset, and POST never.
    configuration.retries = False
    configuration.connection_pool_maxsize = CONNECTIONS
    try:
        _configure(configuration, kubeconfig, context)
    except (TypeError, AttributeError, LookupError) as error:
        # The library takes the shape of the YAML for granted.
        raise InvalidInputError(
            f"kubeconfig {_shown(kubeconfig)}: it is not a kubeconfig; give the path of another one"
        ) from error
    except (ConfigException, yaml.YAMLError, OSError, ValueError) as error:
        first = (str(error) or type(error).__name__).splitlines()[0].rstrip(". ")
        if context and f"name {context} in" in first:
            raise InvalidInputError(
                f"context {context!r} does not exist in kubeconfig {_shown(kubeconfig)}; list the "
                "contexts with: kubectl config get-contexts"
            ) from error
        raise InvalidInputError(
            f"kubeconfig {_shown(kubeconfig)}: {first}; give the path of another one"
        ) from error
    return configuration


def _configure(
    configuration: Configuration, kubeconfig: str | KubeconfigSource, context: str
) -> None:
    if isinstance(kubeconfig, KubeconfigSource):
        read = kubeconfig.read()
        load_kube_config_from_dict(
            dict(read.content),
            context=context or read.context or None,
            client_configuration=configuration,
            persist_config=False,
        )
    elif not kubeconfig and not context and _in_pod():
        load_incluster_config(client_configuration=configuration)
    elif kubeconfig and not Path(kubeconfig).is_file():
        raise InvalidInputError(f"kubeconfig {kubeconfig}: {_no_file(kubeconfig)}")
    else:
        load_kube_config(
            config_file=kubeconfig or None,
            context=context or None,
            client_configuration=configuration,
            persist_config=False,
        )


def _no_file(kubeconfig: str) -> str:
    if kubeconfig.startswith("block:"):
        return (
            "only the flows of a deployment read Prefect blocks; run one with --deployment, or "
            "give the path of a kubeconfig"
        )
    return "no such file"


def _shown(kubeconfig: str | KubeconfigSource) -> str:
    if isinstance(kubeconfig, KubeconfigSource):
        return kubeconfig.name
    return kubeconfig or os.environ.get("KUBECONFIG") or "(default)"


def _in_pod() -> bool:
    return SERVICE_HOST_ENV_NAME in os.environ and Path(SERVICE_TOKEN_FILENAME).is_file()


def _read(response: urllib3.BaseHTTPResponse, limit_bytes: int | None) -> bytes:
    """Return the body, at most `limit_bytes` of it, and release the connection to its pool."""
    try:
        if limit_bytes is None:
            return response.read()
        content = bytearray()
        for chunk in response.stream(64 * 1024):
            content += chunk
            if len(content) >= limit_bytes:
                break
        return bytes(content[:limit_bytes])
    finally:
        response.release_conn()


def _date(header: str | None) -> datetime | None:
    """Return the Date header's time; None when a proxy wrote it in another form."""
    try:
        date = email.utils.parsedate_to_datetime(header or "")
    except ValueError:
        return None
    return date if date.tzinfo is not None else date.replace(tzinfo=UTC)


def _cause(error: urllib3.exceptions.HTTPError) -> str:
    """Return the cause in a few words; urllib3 wraps it and adds object addresses."""
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, OSError) and cause.strerror:
            return cause.strerror.lower()
        cause = cause.__cause__ or cause.__context__
    if isinstance(error, urllib3.exceptions.TimeoutError):
        return "the request timed out"
    return str(error).rsplit(">: ", maxsplit=1)[-1]
