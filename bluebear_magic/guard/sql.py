"""What SQL may say: an allow-list over tokens and over sqlglot's syntax tree.

Both are looked at because they fail differently: the tokens show every name
that is called like a function, whatever the parser takes it for; the tree shows
what is read. Where Spark reads a text in another way than sqlglot does (comments
that nest or go on after a backslash), the text is refused.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache, lru_cache
from itertools import islice
from typing import Any

from bluebear_magic.guard import lists
from bluebear_magic.guard.policy import Policy

Token = Any  # of sqlglot, which is not loaded before the first SQL text
Tree = Any

MAX_SQL = 30_000  # characters of one text
MAX_FAULTS = 20  # of one text
MAX_DEPTH = 60  # parentheses in parentheses
KEPT = 32  # texts whose trees are kept ...
MAX_KEPT = 5_000  # ... where they are no longer than so many characters

_CLAUSES = {
    "SELECT", "FROM", "WHERE", "HAVING", "EXCEPT", "UNION", "INTERSECT", "PIVOT", "UNPIVOT",
    "TABLESAMPLE",
}  # fmt: skip
_AFTER_TABLES = {"EXCEPT", "UNION", "INTERSECT", "PIVOT", "UNPIVOT", "TABLESAMPLE"}
_BEFORE_TABLES = {",", "FROM", "JOIN", "LATERAL"}
_QUERY_STARTS = {"SELECT", "WITH", "VALUES", "FROM", "("}
# What a text is made of, as Spark's own lexer takes it apart.
_PIECE = re.compile(
    r"""(?P<raw>\b[rR](?:'[^']*'|"[^"]*"))"""
    r"""|(?P<text>'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*")"""
    r"""|(?P<name>`(?:[^`]|``)*`)|(?P<line>--[^\r\n]*)|(?P<block>/\*.*?\*/)|(?P<open>/\*|['"`])""",
    re.DOTALL,
)
# Outside quotes and comments. Other characters are read in two ways, or by one reader only: $$
# quotes for Spark, {# comments for sqlglot, spaces of Unicode part words for one of them.
_PLAIN = re.compile(r"[\w\s()\[\],.;:*+\-/%<>=!&|^~?]*", re.ASCII)
_LETTERS = re.compile(r"[^\W\d_]")
_HINT = re.compile(r"/\*\+[\w\s(),.`]*\*/", re.ASCII)
_SCHEMA_FUNCTIONS = {"from_json", "from_csv"}
_SCHEMA_MAKERS = {"schema_of_json", "schema_of_csv"}


@dataclass(frozen=True)
class Fault:
    """One thing wrong in a text of SQL, and its place there (line from 1, column from 0)."""

    rule: str
    text: str
    line: int = 1
    column: int = 0
    detail: str = ""


@dataclass(frozen=True)
class Names:
    """What a text may name: ``table`` tells whether a table may be read; ``functions`` are the
    cell's own.
    """

    table: Callable[[str], bool]
    functions: Collection[str] = ()


def check_query(text: str, names: Names, policy: Policy) -> list[Fault]:
    """Faults of a whole query, as ``spark.sql`` takes it."""
    return _check(text, "", names, policy)


def check_expression(text: str, names: Names, policy: Policy) -> list[Fault]:
    """Faults of one expression, as ``expr``, ``filter`` and ``selectExpr`` take it."""
    return _check(text, "SELECT ", names, policy)


def _check(text: str, prefix: str, names: Names, policy: Policy) -> list[Fault]:
    if len(text) > MAX_SQL:
        return [Fault("SQL-SYNTAX", text[:40], detail=f"it has more than {MAX_SQL:,} characters")]
    faults = list(_raw_faults(text))
    if faults:
        return faults
    try:
        return list(islice(_parsed_faults(prefix + text, prefix, names, policy), MAX_FAULTS))
    except RecursionError:
        return [Fault("SQL-SYNTAX", text[:40], detail="it is too deeply nested")]


