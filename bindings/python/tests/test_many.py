"""Many items, and one attribute, in one call."""

from decimal import Decimal
from typing import Any

import pytest

import kstone


def test_many_items_are_put_and_got_in_one_call() -> None:
    with kstone.open() as db:
        items = [((f"k{i}", "s"), {"n": i, "text": "x" * i}) for i in range(200)]
        db.put_many(items)
        keys: list[str | tuple[str, str]] = [*(key for key, _ in items), "k0", items[7][0]]
        found = db.get_many(keys)
        assert found[:200] == [item for _, item in items]
        assert found[200:] == [None, items[7][1]]
        assert found[7] is not None
        assert (found[7].pk, found[7].sk) == ("k7", "s")
        assert db.get_many([]) == []
        db.put_many([])
        db.put_many([("twice", {"n": 1}), ("twice", {"n": 2})])
        assert db.get("twice") == {"n": 2}


def test_a_wrong_element_is_named_and_nothing_is_put() -> None:
    with kstone.open() as db:
        for wrong in [("", {}), ("k" * 2049, {}), ("b", {"pk": "c"})]:
            with pytest.raises(kstone.Error) as caught:
                db.put_many([("a", {}), wrong, ("c", {})])
            assert caught.value.index == 1
        with pytest.raises(kstone.InvalidError) as caught:
            db.get_many(["a", ""])
        assert caught.value.index == 1
        with pytest.raises(TypeError):
            db.put_many([("a", {"n": 1.5})])
        wrong_pairs: list[Any] = [{"ab": {"n": 1}}, [("a",)], [("a", {}, "s")], [None]]
        for pairs in wrong_pairs:
            with pytest.raises(TypeError, match="pairs of a key and an item"):
                db.put_many(pairs)
        with pytest.raises(TypeError):
            db.get_many([5])  # type: ignore[list-item]
        assert len(db) == 0
    with pytest.raises(kstone.ClosedError):
        db.get_many(["a"])
    with pytest.raises(kstone.ClosedError):
        db.put_many([("a", {})])


def test_one_attribute_is_copied() -> None:
    item = {
        "n": 5, "d": Decimal("-1.5"), "b": b"\0\1", "t": True, "z": None, "l": ["a", {"deep": 1}], "s": {"x", "y"},
        "long": "x" * 10_000, "binary": b"y" * 3000,
    }  # fmt: skip
    with kstone.open() as db:
        db.put("p", item, "s")
        for name, value in item.items():
            assert db.get_attribute("p", name, "s", default="absent") == value
        assert db.get_attribute("p", "l[1].deep", "s") == 1
        assert db.get_attribute("p", "l[2]", "s") is None
        assert db.get_attribute("p", "no", "s", default=7) == 7
        assert db.get_attribute("p", "n", default=7) == 7
        with pytest.raises(kstone.InvalidError):
            db.get_attribute("p", "l[", "s")
    with pytest.raises(kstone.ClosedError):
        db.get_attribute("p", "n", "s")
