"""Tables of the Glue Data Catalog: columns, comments and partition keys are Glue's word.

A database is read a page of tables at a time; nothing of S3 is looked at before a table is used.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from bluebear_magic.aws_errors import Call
from bluebear_magic.aws_storage import StorageError
from bluebear_magic.errors import DatasetError
from bluebear_magic.protocols import Found, Hit, Reporter, Used
from bluebear_magic.records import Dataset
from bluebear_magic.runner.envelope import Binding

if TYPE_CHECKING:
    from bluebear_magic.context.clients import Clients
    from bluebear_magic.context.glue_table import Table
    from bluebear_magic.context.s3 import S3Source
    from bluebear_magic.context.s3_layout import Located

PREFIX = "glue:"
MOST_TABLES = 20_000  # of one search or database
MOST_PARTITIONS = 100_000
FRESH = 300.0  # seconds for which a definition counts that was read with others
PARTITIONS_FRESH = 30.0
_HITS = 50


@dataclass(frozen=True)
class _Known:
    definition: Mapping[str, Any]
    until: float


@dataclass(frozen=True)
class _Listed:
    items: tuple[Any, ...]
    until: float


class GlueSource:
    """Locations ``glue:database.table``; ``glue:database`` for all tables of one."""

    name = "Glue"
    reach = ("local", "soal", "emr")
    leaves_machine = True

    def __init__(self, clients: Clients, s3: S3Source) -> None:
        self._clients = clients
        self._s3 = s3
        self._known: dict[tuple[str, str], _Known] = {}
        self._used: dict[str, _Listed] = {}  # by database
        self._parts: dict[str, _Listed] = {}  # by table
        self._checked: set[str] = set()  # fingerprints of JSON tables whose names are right

    # --- where ----------------------------------------------------------------

    def claims(self, location: str) -> bool:
        """``glue:``."""
        return location.lower().startswith(PREFIX)

    def complete(self, location: str) -> str:
        """As it stands; Glue's names are in lower case."""
        return PREFIX + location[len(PREFIX) :].strip().strip("/").lower()

    def suggest(self, location: str) -> str:
        """The table's name."""
        return location.removeprefix(PREFIX).partition(".")[2] or location.removeprefix(PREFIX)

    def found(self) -> Sequence[Found]:
        """The tables of the databases in use."""
        for database, tables in list(self._used.items()):
            if time.monotonic() > tables.until:
                try:
                    self.use(f"{PREFIX}{database}")
                except DatasetError:  # what was known goes on to be; using a table says more
                    self._used[database] = _Listed(tables.items, time.monotonic() + FRESH)
        return [item for tables in self._used.values() for item in tables.items]

    def use(self, location: str) -> Used:
        """Makes the tables of a database known by their names. Raises DatasetError."""
        from bluebear_magic.context import glue_table

        database = self.complete(location).removeprefix(PREFIX)
        if not database or "." in database:
            named = ", ".join(self._databases()) if not database else database.partition(".")[0]
            raise DatasetError(f"{location} names no database of Glue", f"glue:DATABASE: {named}")
        found, left_out = [], []
        for definition in self._tables(database):
            name = definition["Name"]
            place = f"{PREFIX}{database}.{name}"
            try:
                glue_table.read(place, definition)
            except DatasetError as error:
                left_out.append((name, error.message))
            else:
                found.append(Found(name, place, f"{database}_{name}"))
        self._used[database] = _Listed(tuple(found), time.monotonic() + FRESH)
        return Used(f"{PREFIX}{database}", tuple(item.name for item in found), tuple(left_out))

    # --- what -----------------------------------------------------------------

    def describe(self, name: str, location: str, options: Mapping[str, str]) -> Dataset:
        """The dataset as Glue describes it; where its objects are, ``settle`` finds out."""
        table = self._table(location)
        return Dataset(
            name=name,
            location=location,
            format=table.format,
            paths=(),
            columns=table.columns,
            fingerprint=self._mark(table, options),
            options=_with_given(table, options),
            partition_columns=table.keys,
            warnings=table.warnings,
            description=table.description,
        )

    def fingerprint(self, location: str, options: Mapping[str, str]) -> str:
        """By the definition."""
        return self._mark(self._table(location), options)

    def settle(self, dataset: Dataset, options: Mapping[str, str]) -> Dataset:
        """The dataset with its objects, of the partitions that Glue knows."""
        from bluebear_magic.context.glue_objects import check_names

        table = self._table(dataset.location)
        given = {**options, "format": table.format}
        located = self._s3.locate(f"{table.location}/", given, noted_as=dataset.location)
        located, told = self._of_partitions(dataset.location, table, located)
        if table.format == "json" and located.fingerprint not in self._checked:
            check_names(dataset, located)
            self._checked.add(located.fingerprint)
        return replace(
            dataset,
            paths=located.uris,
            fingerprint=located.fingerprint + table.fingerprint,
            base_path=located.base_path,
            size_bytes=located.size,
            warnings=(*dataset.warnings, *located.warnings, *told),
        )

    def whole(self, dataset: Dataset, reporter: Reporter) -> Binding:
        """As of S3."""
        return self._s3.whole(dataset, reporter)

    def gather(self, datasets: Sequence[Dataset], reporter: Reporter) -> None:
        """Nothing: objects are gathered by the source of S3, whoever names them."""

    def renew(self) -> None:
        """Asks Glue anew for tables and partitions."""
        self._known.clear()
        self._parts.clear()
        self._used = {name: _Listed(known.items, 0.0) for name, known in self._used.items()}

    def _mark(self, table: Table, options: Mapping[str, str]) -> str:
        return f"{table.fingerprint}{sorted(options.items())}"

    def _of_partitions(
        self, place: str, table: Table, located: Located
    ) -> tuple[Located, tuple[str, ...]]:
        """Without the objects that are in no registered partition; and what was left out."""
        from bluebear_magic.context import glue_objects

        if not table.keys:
            return located, ()
        glue_objects.check_keys(place, table, located)
        if table.projected:
            return located, ()
        return glue_objects.registered(place, table, located, self._partitions(place))

    # --- Glue -----------------------------------------------------------------

    def _table(self, location: str) -> Table:
        from bluebear_magic.context import glue_table

        database, _, name = location.removeprefix(PREFIX).partition(".")
        if not name:
            raise DatasetError(
                f"{location} names a database and no table",
                f"%bluebear data use {location} makes all its tables known; one of them is "
                f"{PREFIX}{database}.TABLE",
            )
        known = self._known.get((database, name))
        if known is None or time.monotonic() > known.until:
            known = self._keep(database, self._asked_table(database, name), seconds=5.0)
        return glue_table.read(location, known.definition)

    def _asked_table(self, database: str, name: str) -> Mapping[str, Any]:
        call = self._call("glue:GetTable", f"table {database}.{name}")
        try:
            answer: Mapping[str, Any] = self._clients.ask(
                call, lambda client: client.get_table(DatabaseName=database, Name=name)
            )
        except StorageError as error:
            if error.gone:
                raise self._missing_table(database, name, error) from error
            raise
        table: Mapping[str, Any] = answer["Table"]
        return table

    def _missing_table(self, database: str, name: str, error: StorageError) -> DatasetError:
        names = [table["Name"] for table in self._tables(database)]
        return DatasetError(error.message, _near(name, names, f"glue:{database} has"))

    def _tables(self, database: str) -> Iterator[Mapping[str, Any]]:
        """The tables of a database, a page with each call; kept for a while."""
        call = self._call("glue:GetTables", f"database {database}")
        pages = self._pages("get_tables", call, "TableList", DatabaseName=database)
        try:
            for number, table in enumerate(pages):
                if number == MOST_TABLES:
                    raise DatasetError(
                        f"glue:{database} has more than {MOST_TABLES:,} tables",
                        f"name one of them: glue:{database}.TABLE",
                    )
                self._keep(database, table, seconds=FRESH)
                yield table
        except StorageError as error:
            if error.gone:
                near = _near(database, self._databases(), "there are")
                raise DatasetError(error.message, near) from error
            raise

    def _databases(self) -> list[str]:
        call = self._call("glue:GetDatabases", "the Data Catalog")
        return [item["Name"] for item in self._pages("get_databases", call, "DatabaseList")]

    def _partitions(self, location: str) -> Sequence[str]:
        """The locations of the registered partitions."""
        known = self._parts.get(location)
        if known is None or time.monotonic() > known.until:
            found = tuple(self._asked_partitions(location))
            known = self._parts[location] = _Listed(found, time.monotonic() + PARTITIONS_FRESH)
        return known.items

    def _asked_partitions(self, location: str) -> Iterator[str]:
        database, _, name = location.removeprefix(PREFIX).partition(".")
        call = self._call("glue:GetPartitions", f"table {database}.{name}")
        given = {"DatabaseName": database, "TableName": name, "ExcludeColumnSchema": True}
        for number, item in enumerate(self._pages("get_partitions", call, "Partitions", **given)):
            if number == MOST_PARTITIONS:
                raise DatasetError(
                    f"{location} has more than {MOST_PARTITIONS:,} partitions",
                    "add one folder of it: %bluebear data add NAME s3://...",
                )
            yield str((item.get("StorageDescriptor") or {}).get("Location") or "")

    def _pages(
        self, operation: str, call: Call, member: str, **given: Any
    ) -> Iterator[Mapping[str, Any]]:
        token = ""
        while True:
            more = {**given, "NextToken": token} if token else given
            answer = self._page(operation, call, more)
            yield from answer.get(member, ())
            token = answer.get("NextToken", "")
            if not token:
                return

    def _page(self, operation: str, call: Call, given: Mapping[str, Any]) -> Mapping[str, Any]:
        answer: Mapping[str, Any] = self._clients.ask(
            call, lambda client: getattr(client, operation)(**given)
        )
        return answer

    def _keep(self, database: str, table: Mapping[str, Any], *, seconds: float) -> _Known:
        known = _Known(table, time.monotonic() + seconds)
        self._known[(database, table["Name"])] = known
        return known

    def _call(self, action: str, resource: str) -> Call:
        return Call("glue", self._clients.region, action=action, resource=resource)

    # --- search ---------------------------------------------------------------

    def search(self, words: str) -> Sequence[Hit]:
        """The tables of all databases that have the words in their names, columns or comments.

        Best first, 50 at most. Raises DatasetError.
        """
        wanted = words.lower().split()
        hits: list[tuple[int, Hit]] = []
        for database in self._databases():
            for table in self._tables(database):
                score, why = _score(wanted, database, table)
                if score:
                    place = f"{PREFIX}{database}.{table['Name']}"
                    hits.append((-score, Hit(place, table.get("Description") or "", why)))
        hits.sort(key=lambda item: (item[0], item[1].location))
        return [hit for _, hit in hits[:_HITS]]


