"""Datasets in S3: objects, prefixes with or without partitions, patterns.

Small ones are copied and read as files are. Of large ones nothing is read but what it takes:
footers of Parquet and ORC, excerpts of text, byte ranges for samples. Local Spark runs over
copies, in a bounded cache: it needs no jars, and its process no credentials.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bluebear_magic.errors import Cancelled, DatasetError
from bluebear_magic.protocols import Found, Reporter
from bluebear_magic.records import Dataset
from bluebear_magic.runner import reads
from bluebear_magic.runner.envelope import Binding

if TYPE_CHECKING:
    from bluebear_magic.config import Settings
    from bluebear_magic.context.clients import Clients
    from bluebear_magic.context.csvfile import Reading
    from bluebear_magic.context.objects import Objects
    from bluebear_magic.context.s3_cache import S3Cache
    from bluebear_magic.context.s3_layout import Located

SCHEME = "s3"
FOOTERS = 5  # objects whose schemas are compared
OWNER = "owner"  # the option that says which account a bucket must be of
_LOCATION = re.compile(r"s3[an]?://", re.IGNORECASE)


class S3Source:
    """What a location ``s3://bucket/key`` means. Also the store of such paths, for samples."""

    name = "S3"
    reach = ("local", "soal", "emr")  # local: by copies
    leaves_machine = True

    def __init__(self, clients: Clients, settings: Settings) -> None:
        self._settings = settings
        self._clients = clients
        self._before: dict[str, Located] = {}  # as they were described last
        self._changed: dict[str, str] = {}  # what changed since the description before
        reads.register(SCHEME, self)

    # --- where ----------------------------------------------------------------

    def claims(self, location: str) -> bool:
        """``s3://``, also as Hadoop spells it."""
        return _LOCATION.match(location) is not None

    def complete(self, location: str) -> str:
        """As AWS spells it."""
        return "s3://" + _LOCATION.sub("", location, count=1).lstrip("/")

    def suggest(self, location: str) -> str:
        """The last part that is no partition and no pattern, without its endings."""
        from bluebear_magic.context.files import FORMATS

        *_, name = [
            part
            for part in location.removeprefix("s3://").split("/")
            if part and "=" not in part and not re.search(r"[*?\[]", part)
        ] or ["data"]
        base, dot, ending = name.removesuffix(".gz").rpartition(".")
        return base if dot and base and ending.lower() in {*FORMATS, "txt"} else name

    def found(self) -> Sequence[Found]:
        """Nothing: no bucket is looked through without being asked."""
        return ()

    # --- what -----------------------------------------------------------------

    def describe(self, name: str, location: str, options: Mapping[str, str]) -> Dataset:
        """The dataset. Raises DatasetError, for what AWS refuses too."""
        from bluebear_magic.context import local

        given = local.spelled(options)
        located = self.locate(location, given, noted_as=location)
        given.pop(OWNER, None)
        given.pop("format", None)
        reading = with_partitions(located, self.reading(located, given))
        return Dataset(
            name=name,
            location=location,
            format=located.format,
            paths=located.uris,
            columns=reading.columns,
            fingerprint=located.fingerprint,
            options=reading.options,
            partition_columns=located.partition_keys,
            base_path=located.base_path,
            size_bytes=located.size,
            warnings=(*located.warnings, *reading.warnings),
        )

    def fingerprint(self, location: str, options: Mapping[str, str]) -> str:
        """By a listing."""
        return self.locate(location, options).fingerprint

    def locate(self, location: str, options: Mapping[str, str], *, noted_as: str = "") -> Located:
        """The objects. ``noted_as``: a dataset's location, of which changes are to be told."""
        from bluebear_magic.context.objects import split
        from bluebear_magic.context.s3_layout import locate

        reads.register(SCHEME, self)  # of several sessions, the one at work knows the objects
        owner = options.get(OWNER, "")
        if owner and not re.fullmatch(r"\d{12}", owner):
            raise DatasetError(f"owner={owner}: no account of AWS", "an account id has 12 digits")
        if owner:
            self.objects.owned(split(location)[0], owner)
        located = locate(self.objects, location, options.get("format"))
        if noted_as:
            self._note(noted_as, located)
        return located

    def renew(self) -> None:
        """Lists anew when it is asked next."""
        self.objects.forget()

    def _note(self, location: str, located: Located) -> None:
        """Keeps what changed since the last description, to be told before a run."""
        before = self._before.get(location)
        self._before[location] = located
        if before is None or before.fingerprint == located.fingerprint:
            return
        old = {item.uri: item for item in before.objects}
        new = {item.uri: item for item in located.objects}
        counts = {
            "new": len(new.keys() - old.keys()),
            "replaced": sum(old[uri] != new[uri] for uri in old.keys() & new.keys()),
            "gone": len(old.keys() - new.keys()),
        }
        self._changed[location] = ", ".join(
            f"{count:,} {what}" for what, count in counts.items() if count
        )

    def reading(self, located: Located, given: Mapping[str, str]) -> Reading:
        """Columns, options and warnings, without those of partitions. Reads what that takes."""
        from bluebear_magic.context import columnar, local, nearby, s3_excerpts

        local.check_options(given, located.format)
        if located.size <= nearby.SMALL and len(located.objects) <= nearby.FEW:
            return self._reading_copies(located, given)
        if located.format in {"parquet", "orc"}:
            step = max(1, -(-len(located.uris) // (FOOTERS - 1)))
            chosen = list(dict.fromkeys([*located.uris[::step], located.uris[-1]]))
            found = columnar.described(located.format, chosen)
            if len(chosen) == len(located.uris):
                return found
            told = (
                f"columns were told from the footers of {len(chosen)} of "
                f"{len(located.uris):,} objects: one that differs may stop the run or give nulls"
            )
            return replace(found, warnings=(*found.warnings, told))
        return s3_excerpts.reading(self.objects, located, given)

    def _reading_copies(self, located: Located, given: Mapping[str, str]) -> Reading:
        from bluebear_magic.context import local, nearby
        from bluebear_magic.context.files import DataFile, FileSet

        copies = self.cache.of(located.uris, located.base_path)
        self.cache.fill(copies)
        files = tuple(DataFile(copy.path, copy.item.size, 0) for copy in copies)
        try:
            return local.read(FileSet(files[0].path.parent, files, located.format), given)
        except DatasetError as error:
            names = {str(copy.path): copy.item.uri for copy in copies}
            raise nearby.told_of(error, names) from error

    # --- a run on this machine --------------------------------------------------

    def gather(self, datasets: Sequence[Dataset], reporter: Reporter) -> None:
        """Copies what a run over ``datasets`` reads from S3, the progress told.

        Raises DatasetError where that is more than the settings allow, before anything is copied.
        """
        ours = [item for item in datasets if item.paths and self.claims(item.paths[0])]
        if not ours:
            return
        copies = [copy for item in ours for copy in self.cache.of(item.paths, item.base_path)]
        self._check_size(
            " and ".join(f"{item.name} ({_size(item.size_bytes)})" for item in ours), copies
        )
        for item in ours:
            if change := self._changed.pop(item.location, ""):
                reporter.warn(f"{item.name} has changed in S3 ({change}): it is read as it is now")
        names = ", ".join(item.name for item in ours)

        def tell(done: int, total: int) -> None:
            reporter.progress(f"copying {names} from S3: {_size(done)} of {_size(total)}")

        try:
            self.cache.fill(copies, tell)
        except KeyboardInterrupt as error:
            raise Cancelled("copying from S3 was stopped; what is there is kept") from error

    def _check_size(self, what: str, copies: Sequence[Any]) -> None:
        """Raises DatasetError where that much is not copied without being asked."""
        from bluebear_magic.context import nearby

        total = sum(copy.item.size for copy in copies)
        if total <= nearby.SMALL:
            return
        missing = sum(copy.item.size for copy in copies if not copy.there)
        elsewhere = (
            "or run it where S3 is read directly (--backend soal, emr), or on one partition alone"
        )
        if total > self._limit():
            raise DatasetError(
                f"{what}: local Spark reads copies of S3, of at most {_size(self._limit())}",
                f"%config Bluebear.s3_cache_mb = {_mb(total)} lets it copy that much, {elsewhere}",
            )
        if missing > int(self._settings.s3_ask_mb) << 20:
            raise DatasetError(
                f"{what}: {_size(missing)} would have to be copied from S3 first",
                f"%config Bluebear.s3_ask_mb = {_mb(missing)} says yes to that, {elsewhere}",
            )

    def whole(self, dataset: Dataset, reporter: Reporter) -> Binding:
        """The copies of all its objects."""
        copies = self.cache.of(dataset.paths, dataset.base_path)
        self.cache.fill(copies)
        base = dataset.base_path
        return replace(
            dataset.binding,
            paths=tuple(str(copy.path) for copy in copies),
            base_path=self.copies_base(base) if base else None,
        )

    # --- the store of these paths -------------------------------------------------

    def open(self, path: str) -> Any:
        """An object to read and seek in; each read is a request."""
        return self.objects.open(path)

    def size(self, path: str) -> int:
        """Bytes."""
        return self.objects.size(path)

    def copies(self, paths: Sequence[str], base_path: str | None) -> tuple[str, ...]:
        """Copies on this machine, in the cache.

        Raises DatasetError where they are more than the settings allow.
        """
        copies = self.cache.of(paths, base_path)
        self._check_size(base_path or paths[0], copies)
        self.cache.fill(copies)
        return tuple(str(copy.path) for copy in copies)

    def copies_base(self, base_path: str) -> str:
        """Where copies of what lies below a URI are counted from."""
        return str(self.cache.base(base_path))

    @cached_property
    def objects(self) -> Objects:
        """What S3 has."""
        from bluebear_magic.context.objects import Objects

        return Objects(self._clients, lambda: float(self._settings.recheck_seconds))

    @cached_property
    def cache(self) -> S3Cache:
        """The copies."""
        from bluebear_magic.context.s3_cache import S3Cache
        from bluebear_magic.folders import writable

        return S3Cache(writable("s3"), self.objects, self._limit)

    def _limit(self) -> int:
        return int(self._settings.s3_cache_mb) << 20


def with_partitions(located: Located, reading: Reading) -> Reading:
    """The partition columns too, typed by the values of all objects."""
    from bluebear_magic.context import local
    from bluebear_magic.context.files import DataFile, FileSet

    if not located.partition_keys:
        return reading
    files = tuple(
        DataFile(Path(item.uri), item.size, 0, partition)
        for item, partition in zip(located.objects, located.partitions, strict=True)
    )
    root = Path(located.base)
    return local.with_partitions(FileSet(root, files, located.format, root), reading)


def _size(count: int) -> str:
    from bluebear_magic.context.sizes import human_size

    return human_size(count)


def _mb(count: int) -> int:
    """Whole megabytes that hold so many bytes."""
    return -(-count >> 20) if count else 0
