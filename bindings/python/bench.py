"""What a call costs from Python, compared with the same call from C, a dict of dicts, and sqlite3's :memory:.

    python bench.py [--items 100000] [--rounds 5]

Everything is measured in one run, in rounds that take turns, each system once a round; the table gives the median of
the rounds in nanoseconds an operation, and how many times the C call that is. C means a program that this one compiles
against the library of the installed package, doing the same operations in a process of its own.

- put and get: an item of six attributes (about 100 bytes), keys in random order. A get hands out every attribute.
- query10: the ten items of one partition.
- sqlite3: a table without rowid, one prepared statement, a blob of JSON for the item, parsed again for a get; all of
  it in one transaction.
"""

from __future__ import annotations

import argparse
import json
import random
import shutil
import sqlite3
import statistics
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import kstone

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = Path(kstone.__file__).parent
PARTITION = 10
OPERATIONS = ("put", "get", "query10")

C_PROGRAM = r"""
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include "kstone.h"

static double now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

static kstone_item *an_item(int64_t i) {
    kstone_item *item = kstone_item_new();
    kstone_item_set_bool(item, "active", 6, 1);
    kstone_item_set_num(item, "balance", 7, "12.5", 4, NULL);
    kstone_item_set_str(item, "city", 4, "Berlin", 6);
    kstone_item_set_str(item, "email", 5, "alice@example.com", 17);
    kstone_item_set_i64(item, "id", 2, i);
    kstone_item_set_str(item, "name", 4, "Alice Smith", 11);
    return item;
}

static size_t attributes(const kstone_item *item) {
    kstone_bytes name;
    kstone_value value;
    size_t i, bytes = 0;
    for (i = 0; kstone_item_at(item, i, &name, &value) == KSTONE_OK; i++) bytes += value.bytes.len;
    return bytes;
}

int main(int argc, char **argv) {
    long n = atol(argv[argc - 1]), i;
    char (*keys)[2][16] = malloc((size_t)n * sizeof *keys);
    kstone_db *db = NULL;
    size_t bytes = 0;
    double start, put, get, query;
    for (i = 0; i < n && scanf("%15s %15s", keys[i][0], keys[i][1]) == 2; i++) {}
    if (kstone_open_memory(NULL, &db, NULL) != KSTONE_OK) {
        return 1;
    }
    start = now();
    for (i = 0; i < n; i++) {
        kstone_item *item = an_item(i);
        kstone_put(db, keys[i][0], 8, keys[i][1], 2, item, NULL);
        kstone_free(item);
    }
    put = now() - start;
    start = now();
    for (i = 0; i < n; i++) {
        kstone_item *item = NULL;
        if (kstone_get(db, keys[i][0], 8, keys[i][1], 2, &item, NULL) != KSTONE_OK) {
            return 1;
        }
        bytes += attributes(item);
        kstone_free(item);
    }
    get = now() - start;
    start = now();
    for (i = 0; i < n / 10; i++) {
        kstone_query_spec spec = {0};
        kstone_page *page = NULL;
        size_t k;
        spec.struct_size = sizeof spec;
        spec.pk = keys[i][0];
        spec.pk_len = 8;
        if (kstone_query(db, &spec, &page, NULL) != KSTONE_OK) {
            return 1;
        }
        for (k = 0; k < kstone_page_count(page); k++) bytes += attributes(kstone_page_item(page, k));
        kstone_free(page);
    }
    query = now() - start;
    kstone_free(db);
    free(keys);
    printf("%f %f %f %zu\n", put / (double)n, get / (double)n, query / ((double)n / 10), bytes);
    return 0;
}
"""


def an_item(i: int) -> dict[str, Any]:
    """What is stored under key number i."""
    return {
        "active": True,
        "balance": Decimal("12.5"),
        "city": "Berlin",
        "email": "alice@example.com",
        "id": i,
        "name": "Alice Smith",
    }


def nanoseconds(operations: Iterator[object], count: int) -> float:
    """What one of these operations takes; they are done by going through them."""
    start = time.perf_counter_ns()
    for _ in operations:
        pass
    return (time.perf_counter_ns() - start) / count


Round = tuple[float, float, float]
Keys = list[tuple[str, str]]


