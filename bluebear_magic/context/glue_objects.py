"""Where what Glue says of a table meets what lies in S3: partitions, and names of columns."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import replace

from bluebear_magic.context.files import some
from bluebear_magic.context.glue_table import Table
from bluebear_magic.context.s3_excerpts import head
from bluebear_magic.context.s3_layout import Located
from bluebear_magic.errors import DatasetError
from bluebear_magic.records import Dataset


def check_keys(place: str, table: Table, located: Located) -> None:
    """Raises DatasetError where folders do not name the partition keys, as Spark needs it."""
    named = [key.lower() for key in located.partition_keys]
    if named != [key.lower() for key in table.keys]:
        raise DatasetError(
            f"{place}: its partition keys are {', '.join(table.keys)}, but the folders of "
            f"{located.objects[0].uri} name {', '.join(named) or 'none'}",
            "Spark can tell partitions only where folders are named key=value: add one of the "
            f"folders, %bluebear data add NAME {table.location}/...",
        )


def registered(
    place: str, table: Table, located: Located, locations: Iterable[str]
) -> tuple[Located, tuple[str, ...]]:
    """The objects in registered partitions, as other engines see the table; what was left out.

    Raises DatasetError for partitions that lie outside the table's folder.
    """
    known = {_plain(location) for location in locations if location}
    if not known:
        return located, ("Glue has no partition of it registered: all its folders are read",)
    for location in known:
        if not f"{location}/".startswith(f"{table.location}/"):
            raise DatasetError(
                f"{place}: a partition of it lies elsewhere, in {location}/",
                "add that folder by itself: %bluebear data add NAME s3://...",
            )
    depth = len(table.location.split("/")) + len(table.keys)
    folders = ["/".join(item.uri.split("/")[:depth]) for item in located.objects]
    kept = [index for index, folder in enumerate(folders) if folder in known]
    if not kept:
        raise DatasetError(
            f"{place}: no object lies in the partitions that Glue has, such as {min(known)}/",
            "register those that there are: MSCK REPAIR TABLE, or a crawler",
        )
    others = sorted(set(folders) - known)
    if not others:
        return located, ()
    kept_only = replace(
        located,
        objects=tuple(located.objects[index] for index in kept),
        partitions=tuple(located.partitions[index] for index in kept),
    )
    names = [folder.removeprefix(f"{table.location}/") for folder in others]
    return kept_only, (f"folders that Glue has no partition for were left out: {some(names)}",)


def _plain(location: str) -> str:
    scheme, _, rest = location.partition("://")
    return f"s3://{rest}".rstrip("/") if scheme in {"s3a", "s3n"} else location.rstrip("/")


def check_names(dataset: Dataset, located: Located) -> None:
    """Raises DatasetError where keys of JSON are the columns but for their case.

    Glue has lower case alone, and Spark reads JSON by the very names: it would find nulls.
    """
    line = head(located.objects[0]).lstrip(b"\xef\xbb\xbf [\r\n").partition(b"\n")[0]
    try:
        record = json.loads(line.rstrip(b",] \r"))
    except ValueError:
        return  # the check says better what is wrong with it
    if not isinstance(record, dict):
        return
    for column in dataset.columns:
        other = next((key for key in record if key.lower() == column.name.lower()), column.name)
        if other != column.name and column.name not in record:
            raise DatasetError(
                f"{dataset.location}: Glue's column {column.name} is {other} in "
                f"{located.objects[0].uri}, and Spark reads JSON by the very names",
                f"add the objects themselves: %bluebear data add NAME {located.base}/",
            )
