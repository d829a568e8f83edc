"""Certificates for servers and clients on 127.0.0.1, made for a test."""

from __future__ import annotations

import base64
import ipaddress
import ssl
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

_PEM = serialization.Encoding.PEM


@dataclass(frozen=True)
class Pair:
    """A certificate and its key."""

    certificate: x509.Certificate
    key: ec.EllipticCurvePrivateKey

    @property
    def pem(self) -> bytes:
        return self.certificate.public_bytes(_PEM)

    @property
    def key_pem(self) -> bytes:
        return self._key(serialization.NoEncryption())

    @property
    def encrypted_key_pem(self) -> bytes:
        return self._key(serialization.BestAvailableEncryption(b"password"))

    def _key(self, encryption: serialization.KeySerializationEncryption) -> bytes:
        return self.key.private_bytes(_PEM, serialization.PrivateFormat.PKCS8, encryption)


class Authority:
    """A CA, as old tools make one when it has no key identifiers."""

    def __init__(self, *, key_identifiers: bool = True) -> None:
        self.key_identifiers = key_identifiers
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.pair = Pair(self._sign("ca", self.key.public_key(), "ca", ca=True), self.key)

    @property
    def data(self) -> str:
        """The certificate as in a kubeconfig's certificate-authority-data."""
        return encoded(self.pair.pem)

    def issue(self, name: str, *addresses: str, days: int = 1) -> Pair:
        """Issue a certificate for IP addresses, which ends in so many days."""
        key = ec.generate_private_key(ec.SECP256R1())
        return Pair(self._sign(name, key.public_key(), "ca", *addresses, days=days), key)

    def server_context(self, folder: Path, pair: Pair, *, clients: bool = False) -> ssl.SSLContext:
        """Return the context of a server, which may demand a certificate of its clients."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        path = folder / "server.pem"
        path.write_bytes(pair.pem + pair.key_pem)
        context.load_cert_chain(path)
        if clients:
            context.verify_mode = ssl.CERT_REQUIRED
            context.load_verify_locations(cadata=self.pair.pem.decode())
        return context

    def _sign(
        self,
        name: str,
        key: ec.EllipticCurvePublicKey,
        issuer: str,
        *addresses: str,
        ca: bool = False,
        days: int = 1,
    ) -> x509.Certificate:
        now = datetime.now(UTC)
        builder = (
            x509.CertificateBuilder()
            .subject_name(_named(name))
            .issuer_name(_named(issuer))
            .public_key(key)
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - timedelta(days=9))
            .not_valid_after(now + timedelta(days=days))
            .add_extension(x509.BasicConstraints(ca=ca, path_length=None), critical=True)
        )
        if self.key_identifiers:
            public = self.key.public_key()
            builder = builder.add_extension(
                x509.SubjectKeyIdentifier.from_public_key(key), critical=False
            ).add_extension(
                x509.AuthorityKeyIdentifier.from_issuer_public_key(public), critical=False
            )
        if addresses:
            names = [x509.IPAddress(ipaddress.ip_address(address)) for address in addresses]
            builder = builder.add_extension(x509.SubjectAlternativeName(names), critical=False)
        return builder.sign(self.key, hashes.SHA256())


def encoded(content: bytes) -> str:
    """Return content as in a `-data` field of a kubeconfig."""
    return base64.b64encode(content).decode()


def _named(name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
