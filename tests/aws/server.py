"""The stand-in itself: HTTP on loopback in front of a script or a responder."""

from __future__ import annotations

import contextlib
import json
import os
import re
import socket
import struct
import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from botocore.model import OperationModel

from tests.aws import eventstream
from tests.aws.account import Account, check_messages
from tests.aws.script import (
    Behaviour,
    Break,
    Cut,
    Hang,
    Intervene,
    Refuse,
    Reply,
    access_denied,
    no_model_access,
)
from tests.aws.shapes import Invalid, parsed, service, written

Responder = Callable[[dict[str, Any]], Any]

_ROUTES = (
    ("bedrock-runtime", "ConverseStream"),
    ("bedrock-runtime", "Converse"),
    ("bedrock-runtime", "CountTokens"),
    ("bedrock", "ListInferenceProfiles"),
    ("bedrock", "ListFoundationModels"),
    ("bedrock", "GetFoundationModelAvailability"),
)
_PADDING = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
_CHARACTERS_PER_TOKEN = 4


@dataclass
class Recorded:
    """A request as it came: operation, values, headers; ``hung_up``: the client closed first."""

    operation: str
    params: dict[str, Any]
    headers: Mapping[str, str]
    at: float = field(default_factory=time.monotonic)
    hung_up: threading.Event = field(default_factory=threading.Event)


