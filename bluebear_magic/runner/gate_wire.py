"""A connection to the JVM in py4j's text protocol, without py4j: lines out, a line back.

py4j's own objects would tell the JVM to forget what they stood for, once Python forgets them;
here what a job holds stays until the job ends.
"""

from __future__ import annotations

import re
import socket
from dataclasses import dataclass

_AT_ONCE = 1 << 18
_QUICK_ACK = getattr(socket, "TCP_QUICKACK", None)


class Closed(Exception):
    """One side of a connection has gone, or does not speak the protocol."""


class Refused(Exception):
    """The JVM answered with an error; ``answer`` is its line."""

    def __init__(self, answer: str) -> None:
        super().__init__(answer)
        self.answer = answer


@dataclass(frozen=True)
class Java:
    """Where the JVM's gateway listens, and the secret that opens it."""

    address: str
    port: int
    secret: str


class Wire:
    """A connection to the JVM: sends commands, gives answers, both as lines of text."""

    def __init__(self, java: Java) -> None:
        self.socket = socket.create_connection((java.address, java.port))
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if not self.ask(f"A\n{java.secret}\n").startswith("!y"):
            raise Closed

    def ask(self, command: str) -> str:
        """The answer to one command, its line end included. Raises Closed."""
        return self.ask_bytes(command.encode()).decode("utf-8", "surrogateescape")

    def ask_bytes(self, command: bytes) -> bytes:
        """The same, as it goes over the wire."""
        pieces: list[bytes] = []
        try:
            self.socket.sendall(command)
            while not pieces or not pieces[-1].endswith(b"\n"):
                if pieces and _QUICK_ACK is not None:
                    # Java sends a long answer in two packets and waits for an acknowledgement.
                    self.socket.setsockopt(socket.IPPROTO_TCP, _QUICK_ACK, 1)
                piece = self.socket.recv(_AT_ONCE)
                if not piece:
                    raise Closed
                pieces.append(piece)
        except OSError as error:
            raise Closed from error
        return pieces[0] if len(pieces) == 1 else b"".join(pieces)

    def call(self, target: str, method: str, *arguments: str) -> str:
        """What a method gives: an object's name or a text. Raises Closed, and Refused."""
        answer = self.ask("\n".join(("c", target, method, *arguments, "e\n")))
        if not answer.startswith("!y"):
            raise Refused(answer)
        return unescaped(answer[3:-1])


def unescaped(text: str) -> str:
    """A text as it was before it was put on one line."""
    if "\\" not in text:
        return text
    return re.sub(r"\\(.)", lambda m: {"n": "\n", "r": "\r"}.get(m[1], m[1]), text)


def escaped(text: str) -> str:
    """A text on one line, as the protocol has it."""
    return text.replace("\\", "\\\\").replace("\r", "\\r").replace("\n", "\\n")
