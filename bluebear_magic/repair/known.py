"""What of a fault or a finding a model may be told: pure.

Messages quote data: the value that would not cast, the columns that a pivot made of values, what
the code itself put into an exception. So unless all of the rows may leave, a message goes out word
by word: a word that the model has already (it wrote it, or it stands in a schema that was sent),
or that is one of Spark's own, stays; every other becomes an ellipsis. Where a message quotes data
by its nature, words of our own say the same.
"""

from __future__ import annotations

import builtins
import functools
import re
from collections.abc import Iterable
from dataclasses import dataclass
from importlib import resources

from bluebear_magic import meaning
from bluebear_magic.generation.datatext import MOST_VALUES
from bluebear_magic.guard.policy import READ_ONLY
from bluebear_magic.records import Context, Dataset
from bluebear_magic.runner.envelope import Fault
from bluebear_magic.vocabulary import SHARES, Share

HIDDEN = "\u2026"
MOST = 700  # characters of a message

# Their messages are made of names: they come before a row is read.
_OF_NAMES = frozenset(
    """
    AnalysisException ParseException PySparkTypeError PySparkValueError PySparkAttributeError
    PySparkKeyError PySparkIndexError PySparkNotImplementedError PySparkImportError NameError
    UnboundLocalError AttributeError TypeError ImportError ModuleNotFoundError SyntaxError
    IndentationError TabError ResultMissing ResultNotDataFrame DuplicateColumns
    """.split()
)
# What faults of other kinds amount to, whose messages are not passed on.
_OTHERWISE = {
    "timeout": "it ran for too long and was stopped",
    "crash": "the process that ran it came to an end",
    "MemoryError": "it needs more memory in Python than there is",
    "SystemExit": "it calls exit()",
    "PythonException": "a Python function that runs inside Spark raised an error",
    "ZeroDivisionError": "division by zero in Python",
    "KeyError": "a key is not there",
    "IndexError": "an index is beyond the end",
    "RecursionError": "it calls itself without end",
}
# Conditions of Spark that come while rows are read, by their first part.
_ON_ROWS = {
    "CAST_INVALID_INPUT": "a value of the data cannot be cast{types}: it is malformed",
    "CAST_OVERFLOW": "a value of the data cannot be cast{types}: it is too large",
    "CAST_OVERFLOW_IN_TABLE_INSERT": "a value of the data cannot be cast{types}: it is too large",
    "CANNOT_PARSE_TIMESTAMP": "a value of the data cannot be parsed as a date or time",
    "CANNOT_PARSE_TIME": "a value of the data cannot be parsed as a time",
    "CANNOT_PARSE_DECIMAL": "a value of the data cannot be parsed as a decimal",
    "CONVERSION_INVALID_INPUT": "a value of the data cannot be converted: it is malformed",
    "DATETIME_FIELD_OUT_OF_BOUNDS": "a date or time of the data has a field out of its bounds",
    "DATETIME_OVERFLOW": "a date or time goes beyond what the type holds",
    "DIVIDE_BY_ZERO": "division by zero",
    "INTERVAL_DIVIDED_BY_ZERO": "division by zero",
    "REMAINDER_BY_ZERO": "a remainder by zero",
    "ARITHMETIC_OVERFLOW": "a sum or a product goes beyond what its type holds",
    "BINARY_ARITHMETIC_OVERFLOW": "a sum or a product goes beyond what its type holds",
    "INTERVAL_ARITHMETIC_OVERFLOW": "an interval goes beyond what its type holds",
    "NUMERIC_VALUE_OUT_OF_RANGE": "a number has more digits than its decimal type holds",
    "INVALID_ARRAY_INDEX": "an index is beyond an array's end",
    "INVALID_ARRAY_INDEX_IN_ELEMENT_AT": "an index is beyond an array's end",
    "INVALID_INDEX_OF_ZERO": "an index is 0, and they count from 1",
    "MAP_KEY_DOES_NOT_EXIST": "a map does not have the key",
    "DUPLICATED_MAP_KEY": "a map gets the same key twice",
    "NULL_MAP_KEY": "a map gets NULL as a key",
    "SCALAR_SUBQUERY_TOO_MANY_ROWS": "a subquery that stands for one value gives several rows",
    "USER_RAISED_EXCEPTION": "the code raised an error on a row",
    "MALFORMED_RECORD_IN_PARSING": "a record of the data is malformed",
    "MALFORMED_CSV_RECORD": "a record of the data is malformed",
    "INVALID_URL": "a value of the data is no URL",
    "INVALID_JSON_RECORD": "a value of the data is no JSON",
    "FAILED_EXECUTE_UDF": "a Python function that runs inside Spark raised an error",
}
_UNTOLD = "it raised an error whose message may quote data, so that it is not passed on"
_TYPE = (
    r"(?:STRING|BINARY|BOOLEAN|(?:TINY|SMALL|BIG)?INT|FLOAT|DOUBLE|DATE|TIMESTAMP(?:_NTZ)?"
    r"|DECIMAL\(\d{1,2},\d{1,2}\))"
)
_TYPES = re.compile(rf'of the type "({_TYPE})" cannot be cast to "({_TYPE})"')
_SQL = frozenset(
    """
    STRING BINARY BOOLEAN TINYINT SMALLINT INT BIGINT FLOAT DOUBLE DATE TIMESTAMP TIMESTAMP_NTZ
    DECIMAL NUMERIC INTEGRAL ARRAY MAP STRUCT VOID INTERVAL DAY HOUR MINUTE SECOND MONTH YEAR TO
    CAST AS AND OR NOT IN IS NULL LIKE BETWEEN CASE WHEN THEN ELSE END TRUE FALSE COLLATE
    ORDER BY GROUP PARTITION ROWS RANGE UNBOUNDED PRECEDING FOLLOWING CURRENT ROW DISTINCT ANY
    """.split()
)
_PIECE = re.compile(
    r"`(?P<name>(?:[^`\n]|``)*)`"
    r'|"(?P<sql>[^"\n]*)"'
    r"|(?<!\w)'(?P<text>(?:[^'\\\n]|\\.)*)'(?!\w)"
    r"|(?P<word>\w+)|(?P<rest>.)",
    re.DOTALL,
)
_CONDITION = re.compile(r"^\[[A-Z0-9_.]+\]\s*")  # told by itself
_MARKS = frozenset(" \n.,:;()[]{}<>=+-*/%&|!?@_'`\"\\")
_DID_YOU_MEAN = re.compile(r"did you mean (.*)\?", re.DOTALL)


