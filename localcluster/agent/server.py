"""Serve the logs of containers to the apiserver, as a kubelet does.

A client must present the certificate that the apiserver uses; all others are rejected.
"""

import asyncio
import contextlib
import ssl
import time
from collections.abc import Callable
from pathlib import Path

from aiohttp import web

from localcluster.agent.container import Container
from localcluster.agent.container_state import Running
from localcluster.agent.log_options import LogFilter, LogOptions, parse_options
from localcluster.agent.pod_worker import PodWorker
from localcluster.agent.process import ContainerProcess

__all__ = ["FindPod", "serve_logs"]

FindPod = Callable[[str, str], PodWorker | None]
POLL_SECONDS = 0.1
CHUNK_BYTES = 1 << 20


def _error(status: int, text: str) -> web.Response:
    return web.Response(status=status, text=text)


def _read_entries(path: Path, offset: int) -> tuple[list[bytes], int]:
    """Return the whole entries from an offset on, and the offset of the next read."""
    try:
        with path.open("rb") as file:
            file.seek(offset)
            content = file.read()
    except FileNotFoundError:
        return [], offset
    complete, newline, _ = content.rpartition(b"\n")
    if not newline:
        return [], offset
    return complete.split(b"\n"), offset + len(complete) + 1


def _inode(path: Path) -> int | None:
    try:
        return path.stat().st_ino
    except FileNotFoundError:
        return None


def _select_start(container: Container, options: LogOptions) -> ContainerProcess | str:
    """Return the start whose log to serve, or the reason why there is none."""
    latest = container.start_count - 1
    if options.previous:
        # While a crashed container waits for its restart, its latest start is the previous one.
        start_number = latest if container.process is None else latest - 1
        path = container.folder / str(start_number)
        if start_number < 0 or not path.is_dir():
            return f'previous terminated container "{container.name}" not found'
        return ContainerProcess(path)
    if container.process is not None:
        return container.process
    path = container.folder / str(latest)
    if latest >= 0 and path.is_dir():
        return ContainerProcess(path)
    return f'container "{container.name}" is waiting to start: {container.waiting.reason}'


async def _send(
    response: web.StreamResponse, log_filter: LogFilter, process: ContainerProcess, *, follow: bool
) -> None:
    path = process.log
    inode = _inode(path)
    running = isinstance(process.state(), Running)
    entries, offset = await asyncio.to_thread(_read_entries, path, 0)
    entries = log_filter.tail(entries)
    while True:
        if entries:
            text = await asyncio.to_thread(
                lambda lines: b"".join(log_filter.render(lines)), entries
            )
            for start in range(0, len(text), CHUNK_BYTES):
                await response.write(text[start : start + CHUNK_BYTES])
        if log_filter.limit_reached or not follow or not running:
            return
        await asyncio.sleep(POLL_SECONDS)
        # Check the state before reading, so that the last read is after the end.
        running = isinstance(process.state(), Running)
        if (new_inode := _inode(path)) != inode:
            # The log was rotated: the remaining entries are in the file with the old inode.
            rotated = path.with_name(path.name + ".1")
            entries, _ = await asyncio.to_thread(_read_entries, rotated, offset)
            new_entries, offset = await asyncio.to_thread(_read_entries, path, 0)
            entries, inode = entries + new_entries, new_inode
        else:
            entries, offset = await asyncio.to_thread(_read_entries, path, offset)


def _application(find: FindPod) -> web.Application:
    async def container_logs(request: web.Request) -> web.StreamResponse:
        namespace, name = request.match_info["namespace"], request.match_info["pod"]
        container_name = request.match_info["container"]
        try:
            options = parse_options(request.query, time.time())
        except ValueError as error:
            return _error(400, f"invalid log options: {error}")
        worker = find(namespace, name)
        if worker is None:
            return _error(404, f'pod "{name}" does not exist')
        container = worker.container(container_name)
        if container is None:
            return _error(404, f'container "{container_name}" not found in pod "{name}"')
        process = _select_start(container, options)
        if isinstance(process, str):
            return _error(400, f'{process} (pod "{name}")')
        response = web.StreamResponse(headers={"Content-Type": "text/plain"})
        await response.prepare(request)
        with contextlib.suppress(ConnectionError):  # the client has disconnected
            await _send(response, LogFilter(options), process, follow=options.follow)
        return response

    application = web.Application()
    application.router.add_get("/containerLogs/{namespace}/{pod}/{container}", container_logs)
    return application


async def serve_logs(
    find: FindPod, certificate: Path, ca_certificate: str
) -> tuple[web.AppRunner, int]:
    """Listen on a free port of the loopback address.

    Args:
        find: Returns the worker of a pod, by namespace and name.
        certificate: A PEM file with the server's key and certificate.
        ca_certificate: The file of the CA that signed the apiserver's client certificate.

    Returns:
        The runner, which the caller has to clean up, and the port.
    """
    tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cafile=ca_certificate)
    tls.verify_mode = ssl.CERT_REQUIRED
    tls.load_cert_chain(certificate)
    runner = web.AppRunner(_application(find), access_log=None)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0, ssl_context=tls, shutdown_timeout=1)
    await site.start()
    port: int = runner.addresses[0][1]
    return runner, port
