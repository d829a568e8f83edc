"""Certificates: what kubectl accepts, what it refuses, and what is left of a key on the disk."""

from __future__ import annotations

import ssl
import tempfile
from pathlib import Path

import pytest

from mrunners.errors import InvalidInputError, UnauthorizedError, UnreachableError
from mrunners.kube import tls
from mrunners.kube.endpoint import Endpoint
from mrunners.kube.entries import Material
from tests.unit.kube.apiserver import ApiServer, Client, listed, serving
from tests.unit.kube.certificates import Authority, Pair, encoded


@pytest.fixture(scope="module")
def authority() -> Authority:
    return Authority()


@pytest.fixture(scope="module")
def server_pair(authority: Authority) -> Pair:
    return authority.issue("server", "127.0.0.1")


@pytest.fixture(scope="module")
def client_pair(authority: Authority) -> Pair:
    return authority.issue("me")


def lists_jobs(api: ApiServer, kubeconfig: str) -> Client:
    """List Jobs, of which the server has none, and return the client that did."""
    api.answers.append(listed("Job"))
    client = Client(kubeconfig)
    assert client.list_jobs("load", "") == []
    return client


def problem_of(kubeconfig: str) -> tuple[str, Client]:
    """Return why no Jobs can be listed, and the client that tried."""
    client = Client(kubeconfig)
    with pytest.raises(UnreachableError) as caught:
        client.list_jobs("load", "")
    return str(caught.value), client


def test_a_server_whose_certificate_the_ca_signed_is_trusted(
    authority: Authority, server_pair: Pair, tmp_path: Path
) -> None:
    with serving(authority.server_context(tmp_path, server_pair)) as api:
        trust = {"certificate-authority-data": authority.data}
        assert lists_jobs(api, api.kubeconfig(tmp_path, trust)).warnings == []
        (tmp_path / "ca.crt").write_bytes(b"# the CA\n" + authority.pair.pem)
        relative = {"certificate-authority": "ca.crt"}
        assert lists_jobs(api, api.kubeconfig(tmp_path, relative)).warnings == []


def test_a_ca_without_key_identifiers_is_trusted_on_every_python(tmp_path: Path) -> None:
    old = Authority(key_identifiers=False)
    with serving(old.server_context(tmp_path, old.issue("server", "127.0.0.1"))) as api:
        trust = {"certificate-authority-data": old.data}
        assert lists_jobs(api, api.kubeconfig(tmp_path, trust)).requests == 1
    context = tls.server_context(Endpoint("https://127.0.0.1"), None)
    assert not context.verify_flags & ssl.VERIFY_X509_STRICT


def test_a_certificate_that_is_given_is_trusted_though_another_has_signed_it(
    authority: Authority, server_pair: Pair, tmp_path: Path
) -> None:
    with serving(authority.server_context(tmp_path, server_pair)) as api:
        trust = {"certificate-authority-data": encoded(server_pair.pem)}
        assert lists_jobs(api, api.kubeconfig(tmp_path, trust)).requests == 1


def test_a_certificate_that_is_not_trusted_ends_at_once_and_is_named(
    authority: Authority, server_pair: Pair, tmp_path: Path
) -> None:
    with serving(authority.server_context(tmp_path, server_pair)) as api:
        trust = {"certificate-authority-data": Authority().data}
        problem, client = problem_of(api.kubeconfig(tmp_path, trust))
        assert problem == (
            f"the certificate of the API server {api.url} is not trusted: unable to get local "
            "issuer certificate (list jobs.batch in namespace load); check server, and "
            "certificate-authority-data of cluster 'here'"
        )
        assert (client.requests, client.warnings, client.clock.slept) == (1, [], [])


def test_a_kubeconfig_without_a_ca_is_told_to_name_one(
    authority: Authority, server_pair: Pair, tmp_path: Path
) -> None:
    with serving(authority.server_context(tmp_path, server_pair)) as api:
        problem, _ = problem_of(api.kubeconfig(tmp_path))
        assert "is not trusted: unable to get local issuer certificate (list" in problem
        assert problem.endswith(
            "; set certificate-authority-data in the kubeconfig, which names no CA"
        )


def test_a_certificate_for_another_name_suggests_the_name_to_expect(
    authority: Authority, tmp_path: Path
) -> None:
    elsewhere = authority.issue("server", "10.0.0.1")
    with serving(authority.server_context(tmp_path, elsewhere)) as api:
        trust = {"certificate-authority-data": authority.data}
        problem, _ = problem_of(api.kubeconfig(tmp_path, trust))
        assert "IP address mismatch, certificate is not valid for '127.0.0.1'" in problem
        assert problem.endswith("; check server in the kubeconfig, or set tls-server-name there")
        named = {**trust, "tls-server-name": "10.0.0.1"}
        assert lists_jobs(api, api.kubeconfig(tmp_path, named)).requests == 1