@dataclass(frozen=True)
class Known:
    """What a model has been told: the words of names, values that are shared with it.

    ``level``: of the datasets that a code reads, the strictest. ``everything``: rows may leave,
    and there is no column that may not.
    """

    level: Share = "schema"
    names: frozenset[str] = frozenset()
    values: frozenset[str] = frozenset()
    everything: bool = False


def known(context: Context, code: str) -> Known:
    """What a model knows of the datasets that ``code`` reads, by what is shared."""
    context = context.visible
    words = set(re.findall(r"\w+", code.lower()))
    used = [item for item in context.datasets if item.name.lower() in words] or context.datasets
    sharing = context.sharing
    private = {dataset for dataset, _ in sharing.private}
    levels = [sharing.of(item.name) for item in used]
    level = min(levels, key=SHARES.index) if levels else "schema"
    everything = level == "samples" and private.isdisjoint(item.name for item in used)
    return Known(level, names_of(context.datasets), _values(context), everything)


def names_of(datasets: Iterable[Dataset]) -> frozenset[str]:
    """The words of all names and types in schemas."""
    return frozenset(
        word for item in datasets for word in re.findall(r"\w+", f"{item.name} {item.ddl}")
    )


def _values(context: Context) -> frozenset[str]:
    sharing = context.sharing
    return frozenset(
        value
        for dataset, profile in zip(context.datasets, context.profiles, strict=True)
        if sharing.of(dataset.name) != "schema"
        for column in profile.columns
        if (dataset.name, column.name) not in sharing.private
        for value in column.values[:MOST_VALUES]
    )


def told_of_fault(fault: Fault, code: str, known: Known) -> tuple[str, str, str]:
    """The name of a fault, its message and its suggestion ('' for none), as they may be told."""
    if known.everything:
        return fault.condition or fault.kind, fault.message[:MOST], fault.suggestion or ""
    name = _condition(fault) or _kind(fault)
    names = known.names | set(re.findall(r"\w+", code))
    on_rows = _ON_ROWS.get((fault.condition or "").split(".")[0])
    if fault.stage == "compile" and fault.kind in _OF_NAMES:
        message = fault.message  # of Python's parser, which has seen nothing but the code
    elif on_rows:
        message = on_rows.format(types=_cast(fault.message))
    elif fault.kind in _OF_NAMES:
        message = worded(_CONDITION.sub("", fault.message), names, known.values)
    else:
        message = _otherwise(fault)
    return name, message[:MOST], _suggestion(fault, names)