def _raw_faults(text: str) -> Iterator[Fault]:
    """What must not stand in the text, however it is parsed."""
    if "${" in text:
        yield Fault("SQL-SUBSTITUTE", "${", *_place(text, text.index("${")))
    if "\x00" in text or any("\ud800" <= letter <= "\udfff" for letter in text):
        yield Fault("SQL-SYNTAX", text[:40], detail="it holds characters that are no text")
        return
    end = 0
    for piece in _PIECE.finditer(text):
        kind, found = piece.lastgroup, piece.group()
        yield from _odd_letters(text, end, piece.start())
        end = piece.end()
        place = _place(text, piece.start())
        if kind == "open":
            yield Fault("SQL-SYNTAX", found, *place, detail=f"the {found} is not closed")
            return
        if kind == "line" and "\\" in found:
            yield Fault("SQL-COMMENT", found, *place)  # Spark goes on after \ and a line end
        if kind == "block" and found.startswith("/*+"):
            if not _HINT.fullmatch(found):  # to Spark a hint is no comment: its quotes count
                yield Fault("SQL-COMMENT", found[:40], *place)
        elif kind == "block" and "/*" in found[2:]:
            yield Fault("SQL-COMMENT", found[:40], *place)
    yield from _odd_letters(text, end, len(text))


def _odd_letters(text: str, start: int, end: int) -> Iterator[Fault]:
    """Characters outside quotes and comments that no plain query needs."""
    if "://" in text[start:end]:  # to Spark a URI is one word, and what looks like a comment in it
        place = _place(text, text.index("://", start))
        yield Fault("SQL-SYNTAX", "://", *place, detail="a URI has no place outside quotes")
    while (match := _PLAIN.match(text, start, end)) is not None and match.end() < end:
        start = match.end() + 1
        letter = text[match.end()]
        if not _LETTERS.match(letter):
            name = f"the character {letter!a} has no place outside quotes"
            yield Fault("SQL-SYNTAX", letter, *_place(text, match.end()), detail=name)
            return


def quoted_names(text: str) -> set[int]:
    """Where the names in backticks start that stand alone, in no text and no comment."""
    return {
        piece.start()
        for piece in _PIECE.finditer(text)
        if piece.lastgroup == "name"
        and not re.match(r"[\w'\"`]", text[max(0, piece.start() - 1) : piece.start()])
        and not re.match(r"[\w'\"`]", text[piece.end() : piece.end() + 1])
    }


def _place(text: str, offset: int) -> tuple[int, int]:
    before = text[:offset]
    return before.count("\n") + 1, offset - (before.rfind("\n") + 1)


@cache
def _dialect() -> Any:
    import sqlglot

    return sqlglot.Dialect.get_or_raise("spark")


@lru_cache(KEPT)
def _tokens(text: str) -> list[Token]:
    """The text's tokens, kept: what is checked is mostly run soon after. Nobody may change them."""
    tokens: list[Token] = _dialect().tokenize(text)
    return tokens


@lru_cache(KEPT)
def _trees(text: str) -> list[Tree]:
    """The syntax trees of the text's statements, kept as its tokens are."""
    import sqlglot

    parser = _dialect().parser(error_level=sqlglot.ErrorLevel.IMMEDIATE)
    with _quiet():
        trees: list[Tree] = parser.parse(_tokens(text), text)
    return trees


def _parsed_faults(text: str, prefix: str, names: Names, policy: Policy) -> Iterator[Fault]:
    from sqlglot.errors import ParseError, TokenError

    kept = len(text) <= MAX_KEPT
    try:
        tokens = _tokens(text) if kept else _tokens.__wrapped__(text)
    except TokenError as error:
        yield Fault("SQL-SYNTAX", text[len(prefix) :][:40], detail=_first_line(error))
        return
    first = tokens[0].text.upper() if tokens else ""
    if not prefix and first and first not in _QUERY_STARTS:
        yield _at(tokens[0], "SQL-COMMAND", prefix, first)
        return
    if not _same_pieces(tokens, text):
        detail = "its quotes or comments can be read in two ways"
        yield Fault("SQL-SYNTAX", text[len(prefix) :][:40], detail=detail)
        return
    faults = list(islice(_token_faults(tokens, prefix, names, policy), MAX_FAULTS))
    if faults:
        yield from faults
        return
    try:
        trees = _trees(text) if kept else _trees.__wrapped__(text)
    except ParseError as error:
        yield _parse_fault(error, text, prefix)
        return
    except (ValueError, TypeError, AttributeError, IndexError, KeyError, AssertionError) as error:
        yield Fault("SQL-SYNTAX", text[len(prefix) :][:40], detail=_first_line(error))
        return
    if len(trees) != 1 or trees[0] is None:
        yield Fault("SQL-MULTIPLE", text[len(prefix) :][:40])
        return
    tree = trees[0]
    if prefix and not _is_one_expression(tree):
        yield Fault("SQL-SYNTAX", text[len(prefix) :][:40], detail="it is not one expression")
        return
    if not prefix and type(tree).__name__ not in {
        "Select", "Union", "Intersect", "Except", "Values", "Subquery",
    }:  # fmt: skip
        yield Fault("SQL-COMMAND", tokens[0].text)
        return
    yield from _tree_faults(tree, prefix, names, policy)


