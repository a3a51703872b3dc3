"""A model on Amazon Bedrock writes the draft: streamed, and asked again where that helps.

``BedrockModel.generate`` sends the prompt and the failed drafts, reads the stream to its end and
takes the draft from it. Inside one call it mends by itself what has nothing to do with the code:
throttling (it waits, and says so), a stream that is cut (once), an answer without code or cut off
by its length (twice), an id that needs a profile, a model without tools or without a cache.
"""

from __future__ import annotations

import contextlib
import math
import re
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from bluebear_magic.aws import Aws, patiently
from bluebear_magic.aws_errors import (
    Call,
    Reason,
    Trouble,
    diagnose,
    failures,
    reached,
    unanswered,
)
from bluebear_magic.errors import BluebearError, Cancelled, ConfigError, ModelError
from bluebear_magic.generation import converse, counting, model_ids, prompts, replies, telling
from bluebear_magic.generation.bedrock_choice import Choice
from bluebear_magic.generation.converse import Features
from bluebear_magic.generation.preview import request_text, request_tokens
from bluebear_magic.generation.replies import Assembler, Reply
from bluebear_magic.prices import Price
from bluebear_magic.protocols import Meter
from bluebear_magic.records import Conversation, Draft, Preview, ShownTable, Told, Usage

_MOST_ASKS = 3  # of one draft: the first, and twice again
_MOST_CHANGES = 6  # of the request because of what Bedrock says of it
_MOST_TOKENS = 32_768
_GUARDRAIL = re.compile(r"(?P<id>.+?)(?::(?P<version>DRAFT|\d+))?")
_LIMIT = re.compile(r"(?:limit|maximum)\D{0,40}?(\d{3,6})")
_COUNTED = ("messages", "system", "toolConfig")  # parts of a request that are tokens
_ROOM = 1.4
_OFFLINE = "--model offline answers simple questions without AWS"


@dataclass(frozen=True)
class Options:
    """How Bedrock is asked. ``guardrail``: its id or ARN, with ``:version`` (else ``DRAFT``).

    ``max_tokens``: of one answer at first. ``budget``: tokens for the datasets in a prompt.
    ``attempts``: how often a call is made where waiting helps.
    """

    guardrail: str = ""
    max_tokens: int = 8192
    budget: int = prompts.BUDGET
    attempts: int = 6


