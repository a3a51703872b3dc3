"""The job's side of the gate: pyspark's way to the JVM, over a socket that it was born with.

A job's process has neither the JVM's port nor its secret, and may open no connection; what it
sends goes to :mod:`bluebear_magic.runner.gate` in the process above it.
"""

from __future__ import annotations

import json
import socket
import threading
from typing import TYPE_CHECKING, Any

from py4j.clientserver import ClientServerConnection, JavaClient
from py4j.protocol import unescape_new_line

from bluebear_magic.runner.gate_names import answer_to
from bluebear_magic.runner.gate_rules import Forbidden

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

REFUSAL = "xsBLUEBEAR "  # begins an answer of the gate itself
OWN = "B\n{}\n{}\ne\n"


class _Connection(ClientServerConnection):  # type: ignore[misc]
    """One connection of one thread; its other end goes through ``control``."""

    control: socket.socket

    def connect_to_java_server(self) -> None:
        """Opened by handing the other end to the gate, which has the secret."""
        ours, theirs = socket.socketpair()
        socket.send_fds(self.control, [b"+"], [theirs.fileno()])
        theirs.close()
        self.socket, self.stream = ours, ours.makefile("rb")
        self.is_connected = self.initiated_from_client = True


class GateClient(JavaClient):  # type: ignore[misc]
    """py4j's client, less what it does at an interrupt: it would look for ports."""

    bluebear_control: socket.socket

    def _create_new_connection(self) -> _Connection:
        connection = _Connection(
            self.java_parameters, self.python_parameters, self.gateway_property, self
        )
        connection.control = self.bluebear_control
        connection.connect_to_java_server()
        self.set_thread_connection(connection)
        return connection

    def send_command(self, command: str, retry: bool = True, binary: bool = False) -> Any:
        """The answer of the JVM. Raises Forbidden for what the gate does not let through."""
        known = answer_to(command)
        if known is not None:
            return known
        connection = self._get_connection()
        try:
            answer: str = connection.send_command(command)
        except BaseException:  # an interrupt: the answer would be taken for the next one's
            connection.close(False)
            raise
        self._give_back_connection(connection)
        if answer.startswith(REFUSAL):
            told = json.loads(unescape_new_line(answer[len(REFUSAL) :]))
            raise Forbidden(told["what"], told["instead"])
        return answer


def settle(spark: SparkSession, control: socket.socket) -> None:
    """Makes a fork's pyspark speak through the gate; what it has of the parent's is let go."""
    handle: Any = spark
    client: Any = handle._jvm._gateway_client
    for connection in client.deque:
        connection.socket.close()
    client.deque.clear()
    client.thread_connection = threading.local()
    client.bluebear_control = control
    client.__class__ = GateClient
    for parameters in {client.java_parameters, client.gateway_parameters}:
        parameters.port, parameters.auth_token = 0, None
    client.port = 0


def gated(spark: SparkSession) -> bool:
    """Whether this process speaks through a gate."""
    handle: Any = spark
    return isinstance(handle._jvm._gateway_client, GateClient)


def has_store(spark: SparkSession, scheme: str) -> bool:
    """Whether Spark has a driver for a store, such as ``s3a``."""
    handle: Any = spark
    answer: str = handle._jvm._gateway_client.send_command(OWN.format("store", scheme))
    return answer.startswith("y")


def plan_of(frame: DataFrame) -> str | None:
    """The frame's analysed plan as JSON, which the gate has at hand or fetches."""
    return _own("plan", frame)


def size_of(frame: DataFrame) -> tuple[int, int]:
    """Spark's estimate of the frame's rows, and the largest heap of Java, both in bytes.

    Raises ValueError where there is none.
    """
    size, heap = (_own("size", frame) or "").split(" ")
    return int(size), int(heap)


def _own(what: str, frame: DataFrame) -> str | None:
    handle: Any = frame
    client = handle.sparkSession._jvm._gateway_client
    answer: str = client.send_command(OWN.format(what, handle._jdf._target_id))
    return unescape_new_line(answer[2:]) if answer.startswith("ys") else None
