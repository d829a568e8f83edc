"""Proxies: which one is taken, and requests that go through real ones."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
from urllib3.util import parse_url

from mrunners.errors import InvalidInputError, UnreachableError
from mrunners.kube.proxies import Proxy, parse_proxy, proxy_from_environment
from tests.unit.kube.apiserver import ApiServer, Client, listed, serving
from tests.unit.kube.certificates import Authority
from tests.unit.kube.proxy_servers import http_proxy, socks_proxy


@pytest.fixture(scope="module")
def authority() -> Authority:
    return Authority()


@pytest.fixture
def api(authority: Authority, tmp_path: Path) -> Iterator[ApiServer]:
    pair = authority.issue("server", "127.0.0.1")
    with serving(authority.server_context(tmp_path, pair)) as server:
        yield server


def through(api: ApiServer, authority: Authority, folder: Path, url: str) -> Client:
    """Return a client whose kubeconfig names a proxy."""
    trust = {"certificate-authority-data": authority.data, "proxy-url": url}
    return Client(api.kubeconfig(folder, trust))


@pytest.mark.parametrize(
    ("given", "url", "shown"),
    [
        ("127.0.0.1:3128", "http://127.0.0.1:3128", "http://127.0.0.1:3128"),
        ("http://proxy", "http://proxy:80", "http://proxy"),
        (" https://proxy\n", "https://proxy:443", "https://proxy"),
        ("socks5://me:secret@bastion", "socks5h://me:secret@bastion:1080", "socks5://bastion"),
        ("http://me:secret@proxy:1/x", "http://me:secret@proxy:1", "http://proxy:1"),
    ],
)
def test_a_proxys_url_may_lack_a_scheme_and_shows_no_credentials(
    given: str, url: str, shown: str
) -> None:
    proxy = parse_proxy(given, "HTTPS_PROXY")
    assert proxy == Proxy(url, shown, "HTTPS_PROXY")
    assert "secret" not in f"{proxy} {proxy!r}"


@pytest.mark.parametrize(
    ("given", "problem"),
    [
        ("ftp://proxy", "a proxy's URL begins with http://, https:// or socks5://"),
        ("socks4://proxy", "a proxy's URL begins with http://, https:// or socks5://"),
        ("http://", "is not the URL of a proxy: it has no host"),
        ("http://a b", "is not the URL of a proxy"),
        ("http://proxy:port", "is not the URL of a proxy"),
    ],
)
def test_what_is_no_proxy_is_invalid_input_that_names_the_variable(
    given: str, problem: str
) -> None:
    with pytest.raises(InvalidInputError, match=r"^HTTPS_PROXY") as caught:
        parse_proxy(given, "HTTPS_PROXY")
    assert problem in str(caught.value)


@pytest.mark.parametrize(
    ("server", "variables", "origin"),
    [
        ("https://api", {"HTTPS_PROXY": "p:1"}, "HTTPS_PROXY"),
        ("https://api", {"https_proxy": "p:1"}, "https_proxy"),
        ("https://api", {"HTTPS_PROXY": "p:1", "https_proxy": "q:1"}, "HTTPS_PROXY"),
        ("https://api", {"HTTPS_PROXY": "", "https_proxy": "q:1"}, "https_proxy"),
        ("http://api", {"HTTP_PROXY": "p:1"}, "HTTP_PROXY"),
        ("https://api", {"HTTP_PROXY": "p:1", "ALL_PROXY": "p:1"}, None),
        ("https://127.0.0.1:6443", {"HTTPS_PROXY": "p:1"}, None),
        ("https://127.1.2.3", {"HTTPS_PROXY": "p:1"}, None),
        ("https://[::1]:6443", {"HTTPS_PROXY": "p:1"}, None),
        ("https://localhost", {"HTTPS_PROXY": "p:1"}, None),
        ("https://localhost.example", {"HTTPS_PROXY": "p:1"}, "HTTPS_PROXY"),
    ],
)
def test_the_environment_names_a_proxy_as_for_kubectl(
    server: str, variables: dict[str, str], origin: str | None
) -> None:
    proxy = proxy_from_environment(parse_url(server), variables)
    assert (proxy and proxy.origin) == origin


@pytest.mark.parametrize(
    ("exceptions", "server", "excepted"),
    [
        ("*", "https://api.corp", True),
        ("corp", "https://api.corp", True),
        ("corp", "https://corp", True),
        ("corp", "https://apicorp", False),
        (".corp", "https://api.corp", True),
        (".corp", "https://corp", False),
        ("*.corp", "https://API.corp.", True),
        ("*.corp", "https://corp", False),
        (" a , api.corp:6443", "https://api.corp:6443", True),
        ("api.corp:443", "https://api.corp", True),
        ("api.corp:6443", "https://api.corp", False),
        ("10.0.0.0/8", "https://10.1.2.3", True),
        ("10.0.0.0/8", "https://11.1.2.3", False),
        ("10.0.0.0/8", "https://api.corp", False),
        ("10.1.2.3", "https://10.1.2.3:6443", True),
        ("10.1.2.3:443", "https://10.1.2.3:6443", False),
        ("fd00::/8", "https://[fd00::1]:6443", True),
        ("fd00::1", "https://[fd00::1]:6443", True),
        ("[fd00::1]:6443", "https://[fd00::1]:6443", True),
        ("", "https://api.corp", False),
        (",", "https://api.corp", False),
        ("x/y", "https://10.1.2.3", False),
    ],
)
def test_no_proxy_is_read_as_go_reads_it(exceptions: str, server: str, excepted: bool) -> None:
    variables = {"HTTPS_PROXY": "proxy:3128", "NO_PROXY": exceptions}
    assert (proxy_from_environment(parse_url(server), variables) is None) == excepted


@pytest.mark.parametrize("scheme", ["http://", ""])
def test_requests_go_through_an_http_proxy_with_its_credentials(
    api: ApiServer, authority: Authority, tmp_path: Path, scheme: str
) -> None:
    api.answers.append(listed("Job"))
    with http_proxy() as proxy:
        url = f"{scheme}me:s%40cret@127.0.0.1:{proxy.port}"
        client = through(api, authority, tmp_path, url)
        assert client.list_jobs("load", "") == []
        client._transport._session.pool.clear()
    assert proxy.targets == [api.url.removeprefix("https://")]
    assert proxy.credentials == ["Basic bWU6c0BjcmV0"]


def test_requests_go_through_an_https_proxy_that_the_same_ca_signed(
    api: ApiServer, authority: Authority, tmp_path: Path
) -> None:
    api.answers.append(listed("Job"))
    folder = tmp_path / "proxy"
    folder.mkdir()
    context = authority.server_context(folder, authority.issue("proxy", "127.0.0.1"))
    with http_proxy(context) as proxy:
        client = through(api, authority, tmp_path, f"https://127.0.0.1:{proxy.port}")
        assert client.list_jobs("load", "") == []
        client._transport._session.pool.clear()
    assert proxy.targets == [api.url.removeprefix("https://")]


def test_a_socks_proxy_resolves_the_servers_name(
    api: ApiServer, authority: Authority, tmp_path: Path
) -> None:
    api.answers.append(listed("Job"))
    port = api.url.rpartition(":")[2]
    with socks_proxy() as proxy:
        trust = {
            "server": f"https://api.internal:{port}",
            "certificate-authority-data": authority.data,
            "tls-server-name": "127.0.0.1",
            "proxy-url": f"socks5://127.0.0.1:{proxy.port}",
        }
        client = Client(api.kubeconfig(tmp_path, trust))
        assert client.list_jobs("load", "") == []
        client._transport._session.pool.clear()
    assert proxy.targets == [f"api.internal:{port}"]


@pytest.mark.parametrize("scheme", ["http", "socks5"])
def test_a_proxy_that_is_away_is_named_and_not_the_server(
    api: ApiServer, authority: Authority, tmp_path: Path, scheme: str
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed_soon:
        url = f"{scheme}://127.0.0.1:{closed_soon.getsockname()[1]}"
    client = through(api, authority, tmp_path, url)
    with pytest.raises(UnreachableError) as caught:
        client.list_jobs("load", "")
    assert str(caught.value) == (
        f"cannot reach the proxy {url} (kubeconfig {tmp_path}/kubeconfig: proxy-url of cluster "
        "'here'): connection refused (list jobs.batch in namespace load); check the proxy"
    )
    assert 15 <= client.clock.seconds < 30


def test_a_proxy_that_refuses_is_named_with_its_answer(
    api: ApiServer, authority: Authority, tmp_path: Path
) -> None:
    with http_proxy() as proxy:
        proxy.refusal = 407
        url = f"http://127.0.0.1:{proxy.port}"
        client = through(api, authority, tmp_path, url)
        with pytest.raises(UnreachableError) as caught:
            client.list_jobs("load", "")
    assert f"the proxy {url} (kubeconfig" in str(caught.value)
    assert (
        f"does not connect to the API server {api.url}: 407 Proxy Authentication Required (list"
    ) in str(caught.value)
    assert proxy.credentials[0] is None


def test_a_socks_proxy_that_cannot_reach_the_server_is_named_with_its_answer(
    api: ApiServer, authority: Authority, tmp_path: Path
) -> None:
    with socks_proxy() as proxy:
        proxy.refusal = 5
        client = through(api, authority, tmp_path, f"socks5://127.0.0.1:{proxy.port}")
        with pytest.raises(UnreachableError) as caught:
            client.list_jobs("load", "")
    assert f"does not connect to the API server {api.url}: connection refused (list" in str(
        caught.value
    )