@contextmanager
def _quiet() -> Iterator[None]:
    """Keeps sqlglot's remarks on odd paths and hints out of the notebook."""
    logger = logging.getLogger("sqlglot")
    before = logger.disabled
    logger.disabled = True
    try:
        yield
    finally:
        logger.disabled = before


def _same_pieces(tokens: list[Token], text: str) -> bool:
    """Whether sqlglot quotes and leaves out the same parts of the text as Spark does."""
    quoted: set[tuple[int, int]] = set()
    left_out = bytearray(len(text))
    for piece in _PIECE.finditer(text):
        start, end = piece.span()
        if piece.lastgroup in {"raw", "text", "name"}:
            quoted.add((start, end))
        else:
            left_out[start:end] = b"\x01" * (end - start)
    seen: set[tuple[int, int]] = set()
    at = 0
    for token in tokens:
        start, end = token.start, token.end + 1
        kind = _kind(token)
        if kind in {"text", "name"}:
            seen.add((start, end))
        elif kind == "bytes":
            seen.add((start + 1, end))
        elif kind != "hint" and left_out.find(1, start, end) >= 0:
            return False
        if start > at and not _is_blank(text, left_out, at, start):
            return False
        at = end
    return _is_blank(text, left_out, at, len(text)) and seen == quoted


def _is_blank(text: str, left_out: bytearray, start: int, end: int) -> bool:
    """Whether nothing stands there but white space and what is left out."""
    between = text[start:end]
    return between.isspace() or all(
        out or letter.isspace() for out, letter in zip(left_out[start:end], between, strict=True)
    )


def _first_line(error: Exception) -> str:
    return (str(error).splitlines() or ["it makes no sense"])[0].rstrip(".")


def _parse_fault(error: Any, text: str, prefix: str) -> Fault:
    first = error.errors[0] if getattr(error, "errors", None) else {}
    line, column = first.get("line") or 1, first.get("col") or 1
    detail = str(first.get("description") or "it makes no sense").rstrip(".")
    found = str(first.get("highlight") or text[len(prefix) :][:40])
    column = max(0, column - len(found))
    return Fault("SQL-SYNTAX", found, line, _without(prefix, line, column), detail)


def _without(prefix: str, line: int, column: int) -> int:
    return max(0, column - len(prefix)) if line == 1 else column


def _is_one_expression(tree: Tree) -> bool:
    if type(tree).__name__ != "Select" or len(tree.expressions) != 1:
        return False
    return not any(value for key, value in tree.args.items() if key != "expressions")


# --- tokens ----------------------------------------------------------------------


def _token_faults(
    tokens: list[Token], prefix: str, names: Names, policy: Policy
) -> Iterator[Fault]:
    if not tokens:
        yield Fault("SQL-SYNTAX", "", detail="it is empty")
        return
    own = {name.lower() for name in names.functions}
    aliases = _alias_places(tokens)
    depth = 0
    for index, token in enumerate(tokens):
        text = token.text
        if text == "(":
            depth += 1
            if depth > MAX_DEPTH:
                yield _at(token, "SQL-SYNTAX", prefix, text, "it is too deeply nested")
                return
            if index and index not in aliases:
                yield from _called(tokens, index, own, prefix, policy)
        elif text == ")":
            depth -= 1
        elif text == ";" and index != len(tokens) - 1:
            yield _at(token, "SQL-MULTIPLE", prefix, text)
        elif not _is_name(token) and not _is_string(token) and _is_odd(tokens, index):
            yield _at(token, "SQL-CLAUSE", prefix, text)


def _is_odd(tokens: list[Token], index: int) -> bool:
    """Whether the word there is a clause to one reader and a name, or more, to the other."""
    word = tokens[index].text.upper()
    if word in {"TABLE", "QUALIFY", "|>"}:  # TABLE x is a query to Spark, QUALIFY a name
        return True
    if word == "USING":
        return not _opens(tokens, index + 1)
    before = tokens[index - 1].text.upper() if index else ""
    if word in _CLAUSES and before in _BEFORE_TABLES:  # FROM a, SELECT b names a table
        return True
    if word in _AFTER_TABLES and before == "(":
        return True
    return word == "VALUES" and not _starts_row(tokens, index + 1)


