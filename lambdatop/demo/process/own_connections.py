"""A listening socket that hands out nobody's connections but one's own user's.

TCP on the loopback interface is open to every user of the machine. Linux tells who owns a socket, and the
caller's end of a connection is a socket of this machine as well, so a connection of somebody else is closed
before a byte of it is read. Asked is sock_diag(7), which finds one socket without looking at the others:
https://man7.org/linux/man-pages/man7/sock_diag.7.html. Where the system does not tell (macOS), nothing is
known about a caller, and every connection is handed out; ``tells_owners`` says which of the two it is.
"""

from __future__ import annotations

import os
import socket
import struct
from typing import Any

Address = tuple[str, int]

# linux/netlink.h, linux/sock_diag.h
_NETLINK_SOCK_DIAG = 4
_SOCK_DIAG_BY_FAMILY = 20
_NLM_F_REQUEST = 1
# Header (length, type, flags, number, port), then family, protocol, extensions, padding, states, then
# inet_diag_sockid: both ports, both addresses, interface, cookie.
_REQUEST = struct.Struct("=IHHII BBBBI 2s2s16s16sIII")
# The answer has a header of the same kind and four bytes (the first is the family) before inet_diag_sockid;
# expiry and two queues stand between that and user and inode.
_KIND_AT, _FAMILY_AT, _ENDS_AT, _OWNER_AT, _ANSWER_SIZE = 4, 16, 20, 80, 88
_ANY = 0xFFFFFFFF
_PATIENCE_S = 1.0


class OwnConnections(socket.socket):
    """A listening TCP socket on an IPv4 address."""

    tells_owners = False
    """Whether the system tells who opens a connection; then only our own user's are handed out."""

    @classmethod
    def listen_on(cls, host: str, backlog: int) -> OwnConnections:
        """Listen on a free port of ``host``. Raises OSError when there is none."""
        listener = cls(socket.AF_INET, socket.SOCK_STREAM)
        try:
            listener.bind((host, 0))
            listener.listen(backlog)
            with socket.create_connection(listener.getsockname()) as probe:
                listener.tells_owners = owner(probe.getsockname(), probe.getpeername()) == os.geteuid()
        except BaseException:
            listener.close()
            raise
        return listener

    def accept(self) -> tuple[socket.socket, Any]:
        """Accept a connection. Raises ConnectionAbortedError for one that is not ours, which is closed."""
        connection, peer = super().accept()
        # A connection of our own has been found before: one whose owner is not known is not ours.
        if self.tells_owners and owner(peer, connection.getsockname()) != os.geteuid():
            connection.close()
            raise ConnectionAbortedError("a connection of another user")
        return connection, peer


def owner(caller: Address, called: Address) -> int | None:
    """Return the user who holds the caller's end of an IPv4 connection; None when that is not known."""
    if not hasattr(socket, "AF_NETLINK"):
        return None
    ends = (struct.pack("!H", caller[1]), struct.pack("!H", called[1]))
    hosts = (socket.inet_aton(caller[0]), socket.inet_aton(called[0]))
    request = _REQUEST.pack(
        *(_REQUEST.size, _SOCK_DIAG_BY_FAMILY, _NLM_F_REQUEST, 0, 0),
        *(socket.AF_INET, socket.IPPROTO_TCP, 0, 0, _ANY, *ends, *hosts, 0, _ANY, _ANY),
    )
    try:
        with socket.socket(socket.AF_NETLINK, socket.SOCK_DGRAM, _NETLINK_SOCK_DIAG) as kernel:
            kernel.settimeout(_PATIENCE_S)
            kernel.sendto(request, (0, 0))
            answer, sender = kernel.recvfrom(4096)
    except OSError:
        return None
    [kind] = struct.unpack_from("=H", answer, _KIND_AT)
    if sender[0] != 0 or kind != _SOCK_DIAG_BY_FAMILY or len(answer) < _ANSWER_SIZE:
        return None  # Not the kernel's, or its word for "no such socket".
    *ports, here, there = struct.unpack_from("=2s2s16s16s", answer, _ENDS_AT)
    # An IPv6 socket may be connected to an IPv4 address, which then stands at the end of its own.
    host = slice(0, 4) if answer[_FAMILY_AT] == socket.AF_INET else slice(12, 16)
    uid, inode = struct.unpack_from("=II", answer, _OWNER_AT)
    # A socket that its owner has closed has no inode any more; the kernel then says 0 for its owner, too.
    # One that listens is named where none is connected, without the other end.
    return int(uid) if inode and (*ports, here[host], there[host]) == (*ends, *hosts) else None