def with_kstone(keys: Keys) -> Round:
    """The package that is installed."""
    with kstone.open() as db:
        put = nanoseconds((db.put(pk, an_item(i), sk) for i, (pk, sk) in enumerate(keys)), len(keys))
        get = nanoseconds((db.get(pk, sk) for pk, sk in keys), len(keys))
        some = keys[: len(keys) // PARTITION]
        query = nanoseconds((list(db.query(pk)) for pk, _ in some), len(some))
    return put, get, query


def with_dicts(keys: Keys) -> Round:
    """A dict of dicts: partitions of items, sorted when they are asked for, and copies in and out."""
    table: dict[str, dict[str, dict[str, Any]]] = {}

    def put(pk: str, sk: str, item: dict[str, Any]) -> dict[str, Any]:
        table.setdefault(pk, {})[sk] = item
        return item

    def query(pk: str) -> list[dict[str, Any]]:
        partition = table[pk]
        return [partition[sk].copy() for sk in sorted(partition)]

    putting = nanoseconds((put(pk, sk, an_item(i)) for i, (pk, sk) in enumerate(keys)), len(keys))
    getting = nanoseconds((table[pk][sk].copy() for pk, sk in keys), len(keys))
    some = keys[: len(keys) // PARTITION]
    return putting, getting, nanoseconds((query(pk) for pk, _ in some), len(some))


def with_sqlite(keys: Keys) -> Round:
    """sqlite3 in memory, items as JSON."""

    def to_json(item: dict[str, Any]) -> str:
        return json.dumps(item, default=str)

    db = sqlite3.connect(":memory:", isolation_level=None)
    db.execute("CREATE TABLE items (pk TEXT, sk TEXT, item BLOB, PRIMARY KEY (pk, sk)) WITHOUT ROWID")
    db.execute("BEGIN")
    insert = "INSERT OR REPLACE INTO items VALUES (?, ?, ?)"
    select = "SELECT item FROM items WHERE pk = ? AND sk = ?"
    select_all = "SELECT item FROM items WHERE pk = ? ORDER BY sk"
    putting = (db.execute(insert, (pk, sk, to_json(an_item(i)))) for i, (pk, sk) in enumerate(keys))
    put = nanoseconds(putting, len(keys))
    get = nanoseconds((json.loads(db.execute(select, key).fetchone()[0]) for key in keys), len(keys))
    some = keys[: len(keys) // PARTITION]
    query = nanoseconds(([json.loads(row[0]) for row in db.execute(select_all, (pk,))] for pk, _ in some), len(some))
    db.close()
    return put, get, query


def c_program(work: Path) -> Callable[[Keys], Round]:
    """The same from C, against the library of the installed package."""
    source, program = work / "bench.c", work / "bench"
    source.write_text(C_PROGRAM)
    (library,) = PACKAGE.glob("libkstone.*")
    cc = shutil.which("cc") or "cc"
    command = [cc, "-O2", "-I", str(ROOT / "include"), str(source), str(library), f"-Wl,-rpath,{PACKAGE}"]
    subprocess.run([*command, "-o", str(program)], check=True)

    def run(keys: Keys) -> Round:
        text = "".join(f"{pk} {sk}\n" for pk, sk in keys)
        done = subprocess.run([str(program), str(len(keys))], input=text, capture_output=True, text=True, check=True)
        put, get, query, _ = map(float, done.stdout.split())
        return put, get, query

    return run


def main() -> None:
    """Measure and print a table."""
    parser = argparse.ArgumentParser(description="What a call costs from Python.")
    parser.add_argument("--items", type=int, default=100_000)
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()

    keys = [(f"p{i:07}", f"s{k}") for i in range(options.items // PARTITION) for k in range(PARTITION)]
    random.Random(1).shuffle(keys)
    with tempfile.TemporaryDirectory() as work:
        systems: dict[str, Callable[[Keys], Round]] = {
            "C": c_program(Path(work)),
            "kstone": with_kstone,
            "dict of dicts": with_dicts,
            "sqlite3": with_sqlite,
        }
        rounds: dict[str, list[Round]] = {name: [] for name in systems}
        for _ in range(options.rounds):
            for name, measure in systems.items():
                rounds[name].append(measure(keys))
    medians = {
        name: [statistics.median(r[i] for r in rs) for i in range(len(OPERATIONS))] for name, rs in rounds.items()
    }
    print(f"{len(keys)} items, medians of {options.rounds} rounds, ns an operation (times C)\n")
    print("|  | " + " | ".join(OPERATIONS) + " |")
    print("| --- |" + " ---: |" * len(OPERATIONS))
    for name, times in medians.items():
        cells = [f"{found:.0f} ({found / c:.1f})" for found, c in zip(times, medians["C"], strict=True)]
        print(f"| {name} | " + " | ".join(cells) + " |")


if __name__ == "__main__":
    main()
