"""Let this machine reach the API server in the namespaces, at the same port of 127.0.0.1.

Only clients on this machine go this way, such as mrunners itself; pods do not.
"""

import asyncio
import contextlib
import ctypes
import os
import socket
from pathlib import Path

__all__ = ["run_relay"]

_CLONE_NEWNET = 0x40000000
_CHUNK_BYTES = 256 * 1024


def run_relay(port: int, holder: int) -> None:
    """Relay connections until this process is ended; a line on stdout says that it listens.

    Args:
        port: The API server's, in the namespaces; here the same one is listened on.
        holder: A process in the namespaces.
    """
    listener = socket.create_server(("127.0.0.1", port), backlog=1024)
    # A socket stays in the namespace that it was made in. The connections are made in the other.
    handle = os.open(Path("/proc") / str(holder) / "ns" / "net", os.O_RDONLY)
    if ctypes.CDLL(None, use_errno=True).setns(handle, _CLONE_NEWNET) != 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
    print("ready", flush=True)
    asyncio.run(_serve(listener, port))


async def _serve(listener: socket.socket, port: int) -> None:
    async def relay(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            server_reader, server_writer = await asyncio.open_connection("127.0.0.1", port)
        except OSError:
            writer.transport.abort()  # the client sees a reset, as from a server that is away
            return
        try:
            await asyncio.gather(_copy(reader, server_writer), _copy(server_reader, writer))
        finally:
            server_writer.close()
            writer.close()

    server = await asyncio.start_server(relay, sock=listener, limit=_CHUNK_BYTES)
    async with server:
        await server.serve_forever()


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Copy one direction until its end; a reset of one side resets the other."""
    try:
        while chunk := await reader.read(_CHUNK_BYTES):
            writer.write(chunk)
            await writer.drain()
        if writer.can_write_eof():
            writer.write_eof()
    except OSError:
        with contextlib.suppress(OSError):
            writer.transport.abort()
