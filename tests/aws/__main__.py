"""``python -m tests.aws bedrock --port 0 --responder 'COMMAND'``: prints its URL, then serves.

COMMAND gets the Converse request (with ``modelId``) as JSON on its standard input and prints
the reply: plain text, or JSON as ``output.message`` has it.
"""

import argparse
import json
import shlex
import subprocess
import sys
from typing import Any

from tests.aws.account import Account
from tests.aws.script import Behaviour, Refuse, Reply
from tests.aws.server import Bedrock, Responder, as_behaviour


def command_responder(command: str, seconds: float) -> Responder:
    """A responder that runs a command for each request."""
    words = shlex.split(command)

    def respond(request: dict[str, Any]) -> Behaviour:
        given = json.dumps(request, default=_plain)
        try:
            done = subprocess.run(
                words, input=given, capture_output=True, text=True, timeout=seconds, check=False
            )
        except (OSError, subprocess.TimeoutExpired) as error:
            return Refuse("ModelErrorException", f"the responder failed: {error}", 424)
        if done.returncode:
            said = done.stderr.strip()[-500:] or f"it ended with {done.returncode}"
            return Refuse("ModelErrorException", f"the responder failed: {said}", 424)
        return read_reply(done.stdout)

    return respond


def read_reply(printed: str) -> Behaviour:
    """A message where the text is one, else the text."""
    try:
        value = json.loads(printed)
    except ValueError:
        return Reply(printed.rstrip("\n") or " ")
    message = value.get("output", value) if isinstance(value, dict) else {}
    message = message.get("message", message) if isinstance(message, dict) else {}
    if isinstance(message, dict) and isinstance(message.get("content"), list):
        return as_behaviour(value)
    return Reply(printed.rstrip("\n"))


def _plain(value: Any) -> str:
    return value.decode("latin-1") if isinstance(value, bytes) else str(value)


def main(arguments: list[str] | None = None) -> int:
    """Serves until interrupted."""
    parser = argparse.ArgumentParser(prog="python -m tests.aws", description=__doc__)
    services = parser.add_subparsers(dest="service", required=True)
    bedrock = services.add_parser("bedrock", help="Bedrock Runtime and its control plane")
    bedrock.add_argument("--port", type=int, default=0, help="0 takes a free one")
    bedrock.add_argument("--responder", required=True, help="the command that answers")
    bedrock.add_argument("--seconds", type=float, default=600, help="time limit of one reply")
    options = parser.parse_args(arguments)
    responder = command_responder(options.responder, options.seconds)
    server = Bedrock(responder=responder, account=Account(open=True), port=options.port)
    print(server.url, flush=True)  # noqa: T201 - whoever started it reads this line
    try:
        server.serve()
    except KeyboardInterrupt:
        pass
    finally:
        server.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
