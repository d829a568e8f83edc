"""A session: one API server, the credentials for it, and the connections that use them."""

from __future__ import annotations

import time
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import urllib3

from mrunners.errors import InvalidInputError
from mrunners.kube.authentication import Credentials, credentials_of, pod_credentials
from mrunners.kube.endpoint import Endpoint, endpoint_of, is_in_pod, pod_endpoint, pod_namespace
from mrunners.kube.flow_control import AT_ONCE
from mrunners.kube.kubeconfig import KubeconfigSource, read_context
from mrunners.kube.tls import ClientCertificate, proxy_context, server_context
from mrunners.refs import ClusterLocation

__all__ = ["Session", "SessionOpener"]

# As client-go: the kubelet replaces a pod's token well before it expires.
TOKEN_FILE_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class Session:
    """What requests are sent with.

    Attributes:
        location: The API server, the context that names it, and that context's namespace.
        endpoint: The API server.
        credentials: The user's.
        pool: The connections.
        read_at: When the credentials were read, on the monotonic clock.
    """

    location: ClusterLocation
    endpoint: Endpoint
    credentials: Credentials
    pool: urllib3.PoolManager = field(repr=False)
    read_at: float

    def has_expired(self, now: datetime) -> bool:
        """Whether the credentials have ended, as far as they say."""
        return self.credentials.expires is not None and self.credentials.expires <= now

    def is_stale(self, monotonic: float) -> bool:
        """Whether a newer token may be in the file."""
        return self.credentials.from_file and monotonic - self.read_at > TOKEN_FILE_SECONDS


@dataclass(frozen=True, slots=True)
class SessionOpener:
    """Opens sessions from one kubeconfig.

    Attributes:
        kubeconfig: A path or another source; empty means `KUBECONFIG`, the default file, or where
            there is none of them the pod's token.
        context: The context to use; empty means the current one.
        environ: The environment.
        warn: Shows the user what is waited for.
    """

    kubeconfig: str | KubeconfigSource
    context: str
    environ: Mapping[str, str] = field(repr=False)
    warn: Callable[[str], None] = field(repr=False)

    def open(self) -> Session:
        """Read the kubeconfig and the credentials; send nothing.

        Raises:
            InvalidInputError: The kubeconfig, or what it names, is missing or broken.
            UnauthorizedError: An exec plugin gives no credentials.
        """
        return self._open(self.context, None)

    def renew(self, old: Session) -> Session:
        """Read all of it again, for the same context; keep the connections if nothing changed.

        `kubectl config use-context` in another window must not move a running wait to another
        cluster.
        """
        return self._open(old.location.context, old)

    def _open(self, context: str, old: Session | None) -> Session:
        in_pod = old is not None and not old.location.context
        chosen = None if in_pod else read_context(self.kubeconfig, context, self.environ)
        if chosen is not None:
            endpoint = endpoint_of(chosen.cluster, self.environ)
            credentials = credentials_of(chosen.user, chosen.cluster, endpoint, self.warn)
        elif is_in_pod(self.environ):
            endpoint, credentials = pod_endpoint(self.environ), pod_credentials()
        else:
            raise InvalidInputError(
                "kubeconfig ~/.kube/config: no such file; give the path of another one"
            )
        if old is not None and (old.endpoint, old.credentials.certificate) == (
            endpoint,
            credentials.certificate,
        ):
            pool = old.pool
        else:
            pool = _pool(endpoint, credentials.certificate)
        location = (
            ClusterLocation(endpoint.server, namespace=pod_namespace())
            if chosen is None
            else ClusterLocation(endpoint.server, chosen.name, chosen.namespace)
        )
        return Session(location, endpoint, credentials, pool, time.monotonic())


def _pool(endpoint: Endpoint, client: ClientCertificate | None) -> urllib3.PoolManager:
    """Return the connections to an endpoint; none is opened yet.

    Raises:
        InvalidInputError: A certificate or key is broken.
    """
    settings: dict[str, Any] = {
        "maxsize": AT_ONCE,
        "ssl_context": server_context(endpoint, client),
    }
    if endpoint.tls_server_name:
        settings["server_hostname"] = endpoint.tls_server_name
    if endpoint.insecure:
        # The kubeconfig's author has decided so, and kubectl says nothing either.
        warnings.simplefilter("ignore", urllib3.exceptions.InsecureRequestWarning)
    if endpoint.proxy is None:
        return urllib3.PoolManager(**settings)
    if endpoint.proxy.is_socks:
        from urllib3.contrib.socks import SOCKSProxyManager  # noqa: PLC0415 - seldom needed

        return SOCKSProxyManager(endpoint.proxy.url, **settings)
    return urllib3.ProxyManager(
        endpoint.proxy.url,
        proxy_headers=endpoint.proxy.headers,
        proxy_ssl_context=proxy_context(endpoint),
        **settings,
    )