def test_an_expired_certificate_says_so(authority: Authority, tmp_path: Path) -> None:
    expired = authority.issue("server", "127.0.0.1", days=-1)
    with serving(authority.server_context(tmp_path, expired)) as api:
        trust = {"certificate-authority-data": authority.data}
        problem, _ = problem_of(api.kubeconfig(tmp_path, trust))
        assert "is not trusted: certificate has expired (list" in problem
        assert problem.endswith("; renew it, or check the clock")


def test_insecure_skip_tls_verify_accepts_any_certificate_without_a_word(
    authority: Authority,
    server_pair: Pair,
    tmp_path: Path,
    recwarn: pytest.WarningsRecorder,
) -> None:
    with serving(authority.server_context(tmp_path, server_pair)) as api:
        trust = {"insecure-skip-tls-verify": True}
        assert lists_jobs(api, api.kubeconfig(tmp_path, trust)).requests == 1
    assert recwarn.list == []


def test_a_handshake_that_breaks_off_is_an_outage(
    authority: Authority, server_pair: Pair, tmp_path: Path
) -> None:
    with serving(authority.server_context(tmp_path, server_pair)) as api:
        client = lists_jobs(
            api, api.kubeconfig(tmp_path, {"certificate-authority-data": authority.data})
        )
        client._transport._session.pool.clear()  # as after a restart of the server
        api.drops = 3
        api.answers.append(listed("Job"))
        assert client.list_jobs("load", "") == []
        assert client.requests == 5
        first, last = client.warnings
        assert first.startswith(f"cannot reach the API server {api.url}: ")
        assert first.endswith("; retrying for up to 10m")
        assert last.startswith("the API server is back after ")


def test_a_server_without_tls_is_named_as_one(tmp_path: Path) -> None:
    with serving() as api:
        plain, api.url = api.url, api.url.replace("http:", "https:")
        problem, _ = problem_of(api.kubeconfig(tmp_path))
        assert problem.startswith(f"cannot reach the API server {api.url}: it does not speak TLS (")
        assert plain.startswith("http:")


def test_a_certificate_that_was_trusted_before_is_an_outage(
    authority: Authority, server_pair: Pair, tmp_path: Path
) -> None:
    trust = {"certificate-authority-data": authority.data}
    context = authority.server_context(tmp_path, server_pair)
    with serving(context) as api:
        client = lists_jobs(api, api.kubeconfig(tmp_path, trust))
        client._transport._session.pool.clear()
        # A balancer shows its own certificate while no server is behind it.
        Authority().server_context(tmp_path, Authority().issue("balancer", "127.0.0.1"))
        context.load_cert_chain(tmp_path / "server.pem")
        problem = ""
        with pytest.raises(UnreachableError) as caught:
            client.list_jobs("load", "")
        problem = str(caught.value)
        assert "is not trusted" in problem
        assert client.clock.seconds >= 600


def test_a_new_ca_in_the_kubeconfig_is_read_while_a_run_goes_on(
    authority: Authority, server_pair: Pair, tmp_path: Path
) -> None:
    context = authority.server_context(tmp_path, server_pair)
    with serving(context) as api:
        client = lists_jobs(
            api, api.kubeconfig(tmp_path, {"certificate-authority-data": authority.data})
        )
        client._transport._session.pool.clear()
        new = Authority()
        context.load_cert_chain(_written(tmp_path, new.issue("server", "127.0.0.1")))
        api.kubeconfig(tmp_path, {"certificate-authority-data": new.data})
        api.answers.append(listed("Job"))
        assert client.list_jobs("load", "") == []
        assert client.warnings == []


def _written(folder: Path, pair: Pair) -> Path:
    path = folder / "another.pem"
    path.write_bytes(pair.pem + pair.key_pem)
    return path


def test_a_client_certificate_identifies_the_user(
    authority: Authority, server_pair: Pair, client_pair: Pair, tmp_path: Path
) -> None:
    trust = {"certificate-authority-data": authority.data}
    with serving(authority.server_context(tmp_path, server_pair, clients=True)) as api:
        user = {
            "client-certificate-data": encoded(client_pair.pem),
            "client-key-data": encoded(client_pair.key_pem),
        }
        assert lists_jobs(api, api.kubeconfig(tmp_path, trust, **user)).requests == 1
        (tmp_path / "me.crt").write_bytes(client_pair.pem)
        (tmp_path / "me.key").write_bytes(client_pair.key_pem)
        files = {"client-certificate": "me.crt", "client-key": "me.key"}
        assert lists_jobs(api, api.kubeconfig(tmp_path, trust, **files)).requests == 1