class Bedrock:
    """Bedrock Runtime and Bedrock's control plane on one port of loopback.

    ``script``: what to do with each Converse or ConverseStream request, in order. With a
    ``responder`` in its place, it gets the request (with ``modelId``) and gives text, an
    ``output.message`` or one of the behaviours. ``refuse`` maps other operations to an error.
    """

    def __init__(
        self,
        script: Iterable[Behaviour | str] = (),
        *,
        responder: Responder | None = None,
        account: Account | None = None,
        refuse: Mapping[str, Refuse] | None = None,
        port: int = 0,
    ) -> None:
        self.script = [Reply(step) if isinstance(step, str) else step for step in script]
        self.responder = responder
        self.account = account or Account()
        self.refuse = dict(refuse or {})
        self.requests: list[Recorded] = []
        self.faults: list[BaseException] = []
        self._lock = threading.Lock()
        self._stopping = threading.Event()
        self._http = _Server(("127.0.0.1", port), _handler(self))
        self._http.faults = self.faults
        self._thread = threading.Thread(target=self._http.serve_forever, args=(0.02,), daemon=True)

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self._http.server_address[1]}"

    @property
    def environment(self) -> dict[str, str]:
        """What boto3 needs to come here, and nowhere else."""
        return {
            "AWS_ENDPOINT_URL_BEDROCK_RUNTIME": self.url,
            "AWS_ENDPOINT_URL_BEDROCK": self.url,
            "AWS_ACCESS_KEY_ID": "AKIAIOSFODNN7EXAMPLE",
            "AWS_SECRET_ACCESS_KEY": "not-a-key",
            "AWS_DEFAULT_REGION": self.account.region,
            "AWS_EC2_METADATA_DISABLED": "true",
            "AWS_CONFIG_FILE": os.devnull,
            "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        }

    def asked(self, operation: str = "") -> list[dict[str, Any]]:
        """The values of the requests so far: of one operation, or of the model's two."""
        wanted = {operation} if operation else {"Converse", "ConverseStream"}
        return [request.params for request in self.requests if request.operation in wanted]

    def behaviour(self, params: dict[str, Any]) -> Behaviour:
        """What to do with this request to a model."""
        if self.responder is not None:
            return as_behaviour(self.responder(params))
        with self._lock:
            if not self.script:
                return Refuse("ValidationException", "the script has no reply left")
            return self.script.pop(0)

    def sleep(self, seconds: float) -> None:
        """Waits, but not past the server's end."""
        self._stopping.wait(seconds)

    def serve(self) -> None:
        """Serves in this thread until interrupted."""
        self._http.serve_forever()

    def close(self) -> None:
        """Stops; open connections are closed. Raises what went wrong in the stand-in itself."""
        self._stopping.set()
        if self._thread.is_alive():
            self._http.shutdown()
            self._thread.join()
        self._http.server_close()
        if self.faults:
            raise self.faults[0]

    def __enter__(self) -> Bedrock:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def as_behaviour(given: Any) -> Behaviour:
    """What a responder gave: text, a message (or a whole Converse reply), or a behaviour."""
    if isinstance(given, Behaviour):
        return given
    if isinstance(given, str):
        return Reply(given)
    message = given.get("output", given).get("message", given)
    return Reply(message["content"], given.get("stopReason", ""))


def count_tokens(value: Any) -> int:
    """About as many tokens as a tokenizer would find; equal for equal text."""
    return -(-len(json.dumps(value, default=str)) // _CHARACTERS_PER_TOKEN)


@contextlib.contextmanager
def deaf_endpoint() -> Iterator[str]:
    """A URL whose connections are never accepted, as behind a firewall that drops packets."""
    with contextlib.ExitStack() as stack:
        listener = stack.enter_context(socket.socket())
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        for _ in range(4):  # fills the queue of the kernel
            waiting = stack.enter_context(socket.socket())
            waiting.setblocking(False)
            waiting.connect_ex(listener.getsockname())
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False

    faults: list[BaseException]

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that hangs up is nothing to report; a reply that cannot be is."""
        error = sys.exc_info()[1]
        if error is not None and not isinstance(error, ConnectionError | TimeoutError):
            self.faults.append(error)


def _handler(bedrock: Bedrock) -> type[BaseHTTPRequestHandler]:
    return type("Handler", (_Handler,), {"bedrock": bedrock})


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    bedrock: Bedrock

    def do_GET(self) -> None:
        self._serve()

    def do_POST(self) -> None:
        self._serve()

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
        """Requests are recorded, not logged."""

    # --- requests ----------------------------------------------------------

    def _serve(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        found = _route(self.command, self.path)
        if found is None:
            self._refuse(Refuse("UnknownOperationException", f"no operation at {self.path}", 404))
            return
        operation, given = found
        try:
            params = parsed(operation, {**given, **(json.loads(body) if body else {})})
            recorded = Recorded(operation.name, params, dict(self.headers.items()))
            self.bedrock.requests.append(recorded)
            if not self.headers.get("Authorization"):
                raise Invalid("the request is not signed")
            self._dispatch(operation, recorded)
        except Invalid as error:
            self._refuse(Refuse(error.code, str(error), error.status))
        except (ConnectionError, TimeoutError):
            self.close_connection = True

    def _dispatch(self, operation: OperationModel, recorded: Recorded) -> None:
        name, params, account = operation.name, recorded.params, self.bedrock.account
        if name in self.bedrock.refuse:
            self._refuse(self.bedrock.refuse[name])
        elif name == "CountTokens":
            account.check_countable(params["modelId"])
            self._answer(operation, {"inputTokens": count_tokens(params["input"])})
        elif name in {"ListInferenceProfiles", "ListFoundationModels"} and not account.listing:
            self._refuse(access_denied(f"bedrock:{name}"))
        elif name == "ListInferenceProfiles":
            self._list_profiles(operation, params)
        elif name == "ListFoundationModels":
            self._answer(operation, {"modelSummaries": account.model_summaries()})
        elif name == "GetFoundationModelAvailability":
            self._answer(operation, account.availability(params["modelId"]))
        else:
            model = account.find(params["modelId"])
            if not model.granted:
                self._refuse(no_model_access())
                return
            check_messages(params, model)
            self._converse(operation, recorded)

    def _list_profiles(self, operation: OperationModel, params: dict[str, Any]) -> None:
        """Two at a time, so that whoever forgets the next page is found out."""
        wanted = params.get("typeEquals", "SYSTEM_DEFINED")
        found = [p for p in self.bedrock.account.profile_summaries() if p["type"] == wanted]
        start = int(params.get("nextToken", 0))
        page: dict[str, Any] = {"inferenceProfileSummaries": found[start : start + 2]}
        if start + 2 < len(found):
            page["nextToken"] = str(start + 2)
        self._answer(operation, page)

    def _converse(self, operation: OperationModel, recorded: Recorded) -> None:
        behaviour = self.bedrock.behaviour(recorded.params)
        if isinstance(behaviour, Refuse):
            self._refuse(behaviour)
        elif operation.name == "ConverseStream":
            self._stream(operation, recorded, behaviour)
        elif isinstance(behaviour, Hang):
            self.bedrock.sleep(behaviour.seconds)
            self.close_connection = True
        elif isinstance(behaviour, Cut):
            self._reset()
        elif isinstance(behaviour, Break):
            self._refuse(Refuse(behaviour.kind[0].upper() + behaviour.kind[1:], behaviour.message))
        else:
            self._answer(operation, _whole(behaviour, recorded.params))

    # --- replies -----------------------------------------------------------

    def _answer(self, operation: OperationModel, value: dict[str, Any]) -> None:
        body = json.dumps(written(operation.output_shape, value)).encode()
        self._send(200, body, {"Content-Type": "application/json"})

    def _refuse(self, refusal: Refuse) -> None:
        headers = {
            "Content-Type": "application/json",
            "x-amzn-ErrorType": f"{refusal.code}:http://internal.amazon.com/coral/com.amazon.bedrock/",
            **refusal.headers,
        }
        self._send(refusal.status, json.dumps({"message": refusal.message}).encode(), headers)

    def _send(self, status: int, body: bytes, headers: Mapping[str, str]) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("x-amzn-RequestId", "00000000-0000-4000-8000-000000000000")
        self.end_headers()
        self.wfile.write(body)

    def _stream(self, operation: OperationModel, recorded: Recorded, does: Behaviour) -> None:
        if isinstance(does, Hang) and does.after == 0:
            self._pause(does.seconds, recorded)
            self.close_connection = True
            return
        frames = list(_frames_of(operation, does, recorded.params))
        self.send_response(200)
        self.send_header("Content-Type", "application/vnd.amazon.eventstream")
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        try:
            self._frames(operation, recorded, does, frames)
        except (ConnectionError, TimeoutError):
            recorded.hung_up.set()
            self.close_connection = True

    def _frames(
        self, operation: OperationModel, recorded: Recorded, does: Behaviour, frames: list[bytes]
    ) -> None:
        pause = does.pause if isinstance(does, Reply) else 0.0
        if isinstance(does, Break | Cut | Hang):
            for data in frames[: does.after]:
                self._chunk(data)
        else:
            for data in frames:
                if pause and not self._pause(pause, recorded):
                    raise ConnectionError
                self._chunk(data)
        if isinstance(does, Break):
            kind = operation.output_shape.members["stream"].members[does.kind]
            body = json.dumps(written(kind, {"message": does.message})).encode()
            self._chunk(eventstream.exception(does.kind, body))
        elif isinstance(does, Hang):
            self._pause(does.seconds, recorded)
            raise ConnectionError
        elif isinstance(does, Cut):
            half = frames[does.after]
            self._chunk(half[: len(half) // 2])
            if not does.politely:
                self._reset()
                return
        self.wfile.write(b"0\r\n\r\n")

    def _chunk(self, data: bytes) -> None:
        self.wfile.write(b"%x\r\n%s\r\n" % (len(data), data))

    def _pause(self, seconds: float, recorded: Recorded) -> bool:
        """Waits; False, and noted, when the client hangs up meanwhile."""
        end = time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0 and not self.bedrock._stopping.is_set():
            self.connection.settimeout(min(left, 0.05))
            with contextlib.suppress(TimeoutError):
                if self.connection.recv(1, socket.MSG_PEEK) == b"":
                    recorded.hung_up.set()
                    return False
            self.connection.settimeout(None)
        return True

    def _reset(self) -> None:
        """Ends the connection as a broken network does."""
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.close_connection = True
        self.connection.close()


def _route(method: str, path: str) -> tuple[OperationModel, dict[str, str | int]] | None:
    """The operation at a path, with the values that the path holds."""
    split = urlsplit(path)
    for name, operation_name in _ROUTES:
        model = service(name)
        if operation_name not in model.operation_names:
            continue  # an older botocore
        operation = model.operation_model(operation_name)
        pattern = re.sub(r"\{(\w+)\}", r"(?P<\1>[^/]+)", operation.http["requestUri"])
        match = re.fullmatch(pattern, split.path)
        if match and operation.http["method"] == method:
            given: dict[str, Any] = {key: unquote(text) for key, text in match.groupdict().items()}
            return operation, given | _query(operation, split.query)
    return None


def _query(operation: OperationModel, query: str) -> dict[str, Any]:
    values = dict(parse_qsl(query))
    return {
        member: int(values[wire]) if shape.type_name == "integer" else values[wire]
        for member, shape in operation.input_shape.members.items()
        if (wire := shape.serialization.get("name", member)) in values
    }


def _usage(behaviour: Behaviour, params: dict[str, Any]) -> dict[str, int]:
    said = behaviour.usage if isinstance(behaviour, Reply) else {}
    sent = {key: params.get(key) for key in ("messages", "system", "toolConfig")}
    reply = _reply_of(behaviour)
    usage = {
        "inputTokens": count_tokens(sent),
        "outputTokens": count_tokens(reply.blocks),
        **said,
    }
    return {**usage, "totalTokens": usage["inputTokens"] + usage["outputTokens"]}


def _reply_of(behaviour: Behaviour) -> Reply:
    if isinstance(behaviour, Intervene):
        return Reply(behaviour.said, "guardrail_intervened")
    if isinstance(behaviour, Refuse):
        raise TypeError("a refusal has no reply")
    return behaviour if isinstance(behaviour, Reply) else behaviour.reply


def _whole(behaviour: Behaviour, params: dict[str, Any]) -> dict[str, Any]:
    reply = _reply_of(behaviour)
    whole = {
        "output": {"message": {"role": "assistant", "content": reply.blocks}},
        "stopReason": reply.stop_reason,
        "usage": _usage(behaviour, params),
        "metrics": {"latencyMs": 1},
    }
    return {**whole, **_trace(behaviour, params)}


def _trace(behaviour: Behaviour, params: dict[str, Any]) -> dict[str, Any]:
    config = params.get("guardrailConfig")
    if not isinstance(behaviour, Intervene) or not config or config.get("trace") != "enabled":
        return {}
    topic = {"name": behaviour.policy, "type": "DENY", "action": "BLOCKED"}
    assessment = {config["guardrailIdentifier"]: {"topicPolicy": {"topics": [topic]}}}
    return {"trace": {"guardrail": {"inputAssessment": assessment}}}


def _frames_of(
    operation: OperationModel, behaviour: Behaviour, params: dict[str, Any]
) -> Iterator[bytes]:
    """The frames of a stream, each held against the service's model."""
    kinds = operation.output_shape.members["stream"].members
    metadata = {"usage": _usage(behaviour, params), "metrics": {"latencyMs": 1}}
    events = [
        *_reply_of(behaviour).events(),
        ("metadata", {**metadata, **_trace(behaviour, params)}),
    ]
    for number, (kind, value) in enumerate(events):
        payload = written(kinds[kind], value)
        payload["p"] = _PADDING[: 1 + number * 7 % len(_PADDING)]  # the service pads its events
        yield eventstream.event(kind, json.dumps(payload).encode())
