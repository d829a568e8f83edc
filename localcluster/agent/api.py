"""The few calls to the apiserver that the agent makes; it must not know what they are for."""

import asyncio
import json
import ssl
from collections.abc import AsyncGenerator, Mapping
from typing import Any, Self

import aiohttp

from localcluster.agent.config import Orders

__all__ = ["Api", "ApiError", "Json", "Unreachable", "transient"]

Json = dict[str, Any]
STRATEGIC = "application/strategic-merge-patch+json"
MERGE = "application/merge-patch+json"


class ApiError(Exception):
    """The apiserver said no."""

    def __init__(self, status: int, reason: str, message: str) -> None:
        super().__init__(f"{status} {reason}: {message}")
        self.status, self.reason, self.message = status, reason, message


class Unreachable(Exception):  # noqa: N818  # reads as what it says
    """The apiserver did not answer."""


def transient(error: ApiError | Unreachable) -> bool:
    """Whether the same call may succeed a moment later.

    Args:
        error: what a call raised.
    """
    # A restarting apiserver answers 403 to an authorised user for a moment.
    return isinstance(error, Unreachable) or error.status in {401, 403, 429} or error.status >= 500


class Api:
    """A session with the apiserver, signed in as administrator."""

    def __init__(self, orders: Orders) -> None:
        self.server = orders.server
        self._tls = ssl.create_default_context(cafile=orders.authority)
        self._tls.load_cert_chain(orders.certificate, orders.key)
        self._session: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> Self:
        connector = aiohttp.TCPConnector(ssl=self._tls, limit=64)
        self._session = aiohttp.ClientSession(connector=connector)
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._session:
            await self._session.close()

    def _request(
        self, method: str, path: str, **options: Any
    ) -> "aiohttp.client._RequestContextManager":
        if self._session is None:
            raise RuntimeError("Api is used outside its `async with`")
        return self._session.request(method, self.server + path, **options)

    async def call(
        self,
        method: str,
        path: str,
        body: Mapping[str, Any] | None = None,
        content_type: str = "application/json",
        seconds: float = 30,
    ) -> Json:
        """One request.

        Args:
            method: GET, POST, PATCH, DELETE.
            path: with its query.
            body: JSON.
            content_type: of the body.
            seconds: patience.
        Raises: ApiError: it was answered with an error. Unreachable: it was not answered.
        """
        data = None if body is None else json.dumps(body)
        headers = {"Content-Type": content_type, "Accept": "application/json"}
        timeout = aiohttp.ClientTimeout(total=seconds)
        try:
            async with self._request(
                method, path, data=data, headers=headers, timeout=timeout
            ) as answer:
                text = await answer.text()
                if answer.status >= 400:
                    raise _error(answer.status, text)
                loaded: Json = json.loads(text) if text else {}
                return loaded
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise Unreachable(f"{method} {path}: {error or type(error).__name__}") from error

    async def patch(
        self, path: str, body: Mapping[str, Any], content_type: str = STRATEGIC
    ) -> Json:
        """A PATCH, by default a strategic merge.

        Args:
            path: of the object.
            body: what to merge.
            content_type: the kind of patch.
        Raises: as `call`.
        """
        return await self.call("PATCH", path, body, content_type)

    async def watch(self, path: str) -> AsyncGenerator[Json, None]:
        """The events of one watch until the server ends it.

        Args:
            path: with its query, which asks for a watch.
        Raises: as `call`; an ERROR event is raised as an ApiError.
        """
        # The server ends a watch after timeoutSeconds; a silent connection is given up after.
        timeout = aiohttp.ClientTimeout(total=None, sock_connect=10, sock_read=360)
        try:
            async with self._request("GET", path, timeout=timeout) as answer:
                if answer.status >= 400:
                    raise _error(answer.status, await answer.text())
                rest = b""
                async for chunk in answer.content.iter_any():
                    *lines, rest = (rest + chunk).split(b"\n")
                    for number, line in enumerate(lines):
                        event: Json = json.loads(line)
                        if event["type"] == "ERROR":
                            status = event["object"]
                            raise ApiError(
                                status.get("code", 500),
                                status.get("reason", ""),
                                status.get("message", ""),
                            )
                        yield event
                        if number % 100 == 99:
                            # Thousands of events in one chunk must not stop heartbeats.
                            await asyncio.sleep(0)
        except (aiohttp.ClientError, TimeoutError, OSError, json.JSONDecodeError) as error:
            raise Unreachable(f"watch {path}: {error or type(error).__name__}") from error


def _error(status: int, text: str) -> ApiError:
    try:
        said = json.loads(text)
        return ApiError(status, said.get("reason", ""), said.get("message", text))
    except (ValueError, AttributeError):
        # 429 and 503 come as text/plain.
        return ApiError(status, "", text.strip()[:300])
