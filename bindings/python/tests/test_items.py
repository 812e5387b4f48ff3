"""Values of every type, there and back, and what no item can hold."""

from __future__ import annotations

import json
import random
import re
import tracemalloc
from collections import OrderedDict, UserDict
from decimal import Decimal
from enum import IntEnum, StrEnum
from pathlib import Path
from typing import Any

import pytest

import kstone
from kstone._calls import item_of, read_item
from kstone._codec import encode
from kstone._stream import changes_of

ROOT = Path(__file__).resolve().parents[3]


class Level(IntEnum):
    HIGH = 3


class Colour(StrEnum):
    RED = "red"


def round_trip(value: Any) -> Any:
    with kstone.open() as db:
        db["k"] = {"v": value}
        return db["k"]["v"]


@pytest.mark.parametrize(
    "value",
    [
        "",
        "hé \0 \U0001f600",
        "x" * 127,
        "x" * 128,
        "x" * 70_000,
        b"",
        b"\0\xff",
        0,
        -1,
        10**38 - 1,
        -(10**38) + 1,
        10**125,
        Decimal("0.1"),
        Decimal("-12.5"),
        Decimal("1E-130"),
        Decimal("0." + "1" * 38),
        True,
        False,
        None,
        [],
        [1, "a", b"b", None, [True], {"m": {}}],
        {},
        {"é": 1, "B": {"a": [Decimal("1.5")]}, "a" * 300: 2},
        {"a", "", "é"},
        {1, Decimal("-0.5"), 10, 9},
        {b"", b"\xff", b"a"},
    ],
)
def test_a_value_comes_back_with_its_type(value: Any) -> None:
    found = round_trip(value)
    assert found == value
    assert type(found) is type(value)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (Decimal("5.0"), 5),
        (Decimal("5E+3"), 5000),
        (Decimal("12.50"), Decimal("12.5")),
        (Decimal("-0"), 0),
        (Decimal("-0.00"), 0),
        (Decimal("1.50E-5"), Decimal("0.000015")),
        (Decimal("1E+125"), 10**125),
        (10**60, 10**60),
        ((1, 2), [1, 2]),
        (bytearray(b"ab"), b"ab"),
        (memoryview(b"ab"), b"ab"),
        (frozenset({"a"}), {"a"}),
        ({1, Decimal("2.0")}, {1, 2}),
        (OrderedDict(b=1, a=2), {"a": 2, "b": 1}),
        (UserDict({"a": 1}), {"a": 1}),
        ({"a": 1}.keys(), {"a"}),
        (Level.HIGH, 3),
        (Colour.RED, "red"),
    ],
)
def test_kindred_types_are_taken_and_numbers_come_back_canonical(value: Any, expected: Any) -> None:
    found = round_trip(value)
    assert found == expected
    assert type(found) is type(expected)


def test_a_number_has_38_exact_digits() -> None:
    exact = Decimal("3.1415926535897932384626433832795028841")
    assert round_trip(exact) == exact
    assert round_trip([exact, -exact, exact * 10**10]) == [exact, -exact, exact * 10**10]


