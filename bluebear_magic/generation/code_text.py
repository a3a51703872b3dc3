"""Whether a text is code, and code as it was meant: pure, and never executed."""

from __future__ import annotations

import ast
import builtins
import re
import textwrap
import warnings
from collections.abc import Iterator

_GIVEN = frozenset({"spark", "display", *dir(builtins)})
_MOST_PARSES = 60
_MOST_UNMARKED = 60_000  # characters
_QUOTES = str.maketrans({"\u201c": '"', "\u201d": '"', "\u201e": '"', "\u2018": "'", "\u2019": "'"})
_BLANKS = str.maketrans({"\u00a0": " ", "\u202f": " ", "\u2003": " ", "\u200b": "", "\u2028": "\n"})

_STATEMENT = re.compile(
    r"""\s*(?:\#|@\w|from\s+[\w.]+\s+import\b|import\s+\w[\w.]*(?:\s+as\s+\w+)?\s*$|def\s+\w+\s*\(
        |class\s+\w+.*:\s*$|return\b|(?:for|if|elif|while|with|try|except)\b.*:\s*$
        |(?:else|try|finally)\s*:\s*$|[)\]}]|\.\s*\w+|[\w.\[\]"', ]+[-+*/|&]?=(?!=)\s*\S
        |\w+(?:\.\w+)*\(|["']{3})""",
    re.VERBOSE,
)
_OPEN_END = re.compile(r"[(\[{,\\]\s*$|\)\s*$")
_MENTIONS = re.compile(
    r"^[ \t]*results?\s*=(?!=)|\bspark\s*\.\s*(?:table|sql|read|range|create\w+)\s*\(", re.M
)


def parsed(code: str) -> ast.Module | None:
    """The syntax tree, or None where there is none."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # an odd escape in a string is not our business
            return ast.parse(code)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None


def parses(code: str) -> bool:
    """Whether it is Python by its syntax, and not blank."""
    return bool(code.strip()) and parsed(code) is not None


def tidy(code: str) -> str:
    """Code without prompts, cell magics, common indentation and typographic quotes."""
    code = _without_prompts(code.replace("\r\n", "\n").replace("\r", "\n"))
    lines = code.split("\n")
    while lines and (not lines[0].strip() or re.match(r"\s*%%?\w+[^=]*$", lines[0])):
        lines.pop(0)
    code = textwrap.dedent("\n".join(lines)).strip("\n").rstrip()
    if not code:
        return ""
    if not parses(code):
        for mended in (code.translate(_BLANKS), code.translate(_BLANKS).translate(_QUOTES)):
            if parses(mended):
                return mended.rstrip() + "\n"
    return code + "\n"


def assigns_result(code: str) -> bool:
    """Whether it binds ``result`` or ``results`` at its top."""
    tree = parsed(code)
    return tree is not None and bool({"result", "results"} & set(_bound(tree)))


def is_code(code: str) -> bool:
    """Whether this text, marked as code, is meant to be run here: prose is not, and neither is
    code that has nothing to do with Spark. Code with a slip in its syntax is.
    """
    tree = parsed(code)
    if tree is not None:
        names = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
        return "spark" in names or bool({"result", "results"} & set(_bound(tree)))
    lines = [line for line in code.split("\n") if line.strip()]
    likely = sum(map(is_code_line, lines))
    return bool(_MENTIONS.search(code)) and likely >= 0.6 * len(lines)


def is_code_line(line: str) -> bool:
    """Whether a line looks like Python rather than like a sentence."""
    return bool(_STATEMENT.match(line) or _OPEN_END.search(line))


def needs(code: str) -> frozenset[str]:
    """Names that code reads and does not define before; empty where it does not parse."""
    tree = parsed(code)
    known: set[str] = set()
    missing: set[str] = set()
    for statement in tree.body if tree else ():
        values = _value_of(statement)
        inner = set() if values else set(_bound(statement)) | set(_arguments(statement))
        for part in values or [statement]:
            read = {
                node.id
                for node in ast.walk(part)
                if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load)
            }
            own = set(_bound(part)) | set(_arguments(part))
            missing |= read - known - inner - own - _GIVEN
        known |= set(_bound(statement))
    return frozenset(missing)


def defines(code: str) -> frozenset[str]:
    """Names that code binds."""
    tree = parsed(code)
    return frozenset(_bound(tree)) if tree else frozenset()


def embedded(text: str) -> str:
    """The code that stands unmarked in a text: whole, with ``result`` assigned and Spark used;
    empty where there is none. What is left out before and after must not look like code, so
    that a cut-off answer is not taken for a shorter one.
    """
    lines = _without_prompts(text[:_MOST_UNMARKED]).split("\n")
    starts = [number for number, line in enumerate(lines) if _begins(line)]
    tried = 0
    for start in starts[:8]:
        for end in _ends(lines, start):
            tried += 1
            if tried > _MOST_PARSES:
                return ""
            code = tidy("\n".join(lines[start:end]))
            if _whole(code):
                return code
    return ""


def _begins(line: str) -> bool:
    return bool(_STATEMENT.match(line)) and not line.lstrip().startswith((".", ")", "]", "}"))


def _ends(lines: list[str], start: int) -> Iterator[int]:
    """Where the code may end: at the last line, or before lines that are sentences."""
    end = len(lines)
    while end > start:
        yield end
        end -= 1
        if lines[end].strip() and is_code_line(lines[end]):
            return


def _whole(code: str) -> bool:
    tree = parsed(code)
    if tree is None or not {"result", "results"} & set(_bound(tree)):
        return False
    return any(isinstance(node, ast.Name) and node.id == "spark" for node in ast.walk(tree))


def _without_prompts(code: str) -> str:
    """Without ``>>>`` or ``In [1]:``; what a prompt printed goes too."""
    if not re.search(r"^[ \t]*(?:>>> |In \[\d+\]: )", code, re.M):
        return code
    kept = []
    for line in code.split("\n"):
        match = re.match(r"\s*(?:>>> ?|\.\.\. ?|In \[\d+\]: | *\.\.\.: ?)(.*)", line)
        if match:
            kept.append(match[1])
    return "\n".join(kept)


def _bound(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            yield node.id
        elif isinstance(node, ast.FunctionDef | ast.ClassDef):
            yield node.name
        elif isinstance(node, ast.Import | ast.ImportFrom):
            for alias in node.names:
                yield alias.asname or alias.name.partition(".")[0]


def _arguments(tree: ast.AST) -> Iterator[str]:
    return (node.arg for node in ast.walk(tree) if isinstance(node, ast.arg))


def _value_of(statement: ast.stmt) -> list[ast.AST]:
    """What an assignment reads; empty for other statements."""
    if isinstance(statement, ast.AugAssign):
        return [statement.value, ast.Name(getattr(statement.target, "id", ""), ast.Load())]
    if isinstance(statement, ast.Assign | ast.AnnAssign) and statement.value:
        return [statement.value]
    return []
