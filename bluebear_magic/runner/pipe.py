"""Frames over a socket between the kernel and its worker: a length, then JSON.

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


class PipeClosed(Exception):
    """The other side has gone."""


class Pipe:
    """Sends and receives JSON objects; sending is safe from several threads."""

    def __init__(self, sock: socket.socket) -> None:
        self._socket = sock
        self._sending = threading.Lock()

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
        (length,) = _LENGTH.unpack(self._exactly(_LENGTH.size))
        if length > MAX_FRAME:
            raise PipeClosed
        try:
            message = json.loads(self._exactly(length))
        except ValueError as error:
            raise PipeClosed from error
        if not isinstance(message, dict):
            raise PipeClosed
        return message

    def close(self) -> None:
        """Closes this side."""
        self._socket.close()

    def _exactly(self, count: int) -> bytes:
        chunks = bytearray()
        while len(chunks) < count:
            try:
                chunk = self._socket.recv(min(count - len(chunks), 1 << 20))
            except OSError as error:
                raise PipeClosed from error
            if not chunk:
                raise PipeClosed
            chunks += chunk
        return bytes(chunks)
