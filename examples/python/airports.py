"""A tour of kstone with real data, the airports of the United States.

    python airports.py [--no-times] [airports.csv]

An item is stored under a partition key, here the state, and a sort key, here the airport's code. Items of one partition
lie in the order of their sort keys, so ranges of them are read without a search. The rest of an item is a dict: texts,
exact numbers, lists and so on, without a schema.
"""

import argparse
import csv
import time
from collections.abc import Iterable
from decimal import Decimal
from pathlib import Path

import kstone

AIRPORTS = Path(__file__).resolve().parents[1] / "data" / "airports.csv"


def load(db: kstone.Database, path: Path) -> int:
    """Store each row of the file under (state, code); how many there are."""
    loaded = 0
    with path.open(newline="", encoding="utf-8") as file:
        for row in csv.DictReader(file):
            # Numbers are exact, digit for digit: Decimal, never float.
            position = {"latitude": Decimal(row["latitude"]), "longitude": Decimal(row["longitude"])}
            airport = {"name": row["name"], "city": row["city"], "country": row["country"], **position}
            db.put(row["state"], airport, sk=row["iata"])
            loaded += 1
    return loaded


def show(airports: Iterable[kstone.Item]) -> None:
    """Print an airport a line. An item knows its key."""
    for airport in airports:
        print("", airport.sk, f"{airport['name']}, {airport['city']}", sep="  ")


def query_a_range(db: kstone.Database) -> None:
    """Read a part of one partition, from either end."""
    california = db.query("CA", between=("SAC", "SFO"))
    print(f"\nCalifornia from SAC to SFO, {california.count()} airports:")
    show(california)
    print("\nThe same range from its end, three of them:")
    show(db.query("CA", between=("SAC", "SFO"), reverse=True, limit=3))


def filter_and_project(db: kstone.Database) -> None:
    """Let a condition choose, and read no more than is needed."""
    northern = db.query(
        "AK",
        filter="latitude > :latitude",
        projection="#n, latitude",
        params={":latitude": Decimal("70.5"), "#n": "name"},
    )
    print("\nAlaska north of 70.5 degrees:")
    for airport in northern:
        print(f"  {airport['name']}, {airport['latitude']}")


def scan_everything(db: kstone.Database) -> None:
    """Read all there is, page by page; each page crosses into Python in one call."""
    pages = list(db.scan(page_size=500).pages())
    airports = [airport for page in pages for airport in page]
    stateless = sum(airport.pk == "NA" for airport in airports)
    abroad = sum(airport["country"] != "USA" for airport in airports)
    print(f"\nA scan in pages of 500: {len(pages)} pages, {len(airports)} airports;", end=" ")
    print(f'{stateless} have the state "NA", {abroad} lie outside the USA.')


def change_some(db: kstone.Database) -> None:
    """Count a visit, move an airport in one step, and try what is not allowed."""
    visited = db.update("NY", "ADD visits :one", {":one": 1}, sk="JFK", returns="UPDATED_NEW")
    print(f"\nJFK lies at {db['NY', 'JFK']['latitude']} north, and was visited: {visited}.")

    airport = db["CA", "SFO"]
    with db.transaction() as move:
        move.delete("CA", "SFO")
        move.put("NV", airport, sk="SFO", condition="attribute_not_exists(pk)")
    print(f"SFO is in California: {('CA', 'SFO') in db}, in Nevada: {('NV', 'SFO') in db}.")

    try:
        db.put("NV", {"name": "Another"}, sk="SFO", condition="attribute_not_exists(pk)")
    except kstone.ConditionFailedError as error:
        print(f"Put once more: {error.name}, there is {error.item and error.item['name']}.")
    try:
        db["CA", "LAX"] = {"latitude": 33.94}
    except TypeError as error:
        print(f"With a float: {error}.")


def main() -> None:
    """Load, read, change."""
    arguments = argparse.ArgumentParser(description="A tour of kstone.")
    arguments.add_argument("--no-times", action="store_true", help="print what is the same in every run")
    arguments.add_argument("path", nargs="?", type=Path, default=AIRPORTS)
    options = arguments.parse_args()

    with kstone.open() as db:
        started = time.perf_counter()
        loaded = load(db, options.path)
        took = f" in {(time.perf_counter() - started) * 1000:.1f} ms, reading the file included"
        print(f"kstone {kstone.__version__}: loaded {loaded} airports{'' if options.no_times else took}.")

        query_a_range(db)
        filter_and_project(db)
        scan_everything(db)

        # Try things out in a fork: it shares the memory, and leaves the original as it is.
        with db.fork() as fork:
            change_some(fork)
        print(f"\nThe original still has {len(db)} airports, SFO in California: {('CA', 'SFO') in db}.")


if __name__ == "__main__":
    main()
