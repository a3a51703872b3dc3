"""What code may use, as data: one :class:`Policy` holds every allow-list of the guard.

Three presets share these lists, and differ in who may say yes to what they refuse:
``read_only`` (nobody: code reads and computes), ``write_with_approval`` (a person, to each of
the writes in ``APPROVABLE``), ``locked`` (nobody, and no session can choose another).

The names that libraries give (Spark's functions, its types, its SQL functions,
the attributes of every class code can come to hold) are stored in
``names.json``, because where the guard runs Spark need not be installed.
"""

from __future__ import annotations

import dataclasses
import functools
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from bluebear_magic.guard import lists

# The rules that a person may waive, each of whose findings says what would be done and where.
# Nothing that leads out of the lists can be: no escape, no engine, no reading by path, no
# reflection, and no text that is only known at run time. Views for all sessions and changes
# of the catalog cannot either: they would end with the job.
APPROVABLE = frozenset({"SPARK-WRITE"})


@dataclass(frozen=True, eq=False)
class Policy:
    """The allow-lists.

    ``modules``: module -> names that may be imported from it or read on it; a
    name that is itself a key (``pyspark.sql`` + ``functions``) is a module.
    ``classes``: imported class -> attributes that may be read on the class itself.
    ``star``: modules that may be star-imported -> the names this binds.
    ``attributes``: what may be read and called on any object. ``known``: what
    libraries define; a name in neither is taken for a column and may be read.
    ``session``: what may be read on ``spark``. ``string_calls``: names that
    methods such as pandas' ``agg`` may be given as text. ``settings``: prefixes
    of settings that a builder may name. ``approve``: rules that a person may
    waive. ``write_to``: where approved writes may go, None for any fit place.
    ``sql_nodes``: sqlglot's node classes.
    """

    name: str
    modules: Mapping[str, frozenset[str]]
    classes: Mapping[str, frozenset[str]]
    star: Mapping[str, frozenset[str]]
    builtins: frozenset[str]
    given: frozenset[str]
    attributes: frozenset[str]
    readable: frozenset[str]
    known: frozenset[str]
    session: frozenset[str]
    special_methods: frozenset[str]
    string_calls: frozenset[str]
    settings: tuple[str, ...]
    sql_functions: frozenset[str]
    sql_table_functions: frozenset[str]
    sql_nodes: frozenset[str]
    approve: frozenset[str] = field(default=frozenset())
    write_to: tuple[str, ...] | None = None

    @functools.cached_property
    def library_names(self) -> frozenset[str]:
        """Attributes that objects of libraries have."""
        return self.known | self.attributes

    @functools.cached_property
    def plain_attributes(self) -> frozenset[str]:
        """``attributes`` without those that depend on how they are used."""
        return self.attributes - lists.JUDGED_ATTRIBUTES

    @functools.cached_property
    def fingerprint(self) -> str:
        """Twelve hexadecimal digits that change when any list does."""
        content = {item.name: getattr(self, item.name) for item in dataclasses.fields(self)}
        text = json.dumps(content, default=sorted, sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()[:12]


def read_only() -> Policy:
    """Queries over the given datasets, and nothing else."""
    names: dict[str, list[str]] = json.loads(
        Path(__file__).with_name("names.json").read_text(encoding="utf-8")
    )
    functions = frozenset(names["functions"]) - lists.FUNCTIONS_LEFT_OUT
    types = frozenset(names["types"])
    modules: dict[str, frozenset[str]] = {
        **lists.MODULES,
        "pyspark.sql.functions": functions,
        "pyspark.sql.types": types | lists.TYPES_BESIDE,
    }
    return Policy(
        name="read_only",
        modules=modules,
        classes=lists.CLASSES,
        star={
            **lists.STAR,
            "pyspark.sql.functions": frozenset(names["star_functions"]) & functions,
            "pyspark.sql.types": types,
        },
        builtins=lists.BUILTINS,
        given=frozenset({"spark", "display"}),
        attributes=lists.ATTRIBUTES,
        readable=lists.READABLE,
        known=frozenset(names["members"]) | lists.KNOWN_BESIDE,
        session=lists.SESSION,
        special_methods=lists.SPECIAL_METHODS,
        string_calls=lists.STRING_CALLS,
        settings=lists.SETTINGS,
        sql_functions=frozenset(names["sql_functions"]) - lists.SQL_FUNCTIONS_LEFT_OUT
        | lists.SQL_FUNCTIONS_BESIDE,
        sql_table_functions=lists.SQL_TABLE_FUNCTIONS,
        sql_nodes=lists.SQL_NODES,
    )


READ_ONLY = read_only()


@functools.cache
def preset(name: str, write_to: tuple[str, ...] | None = None) -> Policy:
    """The policy of that name (``records.PRESETS``). KeyError for any other."""
    approve = {"locked": frozenset[str](), "read_only": frozenset[str](),
               "write_with_approval": APPROVABLE}[name]  # fmt: skip
    if name == READ_ONLY.name:
        return READ_ONLY
    return dataclasses.replace(
        READ_ONLY, name=name, approve=approve, write_to=write_to if approve else None
    )
