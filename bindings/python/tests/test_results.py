"""Queries and scans: ranges, pages, tokens, and what they show while others write."""

from __future__ import annotations

import random
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest

import kstone


@pytest.fixture
def db() -> Iterator[kstone.Database]:
    with kstone.open() as db:
        for day in range(1, 8):
            db.put("ada", {"n": day, "odd": day % 2 == 1}, sk=f"2024-05-0{day}")
        db.put("bob", {"n": 100})
        yield db


def days(results: kstone.Results) -> list[int]:
    return [item["n"] for item in results]


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        ({}, [1, 2, 3, 4, 5, 6, 7]),
        ({"sk": "2024-05-03"}, [3]),
        ({"lt": "2024-05-03"}, [1, 2]),
        ({"le": "2024-05-03"}, [1, 2, 3]),
        ({"gt": "2024-05-05"}, [6, 7]),
        ({"ge": b"2024-05-05"}, [5, 6, 7]),
        ({"between": ("2024-05-02", b"2024-05-04")}, [2, 3, 4]),
        ({"begins_with": "2024-05"}, [1, 2, 3, 4, 5, 6, 7]),
        ({"begins_with": "2025"}, []),
        ({"reverse": True, "limit": 2}, [7, 6]),
        ({"filter": "odd = :t", "params": {":t": True}}, [1, 3, 5, 7]),
        ({"filter": "odd = :t", "params": {":t": True}, "limit": 2}, [1, 3]),
        ({"filter": "odd = :t", "params": {":t": True}, "limit": 3, "page_size": 1}, [1, 3, 5]),
        ({"limit": 0}, []),
        ({"limit": 2**40}, [1, 2, 3, 4, 5, 6, 7]),
        ({"page_size": 3}, [1, 2, 3, 4, 5, 6, 7]),
    ],
)
def test_a_query_finds_its_range(db: kstone.Database, condition: dict[str, Any], expected: list[int]) -> None:
    results = db.query("ada", **condition)
    assert days(results) == expected
    assert days(results) == expected, "a second time"
    assert results.count() == len(expected)
    assert [item["n"] for item in results.as_of_now()] == expected
    first = results.first()
    assert (None if first is None else first["n"]) == (expected[0] if expected else None)


def test_an_expression_says_the_key_too(db: kstone.Database) -> None:
    assert days(db.query(key="pk = :p AND sk > :d", params={":p": "ada", ":d": "2024-05-05"})) == [6, 7]


def test_projections_and_keys(db: kstone.Database) -> None:
    assert db.query("ada", projection="odd").first() == {"odd": True}
    assert db.query("ada", keys_only=True).first() == {"pk": "ada", "sk": "2024-05-01"}
    assert db.query("ada", keys_only=True).count() == 7


def test_a_scan_finds_all(db: kstone.Database) -> None:
    assert sorted(days(db.scan())) == [1, 2, 3, 4, 5, 6, 7, 100]
    assert sorted(days(db.scan(page_size=1))) == [1, 2, 3, 4, 5, 6, 7, 100]
    assert db.scan(filter="n > :n", params={":n": 6}).count() == 2
    parts = [days(db.scan(segment=i, segments=4)) for i in range(4)]
    assert sorted(n for part in parts for n in part) == [1, 2, 3, 4, 5, 6, 7, 100]


def test_pages_and_their_tokens(db: kstone.Database) -> None:
    pages = list(db.query("ada", page_size=3).pages())
    assert [[item["n"] for item in page] for page in pages] == [[1, 2, 3], [4, 5, 6], [7]]
    assert [(page.count, page.scanned, page.token is None) for page in pages] == [
        (3, 3, False),
        (3, 3, False),
        (1, 1, True),
    ]
    odd = db.query("ada", filter="odd = :t", params={":t": True}, page_size=4).page()
    assert (len(odd.items), odd.count, odd.scanned) == (2, 2, 4)
    assert days(db.query("ada", token=pages[0].token)) == [4, 5, 6, 7]
    counted = db.query("ada", page_size=5).page(count_only=True)
    assert (counted.items, counted.count, counted.token is None) == ([], 5, False)


def test_pages_end_at_a_megabyte() -> None:
    with kstone.open() as db:
        for i in range(40):
            db.put("p", {"v": "x" * 100_000}, sk=f"{i:02}")
        pages = list(db.query("p").pages())
        assert len(pages) == 4
        assert [item.sk for page in pages for item in page] == [f"{i:02}" for i in range(40)]
        assert len(list(db.query("p"))) == 40
        assert db.query("p").count() == 40


