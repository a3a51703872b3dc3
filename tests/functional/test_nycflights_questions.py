"""Questions over the notebooks' data and the answers that pandas gives.

Each entry is a question, the answer as a function of the pandas frames, and
whether the order of its rows is part of the answer.
"""

from pathlib import Path

import pandas as pd
import pytest

from bluebear_magic import Bluebear

DATA = Path(__file__).parents[2] / "notebooks" / "data"
FILES = {
    "flights": "flights.parquet",
    "airlines": "airlines.csv",
    "airports": "airports.csv",
    "planes": "planes.csv",
    "weather": "weather.csv.gz",
    "sales_data": "sales_data.csv",
}


@pytest.fixture(scope="module")
def bb():
    with Bluebear(model="offline", backend="local") as session:
        for name, file in FILES.items():
            session.add_data(name, DATA / file)
        yield session


class Frames:
    """The same data as pandas reads it, and what questions need of it again and again."""

    def __init__(self):
        self.flights = pd.read_parquet(DATA / FILES["flights"])
        self.airlines, self.airports, self.planes, self.weather = (
            pd.read_csv(DATA / FILES[name])
            for name in ("airlines", "airports", "planes", "weather")
        )
        self.sales = pd.read_csv(DATA / FILES["sales_data"], parse_dates=["date"])
        self.by_airline = self.flights.merge(self.airlines, on="carrier")
        self.by_plane = self.flights.merge(self.planes, on="tailnum", suffixes=("", "_plane"))
        self.to_airport = self.flights.merge(self.airports, left_on="dest", right_on="faa")

    def sold(self, start="2024-01-01", end="2025-12-31"):
        """Sales between two days, both included."""
        return self.sales[self.sales.date.between(start, end)]


@pytest.fixture(scope="module")
def frames():
    return Frames()


def ranked(series, count=None, ascending=False):
    """A figure by group as rows, the largest first, ties by group."""
    frame = series.reset_index()
    keys = list(frame.columns[:-1])
    frame = frame.sort_values(
        [frame.columns[-1], *keys], ascending=[ascending] + [True] * len(keys)
    )
    return rows(frame.head(count) if count else frame)


def rows(frame):
    """A frame's rows as tuples."""
    return list(frame.itertuples(index=False, name=None))


def by_key(series):
    """A figure by group as rows, in the order of the groups."""
    return rows(series.sort_index().reset_index())


ORDERED, ANY_ORDER = True, False