@pytest.mark.parametrize(
    ("value", "error", "message"),
    [
        (1.5, TypeError, "a float is not exact: pass an int, or decimal.Decimal"),
        (float("nan"), TypeError, "a float is not exact"),
        (object(), TypeError, "cannot be object"),
        (1j, TypeError, "cannot be complex"),
        ({1, "a"}, TypeError, "a set holds"),
        ({True}, TypeError, "a set holds"),
        ({1.5, 1}, TypeError, "a float is not exact"),
        ({True, 2}, TypeError, "a set holds"),
        ({1: 2}, TypeError, "name is str, not int: 1"),
        ({1: 2, "a": 3}, TypeError, "name is str, not int: 1"),
        (set(), kstone.InvalidError, "a set may not be empty"),
        ({"": 1}, kstone.InvalidError, "name may not be empty"),
        ({"n" * 65_536: 1}, kstone.LimitError, "name has up to 65535 bytes, not 65536"),
        ("\ud800", kstone.InvalidError, "no UTF-8 text"),
        ({"\ud800": 1}, kstone.InvalidError, "no UTF-8 text"),
        ([{"\ud800"}], kstone.InvalidError, "no UTF-8 text"),
        (Decimal("NaN"), kstone.InvalidError, "cannot be converted to a numeric value: NaN"),
        (Decimal("sNaN"), kstone.InvalidError, "cannot be converted"),
        (Decimal("Infinity"), kstone.InvalidError, "cannot be converted"),
        ({Decimal("NaN")}, kstone.InvalidError, "cannot be converted"),
        (Decimal("1E126"), kstone.InvalidError, "Number overflow"),
        (Decimal("1E+999999999"), kstone.InvalidError, "Number overflow"),
        (-(10**126), kstone.InvalidError, "Number overflow"),
        (Decimal("1E-131"), kstone.InvalidError, "Number underflow"),
        (int("1" * 39), kstone.InvalidError, "more than 38 significant digits"),
        (Decimal("0." + "1" * 39), kstone.InvalidError, "more than 38 significant digits"),
        (Decimal("0." + "1" * 2000), kstone.LimitError, "Number text"),
    ],
)
def test_what_no_item_can_hold_is_refused_with_its_place(value: Any, error: type[Exception], message: str) -> None:
    with kstone.open() as db:
        db["k"] = {"before": 1}
        with pytest.raises(error, match=re.escape(message)) as caught:
            db["k"] = {"a": [0, {"b": value}]}
        assert "(attribute a[1].b" in str(caught.value)
        assert db["k"] == {"before": 1}
        if issubclass(error, kstone.Error):
            assert isinstance(caught.value, kstone.Error)
            assert caught.value.name == "ValidationException"


def test_an_int_that_python_would_not_write_out_is_refused_too() -> None:
    with kstone.open() as db, pytest.raises(kstone.InvalidError, match=r"Number overflow.* \(attribute v\)"):
        db["k"] = {"v": 10**5000}


def test_an_item_is_a_mapping() -> None:
    with kstone.open() as db:
        for item in (None, [("a", 1)], "a", 1):
            with pytest.raises(TypeError, match="an item is a dict"):
                db.put("k", item)  # type: ignore[arg-type]


def test_nesting_ends_at_32_levels_also_in_circles() -> None:
    deep: Any = 1
    for _ in range(32):
        deep = [deep]
    assert round_trip(deep) == deep
    with kstone.open() as db:
        with pytest.raises(kstone.LimitError, match="32 levels"):
            db["k"] = {"v": [deep]}
        circle: list[Any] = []
        circle.append({"c": circle})
        with pytest.raises(kstone.LimitError, match="32 levels"):
            db["k"] = {"v": circle}


def test_what_grows_without_bound_is_refused_while_it_is_written() -> None:
    """The same text, list or dict may stand in an item a million times without taking any memory of Python's."""
    text = "x" * 500_000
    doubled: Any = []
    for _ in range(31):
        doubled = [doubled, doubled]
    dicts: Any = {"a": text}
    for _ in range(31):
        dicts = {str(i): dicts for i in range(60)}
    wide = dict.fromkeys(map(str, range(100_000)), text)
    with pytest.raises(kstone.LimitError, match="Item size as stored has exceeded"):
        round_trip(doubled)
    tracemalloc.start()
    try:
        for value in ([text] * 10_000_000, dicts, wide):
            with pytest.raises(kstone.LimitError, match="Item size as stored has exceeded"):
                round_trip(value)
        with kstone.open() as db, pytest.raises(kstone.LimitError, match="Item size as stored has exceeded"):
            db["k"] = wide
        assert tracemalloc.get_traced_memory()[1] < 300 * 2**20
    finally:
        tracemalloc.stop()


class Shouting(str):
    """A str that does not do what a str does."""

    __slots__ = ()

    def encode(self, *_: object) -> bytes:
        """Encode something else."""
        return b"\xff"

    def __str__(self) -> str:
        return "!"


def test_a_subclass_is_what_it_holds_and_not_what_it_says() -> None:
    class Defaults(dict[str, Any]):
        def __missing__(self, key: str) -> int:
            return len(key)

    text = Shouting("a")
    assert round_trip({text: [text], "s": {text}}) == {"a": ["a"], "s": {"a"}}
    assert round_trip(Defaults(a=1)) == {"a": 1}
    with kstone.open() as db:
        db[Shouting("k")] = {}
        assert "k" in db


