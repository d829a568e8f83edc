"""The requests that the agent sends to the apiserver."""

import asyncio
import json
import ssl
from collections.abc import AsyncGenerator, Mapping
from typing import Any, Self

import aiohttp

from localcluster.agent.config import AgentConfig

__all__ = ["ApiClient", "ApiError", "Json", "UnreachableError"]

Json = dict[str, Any]
STRATEGIC_MERGE_PATCH = "application/strategic-merge-patch+json"
MERGE_PATCH = "application/merge-patch+json"


class ApiError(Exception):
    """The apiserver answered with an error."""

    def __init__(self, status: int, reason: str, message: str) -> None:
        super().__init__(f"{status} {reason}: {message}")
        self.status, self.reason, self.message = status, reason, message


class UnreachableError(Exception):
    """The apiserver did not answer."""


class ApiClient:
    """A client of the apiserver, authenticated as administrator."""

    def __init__(self, config: AgentConfig) -> None:
        self.server = config.server
        self._tls = ssl.create_default_context(cafile=config.ca_certificate)
        self._tls.load_cert_chain(config.client_certificate, config.client_key)
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
            raise RuntimeError("ApiClient is used outside its `async with`")
        return self._session.request(method, self.server + path, **options)

    async def call(
        self,
        method: str,
        path: str,
        body: Mapping[str, Any] | None = None,
        content_type: str = "application/json",
        seconds: float = 30,
    ) -> Json:
        """Send one request and return the JSON of the response.

        Args:
            method: GET, POST, PATCH or DELETE.
            path: The path with its query.
            body: The JSON to send.
            content_type: The content type of the body.
            seconds: The timeout.

        Raises:
            ApiError: The response is an error.
            UnreachableError: There was no response.
        """
        data = None if body is None else json.dumps(body)
        headers = {"Content-Type": content_type, "Accept": "application/json"}
        timeout = aiohttp.ClientTimeout(total=seconds)
        try:
            async with self._request(
                method, path, data=data, headers=headers, timeout=timeout
            ) as response:
                text = await response.text()
                if response.status >= 400:
                    raise _error(response.status, text)
                loaded: Json = json.loads(text) if text else {}
                return loaded
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise UnreachableError(f"{method} {path}: {error or type(error).__name__}") from error

    async def patch(
        self, path: str, body: Mapping[str, Any], content_type: str = STRATEGIC_MERGE_PATCH
    ) -> Json:
        """Send a PATCH, by default a strategic merge patch, and return the new object.

        Raises:
            ApiError: The response is an error.
            UnreachableError: There was no response.
        """
        return await self.call("PATCH", path, body, content_type)

    async def watch(self, path: str) -> AsyncGenerator[Json, None]:
        """Yield the events of one watch until the server ends it.

        Args:
            path: The path with its query, which contains watch=1.

        Raises:
            ApiError: The response or an event is an error.
            UnreachableError: There was no response, or the connection broke.
        """
        # The server ends a watch after timeoutSeconds; this limit is above that.
        timeout = aiohttp.ClientTimeout(total=None, sock_connect=10, sock_read=360)
        try:
            async with self._request("GET", path, timeout=timeout) as response:
                if response.status >= 400:
                    raise _error(response.status, await response.text())
                rest = b""
                async for chunk in response.content.iter_any():
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
                            # Thousands of events in one chunk must not delay heartbeats.
                            await asyncio.sleep(0)
        except (aiohttp.ClientError, TimeoutError, OSError, json.JSONDecodeError) as error:
            raise UnreachableError(f"watch {path}: {error or type(error).__name__}") from error


def _error(status: int, text: str) -> ApiError:
    try:
        body = json.loads(text)
        return ApiError(status, body.get("reason", ""), body.get("message", text))
    except (ValueError, AttributeError):
        # The body of 429 and 503 is plain text.
        return ApiError(status, "", text.strip()[:300])