def test_pages_hold_what_was_put_whatever_names_and_sizes_it_has(kstone_db: kstone.Database) -> None:
    """Names that items share are written once to a page, as far as there is room for them."""
    numbers = [0, 9, -9, 999_999_999, -999_999_999, 10**9, -(10**9), 10**38 - 1, Decimal("0.5"), Decimal("-1.25")]
    names = [f"name{i}" for i in range(600)] + [f"{i:03}" * 100 for i in range(40)] + ["ab", "ba", "é", "\0", "a" * 255]
    put: dict[str, dict[str, object]] = {}
    for i in range(200):
        some = random.Random(i).sample(names, 30)
        item: dict[str, object] = {name: numbers[(i + k) % len(numbers)] for k, name in enumerate(some)}
        item |= {
            "same": i,
            "text": "x" * i * 5,
            "bytes": b"\xff" * i * 5,
            "set": {i, Decimal("0.5")},
            "in": {"same": [item.copy()]},
        }
        put[f"{i:03}"] = item
        kstone_db.put("p", item, sk=f"{i:03}")
    for read in (kstone_db.query("p"), kstone_db.query("p", page_size=7), kstone_db.query("p").as_of_now()):
        assert {item.sk: item for item in read} == put
    assert {sk: kstone_db.get("p", sk) for sk in put} == put
    page = kstone_db.query("p", page_size=2).page().items
    shared = [next(name for name in item if name == "same") for item in page]
    assert shared[0] is shared[1]


def test_the_first_item_is_asked_for_alone(kstone_db: kstone.Database) -> None:
    for i in range(10):
        kstone_db.put("p", {"i": i}, sk=f"{i}")
    assert kstone_db.query("p").first() == {"i": 0}
    assert kstone_db.query("p", reverse=True, limit=3).first() == {"i": 9}
    assert kstone_db.query("p", filter="i > :i", params={":i": 5}).first() == {"i": 6}
    assert kstone_db.query("p", filter="i > :i", params={":i": 5}, page_size=2).first() == {"i": 6}
    assert kstone_db.query("p", limit=0).first() is None
    assert kstone_db.query("q").first() is None


def test_empty_items_are_items() -> None:
    with kstone.open() as db:
        db["a"] = {}
        assert list(db.scan()) == [{}]
        assert db.scan().first() == {}


def test_an_iteration_goes_on_while_others_write_and_as_of_now_stands_still(db: kstone.Database) -> None:
    pages = iter(db.query("ada", page_size=2))
    now = db.query("ada").as_of_now()
    assert next(pages)["n"] == 1
    assert next(now)["n"] == 1
    db.delete("ada", "2024-05-06")
    db.put("ada", {"n": 8}, sk="2024-05-08")
    assert [item["n"] for item in pages] == [2, 3, 4, 5, 7, 8]
    db.close()
    assert [item["n"] for item in now] == [2, 3, 4, 5, 6, 7]


def test_what_is_given_may_change_after_the_call(db: kstone.Database) -> None:
    params: dict[str, Any] = {":n": 6}
    results = db.query("ada", filter="n >= :n", params=params)
    params[":n"] = 1
    assert days(results) == [6, 7]


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({}, kstone.InvalidError, "pk"),
        ({"pk": ""}, kstone.InvalidError, "the partition key is empty"),
        ({"pk": "a", "lt": "x", "gt": "b"}, kstone.InvalidError, "one condition on the sort key is possible, not 2"),
        ({"pk": "a", "between": ("b",)}, TypeError, "between is a pair"),
        ({"pk": "a", "between": ("b", "a")}, kstone.InvalidError, "lower bound is greater"),
        ({"pk": "a", "key": "pk = :p", "params": {":p": "a"}}, kstone.InvalidError, "use either"),
        ({"pk": "a", "index": "none"}, kstone.InvalidError, "none"),
        ({"pk": "a", "filter": "n >"}, kstone.InvalidError, "FilterExpression"),
        ({"pk": "a", "params": {":p": 1}}, kstone.InvalidError, ":p"),
        ({"pk": "a", "token": b"nonsense"}, kstone.InvalidError, "token"),
        ({"pk": "a", "limit": -1}, kstone.InvalidError, "limit is -1"),
        ({"pk": "a", "limit": 1.5}, TypeError, "limit is an int, not float"),
        ({"pk": "a", "params": [1]}, TypeError, "params are a dict, not list"),
        ({"pk": "a", "page_size": -1}, kstone.InvalidError, "page_size is -1"),
        ({"pk": "a", "page_size": 2**32}, kstone.InvalidError, "page_size is 4294967296"),
        ({"pk": 1}, TypeError, "a key is str or bytes"),
        ({"pk": "a", "filter": 1}, TypeError, "a text is str"),
        ({"pk": "a", "token": "text"}, TypeError, "a token is bytes, not str"),
    ],
)
def test_a_query_that_cannot_be(
    db: kstone.Database, arguments: dict[str, Any], error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        list(db.query(**arguments))


def test_a_scan_that_cannot_be(db: kstone.Database) -> None:
    with pytest.raises(kstone.InvalidError, match="segment"):
        list(db.scan(segment=4, segments=4))
    with pytest.raises(kstone.InvalidError, match="segments is -1"):
        db.scan(segments=-1)


def test_pages_take_no_limit(db: kstone.Database) -> None:
    with pytest.raises(kstone.InvalidError, match="bounded by page_size"):
        db.query("ada", limit=3).page()