def worded(message: str, names: frozenset[str], values: frozenset[str] = frozenset()) -> str:
    """The message with an ellipsis for each word that is neither a name nor Spark's own."""
    found = "".join(_worded(piece, names, values) for piece in _PIECE.finditer(message))
    return re.sub(rf"{HIDDEN}(?:[\s,.:;/\\-]*{HIDDEN})+", HIDDEN, found).strip()


def _worded(piece: re.Match[str], names: frozenset[str], values: frozenset[str]) -> str:
    kind, text = piece.lastgroup, piece[0]
    if kind == "rest":
        return text if text in _MARKS else ""
    if kind == "word":
        return text if text in names or text.lower() in _words() else HIDDEN
    if kind == "sql":
        return f'"{_sql(piece["sql"], names)}"'
    if kind == "name":
        kept = _are(piece["name"], names | _functions())
    else:
        kept = piece["text"] in values or _are(piece["text"], names | _api())
    return text if kept else text[0] + HIDDEN + text[-1]


def _sql(text: str, names: frozenset[str]) -> str:
    """An expression, with an ellipsis for each word that is no name and none of SQL's."""
    marks = "".join(mark for mark in text if mark.isalnum() or mark in _MARKS)
    return re.sub(r"\w+", lambda word: word[0] if word[0] in names | _SQL else HIDDEN, marks)


def told_of_text(text: str, code: str, known: Known) -> bool:
    """Whether all that a text quotes is known to the model, and not only names are."""
    names = known.names | set(re.findall(r"\w+", code))
    quoted = re.findall(r"'((?:[^'\\\n]|\\.)*)'", text)
    shared = all(
        piece in known.values or (bool(piece.strip()) and _are(piece, names)) for piece in quoted
    )
    return known.everything or (known.level != "schema" and shared)


def _are(text: str, names: frozenset[str]) -> bool:
    """Whether a quoted text is made of these words and common marks alone."""
    return set(re.findall(r"\w+", text)) <= names and all(
        mark.isalnum() or mark in _MARKS for mark in text
    )


def _condition(fault: Fault) -> str:
    """Spark's condition; '' unless it is made of Spark's own words: code can raise any."""
    condition = fault.condition or ""
    parts = re.split(r"[._]", condition.lower())
    return condition if condition and all(part in _words() for part in parts) else ""


def _kind(fault: Fault) -> str:
    kind = fault.kind
    known = kind in _OF_NAMES or kind in _OTHERWISE or hasattr(builtins, kind)
    return kind if known else "an error"


def _otherwise(fault: Fault) -> str:
    """What a fault amounts to whose message is not passed on."""
    inner = re.match(r"(?:\w+\.)*(\w+): ", fault.message)
    if fault.kind == "PythonException" and inner and hasattr(builtins, inner[1]):
        return f"a Python function that runs inside Spark raised {inner[1]}"
    return _OTHERWISE.get(fault.kind, _UNTOLD)


def _cast(message: str) -> str:
    found = _TYPES.search(message)
    return f" from {found[1]} to {found[2]}" if found else ""


def _suggestion(fault: Fault, names: frozenset[str]) -> str:
    """Advice of ours as it is; of names that might have been meant, those that are known."""
    text = fault.suggestion or ""
    found = _DID_YOU_MEAN.fullmatch(text)
    if not found:
        return text if text in meaning.ADVICE or fault.stage in {"result", "compile"} else ""
    near = [name for name in found[1].split(", ") if _are(name, names | _api())]
    return f"did you mean {', '.join(near)}?" if near else ""


@functools.cache
def _words() -> frozenset[str]:
    """The words of Spark's messages and of Python's, in lower case."""
    text = resources.files(__package__).joinpath("words.txt").read_text("utf-8")
    return frozenset(text.split())


@functools.cache
def _api() -> frozenset[str]:
    """Names of Spark and of Python."""
    return READ_ONLY.known | READ_ONLY.modules["pyspark.sql.functions"] | frozenset(dir(builtins))


@functools.cache
def _functions() -> frozenset[str]:
    """Functions that Spark's messages name; a column made of values hardly has such a name."""
    return frozenset(name for name in READ_ONLY.sql_functions if name.startswith("try_"))
