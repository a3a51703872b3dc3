"""From a model's text to a draft: for models that call no tool, or answer in prose.

Marked blocks are looked at first, then JSON, then code that stands there unmarked. Of several
blocks: what the chosen one needs from those before it comes with it; a later answer replaces an
earlier one. An answer that was cut off is never taken for a whole one.
"""

from __future__ import annotations

import html
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

from bluebear_magic.generation.code_text import (
    assigns_result,
    defines,
    embedded,
    is_code,
    needs,
    parses,
    tidy,
)
from bluebear_magic.generation.drafts import CODE_NAMES, draft_of, loads, objects
from bluebear_magic.generation.fences import PYTHON, Segment, segments
from bluebear_magic.records import Draft

_MOST_EXPLANATION = 1000
_MOST_CALL = 60_000  # characters
_JSON = frozenset({"json", "json5", "jsonc", "tool_call", "tool_code", "javascript", "js"})
_PARAMETER = re.compile(
    r'<(?:antml:)?parameter\s+name="(\w+)"\s*>(.*?)</(?:antml:)?parameter>', re.S
)
_CUT_JSON = re.compile(r'^\s*(?:```\w*\s*)?\{\s*"', re.S)

Reason = Literal["", "prose", "sql", "cut", "broken"]


@dataclass(frozen=True)
class Extracted:
    """``draft``, or the reason why there is none."""

    draft: Draft | None
    reason: Reason = ""


def extract(text: str, *, cut: bool = False) -> Extracted:
    """The draft in a model's text. ``cut``: the model was stopped before it was done."""
    if cut:
        return Extracted(None, "cut")
    parts = segments(text)
    found = _arguments(parts) or _blocks(parts)
    if found is not None:
        return found
    prose = "\n".join(part.text for part in parts if part.language is None)
    if code := embedded(prose):
        return Extracted(Draft(code, _told(_outside(prose, code))))
    if any(part.language == "sql" for part in parts):
        return Extracted(None, "sql")
    broken = _CUT_JSON.match(prose) and loads(prose.strip()) is None
    started = broken or any(not part.closed for part in parts)
    return Extracted(None, "cut" if started else "prose")


def code_in(text: str) -> str:
    """The code in a text that should be nothing but code: fences and prompts are taken off."""
    code = tidy(text)
    if not parses(code) and ("```" in text or "~~~" in text or re.match(r"\s*<", text)):
        found = _blocks(segments(text))
        if found is not None and found.draft is not None:
            return found.draft.code
    return code


def finished(draft: Draft) -> Draft:
    """The draft of a tool's arguments with its code tidied; beside questions, prose in the
    place of code is none.
    """
    code = code_in(draft.code)
    return replace(draft, code="" if draft.questions and not is_code(code) else code)


# --- blocks ----------------------------------------------------------------


def _blocks(parts: Sequence[Segment]) -> Extracted | None:
    """From blocks that are marked as code; None where no block is."""
    blocks = [
        replace(part, text=code)
        for part in parts
        if part.language is not None and part.language in PYTHON and (code := _block_code(part))
    ]
    if not blocks:
        return None
    last = blocks[-1]
    if not last.closed and not (parses(last.text) and assigns_result(last.text)):
        return Extracted(None, "cut")
    code = merged([block.text for block in blocks])
    if not code or not is_code(code):
        return None
    prose = "\n".join(part.text for part in parts if part.language is None)
    return Extracted(Draft(code, _told(prose)))


def _block_code(part: Segment) -> str:
    """The code of a block. One that was never closed may have sentences after its code."""
    code = tidy(part.text)
    if not part.closed and not parses(code):
        return embedded(part.text) or code
    return code


def merged(blocks: Sequence[str]) -> str:
    """One cell of several blocks: the last that assigns the result, and before it those that
    define what it needs; all of them where none assigns it.
    """
    usable = [block for block in blocks if parses(block) or is_code(block)]
    answers = [number for number, block in enumerate(usable) if assigns_result(block)]
    if not answers:
        return "\n".join(block for block in usable if parses(block) or len(usable) == 1)
    chosen = answers[-1]
    code, missing = usable[chosen], needs(usable[chosen])
    for block in reversed(usable[:chosen]):
        if missing & defines(block):
            code = f"{block}\n{code}"
            missing = needs(code)
    return code


# --- arguments -------------------------------------------------------------


def _arguments(parts: Sequence[Segment]) -> Extracted | None:
    """From a tool call or a JSON body that came as text."""
    prose = "\n".join(part.text for part in parts if part.language is None)
    named = {name: html.unescape(value) for name, value in _PARAMETER.findall(prose[:_MOST_CALL])}
    draft = draft_of(named)
    if draft is not None and (draft.questions or _runs(draft.code)):
        return Extracted(finished(draft))
    marked = [part.text for part in parts if part.language is not None and _json_like(part)]
    for text in [*marked, prose.strip()]:
        whole = draft_of(loads(text)) if text.lstrip().startswith(("{", '"')) else None
        inside = (draft_of(value) for value, _, _ in objects(text) if _has_code(value))
        draft = whole or next((found for found in inside if found), None)
        if draft is not None and (draft.questions or _runs(draft.code)):
            return Extracted(finished(draft))
    return None


def _json_like(part: Segment) -> bool:
    return part.language in _JSON or (part.language == "" and part.text.lstrip().startswith("{"))


def _has_code(value: object) -> bool:
    return isinstance(value, dict) and bool(
        {*CODE_NAMES, "questions", "arguments", "input", "parameters", "draft"} & value.keys()
    )


def _runs(code: str) -> bool:
    return is_code(code_in(code))


# --- prose -----------------------------------------------------------------


def _outside(prose: str, code: str) -> str:
    first, last = code.strip().split("\n")[0], code.strip().split("\n")[-1]
    before, _, rest = prose.partition(first)
    return before + "\n" + (rest.rpartition(last)[2] if last != first else rest)


def _told(prose: str) -> str:
    """What a model says beside its code, as one paragraph."""
    text = re.sub(r"\s+", " ", re.sub(r"^#+\s*|\*\*", "", prose, flags=re.M)).strip()
    return text[:_MOST_EXPLANATION]
