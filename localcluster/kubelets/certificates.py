"""Sign the client certificate of a kubelet with the cluster's own authority.

So the Node authorizer and RBAC are in force as in any cluster.
"""

import datetime
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

__all__ = ["write_client_certificate"]


def write_client_certificate(pki: Path, node: str, target: Path, now: datetime.datetime) -> None:
    """Write a kubelet's key and certificate into one PEM file, readable by this user only.

    Args:
        pki: The folder with `admin.crt` and `ca.key`.
        node: The name of the node.
        target: The file.
        now: The current time, with a time zone.
    """
    # Its issuer is the authority, whose own certificate has a serial number that x509 disallows.
    administrator = x509.load_pem_x509_certificate((pki / "admin.crt").read_bytes())
    authority_key = serialization.load_pem_private_key((pki / "ca.key").read_bytes(), None)
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name(
        [
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, "system:nodes"),
            x509.NameAttribute(NameOID.COMMON_NAME, f"system:node:{node}"),
        ]
    )
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(administrator.issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=365))
        .add_extension(
            x509.ExtendedKeyUsage([x509.oid.ExtendedKeyUsageOID.CLIENT_AUTH]), critical=False
        )
        .sign(authority_key, hashes.SHA256())  # type: ignore[arg-type]  # kwokctl makes an RSA key
    )
    secret = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    target.touch(mode=0o600)
    target.write_bytes(secret + certificate.public_bytes(serialization.Encoding.PEM))