def _at(token: Token, rule: str, prefix: str, text: str, detail: str = "") -> Fault:
    column = max(0, token.col - len(token.text))
    return Fault(rule, text, token.line, _without(prefix, token.line, column), detail)


def _opens(tokens: list[Token], place: int) -> bool:
    return place < len(tokens) and tokens[place].text == "("


def _starts_row(tokens: list[Token], place: int) -> bool:
    if place >= len(tokens):
        return False
    token = tokens[place]
    return token.text == "(" or _is_string(token) or _kind(token) == "number"


def _is_name(token: Token) -> bool:
    """Whether it is a quoted identifier."""
    return _kind(token) == "name"


def _is_string(token: Token) -> bool:
    return _kind(token) == "text"


def _kind(token: Token) -> str:
    """What sort of token it is, where that matters; '' for every other."""
    return _kinds().get(token.token_type, "")


@cache
def _kinds() -> dict[Any, str]:
    """The types of tokens that matter; of those that this version of sqlglot has."""
    from sqlglot import TokenType

    names = {
        "text": ("STRING", "RAW_STRING", "NATIONAL_STRING", "HEREDOC_STRING"),
        "bytes": ("HEX_STRING", "BIT_STRING", "BYTE_STRING"),
        "name": ("IDENTIFIER",),
        "number": ("NUMBER",),
        "hint": ("HINT",),
    }
    return {
        getattr(TokenType, name): kind
        for kind, known in names.items()
        for name in known
        if hasattr(TokenType, name)
    }


def _called(
    tokens: list[Token], index: int, own: set[str], prefix: str, policy: Policy
) -> Iterator[Fault]:
    """Judges the word before the parenthesis at ``index``."""
    token = tokens[index - 1]
    word = token.text.lower()
    if _is_string(token) or not (_is_name(token) or word.replace("_", "a").isalnum()):
        return
    if word.isdigit() and not _is_name(token):
        return
    qualified = index > 1 and tokens[index - 2].text == "."
    allowed = word in policy.sql_functions or word in own
    if not _is_name(token):
        allowed = allowed or word in lists.SQL_WORDS
    if qualified or not allowed:
        yield _at(token, "SQL-FUNCTION", prefix, token.text)
    elif word in _SCHEMA_FUNCTIONS and not _is_plain_schema(tokens, index):
        yield _at(token, "SPARK-SCHEMA", prefix, token.text)


def _is_plain_schema(tokens: list[Token], index: int) -> bool:
    """Whether the second argument is one literal that cannot be JSON, or a schema_of_* call."""
    depth = 0
    commas: list[int] = []
    end = len(tokens)
    for place in range(index, len(tokens)):
        text = tokens[place].text if not _is_string(tokens[place]) else ""
        depth += (text in {"(", "["}) - (text in {")", "]"})
        if depth == 0:
            end = place
            break
        if depth == 1 and text == ",":
            commas.append(place)
    if not commas:
        return False
    schema = tokens[commas[0] + 1 : commas[1] if len(commas) > 1 else end]
    if len(schema) == 1:
        # A backslash could stand for the brace that JSON needs.
        return _is_string(schema[0]) and not {"{", "\\"} & set(schema[0].text)
    return len(schema) > 1 and schema[0].text.lower() in _SCHEMA_MAKERS and _is_call(schema)


def _is_call(tokens: list[Token]) -> bool:
    """Whether all of ``name ( ... )`` is one call."""
    depth = 0
    for place, token in enumerate(tokens[1:], 1):
        if not _is_string(token):
            depth += (token.text == "(") - (token.text == ")")
        if depth == 0:
            return place == len(tokens) - 1
    return False


def _alias_places(tokens: list[Token]) -> set[int]:
    """Parentheses that hold the columns of an alias: ``WITH t (a, b) AS``, ``AS t(a, b)``.

    Only a plain list of names between them counts, and only where a call cannot stand.
    """
    found: set[int] = set()
    for index in range(2, len(tokens)):
        if tokens[index].text != "(":
            continue
        before = tokens[index - 2].text.upper()
        end = index + 1
        while end < len(tokens) and tokens[end].text not in {"(", ")"}:
            end += 1
        closed = end < len(tokens) and tokens[end].text == ")"
        inside = tokens[index + 1 : end]
        names = all(token.text == "," or not _is_string(token) for token in inside)
        if not closed or not names:
            continue
        if before in {"AS", ")"} or (
            before in {"WITH", "RECURSIVE", ","} and _opens_query(tokens, end + 1)
        ):
            found.add(index)
    return found