def test_the_library_finds_what_else_is_wrong() -> None:
    with kstone.open() as db:
        with pytest.raises(kstone.LimitError, match="Item size"):
            db["k"] = {"v": "x" * 410_000}
        with pytest.raises(kstone.LimitError, match="as stored"):
            db["k"] = {"v": "x" * 2_000_000}
        with pytest.raises(kstone.InvalidError, match="pk"):
            db["k"] = {"pk": "other"}
        assert "k" not in db


def of_json(typed: dict[str, Any]) -> kstone.Item:
    """An item in DynamoDB's JSON, by way of the reader of streams."""
    record = {"eventName": "INSERT", "dynamodb": {"SequenceNumber": "1", "Keys": {"pk": {"S": "k"}}, "NewImage": typed}}
    new = changes_of(json.dumps({"Records": [record]}))[0].new
    assert new is not None
    return new


def test_golden_bytes_of_the_stored_form() -> None:
    table = re.findall(r"^\| `(\{.*\})` \| ?`?([0-9a-f ]*?)`? ?\|$", (ROOT / "docs/stored-form.md").read_text(), re.M)
    assert len(table) >= 20
    for typed, golden in table:
        item, body = of_json(json.loads(typed)), bytes.fromhex(golden)
        assert encode(item) == body, typed
        assert read_item(item_of(body)) == item, typed


def random_value(rng: random.Random, levels: int = 0) -> Any:
    def text() -> str:
        return "".join(rng.choice("aé\0\U0001f600z") for _ in range(rng.choice([0, 1, 5, 130])))

    def number() -> int | Decimal:
        digits = rng.randrange(10 ** rng.randrange(1, 38))
        choices: list[int | Decimal] = [digits, -digits, Decimal(digits).scaleb(-rng.randrange(60))]
        return rng.choice(choices)

    kind = rng.randrange(8 if levels > 3 else 10)
    match kind:
        case 0:
            return text()
        case 1 | 2:
            return number()
        case 3:
            return rng.randbytes(rng.choice([0, 3, 200]))
        case 4:
            return rng.choice([True, False, None])
        case 5:
            return {text() for _ in range(3)}
        case 6:
            return {number() for _ in range(3)}
        case 7:
            return {rng.randbytes(2) for _ in range(3)}
        case 8:
            return [random_value(rng, levels + 1) for _ in range(rng.randrange(4))]
        case _:
            return {text() + "x": random_value(rng, levels + 1) for _ in range(rng.randrange(4))}


def test_random_items_are_what_the_library_says_they_are() -> None:
    seed = random.randrange(2**32)
    rng = random.Random(seed)
    with kstone.open() as db:
        for _ in range(500):
            item = {f"a{i}": random_value(rng) for i in range(rng.randrange(6))}
            db["k"] = item
            typed = db.get_json("k")
            assert typed is not None
            assert db["k"] == item == of_json(json.loads(typed)), f"seed {seed}"


def test_an_item_knows_its_key_as_expressions_see_it() -> None:
    with kstone.open() as db:
        db["p"] = {}
        db["p", b"\xff"] = {}
        db[b"q", "s"] = {}
        keys = [(item.pk, item.sk, item.key) for item in db.scan()]
        assert sorted(keys, key=repr) == [
            ("p", None, "p"),
            ("p", b"\xff", ("p", b"\xff")),
            ("q", "s", ("q", "s")),
        ]
        assert all(db[key].key == key for key in db)


def test_items_are_copies() -> None:
    with kstone.open() as db:
        db["k"] = {"list": [1]}
        item = db["k"]
        item["list"].append(2)
        item["more"] = True
        assert db["k"] == {"list": [1]}
        db["k"] = item
        assert db["k"] == {"list": [1, 2], "more": True}


def test_bytes_look_the_same_in_json() -> None:
    with kstone.open() as db:
        db["k"] = {"b": b"\0\xff"}
        assert db.get_json("k") == '{"b":{"B":"AP8="}}'
