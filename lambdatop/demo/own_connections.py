"""A listening socket that hands out nobody's connections but one's own user's.

TCP on the loopback interface is open to every user of the machine. Linux lists the owner of every socket in
/proc/net/tcp (https://docs.kernel.org/networking/proc_net_tcp.html), and the caller's end of a connection is
a socket of this machine as well. So a connection of somebody else is closed before a byte of it is read.
Where the kernel does not list them (macOS), nothing is known about a caller, and all are handed out.
"""

from __future__ import annotations

import os
import socket
import sys
from collections.abc import Iterator
from typing import Any

Address = tuple[str, int]

# An IPv6 socket may be connected to an IPv4 address; it is listed in the second one.
_TABLES = (("/proc/net/tcp", ""), ("/proc/net/tcp6", "::ffff:"))
_LOOKS = 3  # A table is read in pieces: a row may slip through while others come and go.
_UID, _INODE = 7, 9  # Columns.


class OwnConnections(socket.socket):
    """A listening TCP socket on an IPv4 address."""

    @classmethod
    def listen_on(cls, host: str, backlog: int) -> OwnConnections:
        """Listen on a free port of ``host``. Raises OSError when there is none."""
        listener = cls(socket.AF_INET, socket.SOCK_STREAM)
        try:
            listener.bind((host, 0))
            listener.listen(backlog)
            listener._told = _kernel_tells(listener)
        except BaseException:
            listener.close()
            raise
        return listener

    def accept(self) -> tuple[socket.socket, Any]:
        """Accept a connection. Raises ConnectionAbortedError for one that is not ours, which is closed."""
        connection, peer = super().accept()
        # Our own callers have been seen in the table once: from then on, not in it means not ours.
        if not self._told or owner(peer, connection.getsockname()) == os.geteuid():
            return connection, peer
        connection.close()
        raise ConnectionAbortedError("a connection of another user")

    _told = False


def owner(caller: Address, called: Address) -> int | None:
    """Return the user who holds the caller's end of a connection; None when nobody is known to hold it."""
    for _ in range(_LOOKS):
        for path, prefix in _TABLES:
            ends = " ".join(f"{_listed(prefix + host)}:{port:04X}" for host, port in (caller, called))
            for fields in _rows(path, f" {ends} ".encode()):
                # Without an inode the socket is closed, and the column says 0, which is not its owner.
                if fields[_INODE] != b"0":
                    return int(fields[_UID])
    return None


def _rows(path: str, ends: bytes) -> Iterator[list[bytes]]:
    try:
        with open(path, "rb") as table:
            listed = table.read()
    except OSError:
        return
    at = listed.find(ends)
    while at >= 0:
        start, end = listed.rfind(b"\n", 0, at) + 1, listed.find(b"\n", at)
        yield listed[start : end if end >= 0 else None].split()
        at = listed.find(ends, at + 1)


def _listed(host: str) -> str:
    """An address as the table writes it: words of 32 bits in the order of this machine."""
    raw = socket.inet_pton(socket.AF_INET6 if ":" in host else socket.AF_INET, host)
    words = (raw[i : i + 4] for i in range(0, len(raw), 4))
    return "".join(f"{int.from_bytes(word, sys.byteorder):08X}" for word in words)


def _kernel_tells(listener: socket.socket) -> bool:
    """Whether a connection of our own is listed as ours."""
    with socket.create_connection(listener.getsockname()) as probe:
        return owner(probe.getsockname(), probe.getpeername()) == os.geteuid()