def _score(wanted: Sequence[str], database: str, table: Mapping[str, Any]) -> tuple[int, str]:
    """How well a table fits, 0 unless each word occurs; and the columns where words do."""
    storage = table.get("StorageDescriptor") or {}
    columns = [*(storage.get("Columns") or ()), *(table.get("PartitionKeys") or ())]
    comment = (table.get("Parameters") or {}).get("comment") or ""
    name = f"{database}.{table['Name']}".lower()
    about = f"{table.get('Description') or ''} {comment}".lower()
    score, named = 0, dict[str, None]()
    for word in wanted:
        found = 8 * (word in name) + 2 * (word in about)
        for column in columns:
            here = 4 * (word in column["Name"].lower()) + (
                word in str(column.get("Comment") or "").lower()
            )
            if here:
                named[column["Name"]] = None
                found = max(found, here)
        if not found:
            return 0, ""
        score += found
    return score, ", ".join(named)


def _near(name: str, names: Sequence[str], what: str) -> str:
    from rapidfuzz import process

    from bluebear_magic.context.files import alternatives, some

    near = [hit for hit, _, _ in process.extract(name, names, limit=3, score_cutoff=65)]
    if near:
        return f"Did you mean {alternatives(near)}?"
    return f"{what}: {some(sorted(names))}" if names else f"{what} none"


def _with_given(table: Table, options: Mapping[str, str]) -> tuple[tuple[str, str], ...]:
    """The table's options, and over them what the user says."""
    from bluebear_magic.context import local
    from bluebear_magic.context.s3 import OWNER

    given = local.spelled(options)
    given.pop(OWNER, None)
    given.pop("format", None)
    local.check_options(given, table.format)
    return tuple(sorted({**dict(table.options), **given}.items()))
