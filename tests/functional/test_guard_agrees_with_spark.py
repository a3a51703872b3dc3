"""What the guard lets through as SQL, Spark's own parser reads as the guard did."""

from __future__ import annotations

import ast
import json
import random
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from bluebear_magic.guard import READ_ONLY, lists
from bluebear_magic.guard.sql import Names, check_query

pytestmark = [
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]

CORPUS = Path(__file__).parents[1] / "unit" / "corpus"
TABLES = {"sales", "customers", "regions", "products", "orders", "events", "people"}
NAMES = Names(lambda name: name.lower() in TABLES)

# Pieces of text that two lexers may take apart in two ways.
LEXICAL = [
    "'", '"', "`", "\\", "--", "/*", "*/", "/*+", "\n", "\r", "r'", 'R"', "''", "``", "$$", "{#", "#}", "{{", "a://", "://",
    "\u00a0", "\u0085", "\u2028", "\u200b", "\ufeff", ", reflect('a','b')", ", secret.x", " FROM secret", " x ", "1", " AS ",
    "1r'", "N'", "X'1F'", "e'", "U&'", "\\'", "\\\n", "@", "#", "?", ":p", "b'", ", ", "'a'", '"b"', " -- c\n", "/* d */",
    "/*+ BROADCAST(sales) */", " ", "r'\\'", "'\\\\'", '\\"', "a:", "1.", "1e", "_r'", "::", "->", "=>", "<=>", "\x0b", "é",
]  # fmt: skip
ENDS = ["", " FROM sales", "\n FROM sales", "*/ FROM sales", "' FROM sales", "` FROM sales"]
# Words that one parser may take for a name and the other for a clause.
SYNTACTIC = """
    SELECT FROM secret sales reflect ( ) a AS TABLE WITH IN JOIN LATERAL VIEW EXISTS UNION VALUES USING , PIVOT IDENTIFIER
    STREAM LIMIT range explode t ALL ON ORDER BY GROUP WHERE NOT * . 'x' 1 CASE WHEN END INTERVAL CAST OVER WINDOW FILTER
    RECURSIVE UNPIVOT TABLESAMPLE OFFSET EXCEPT INTERSECT MINUS NATURAL CROSS LEFT ANTI SEMI FULL DISTINCT HAVING SORT CLUSTER
    MAP REDUCE TRANSFORM STRUCT [ ] -> => :: : = || LIKE BETWEEN AND OR IS NULL FOR `secret` `sales` java_method('a','b')
    reflect('a','b') (TABLE~secret) (SELECT~*~FROM~secret) EXTRACT TRIM WITHIN QUALIFY VERSION OF FUNCTION ONLY FETCH ROWS |>
""".split()  # fmt: skip
# Nodes of a plan that do more than query, and the few that only sound like it.
COMMANDS = r"Command$|^(Create|Drop|Insert|Script|Describe|Show)\w*$|Identifier$"
PLAIN = {"CreateNamedStruct", "CreateStruct", "CreateArray", "CreateMap", "AliasIdentifier"}


@pytest.fixture(scope="module")
def parse(session) -> Any:
    """Spark's parser: a text to the nodes of its plan; None where it is no SQL."""
    parser = session.fresh()._jsparkSession.sessionState().sqlParser()

    def nodes(text: str) -> list[dict[str, Any]] | None:
        from py4j.protocol import Py4JJavaError
        from pyspark.errors import PySparkException

        try:
            plan = parser.parsePlan(text)
        except (PySparkException, Py4JJavaError):
            return None
        return list(_walk(json.loads(plan.toJSON())))

    return nodes


def _walk(value: object) -> Iterator[dict[str, Any]]:
    if isinstance(value, dict):
        yield value
        for item in value.values():
            yield from _walk(item)
    elif isinstance(value, list):
        for item in value:
            yield from _walk(item)


def reach(nodes: list[dict[str, Any]]) -> set[str]:
    """Tables and functions that a plan names, and commands in it, that the guard may not pass.

    A table called as a word of the language is (``SELECT * FROM select``) is not there: no view may
    have such a name. A CTE cannot be told from a table here, so the texts below name none "secret".
    """
    found: set[str] = set()
    for node in nodes:
        kind = str(node.get("class", "")).rpartition(".")[2]
        name = re.sub(
            r"[\[\]]", "", str(node.get("multipartIdentifier", node.get("nameParts", "")))
        ).lower()
        if kind == "UnresolvedRelation" and name not in TABLES | lists.SQL_WORDS | {"table"}:
            found.add(f"table {name}")
        elif kind in {"UnresolvedFunction", "UnresolvedTableValuedFunction"}:
            name = name or re.sub(r"[\[\]]", "", str(node.get("name", ""))).lower()
            if name not in READ_ONLY.sql_functions | lists.SQL_WORDS:
                found.add(f"function {name}")
        elif kind not in PLAIN and re.search(COMMANDS, kind):
            found.add(kind)
    return found


def honest_queries() -> list[str]:
    """Every text that is given to ``spark.sql`` alone and whole in the honest corpus."""
    found: list[str] = []
    for code in re.split(
        r"\n---\n|^=== .*$", (CORPUS / "guard_honest.txt").read_text(), flags=re.M
    ):
        for node in ast.walk(ast.parse(code)):
            if (
                isinstance(node, ast.Call)
                and isinstance(node.func, ast.Attribute)
                and node.func.attr == "sql"
            ):
                texts = [item for item in node.args if isinstance(item, ast.Constant)]
                found += [
                    str(text.value) for text in texts if len(node.args) == 1 and not node.keywords
                ]
    return found


def test_every_honest_query_of_the_corpus_is_sql_to_spark(parse):
    queries = honest_queries()
    assert len(queries) > 60
    assert [text for text in queries if parse(text) is None] == []


@pytest.mark.parametrize("seed", range(3))
def test_quotes_and_comments_hide_nothing_from_the_guard(parse, seed: int):
    drawn = random.Random(seed)
    passed = 0
    for _ in range(4_000):
        text = (
            "SELECT 1 "
            + "".join(drawn.choices(LEXICAL, k=drawn.randint(1, 7)))
            + drawn.choice(ENDS)
        )
        if not check_query(text, NAMES, READ_ONLY):
            nodes = parse(text)
            passed += nodes is not None
            assert not reach(nodes or []), text
    assert passed > 20


@pytest.mark.parametrize("seed", range(3))
def test_words_in_odd_places_hide_nothing_from_the_guard(parse, seed: int):
    drawn = random.Random(seed)
    queries = [text for text in honest_queries() if "WITH" not in text.upper()]
    passed = 0
    for _ in range(700):
        tokens = re.findall(r"'[^']*'|`[^`]*`|\w+|\s+|.", drawn.choice(queries), re.DOTALL)
        for _ in range(drawn.randint(1, 3)):
            place = drawn.randrange(len(tokens) + 1)
            word = drawn.choice(SYNTACTIC).replace("~", " ")
            tokens[place : place + drawn.randint(0, 1)] = [" ", word, " "]
        text = "".join(tokens)
        if not check_query(text, NAMES, READ_ONLY):
            nodes = parse(text)
            passed += nodes is not None
            assert not reach(nodes or []), text
    assert passed > 20
