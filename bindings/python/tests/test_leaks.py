"""Memory stays flat: put, get, query, conditions that fail, batches and forks, over and over.

`KSTONE_LEAK_CYCLES=1000000` asks for more cycles than the default, which takes a few seconds.
"""

from __future__ import annotations

import gc
import os
from decimal import Decimal
from pathlib import Path

import pytest

import kstone

CYCLES = int(os.environ.get("KSTONE_LEAK_CYCLES", "20000"))
STATM = Path("/proc/self/statm")
GROWTH_MAX_BYTES = 2 * 2**20


def resident_bytes() -> int:
    gc.collect()
    return int(STATM.read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def cycle(db: kstone.Database, number: int) -> None:
    key = f"k{number % 100}"
    item = {"n": number, "d": Decimal("1.5"), "t": "x" * 200, "s": {"a", "b"}, "l": [1, b"b", None]}
    db.put(key, item, sk="a")
    db.put(key, {"n": number}, sk="b")
    assert db.get(key, "a") == item
    assert db.get(key, "none") is None
    assert len(list(db.query(key, page_size=1))) == 2
    if number % 20 == 0:
        with pytest.raises(kstone.ConditionFailedError):
            db.put(key, item, sk="a", condition="n < :n", params={":n": 0})
        with pytest.raises(kstone.InvalidError):
            db.put(key, {"n": Decimal("1E200")})
        assert next(db.scan().as_of_now())["n"] >= 0
        with db.transaction() as transaction:
            found = transaction.get(key, "a")
            transaction.update("counter", "ADD n :n", {":n": 1}, condition="attribute_not_exists(x)")
        assert found.item == item
        db.get_json(key, "a")
        with db.fork() as fork:
            fork.delete(key, "a")
        kstone.open().close()


@pytest.mark.skipif(not STATM.exists(), reason="resident memory is read from Linux's /proc")
def test_resident_memory_stays_flat() -> None:
    with kstone.open() as db:
        for number in range(CYCLES // 4):
            cycle(db, number)
        before = resident_bytes()
        for number in range(CYCLES):
            cycle(db, number)
        grown = resident_bytes() - before
    assert grown < GROWTH_MAX_BYTES, f"{grown} bytes more after {CYCLES} cycles"