def _opens_query(tokens: list[Token], place: int) -> bool:
    """Whether ``AS ( SELECT x`` stands here: a query, and no list of aliases."""
    words = [token.text.upper() for token in tokens[place : place + 4]]
    return (
        len(words) == 4
        and words[:2] == ["AS", "("]
        and words[2] in _QUERY_STARTS
        and words[3] not in {",", ")"}
    )


# --- the tree ----------------------------------------------------------------------


def _tree_faults(tree: Tree, prefix: str, names: Names, policy: Policy) -> Iterator[Fault]:
    from sqlglot import exp

    for node in tree.walk():
        if not _is_known(node.__class__, policy) or _is_read_otherwise(node):
            yield _node_fault("SQL-CLAUSE", node, prefix, _written(node)[:60])
        elif isinstance(node, exp.Table) and node.find_ancestor(exp.Hint) is None:
            yield from _table_faults(node, prefix, names, policy)


@lru_cache(1_000)
def _is_known(kind: type, policy: Policy) -> bool:
    """Whether nodes of this type are on the list, or operators and functions."""
    from sqlglot import exp

    known = (exp.Func, exp.Binary, exp.Unary, exp.Predicate)
    listed = kind.__name__ in policy.sql_nodes or issubclass(kind, known)
    return listed and not issubclass(kind, exp.Parameter)


def _is_read_otherwise(node: Tree) -> bool:
    """Whether Spark makes something else of the node than sqlglot does."""
    from sqlglot import exp

    if isinstance(node, exp.CTE):
        return not isinstance(node.this, exp.Query | exp.Values)
    if isinstance(node, exp.Lateral):  # LATERAL x is a table, to Spark
        return not isinstance(node.this, exp.Func | exp.Query)
    return any(map(_is_odd_window, node.args.get("windows") or ()))


def _is_odd_window(window: Tree) -> bool:
    """Whether it defines nothing: ``FROM a WINDOW JOIN b`` is a join, to Spark."""
    return not any(window.args.get(part) for part in ("partition_by", "order", "spec"))


def _written(node: Tree) -> str:
    with _quiet():
        return str(node.sql("spark"))


def _node_fault(rule: str, node: Tree, prefix: str, text: str) -> Fault:
    from sqlglot import exp

    for part in node.find_all(exp.Identifier):
        line, end = part.meta.get("line"), part.meta.get("col")
        if line and end:
            width = len(part.name) + 2 * bool(part.args.get("quoted"))
            return Fault(rule, text, line, _without(prefix, line, max(0, end - width)))
    return Fault(rule, text)


def _table_faults(node: Tree, prefix: str, names: Names, policy: Policy) -> Iterator[Fault]:
    from sqlglot import exp

    source = node.this
    if node.args.get("version") or node.args.get("when"):
        yield _node_fault("SQL-CLAUSE", node, prefix, _written(node)[:60])
    if isinstance(source, exp.Func):
        name = source.name if isinstance(source, exp.Anonymous) else source.sql_name()
        if (
            name.lower() not in policy.sql_table_functions
            and name.lower()
            not in {known.lower() for known in _spellings(source)} & policy.sql_table_functions
        ):
            yield _node_fault("SQL-FUNCTION", node, prefix, name.lower())
        return
    if not isinstance(source, exp.Identifier):
        yield _node_fault("SQL-CLAUSE", node, prefix, _written(node)[:60])
        return
    if node.args.get("db") or node.args.get("catalog"):
        yield _node_fault("SQL-PATH", node, prefix, _written(node)[:80])
        return
    if source.name.lower() in _visible_ctes(node) or names.table(source.name):
        return
    yield _node_fault("SQL-TABLE", node, prefix, source.name)


def _spellings(function: Tree) -> list[str]:
    return list(type(function).sql_names()) if hasattr(type(function), "sql_names") else []


def _visible_ctes(node: Tree) -> set[str]:
    """Names of the CTEs in scope at ``node``."""
    from sqlglot import exp

    found: set[str] = set()
    inside: Tree = None
    above: Tree = node.parent
    while above is not None:
        if isinstance(above, exp.CTE):
            inside = above
        clause = above.args.get("with_") or above.args.get("with")
        if isinstance(clause, exp.With):
            for cte in clause.expressions:
                if cte is inside:
                    if clause.args.get("recursive"):
                        found.add(cte.alias.lower())
                    break
                found.add(cte.alias.lower())
        above = above.parent
    return found