class BedrockModel:
    """A ``Model``. ``model``: ``bedrock`` for the account's default, any id, or an ARN.

    ``on_wait`` is told in a sentence of every wait and every new start. ``meter`` stands at each
    call; ``prices`` gives the user's own, read at each call. Nothing is sent before ``generate``.
    """

    def __init__(
        self,
        model: str = model_ids.DEFAULT,
        *,
        aws: Aws | None = None,
        options: Options | None = None,
        on_wait: Callable[[str], None] | None = None,
        meter: Meter | None = None,
        prices: Callable[[], Mapping[str, Price]] | None = None,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._asked = model
        self._aws = aws or Aws()
        self._options = options or Options()
        self._on_wait = on_wait or _unheard
        self._meter = meter
        self._prices = prices or _no_prices
        self._sleep = sleep
        self._choice = Choice(self._aws)
        self._candidates: Iterator[str] | None = None
        self._id = "" if model == model_ids.DEFAULT else model
        self._lacks: set[Reason] = set()  # what this model turned out not to have
        self._limit = _MOST_TOKENS

    @property
    def name(self) -> str:
        """The id that goes into the cell's header; what ``bedrock`` stands for once known."""
        return model_ids.label(self._id or self._asked)

    def generate(self, conversation: Conversation, on_delta: Callable[[str], None]) -> Draft:
        """The draft. Raises ``ModelError`` with what to do; ``Cancelled`` on an interrupt."""
        try:
            return self._draft(conversation, on_delta)
        except KeyboardInterrupt:
            raise Cancelled("the model was stopped") from None
        except ConfigError as error:
            hint = "; ".join(filter(None, (error.hint, _OFFLINE)))
            raise ConfigError(error.message, hint) from error

    def preview(self, conversation: Conversation, *, count: bool = False) -> Preview:
        """The request that ``generate`` would send first, without its ``modelId``.

        Asks nobody, unless Bedrock is to ``count`` the tokens: then it gets the request for that
        alone. Where it cannot, the estimate stands and says why. Raises ``Cancelled``.
        """
        try:
            why = self._uncountable() if count else ""
            prompt = prompts.prompt(conversation, self._options.budget)
            features = self._features(self._options.max_tokens)
            request = converse.request(prompt, conversation, features)
            text, tokens = request_text(request), request_tokens(request)
            found = Preview(self.name, request, text, tokens, prompt.sent, uncounted=why)
            return self._counted(found, request) if count and not why else found
        except KeyboardInterrupt:
            raise Cancelled("the count was stopped") from None

    def _uncountable(self) -> str:
        """Why nothing can be counted; empty where it can, and then the model is known."""
        if not counting.can(self._aws):
            return "this boto3 cannot ask Bedrock to count"
        try:
            self._model()
        except BluebearError as error:
            return error.message
        return ""

    def _counted(self, preview: Preview, request: Mapping[str, Any]) -> Preview:
        call = Call("bedrock-runtime", self._aws.region, model_ids.bare(self._id))
        try:
            tokens = counting.count(self._aws, self._id, request)
        except BluebearError as error:
            return replace(preview, uncounted=error.message)
        except failures() as error:
            return replace(preview, left=reached(error), uncounted=diagnose(error, call).message)
        return replace(preview, tokens=tokens, counted=True, left=True)

    def tell(self, question: str, tables: Sequence[ShownTable]) -> Told:
        """A few sentences on a result. Raises ``ModelError``, ``Cancelled``; asks once, and once
        more where waiting helps: a result is there to be seen.
        """
        spent: list[Usage] = []
        try:
            reply = self._ask(
                lambda: telling.request(question, tables, self._features(telling.MOST_TOKENS)),
                _unheard, spent, attempts=2,
            )  # fmt: skip
        except KeyboardInterrupt:
            raise Cancelled("the model was stopped") from None
        self._check_stop(reply)
        return replace(telling.told(reply), usage=tuple(spent))

    # --- one draft ---------------------------------------------------------

    def _draft(self, conversation: Conversation, on_delta: Callable[[str], None]) -> Draft:
        prompt = prompts.prompt(conversation, self._options.budget)
        spent: list[Usage] = []
        more: list[dict[str, Any]] = []  # what was said in this call beyond the conversation
        room = min(self._options.max_tokens, self._limit)
        for number in range(1, _MOST_ASKS + 1):
            request = partial(self._request, prompt, conversation, tuple(more), room)
            reply = self._ask(request, on_delta, spent)
            self._check_stop(reply)
            found = replies.verdict(reply)
            if found.draft is not None:
                return replace(
                    found.draft, reply=tuple(reply.blocks), usage=tuple(spent), sent=prompt.sent
                )
            if number < _MOST_ASKS:
                self._on_wait(f"{self.name} {_SAID[found.reason]}; asking again")
                more, room = self._again(reply, found.reason, more, room)
        raise self._gave_none(found.reason, reply)

    def _request(
        self,
        prompt: prompts.Prompt,
        conversation: Conversation,
        more: Sequence[dict[str, Any]],
        room: int,
    ) -> dict[str, Any]:
        """The request by what is known of the model now, with what was said beyond it."""
        found = converse.request(prompt, conversation, self._features(room))
        return {**found, "messages": _joined(found["messages"], more)}

    def _again(
        self, reply: Reply, reason: str, more: list[dict[str, Any]], room: int
    ) -> tuple[list[dict[str, Any]], int]:
        """What to add to the conversation, and how many tokens to leave for the answer."""
        if reply.stop == "max_tokens":
            bigger = min(2 * room, self._limit, _MOST_TOKENS)
            if bigger > room:
                return more, bigger
            return [*more, {"role": "user", "content": [{"text": prompts.ASK_AGAIN["cut"]}]}], room
        words = prompts.ASK_AGAIN[reason]
        if reply.stop in {"malformed_tool_use", "malformed_model_output"}:
            return [*more, {"role": "user", "content": [{"text": words}]}], room
        said = converse.assistant(reply.blocks, self._features(room))
        return [*more, said, converse.answer(said["content"], words)], room

    def _check_stop(self, reply: Reply) -> None:
        """Raises for answers that no asking again would mend."""
        if reply.stop == "guardrail_intervened":
            reasons = replies.guardrail_reasons(reply.trace)
            why = f" ({', '.join(reasons)})" if reasons else ""
            raise ModelError(
                f"the guardrail {self._options.guardrail or 'of the account'} stepped in{why}",
                "put the question in other words; who administers the guardrail can tell why",
            )
        if reply.stop == "content_filtered":
            raise ModelError(
                f"{self.name} filtered its own answer", "put the question in other words"
            )
        if reply.stop == "model_context_window_exceeded":
            raise ModelError(
                f"the question with its schemas is too long for {self.name}",
                "name the datasets that are meant with --data",
            )

    def _gave_none(self, reason: str, reply: Reply) -> ModelError:
        said = " ".join(reply.text.split())[:300]
        return ModelError(
            f"{self.name} {_SAID[reason]}, {_MOST_ASKS} times" + (f": {said}" if said else ""),
            "put the question in other words, or name another model with --model",
        )

    def _features(self, max_tokens: int) -> Features:
        """What may be sent, by what is known of this model and of the installed boto3."""
        match = _GUARDRAIL.fullmatch(self._options.guardrail)
        return Features(
            tools="no_tools" not in self._lacks,
            caching="no_caching" not in self._lacks
            and model_ids.caches(self._id)
            and self._can("system", "cachePoint")
            and self._can("messages", "content", "cachePoint"),
            reasoning=self._can("messages", "content", "reasoningContent"),
            max_tokens=min(max_tokens, self._limit),
            guardrail=(match["id"], match["version"] or "DRAFT") if match else None,
        )

    def _can(self, *path: str) -> bool:
        return self._aws.member("bedrock-runtime", "ConverseStream", *path)

    # --- one answer --------------------------------------------------------

    def _ask(
        self,
        request: Callable[[], dict[str, Any]],
        on_delta: Callable[[str], None],
        spent: list[Usage],
        attempts: int | None = None,
    ) -> Reply:
        """A whole reply; what the request lacks or has too much of is changed, and sent again."""
        started_over = False
        for _ in range(_MOST_CHANGES):
            model = self._model()
            call = Call("bedrock-runtime", self._aws.region, model, self._aws.read_seconds)
            try:
                return patiently(
                    lambda: self._stream(request(), on_delta, spent), call, self._on_wait,
                    attempts=attempts or self._options.attempts, sleep=self._sleep,
                )  # fmt: skip
            except failures() as error:
                trouble = diagnose(error, call)
                if trouble.reason == "cut" and not started_over:
                    started_over = True
                    self._on_wait(f"{trouble.message}; starting over")
                elif not self._mended(trouble):
                    raise self._as_error(trouble, model) from error
        raise ModelError(f"{self.name} refuses every form of the request", "name another model")

    def _mended(self, trouble: Trouble) -> bool:
        """Whether the next request is another one because of what Bedrock said of this one."""
        if trouble.reason in {"no_tools", "no_caching", "no_streaming"}:
            known = trouble.reason in self._lacks
            self._lacks.add(trouble.reason)
            return not known
        if trouble.reason == "needs_profile" and "profile/" not in self._id:
            self._id = self._choice.profile_of(model_ids.bare(self._id))
            return True
        if trouble.reason == "no_model_access" and self._candidates is not None:
            denied, self._id = self._id, next(self._candidates, "")
            if self._id:
                self._on_wait(f"this account has no access to {denied}; asking {self._id}")
            else:
                self._id = denied
                return False
            return True
        match = _LIMIT.search(trouble.message) if "tokens" in trouble.message else None
        if trouble.reason == "invalid" and match and int(match[1]) < self._limit:
            self._limit = int(match[1])
            return True
        return False

    def _as_error(self, trouble: Trouble, model: str) -> BluebearError:
        if trouble.reason in {"expired", "credentials"}:
            self._aws.forget()  # the next question reads them anew
        if trouble.reason == "unknown_model":
            return self._choice.unknown(model, trouble)
        hint = f"{trouble.hint}; {_OFFLINE}" if trouble.hint else _OFFLINE
        return ModelError(trouble.message, hint)

    def _model(self) -> str:
        """The id to call; the account's default is looked up once."""
        if not self._id:
            self._on_wait("choosing a model on Bedrock")
            self._candidates = self._choice.default()
            self._id = next(self._candidates, "")
            if not self._id:
                raise ModelError(
                    f"in {self._aws.region} this account may use none of the models that are "
                    f"tried by themselves (list of {model_ids.known().date})",
                    "ask for access in the Bedrock console under Model catalog, "
                    f"or name a model: --model ID; {_OFFLINE}",
                )
        return self._id

    def _stream(
        self, request: dict[str, Any], on_delta: Callable[[str], None], spent: list[Usage]
    ) -> Reply:
        """Sends once and reads to the end. What was sent and not refused is on the bill, whatever
        happens: a model that is left alone goes on for a while.
        """
        client = self._aws.client("bedrock-runtime")
        started = time.monotonic()
        sent = prompts.tokens(repr([request.get(part) for part in _COUNTED]))
        if self._meter:
            self._meter.before(self._planned(sent, request["inferenceConfig"]["maxTokens"]))
        taken = Assembler(on_delta)
        billed = True
        try:
            reply = self._read(client, request, taken)
            if not reply.complete:
                raise ConnectionError("the stream ended before its last event")
        except failures() as error:
            billed = taken.begun or unanswered(error)
            raise
        finally:
            if billed:
                usage = self._usage(taken.finish(), sent, time.monotonic() - started)
                spent.append(usage)
                if self._meter:
                    self._meter.after(usage)
        return reply

    def _read(self, client: Any, request: dict[str, Any], taken: Assembler) -> Reply:
        """The reply as far as it comes; closes the stream whatever happens."""
        if "no_streaming" in self._lacks:
            return _whole(client.converse(modelId=self._id, **request), taken)
        answer = client.converse_stream(modelId=self._id, **request)
        taken.begun = True
        with contextlib.closing(answer["stream"]) as stream:
            try:
                for event in stream:
                    taken.take(event)
            except failures():
                if not taken.reply.complete:
                    raise  # else only what it took is missing
        return taken.finish()

    def _planned(self, sent: int, most: int) -> Usage:
        """The call at most. Newer models count a third more tokens than older ones for the same
        text, so that the estimate of what is sent has to have some room.
        """
        planned = Usage(self.name, math.ceil(sent * _ROOM), most, estimated=True)
        dollars = model_ids.at_most(planned, self._id, self._prices())
        return replace(planned, dollars=dollars)

    def _usage(self, reply: Reply, sent: int, seconds: float) -> Usage:
        told = reply.usage
        usage = Usage(
            self.name,
            told.get("inputTokens", sent),
            told.get("outputTokens", prompts.tokens(repr(reply.blocks))),
            told.get("cacheReadInputTokens", 0),
            told.get("cacheWriteInputTokens", 0),
            seconds,
            estimated=not told,
        )
        return self._priced(usage)

    def _priced(self, usage: Usage) -> Usage:
        own = self._prices()
        dollars = model_ids.dollars(usage, self._id, own)
        said = model_ids.own_price(self._id, own) is not None
        return replace(usage, dollars=dollars, own_price=said)


_SAID = {
    "prose": "answered without code",
    "sql": "answered in SQL alone",
    "cut": "was cut off in the middle of its answer",
    "broken": "gave arguments that are not valid JSON",
}


def _no_prices() -> Mapping[str, Price]:
    """The user says none."""
    return model_ids.NONE


def _unheard(text: str) -> None:
    """Nobody listens."""


def _joined(
    messages: Sequence[dict[str, Any]], more: Sequence[dict[str, Any]]
) -> list[dict[str, Any]]:
    """Messages with others after them; two of one role in a row become one."""
    found = list(messages)
    for message in more:
        if found[-1]["role"] == message["role"]:
            content = [*found[-1]["content"], *message["content"]]
            found[-1] = {**found[-1], "content": content}
        else:
            found.append(message)
    return found


def _whole(answer: dict[str, Any], taken: Assembler) -> Reply:
    """The reply of a model that does not stream, taken in one piece."""
    for event in replies.events_of(answer):
        taken.take(event)
    return taken.finish()
