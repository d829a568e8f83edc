"""Serve containers' logs to the apiserver, as a kubelet does; it must not serve anybody else."""

import asyncio
import contextlib
import ssl
import time
from collections.abc import Callable
from pathlib import Path

from aiohttp import web

from localcluster.agent.container import ContainerLife
from localcluster.agent.container_state import Running
from localcluster.agent.logoptions import LogOptions, LogView, parse_options
from localcluster.agent.pod_worker import PodWorker
from localcluster.agent.process import ContainerProcess

__all__ = ["FindPod", "serve_logs"]

FindPod = Callable[[str, str], PodWorker | None]
LOOK_SECONDS = 0.1
CHUNK = 1 << 20


def _refuse(status: int, text: str) -> web.Response:
    return web.Response(status=status, text=text)


def _read_entries(path: Path, offset: int) -> tuple[list[bytes], int]:
    """Whole entries from an offset on, and where the next read begins."""
    try:
        with path.open("rb") as file:
            file.seek(offset)
            content = file.read()
    except FileNotFoundError:
        return [], offset
    whole, newline, _ = content.rpartition(b"\n")
    if not newline:
        return [], offset
    return whole.split(b"\n"), offset + len(whole) + 1


def _inode(path: Path) -> int | None:
    try:
        return path.stat().st_ino
    except FileNotFoundError:
        return None


def _choose(life: ContainerLife, options: LogOptions) -> ContainerProcess | str:
    """Which start's log to show, or why there is none."""
    latest = life.attempts - 1
    if options.previous:
        # While a crashed container waits, its last run is the previous one.
        number = latest if life.process is None else latest - 1
        path = life.folder / str(number)
        if number < 0 or not path.is_dir():
            return f'previous terminated container "{life.name}" not found'
        return ContainerProcess(path)
    if life.process is not None:
        return life.process
    path = life.folder / str(latest)
    if latest >= 0 and path.is_dir():
        return ContainerProcess(path)
    return f'container "{life.name}" is waiting to start: {life.waiting.reason}'


async def _send(
    answer: web.StreamResponse, view: LogView, process: ContainerProcess, *, follow: bool
) -> None:
    path = process.log
    inode = _inode(path)
    running = isinstance(process.state(), Running)
    entries, offset = await asyncio.to_thread(_read_entries, path, 0)
    entries = view.tail(entries)
    while True:
        if entries:
            text = await asyncio.to_thread(lambda lines: b"".join(view.show(lines)), entries)
            for begin in range(0, len(text), CHUNK):
                await answer.write(text[begin : begin + CHUNK])
        if view.full or not follow or not running:
            return
        await asyncio.sleep(LOOK_SECONDS)
        # Looked at before the read: what was written until the end is then read.
        running = isinstance(process.state(), Running)
        if (now := _inode(path)) != inode:
            # The log moved aside; its rest is in the file that has the old inode.
            aside = path.with_name(path.name + ".1")
            entries, _ = await asyncio.to_thread(_read_entries, aside, offset)
            more, offset = await asyncio.to_thread(_read_entries, path, 0)
            entries, inode = entries + more, now
        else:
            entries, offset = await asyncio.to_thread(_read_entries, path, offset)


def _application(find: FindPod) -> web.Application:
    async def container_logs(request: web.Request) -> web.StreamResponse:
        namespace, name = request.match_info["namespace"], request.match_info["pod"]
        wanted = request.match_info["container"]
        try:
            options = parse_options(request.query, time.time())
        except ValueError as error:
            return _refuse(400, f"invalid log options: {error}")
        worker = find(namespace, name)
        if worker is None:
            return _refuse(404, f'pod "{name}" does not exist')
        life = next((one for one in worker.lives if one.name == wanted), None)
        if life is None:
            return _refuse(404, f'container "{wanted}" not found in pod "{name}"')
        process = _choose(life, options)
        if isinstance(process, str):
            return _refuse(400, f'{process} (pod "{name}")')
        answer = web.StreamResponse(headers={"Content-Type": "text/plain"})
        await answer.prepare(request)
        with contextlib.suppress(ConnectionError):  # the client went away
            await _send(answer, LogView(options), process, follow=options.follow)
        return answer

    application = web.Application()
    application.router.add_get("/containerLogs/{namespace}/{pod}/{container}", container_logs)
    return application


async def serve_logs(find: FindPod, certificate: Path, authority: str) -> tuple[web.AppRunner, int]:
    """Listen on a free port of the loopback address.

    Args:
        find: the worker of a pod, by namespace and name.
        certificate: key and certificate in one PEM file.
        authority: who has signed the apiserver's client certificate.
    Returns: what to clean up, and the port.
    """
    tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cafile=authority)
    tls.verify_mode = ssl.CERT_REQUIRED
    tls.load_cert_chain(certificate)
    runner = web.AppRunner(_application(find), access_log=None)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0, ssl_context=tls, shutdown_timeout=1)
    await site.start()
    port: int = runner.addresses[0][1]
    return runner, port
