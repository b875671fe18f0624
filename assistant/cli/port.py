"""Whether a server can listen where it is told to, known before anything is loaded."""

from __future__ import annotations

import errno
import socket

from assistant.errors import ConfigError

__all__ = ["check_port"]


def check_port(host: str, port: int, *, example: str) -> None:
    """Open the port and close it again.

    Args:
        host: an address or name of this machine.
        port: 1 to 65535.
        example: the command that is told with another port, such as ``whyfake serve``.

    Raises:
        ConfigError: ``port-taken``; ``port-forbidden`` (ports below 1024 need rights);
            ``host-unknown`` where the host is none of this machine.
    """
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        with socket.socket(family, kind, protocol) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # as servers do
            probe.bind(address)
            probe.listen(1)
    except OSError as error:
        other = port + 1 if 1024 <= port < 65535 else 8080
        try_another = f"`{example} --port {other}`"
        if error.errno == errno.EADDRINUSE:
            raise ConfigError(
                f"The port {port} of {host} is taken by another program.",
                hint=f"Stop that program, or use another port: {try_another}.",
                code="port-taken",
            ) from error
        if error.errno == errno.EACCES:
            raise ConfigError(
                f"The port {port} may not be opened by this user.",
                hint=f"Ports below 1024 need special rights; use {try_another}.",
                code="port-forbidden",
            ) from error
        raise ConfigError(
            f"{host!r} is no address of this machine ({error.strerror}).",
            hint="Use --host 127.0.0.1 (this machine alone) or --host 0.0.0.0 (the network).",
            code="host-unknown",
        ) from error
