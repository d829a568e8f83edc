"""One HTTPS request to the API server: the one module that imports the Kubernetes client.

It must not retry, and must not know what a run is: it moves bytes and names what went wrong.
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
from mrunners.kube.retry import RequestFailure

__all__ = ["Request", "Transport"]

CONNECT_SECONDS = 5.0
# With etcd frozen an API server takes 37 s to say so.
READ_SECONDS = 45.0
# A server that accepts and then says nothing must not use up more than the first contact's time.
FIRST_READ_SECONDS = 10.0
# A flow collects logs on a few threads; each needs a connection of its own.
CONNECTIONS = 16


@dataclass(frozen=True, slots=True)
class Request:
    """One request.

    Attributes:
        info: what it is, in words for errors.
        method, path, query, body, content_type: as in HTTP; the body is JSON.
        absent: statuses that are an answer here, such as 404 or 409.
        limit_bytes: read a body of any type, and only so much of it.
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

    Only the client's configuration, authentication and connection pool are used: its model
    classes are slow and large, and drop misspelt keys silently.
    """

    def __init__(self, kubeconfig: str | KubeconfigSource) -> None:
        self._kubeconfig = kubeconfig
        self._api = ApiClient(_configuration(kubeconfig))
        self._lock = threading.Lock()
        self._clock: tuple[datetime, float] | None = None
        self.server = str(self._api.configuration.host)
        self.requests = 0

    def now(self) -> datetime:
        """The API server's clock: the last answer's Date header, plus what has passed since."""
        if self._clock is None:
            return datetime.now(UTC)
        at, monotonic = self._clock
        return at + timedelta(seconds=time.monotonic() - monotonic)

    def send(self, request: Request) -> tuple[int, bytes]:
        """One attempt; credentials that have expired are read again once.

        Returns: the status, a success or one in `request.absent`, and the body.
        Raises: RequestFailure: anything else.
        """
        try:
            return self._send(request)
        except RequestFailure as failure:
            if not isinstance(failure.error, UnauthorizedError):
                raise
        # The client reads a token file once, and asks an exec plugin again only if it named an
        # expiry; a fresh configuration has whatever is there now.
        self._api = ApiClient(_configuration(self._kubeconfig))
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
        read_seconds = FIRST_READ_SECONDS if self._clock is None else READ_SECONDS
        try:
            answer = api.call_api(
                *serialized, _request_timeout=(CONNECT_SECONDS, read_seconds)
            ).response
            body = _read(answer, request.limit_bytes)
        except urllib3.exceptions.HTTPError as error:
            raise no_response(request.info, _cause(error)) from error
        if (date := _date(answer.headers.get("Date"))) is not None:
            self._clock = (date, time.monotonic())
        if answer.status < 400 or answer.status in request.absent:
            return answer.status, body
        raise failure_from_status(
            request.info, answer.status, body, answer.headers.get("Retry-After")
        )


def _configuration(kubeconfig: str | KubeconfigSource) -> Configuration:
    """The client's configuration: a kubeconfig, else the pod's token, else as kubectl finds it.

    Raises: InvalidInputError: it is missing, broken or names no usable context.
    """
    configuration = Configuration()
    # One retry policy, ours: the library's repeats GET and DELETE on reset and POST never.
    configuration.retries = False
    configuration.connection_pool_maxsize = CONNECTIONS
    try:
        _configure(configuration, kubeconfig)
    except (TypeError, AttributeError, LookupError) as error:
        # The library takes the shape of the YAML for granted.
        raise InvalidInputError(
            f"kubeconfig {_shown(kubeconfig)}: it is not a kubeconfig; give a working one with "
            "--kubeconfig PATH"
        ) from error
    except (ConfigException, yaml.YAMLError, OSError, ValueError) as error:
        first = (str(error) or type(error).__name__).splitlines()[0].rstrip(". ")
        raise InvalidInputError(
            f"kubeconfig {_shown(kubeconfig)}: {first}; give a working one with --kubeconfig PATH"
        ) from error
    return configuration


def _configure(configuration: Configuration, kubeconfig: str | KubeconfigSource) -> None:
    if isinstance(kubeconfig, KubeconfigSource):
        given = kubeconfig.read()
        load_kube_config_from_dict(
            dict(given.content),
            context=given.context or None,
            client_configuration=configuration,
            persist_config=False,
        )
    elif not kubeconfig and _in_pod():
        load_incluster_config(client_configuration=configuration)
    elif kubeconfig and not Path(kubeconfig).is_file():
        raise InvalidInputError(f"kubeconfig {kubeconfig}: {_no_file(kubeconfig)}")
    else:
        load_kube_config(
            config_file=kubeconfig or None,
            client_configuration=configuration,
            persist_config=False,
        )


def _no_file(kubeconfig: str) -> str:
    if kubeconfig.startswith("block:"):
        return (
            "Prefect's blocks are read by the flows of a deployment alone: trigger one with "
            "--deployment, or give the path of a kubeconfig"
        )
    return "no such file"


def _shown(kubeconfig: str | KubeconfigSource) -> str:
    if isinstance(kubeconfig, KubeconfigSource):
        return kubeconfig.name
    return kubeconfig or os.environ.get("KUBECONFIG") or "(default)"


def _in_pod() -> bool:
    return SERVICE_HOST_ENV_NAME in os.environ and Path(SERVICE_TOKEN_FILENAME).is_file()


def _read(answer: urllib3.BaseHTTPResponse, limit_bytes: int | None) -> bytes:
    """The body, at most limit_bytes of it; the connection goes back to its pool."""
    try:
        if limit_bytes is None:
            return answer.read()
        content = bytearray()
        for chunk in answer.stream(64 * 1024):
            content += chunk
            if len(content) >= limit_bytes:
                break
        return bytes(content[:limit_bytes])
    finally:
        answer.release_conn()


def _date(header: str | None) -> datetime | None:
    """The Date header; None for what some proxy wrote in its own way."""
    try:
        date = email.utils.parsedate_to_datetime(header or "")
    except ValueError:
        return None
    return date if date.tzinfo is not None else date.replace(tzinfo=UTC)


def _cause(error: urllib3.exceptions.HTTPError) -> str:
    """The cause in a few words; urllib3 wraps it and adds object addresses."""
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, OSError) and cause.strerror:
            return cause.strerror.lower()
        cause = cause.__cause__ or cause.__context__
    if isinstance(error, urllib3.exceptions.TimeoutError):
        return "no answer in time"
    return str(error).rsplit(">: ", maxsplit=1)[-1]