def test_a_client_certificate_that_the_server_refuses_is_not_a_lost_connection(
    authority: Authority, server_pair: Pair, tmp_path: Path
) -> None:
    trust = {"certificate-authority-data": authority.data}
    with serving(authority.server_context(tmp_path, server_pair, clients=True)) as api:
        stranger = Authority().issue("me")
        user = {
            "client-certificate-data": encoded(stranger.pem),
            "client-key-data": encoded(stranger.key_pem),
        }
        client = Client(api.kubeconfig(tmp_path, trust, **user))
        with pytest.raises(UnauthorizedError, match="does not accept the client certificate"):
            client.list_jobs("load", "")


@pytest.mark.parametrize("in_memory", [True, False])
def test_no_key_is_left_in_a_file(
    authority: Authority,
    client_pair: Pair,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    in_memory: bool,
) -> None:
    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    if not in_memory:
        monkeypatch.delattr("os.memfd_create")
    with serving() as api:
        api.url = "https://127.0.0.1:1"
        kubeconfig = api.kubeconfig(
            tmp_path,
            {"certificate-authority-data": authority.data},
            **{
                "client-certificate-data": encoded(client_pair.pem),
                "client-key-data": encoded(client_pair.key_pem),
            },
        )
        Client(kubeconfig)
    assert list(folder.rglob("*")) == []


@pytest.mark.parametrize(
    ("certificate", "key", "problem"),
    [
        (b"not a cert", b"not a key", "client-certificate-data {} holds no certificate"),
        (
            b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----",
            b"x",
            "client-certificate-data {} is a broken certificate",
        ),
        (None, b"not a key", "client-key-data {} holds no private key in PEM form"),
        (
            None,
            b"-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----",
            "client-key-data {} is a broken private key",
        ),
    ],
)
def test_a_broken_client_certificate_or_key_is_named(
    client_pair: Pair, tmp_path: Path, certificate: bytes | None, key: bytes, problem: str
) -> None:
    user = {
        "client-certificate-data": encoded(certificate or client_pair.pem),
        "client-key-data": encoded(key),
    }
    assert problem.format("of user 'me'") in _refusal(tmp_path, {}, user)


def test_a_key_of_another_certificate_and_an_encrypted_key_are_named(
    authority: Authority, client_pair: Pair, tmp_path: Path
) -> None:
    other = authority.issue("other")
    certificate = encoded(client_pair.pem)
    of_another = {
        "client-certificate-data": certificate,
        "client-key-data": encoded(other.key_pem),
    }
    encrypted = {**of_another, "client-key-data": encoded(client_pair.encrypted_key_pem)}
    assert [_refusal(tmp_path, {}, user) for user in (of_another, encrypted)] == [
        f"kubeconfig {tmp_path}/kubeconfig: client-key-data of user 'me' does not belong to its "
        "certificate",
        f"kubeconfig {tmp_path}/kubeconfig: client-key-data of user 'me' is encrypted; give it "
        "without a password",
    ]


@pytest.mark.parametrize(
    ("cluster", "problem"),
    [
        ({"certificate-authority-data": "bm90IGEgY2VydA=="}, "-data {} holds no certificate"),
        ({"certificate-authority-data": "a cert!"}, "-data {} is not base64"),
        ({"certificate-authority": "/none/ca.crt"}, " {}: /none/ca.crt: no such file or directory"),
        (
            {
                "certificate-authority-data": encoded(
                    b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----"
                )
            },
            "-data {} is a broken certificate",
        ),
    ],
)
def test_a_broken_ca_is_named(tmp_path: Path, cluster: dict[str, str], problem: str) -> None:
    named = "certificate-authority" + problem.format("of cluster 'here'")
    assert named in _refusal(tmp_path, cluster, {"token": "t"})


def test_certificates_do_not_show_in_a_repr() -> None:
    assert "secret" not in repr(Material(b"secret", "client-key-data of user 'me'"))


def _refusal(folder: Path, cluster: dict[str, str], user: dict[str, str]) -> str:
    with serving() as api:
        api.url = "https://127.0.0.1:1"
        with pytest.raises(InvalidInputError) as caught:
            Client(api.kubeconfig(folder, cluster, **user))
    return str(caught.value)
