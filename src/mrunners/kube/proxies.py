"""Which proxy a connection takes: as kubectl does, so by Go's rules and not by Python's.

A kubeconfig's `proxy-url` is always used. Otherwise the environment names a proxy, except for this
machine and for what `NO_PROXY` lists.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from dataclasses import dataclass, field

import urllib3
from urllib3.util import Url, make_headers, parse_url

from mrunners.errors import InvalidInputError

__all__ = ["Proxy", "parse_proxy", "proxy_from_environment"]

SCHEMES = ("http", "https", "socks5", "socks5h")


@dataclass(frozen=True, slots=True)
class Proxy:
    """A proxy.

    Attributes:
        url: With its credentials, which a repr leaves out.
        shown: The URL without credentials, for messages.
        origin: What named it, such as `HTTPS_PROXY`.
    """

    url: str = field(repr=False)
    shown: str
    origin: str

    @property
    def is_socks(self) -> bool:
        """Whether it is a SOCKS proxy."""
        return self.url.startswith("socks5")

    @property
    def headers(self) -> dict[str, str]:
        """The headers that identify the user to an HTTP proxy."""
        name, password = parse_url(self.url).auth_decoded
        if name is None:
            return {}
        return make_headers(proxy_basic_auth=f"{name}:{password or ''}")

    def __str__(self) -> str:
        """Return the proxy as `proxy http://127.0.0.1:3128 (HTTPS_PROXY)`."""
        return f"proxy {self.shown} ({self.origin})"


def parse_proxy(given: str, origin: str) -> Proxy:
    """Return a proxy.

    Args:
        given: Its URL; without a scheme it is an HTTP proxy.
        origin: What named it, for messages.

    Raises:
        InvalidInputError: It is no URL of a proxy.
    """
    text = given.strip()
    try:
        url = parse_url(text if "://" in text else f"http://{text}")
    except urllib3.exceptions.LocationValueError as error:
        raise InvalidInputError(f"{origin} is not the URL of a proxy") from error
    if url.scheme not in SCHEMES:
        raise InvalidInputError(
            f"{origin}: a proxy's URL begins with http://, https:// or socks5://, and not with "
            f"{url.scheme}://"
        )
    if not url.host:
        raise InvalidInputError(f"{origin} is not the URL of a proxy: it has no host")
    # kubectl lets a SOCKS proxy resolve the host's name, which Python calls socks5h.
    scheme = "socks5h" if url.scheme.startswith("socks5") else url.scheme
    port = url.port or {"http": 80, "https": 443}.get(scheme, 1080)
    return Proxy(
        Url(scheme, url.auth, url.host, port).url,
        Url(url.scheme, None, url.host, url.port).url,
        origin,
    )


def proxy_from_environment(server: Url, environ: Mapping[str, str]) -> Proxy | None:
    """Return the proxy that the environment names for a server, as Go's httpproxy does.

    Raises:
        InvalidInputError: The environment's URL is not that of a proxy.
    """
    for name in (f"{server.scheme}_proxy".upper(), f"{server.scheme}_proxy"):
        if given := environ.get(name):
            host = (server.host or "").strip("[]").lower().rstrip(".")
            port = server.port or {"http": 80, "https": 443}[server.scheme or "https"]
            exceptions = environ.get("NO_PROXY") or environ.get("no_proxy") or ""
            return None if _is_excepted(host, port, exceptions) else parse_proxy(given, name)
    return None


def _is_excepted(host: str, port: int, exceptions: str) -> bool:
    address = _address(host)
    if host == "localhost" or (address is not None and address.is_loopback):
        return True
    return any(
        _matches(host, address, port, pattern.strip().lower()) for pattern in exceptions.split(",")
    )


def _matches(
    host: str,
    address: ipaddress.IPv4Address | ipaddress.IPv6Address | None,
    port: int,
    pattern: str,
) -> bool:
    if pattern == "*":
        return True
    if "/" in pattern:
        return address is not None and _contains(pattern, address)
    name, separator, digits = pattern.rpartition(":")
    if separator and digits.isdecimal() and (":" not in name or name.startswith("[")):
        if int(digits) != port:
            return False
        pattern = name
    pattern = pattern.strip("[]")
    if address is not None:
        return _address(pattern) == address
    if pattern.startswith("*."):
        pattern = pattern[1:]
    if pattern.startswith("."):
        return host.endswith(pattern)
    return bool(pattern) and (host == pattern or host.endswith(f".{pattern}"))


def _address(text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(text)
    except ValueError:
        return None


def _contains(network: str, address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> bool:
    try:
        return address in ipaddress.ip_network(network, strict=False)
    except ValueError:
        return False