ANSWERS = [
    # --- how many
    ("How many flights are there?", lambda f: [(len(f.flights),)], ORDERED),
    ("count the planes", lambda f: [(len(f.planes),)], ORDERED),
    ("How many rows are in airports?", lambda f: [(len(f.airports),)], ORDERED),
    ("How many different carriers are there?", lambda f: [(f.flights.carrier.nunique(),)], ORDERED),
    ("How many distinct destinations are there?", lambda f: [(f.flights.dest.nunique(),)], ORDERED),
    ("number of UA flights", lambda f: [((f.flights.carrier == "UA").sum(),)], ORDERED),
    (
        "How many flights left JFK in March 2013?",
        lambda f: [(((f.flights.origin == "JFK") & (f.flights.month == 3)).sum(),)],
        ORDERED,
    ),
    (
        "How many flights from JFK to LAX were there?",
        lambda f: [(((f.flights.origin == "JFK") & (f.flights.dest == "LAX")).sum(),)],
        ORDERED,
    ),
    (
        "How many flights were there on 2013-01-01?",
        lambda f: [(((f.flights.month == 1) & (f.flights.day == 1)).sum(),)],
        ORDERED,
    ),
    (
        "How many flights were there in Q4 2013?",
        lambda f: [((f.flights.month >= 10).sum(),)],
        ORDERED,
    ),
    (
        "How many flights have a departure delay of more than 60?",
        lambda f: [((f.flights.dep_delay > 60).sum(),)],
        ORDERED,
    ),
    (
        "How many flights have distance between 1000 and 1500?",
        lambda f: [(f.flights.distance.between(1000, 1500).sum(),)],
        ORDERED,
    ),
    (
        "How many flights have no tail number?",
        lambda f: [(f.flights.tailnum.isna().sum(),)],
        ORDERED,
    ),
    (
        "How many flights are not from JFK?",
        lambda f: [((f.flights.origin != "JFK").sum(),)],
        ORDERED,
    ),
    (
        "number of flights where origin is JFK or LGA",
        lambda f: [(f.flights.origin.isin(["JFK", "LGA"]).sum(),)],
        ORDERED,
    ),
    (
        "How many flights have an arrival delay above the average?",
        lambda f: [((f.flights.arr_delay > f.flights.arr_delay.mean()).sum(),)],
        ORDERED,
    ),
    ("How many planes have at least 4 engines?", lambda f: [((f.planes.engines >= 4).sum(),)], ORDERED),
    ("How many planes were made by BOEING?", lambda f: [((f.planes.manufacturer == "BOEING").sum(),)], ORDERED),
    (
        "How many planes have year before 1990?",
        lambda f: [((f.planes.year < 1990).sum(),)],
        ORDERED,
    ),
    (
        "How many airports are in the America/Denver time zone?",
        lambda f: [((f.airports.tzone == "America/Denver").sum(),)],
        ORDERED,
    ),
    (
        'how many airports have a name starting with "San"?',
        lambda f: [(f.airports.name.str.lower().str.startswith("san").sum(),)],
        ORDERED,
    ),
    # --- figures
    ("What is the average departure delay?", lambda f: [(f.flights.dep_delay.mean(),)], ORDERED),
    ("median distance", lambda f: [(f.flights.distance.median(),)], ORDERED),
    (
        "minimum, maximum and average distance",
        lambda f: [(f.flights.distance.min(), f.flights.distance.max(), f.flights.distance.mean())],
        ORDERED,
    ),
    ("maximum wind gust", lambda f: [(f.weather.wind_gust.max(),)], ORDERED),
    (
        "What is the average wind speed at JFK?",
        lambda f: [(f.weather[f.weather.origin == "JFK"].wind_speed.mean(),)],
        ORDERED,
    ),
    # --- by group
    ("Number of flights by origin", lambda f: ranked(f.flights.groupby("origin").size()), ORDERED),
    ("flights per month", lambda f: by_key(f.flights.groupby("month").size()), ORDERED),
    (
        "average arrival delay by carrier",
        lambda f: ranked(f.flights.groupby("carrier").arr_delay.mean()),
        ORDERED,
    ),
    (
        "average dep_delay and arr_delay by origin",
        lambda f: rows(
            f.flights.groupby("origin")[["dep_delay", "arr_delay"]]
            .mean()
            .sort_values("dep_delay", ascending=False)
            .reset_index()
        ),
        ORDERED,
    ),
    (
        "total distance by carrier and origin",
        lambda f: ranked(f.flights.groupby(["carrier", "origin"]).distance.sum()),
        ORDERED,
    ),
    (
        "number of flights per carrier sorted by carrier",
        lambda f: by_key(f.flights.groupby("carrier").size()),
        ORDERED,
    ),
    (
        "number of flights by month for UA",
        lambda f: by_key(f.flights[f.flights.carrier == "UA"].groupby("month").size()),
        ORDERED,
    ),
    (
        "number of flights by day in January 2013",
        lambda f: [
            (pd.Timestamp(2013, 1, day).date(), count)
            for day, count in by_key(f.flights[f.flights.month == 1].groupby("day").size())
        ],
        ORDERED,
    ),
    ("average temperature by month", lambda f: by_key(f.weather.groupby("month").temp.mean()), ORDERED),
    ("number of planes per engine", lambda f: ranked(f.planes.groupby("engine").size()), ORDERED),
    (
        "Which carriers have more than 50000 flights?",
        lambda f: [(c, n) for c, n in ranked(f.flights.groupby("carrier").size()) if n > 50_000],
        ORDERED,
    ),
    # --- the first and the last
    ("Top 5 carriers by number of flights", lambda f: ranked(f.flights.groupby("carrier").size(), 5), ORDERED),
    ("bottom 3 carriers by number of flights", lambda f: ranked(f.flights.groupby("carrier").size(), 3, ascending=True), ORDERED),
    ("Which carrier has the most flights?", lambda f: ranked(f.flights.groupby("carrier").size(), 1), ORDERED),
    ("Which month has the most flights?", lambda f: ranked(f.flights.groupby("month").size(), 1), ORDERED),
    (
        "Which destination has the highest average arrival delay?",
        lambda f: ranked(f.flights.groupby("dest").arr_delay.mean().dropna(), 1),
        ORDERED,
    ),
    (
        "what is the most common manufacturer of planes",
        lambda f: ranked(f.planes.groupby("manufacturer").size(), 1),
        ORDERED,
    ),
    (
        "What is the name of the airport with the highest altitude?",
        lambda f: [(f.airports.sort_values("alt").iloc[-1]["name"],)],
        ORDERED,
    ),
    (
        "Show the tailnum and year of the 5 oldest planes",
        lambda f: rows(f.planes.dropna(subset="year").sort_values(["year", "tailnum"])[["tailnum", "year"]].head(5)),
        ORDERED,
    ),
    # --- lists
    (
        "Show the tailnum and seats of planes made by AIRBUS",
        lambda f: rows(f.planes[f.planes.manufacturer == "AIRBUS"][["tailnum", "seats"]]),
        ANY_ORDER,
    ),
    (
        "Show the model and seats of planes with more than 300 seats",
        lambda f: rows(f.planes[f.planes.seats > 300][["model", "seats"]]),
        ANY_ORDER,
    ),
    ("List the distinct manufacturers", lambda f: [(m,) for m in sorted(f.planes.manufacturer.unique())], ORDERED),
    ("What are the names of the airlines?", lambda f: [(name,) for name in f.airlines.name], ANY_ORDER),
    (
        "show airlines sorted by name in descending order",
        lambda f: rows(f.airlines.sort_values("name", ascending=False)),
        ORDERED,
    ),
    (
        "What are the names of airports with altitude above 8000?",
        lambda f: [(name,) for name in f.airports[f.airports.alt > 8000].name],
        ANY_ORDER,
    ),
    (
        "which carriers fly from JFK to LAX?",
        lambda f: [(c,) for c in sorted(f.flights[(f.flights.origin == "JFK") & (f.flights.dest == "LAX")].carrier.unique())],
        ORDERED,
    ),
    # --- over two datasets
    (
        "What is the average departure delay by airline name?",
        lambda f: ranked(f.by_airline.groupby("name").dep_delay.mean()),
        ORDERED,
    ),
    ("Top 5 airlines by number of flights", lambda f: ranked(f.by_airline.groupby("name").size(), 5), ORDERED),
    (
        "Which airline has the highest average departure delay?",
        lambda f: ranked(f.by_airline.groupby("name").dep_delay.mean(), 1),
        ORDERED,
    ),
    (
        "list the name of each airline and the number of flights",
        lambda f: ranked(f.by_airline.groupby("name").size()),
        ORDERED,
    ),
    (
        "How many flights to airports with altitude above 5000?",
        lambda f: [((f.to_airport.alt > 5000).sum(),)],
        ORDERED,
    ),
    (
        "average departure delay by manufacturer",
        lambda f: ranked(f.by_plane.groupby("manufacturer").dep_delay.mean().dropna()),
        ORDERED,
    ),
    (
        "How many flights were flown with planes with more than 200 seats?",
        lambda f: [((f.by_plane.seats > 200).sum(),)],
        ORDERED,
    ),
    (
        "How many flights per destination airport?",
        lambda f: ranked(f.to_airport.groupby(["dest", "name"]).size()),
        ORDERED,
    ),
    # --- sales over time
    (
        "Show me total sales by region over the last 12 months",
        lambda f: ranked(f.sold("2025-01-01").groupby("region").sales.sum()),
        ORDERED,
    ),
    ("Total sales in 2024", lambda f: [(f.sold(end="2024-12-31").sales.sum(),)], ORDERED),
    ("total sales in Q4 2024", lambda f: [(f.sold("2024-10-01", "2024-12-31").sales.sum(),)], ORDERED),
    ("What were total sales before 2025?", lambda f: [(f.sold(end="2024-12-31").sales.sum(),)], ORDERED),
    ("total sales last month", lambda f: [(f.sold("2025-11-01", "2025-11-30").sales.sum(),)], ORDERED),
    ("total sales this year", lambda f: [(f.sold("2025-01-01").sales.sum(),)], ORDERED),
    ("average quantity in the last 30 days", lambda f: [(f.sold("2025-12-02").quantity.mean(),)], ORDERED),
    ("sales by region", lambda f: ranked(f.sales.groupby("region").sales.sum()), ORDERED),
    (
        "monthly sales in 2025",
        lambda f: [
            (month.date(), total)
            for month, total in by_key(f.sold("2025-01-01").groupby(pd.Grouper(key="date", freq="MS")).sales.sum())
        ],
        ORDERED,
    ),
    ("total sales by year", lambda f: by_key(f.sales.groupby(f.sales.date.dt.year).sales.sum()), ORDERED),
    (
        "total quantity by product between 2024-03-01 and 2024-05-31",
        lambda f: ranked(f.sold("2024-03-01", "2024-05-31").groupby("product").quantity.sum()),
        ORDERED,
    ),
    (
        "What is the total quantity of Gadget X in the West region in Q1 2025?",
        lambda f: [(f.sold("2025-01-01", "2025-03-31").query("product == 'Gadget X' and region == 'WEST'").quantity.sum(),)],
        ORDERED,
    ),
    (
        "Which product had the highest sales in 2024?",
        lambda f: ranked(f.sold(end="2024-12-31").groupby("product").sales.sum(), 1),
        ORDERED,
    ),
    ("top 3 products by sales", lambda f: ranked(f.sales.groupby("product").sales.sum(), 3), ORDERED),
    (
        "total sales and quantity by product",
        lambda f: rows(f.sales.groupby("product")[["sales", "quantity"]].sum().sort_values("sales", ascending=False).reset_index()),
        ORDERED,
    ),
    ("What is the latest date in sales data?", lambda f: [(f.sales.date.max().date(),)], ORDERED),
]  # fmt: skip


