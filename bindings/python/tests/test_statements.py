"""PartiQL: statements, their parameters, pages and batches."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

import kstone


def test_statements_write_and_read(kstone_db: kstone.Database) -> None:
    db = kstone_db
    insert = "INSERT INTO items VALUE {'pk': ?, 'sk': ?, 'v': ?}"
    for value in ("text", Decimal("1.5"), b"\xff", True, None, [1, {"a": 2}], {"s"}, {1, 2}):
        assert list(db.execute(insert, ["p", repr(value), value])) == []
        assert db["p", repr(value)] == {"v": value}
    assert len(list(db.execute("SELECT * FROM items WHERE pk = 'p'"))) == 8
    row = db.execute("SELECT * FROM items WHERE pk = ? AND sk = ?", ("p", "True")).first()
    assert row == {"pk": "p", "sk": "True", "v": True}
    assert row is not None
    assert row.key == ("p", "True")
    db.execute("UPDATE items SET v = ? WHERE pk = 'p' AND sk = 'True'", [False])
    assert db["p", "True"] == {"v": False}
    db.execute("DELETE FROM items WHERE pk = 'p' AND sk = 'True'")
    assert ("p", "True") not in db


def test_a_row_that_is_no_item_has_no_key(kstone_db: kstone.Database) -> None:
    for i in range(4):
        kstone_db.put("p", {"n": i}, sk=str(i))
    row = kstone_db.execute("SELECT COUNT(*) AS c, SUM(n) AS s FROM items WHERE pk = 'p'").first()
    assert row == {"c": 4, "s": 6}
    assert row is not None
    assert (row.pk, row.sk) == ("", None)


def test_rows_go_on_from_page_to_page(kstone_db: kstone.Database) -> None:
    for i in range(40):
        kstone_db.put("p", {"i": i, "v": "x" * 100_000}, sk=f"{i:02}")
    select = "SELECT i FROM items WHERE pk = ?"
    rows = kstone_db.execute(select, ["p"])
    assert [row["i"] for row in rows] == list(range(40))
    assert [row["i"] for row in rows] == list(range(40)), "a second time"
    page = rows.page()
    assert page.token is not None
    assert 0 < page.count < 40
    rest = kstone_db.execute(select, ["p"], token=page.token)
    assert [row["i"] for row in page] + [row["i"] for row in rest] == list(range(40))
    kstone_db.close()
    with pytest.raises(kstone.ClosedError):
        list(rows)


def test_what_cannot_be_executed(kstone_db: kstone.Database) -> None:
    db: Any = kstone_db
    db["a"] = {}
    with pytest.raises(kstone.InvalidError, match="line 1"):
        db.execute("SELEC * FROM items")
    with pytest.raises(kstone.InvalidError) as caught:
        db.execute("SELECT * FROM elsewhere")
    assert caught.value.name == "ResourceNotFoundException"
    with pytest.raises(kstone.ConditionFailedError) as failed:
        db.execute("INSERT INTO items VALUE {'pk': 'a'}")
    assert failed.value.name == "DuplicateItemException"
    with pytest.raises(kstone.InvalidError):
        db.execute("SELECT * FROM items WHERE pk = ?", [])
    with pytest.raises(kstone.InvalidError):
        db.execute("SELECT * FROM items WHERE pk = ?", ["a", "b"])
    with pytest.raises(TypeError, match="params are a list or tuple"):
        db.execute("SELECT * FROM items WHERE pk = ?", "a")
    with pytest.raises(TypeError, match="a float is not exact"):
        db.execute("SELECT * FROM items WHERE n = ?", [1.5])
    with pytest.raises(TypeError, match="a token is bytes"):
        db.execute("SELECT * FROM items", token="t")
    with pytest.raises(kstone.InvalidError, match=r"[Tt]oken"):
        db.execute("SELECT * FROM items", token=b"nonsense")


def test_statements_in_batches_and_transactions(kstone_db: kstone.Database) -> None:
    db = kstone_db
    batch = db.batch()
    batch.execute("INSERT INTO items VALUE {'pk': 'a', 'n': ?}", [1])
    batch.execute("SELECT n FROM items WHERE pk = 'a'")
    batch.execute("SELECT n FROM items WHERE pk = ?", ["none"])
    assert batch.run() == [{"n": 1}, None]
    with pytest.raises(kstone.ConditionFailedError) as caught, db.transaction() as transaction:
        transaction.execute("UPDATE items SET n = 5 WHERE pk = 'a'")
        transaction.execute("EXISTS(SELECT * FROM items WHERE pk = 'b' AND n > 10)")
    assert caught.value.index == 1
    assert db["a"] == {"n": 1}
    with db.transaction() as transaction:
        transaction.execute("UPDATE items SET n = 5 WHERE pk = 'a'")
        with pytest.raises(kstone.InvalidError, match=r"operation 1 \(get\): .* mixed"):
            transaction.get("a")
    assert db["a"] == {"n": 5}
