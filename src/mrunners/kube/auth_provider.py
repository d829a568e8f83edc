"""Tokens of the old `auth-provider: oidc`, by the Kubernetes client, which can refresh them.

This is the one module that imports the Kubernetes client, and only for a user who has one.
"""

from __future__ import annotations

from mrunners.errors import UnauthorizedError
from mrunners.kube.entries import Entry

__all__ = ["auth_provider_token"]


def auth_provider_token(provider: Entry) -> str:
    """Return the token that an auth-provider gives.

    Raises:
        InvalidInputError: kubectl does not know the provider either.
        UnauthorizedError: It gives no token.
    """
    name = provider.text("name")
    if name != "oidc":
        raise provider.error(
            f"{provider} has the auth-provider {name!r}, which Kubernetes no longer has; use the "
            "exec plugin of your provider"
        )
    # The client takes 0.2 seconds to import, and hardly anybody needs it.
    from kubernetes.client import Configuration  # noqa: PLC0415
    from kubernetes.config import load_kube_config_from_dict  # noqa: PLC0415

    configuration = Configuration()
    try:
        load_kube_config_from_dict(
            {
                "current-context": "one",
                "contexts": [{"name": "one", "context": {"cluster": "one", "user": "one"}}],
                "clusters": [{"name": "one", "cluster": {"server": "http://127.0.0.1"}}],
                "users": [{"name": "one", "user": {"auth-provider": dict(provider.content)}}],
            },
            client_configuration=configuration,
            persist_config=False,
        )
    except Exception as error:
        # The client lets through whatever its three HTTP libraries, OAuth and JSON raise.
        raise _no_token(provider, f"{type(error).__name__}") from error
    token = str(configuration.api_key.get("BearerToken") or "")
    if not token:
        raise _no_token(provider, "its id-token is missing or broken")
    return token.removeprefix("Bearer ")


def _no_token(provider: Entry, cause: str) -> UnauthorizedError:
    return UnauthorizedError(
        f"kubeconfig {provider.kubeconfig}: the auth-provider 'oidc' of {provider} gave no token "
        f"({cause}); sign in again"
    )