def same(got, expected):
    """Equal, numbers to ten digits; what is missing equals what is missing."""
    if pd.isna(got) or pd.isna(expected):
        return pd.isna(got) and pd.isna(expected)
    if isinstance(got, int | float) and isinstance(expected, int | float):
        return got == pytest.approx(expected, rel=1e-10)
    return got == expected


def plain(value):
    """numpy's numbers as Python's."""
    return value.item() if hasattr(value, "item") else value


@pytest.mark.parametrize(("question", "expected", "ordered"), ANSWERS, ids=[a[0] for a in ANSWERS])
def test_the_answer_is_that_of_pandas(bb, frames, question, expected, ordered):
    answer = bb.ask(question)
    assert answer.ok, answer.error
    result = bb.run(answer)
    (table,) = result.tables
    wanted = [tuple(map(plain, row)) for row in expected(frames)]
    got = table.python_rows()
    if not ordered:
        wanted, got = sorted(wanted, key=repr), sorted(got, key=repr)
    assert len(got) == len(wanted) == table.row_count
    for mine, theirs in zip(got, wanted, strict=True):
        assert len(mine) == len(theirs)
        assert all(map(same, mine, theirs)), (mine, theirs)


REFUSED = {
    "average delay by carrier": "flights.dep_delay or flights.arr_delay",
    "top 5 carriers": "ranked",
    "How happy are the passengers?": "'happy', 'passengers'",
    "Which is the best airline?": "'best'",
    "flights to Chicago": "'Chicago'",
    "average distance by airport": "more than one column leads from flights to airports",
    "How many flights were cancelled?": "'cancelled'",
    "total sales of gizmos": "'gizmos'",
    "Which carrier has the highest distance?": "of one row or of all rows of a group",
    "total sales in May and June 2024": "not what they ask for together",
}


@pytest.mark.parametrize(("question", "why"), REFUSED.items())
def test_what_is_not_clear_is_refused_with_the_reason(bb, question, why):
    answer = bb.ask(question)
    assert not answer.ok
    assert answer.error.kind == "not_understood"
    assert why in answer.error.message
    assert "You could ask" in answer.error.hint
