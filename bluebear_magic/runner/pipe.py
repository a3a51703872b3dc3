"""Frames over a socket between two processes of ours: a length, then JSON.

The pipe is a socket of its own, so whatever code prints cannot disturb it.
"""

from __future__ import annotations

import json
import socket
import struct
import threading
from typing import Any

MAX_FRAME = 256 * 1024 * 1024  # bytes; beyond it the other side is not ours
_LENGTH = struct.Struct("!I")
_AT_ONCE = 1 << 20


class PipeClosed(Exception):
    """The other side has gone, or does not speak this protocol."""


class Pipe:
    """Sends and receives JSON objects; sending is safe from several threads."""

    def __init__(self, sock: socket.socket) -> None:
        self._socket = sock
        self._sending = threading.Lock()
        self._buffer = bytearray()

    def fileno(self) -> int:
        """The descriptor, for ``select``."""
        return self._socket.fileno()

    def send(self, message: dict[str, Any]) -> None:
        """Sends one object. Raises ``PipeClosed``."""
        body = json.dumps(message).encode()
        try:
            with self._sending:
                self._socket.sendall(_LENGTH.pack(len(body)) + body)
        except OSError as error:
            raise PipeClosed from error

    def receive(self) -> dict[str, Any]:
        """Waits for one object. Raises ``PipeClosed``, also for a frame that is not ours."""
        while (message := self._taken()) is None:
            self._fill()
        return message

    def arrived(self) -> dict[str, Any] | None:
        """After ``select``: takes what is there; an object once one is complete.

        Call it again until it gives None. Raises ``PipeClosed``.
        """
        message = self._taken()
        if message is None:
            self._socket.setblocking(False)
            try:
                self._fill()
            except BlockingIOError:
                return None
            finally:
                self._socket.setblocking(True)
            message = self._taken()
        return message

    def ended(self) -> bool:
        """Whether the other side has closed and nothing is left to read; takes nothing."""
        try:
            return not self._socket.recv(1, socket.MSG_PEEK | socket.MSG_DONTWAIT)
        except BlockingIOError:
            return False
        except OSError:
            return True

    def close(self) -> None:
        """Closes this side."""
        self._socket.close()

    def _fill(self) -> None:
        try:
            chunk = self._socket.recv(_AT_ONCE)
        except BlockingIOError:
            raise
        except OSError as error:
            raise PipeClosed from error
        if not chunk:
            raise PipeClosed
        self._buffer += chunk

    def _taken(self) -> dict[str, Any] | None:
        """The first object of the buffer, once it is whole."""
        if len(self._buffer) < _LENGTH.size:
            return None
        (length,) = _LENGTH.unpack_from(self._buffer)
        if length > MAX_FRAME:
            raise PipeClosed
        end = _LENGTH.size + length
        if len(self._buffer) < end:
            return None
        body = bytes(self._buffer[_LENGTH.size : end])
        del self._buffer[:end]
        try:
            message = json.loads(body)
        except (ValueError, RecursionError) as error:
            raise PipeClosed from error
        if not isinstance(message, dict):
            raise PipeClosed
        return message
