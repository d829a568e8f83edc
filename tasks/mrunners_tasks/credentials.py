"""Reads a kubeconfig that is kept in a Prefect block: `block:///TYPE/NAME` instead of a path.

The content is never kept or logged. prefect-kubernetes is not needed: the server knows its blocks,
and the API returns their content.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import httpx
from prefect import get_client
from prefect.exceptions import ObjectNotFound

from mrunners.errors import InvalidInputError, UnreachableError
from mrunners.kube.kubeconfig import Kubeconfig, KubeconfigSource

__all__ = ["kubeconfig_of", "kubeconfig_problem"]

_SCHEME = "block:"
_CREDENTIALS = "kubernetes-credentials"
_CONFIG = "kubernetes-cluster-config"
# A block document's name, as Prefect takes it.
_REFERENCE = re.compile(rf"block:///({_CREDENTIALS}|{_CONFIG})/([a-z0-9-]+)")


def kubeconfig_of(given: str) -> str | KubeconfigSource:
    """Return what a `kubeconfig` parameter stands for.

    Args:
        given: A path, `block:///kubernetes-credentials/NAME`,
            `block:///kubernetes-cluster-config/NAME`, or empty.

    Returns:
        A path or nothing as it is; a block as a source that reads it anew each time.

    Raises:
        InvalidInputError: It names a block, and none that holds a kubeconfig.
    """
    if (problem := kubeconfig_problem(given)) is not None:
        raise InvalidInputError(problem)
    if not given.startswith(_SCHEME):
        return given
    return KubeconfigSource(given, lambda: _read(given))


def kubeconfig_problem(given: str) -> str | None:
    """Return what is wrong with a `kubeconfig` parameter, if anything; no block is read."""
    if not given.startswith(_SCHEME) or _REFERENCE.fullmatch(given):
        return None
    return (
        f"kubeconfig {given}: name a block as block:///{_CREDENTIALS}/NAME or "
        f"block:///{_CONFIG}/NAME"
    )


def _read(reference: str) -> Kubeconfig:
    """Read the kubeconfig in a block.

    Raises:
        InvalidInputError: There is no such block, or no kubeconfig in it.
        UnreachableError: The Prefect server does not answer, or cannot answer now.
    """
    match = _REFERENCE.fullmatch(reference)
    assert match is not None
    slug, name = match.groups()
    try:
        with get_client(sync_client=True) as client:
            data: Mapping[str, Any] = client.read_block_document_by_name(name, slug).data
    except ObjectNotFound as error:
        raise InvalidInputError(
            f"kubeconfig {reference}: the block does not exist; list blocks with: prefect block ls"
        ) from error
    except httpx.HTTPStatusError as error:
        status = error.response.status_code
        text = f"kubeconfig {reference}: the Prefect server answers {status}"
        raise (UnreachableError if status >= 500 else InvalidInputError)(text) from error
    except httpx.HTTPError as error:
        raise UnreachableError(
            f"kubeconfig {reference}: the Prefect server does not return the block: {_cause(error)}"
        ) from error
    except ValueError:
        # No JSON, or none of a block. The error would quote it, and that may be a credential.
        raise InvalidInputError(
            f"kubeconfig {reference}: the Prefect server's answer holds no block"
        ) from None
    config = (data.get("cluster_config") or {}) if slug == _CREDENTIALS else data
    content = config.get("config")
    if not isinstance(content, Mapping):
        raise InvalidInputError(
            f"kubeconfig {reference}: the block holds no kubeconfig; give it a cluster config"
        )
    return Kubeconfig(content, str(config.get("context_name") or ""))


def _cause(error: httpx.HTTPError) -> str:
    """Return the cause in words; httpx has none for a timeout, and numbers for the rest."""
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, OSError) and cause.strerror:
            return cause.strerror.lower()
        cause = cause.__cause__ or cause.__context__
    if isinstance(error, httpx.TimeoutException):
        return "the request timed out"
    return "the connection failed"
