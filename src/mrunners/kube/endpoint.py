"""Where an API server is, how it is reached and how its certificate is verified."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import urllib3
from urllib3.util import Url, parse_url

from mrunners.errors import InvalidInputError
from mrunners.kube.entries import Entry, Material, read_file
from mrunners.kube.proxies import Proxy, parse_proxy, proxy_from_environment

__all__ = ["POD_FOLDER", "Endpoint", "endpoint_of", "is_in_pod", "pod_endpoint", "pod_namespace"]

# Where the kubelet mounts a ServiceAccount's token and the cluster's CA.
POD_FOLDER = Path("/var/run/secrets/kubernetes.io/serviceaccount")

_HOST, _PORT = "KUBERNETES_SERVICE_HOST", "KUBERNETES_SERVICE_PORT"


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One API server.

    Attributes:
        server: Its URL, without a slash at the end.
        kubeconfig: The kubeconfig as in messages; empty for the pod's own cluster.
        authority: The CA that must have signed its certificate; None means the system's CAs.
        insecure: Accept any certificate.
        tls_server_name: The name that its certificate must have; empty means the URL's host.
        proxy: The proxy on the way; None means none.
    """

    server: str
    kubeconfig: str = ""
    authority: Material | None = None
    insecure: bool = False
    tls_server_name: str = ""
    proxy: Proxy | None = None


def endpoint_of(cluster: Entry, environ: Mapping[str, str]) -> Endpoint:
    """Return the endpoint that a cluster of a kubeconfig describes.

    Raises:
        InvalidInputError: A field is broken.
    """
    authority = cluster.material("certificate-authority")
    insecure = cluster.flag("insecure-skip-tls-verify")
    given = cluster.text("server")
    if not given:
        raise cluster.error(f"{cluster} has no server")
    if "://" not in given:
        # As kubectl: a server without a scheme has TLS if the kubeconfig speaks of certificates.
        given = f"{'https' if authority or insecure else 'http'}://{given}"
    try:
        url = parse_url(given)
    except urllib3.exceptions.LocationValueError as error:
        raise cluster.error(f"server of {cluster} is not a URL") from error
    if url.scheme not in {"http", "https"} or not url.host or len(given.split()) > 1:
        raise cluster.error(f"server of {cluster} is not a URL such as https://host:6443")
    url = Url(url.scheme, None, url.host, url.port, (url.path or "").rstrip("/"))
    if given_proxy := cluster.text("proxy-url"):
        origin = f"kubeconfig {cluster.kubeconfig}: proxy-url of {cluster}"
        proxy: Proxy | None = parse_proxy(given_proxy, origin)
    else:
        proxy = proxy_from_environment(url, environ)
    return Endpoint(
        server=url.url,
        kubeconfig=cluster.kubeconfig,
        authority=authority,
        insecure=insecure,
        tls_server_name=cluster.text("tls-server-name"),
        proxy=proxy,
    )


def is_in_pod(environ: Mapping[str, str]) -> bool:
    """Whether this process runs in a pod that has a token."""
    return bool(environ.get(_HOST)) and (POD_FOLDER / "token").is_file()


def pod_namespace() -> str:
    """Return the namespace of the pod that this process runs in; empty when it cannot be read."""
    try:
        return (POD_FOLDER / "namespace").read_text("utf-8").strip()
    except (OSError, ValueError):
        return ""


def pod_endpoint(environ: Mapping[str, str]) -> Endpoint:
    """Return the endpoint of the cluster that this pod runs in.

    Raises:
        InvalidInputError: The pod's CA cannot be read.
    """
    host, port = environ[_HOST], environ.get(_PORT) or "443"
    try:
        url = parse_url(f"https://{f'[{host}]' if ':' in host else host}:{port}")
    except urllib3.exceptions.LocationValueError as error:
        raise InvalidInputError(f"{_HOST} and {_PORT} name no server") from error
    path = POD_FOLDER / "ca.crt"
    return Endpoint(
        server=url.url,
        authority=Material(read_file(path, "the pod's CA"), str(path)),
        proxy=proxy_from_environment(url, environ),
    )
