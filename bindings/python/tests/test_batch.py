"""Transactions and batches."""

from __future__ import annotations

from typing import Any

import pytest

import kstone


def test_a_transaction_is_all_or_nothing(kstone_db: kstone.Database) -> None:
    db = kstone_db
    db["ada"] = {"cents": 100}
    db["bob"] = {"cents": 0}

    def transfer(cents: int) -> None:
        with db.transaction() as moving:
            moving.update("ada", "SET cents = cents - :c", {":c": cents}, condition="cents >= :c")
            moving.update("bob", "SET cents = cents + :c", {":c": cents})
            assert len(moving) == 2
            assert db["bob"]["cents"] == 0, "nothing is done before the end"

    transfer(100)
    db["bob"] = {"cents": 0}
    with pytest.raises(kstone.ConditionFailedError) as caught:
        transfer(1)
    assert caught.value.index == 0
    assert caught.value.item == {"cents": 0}
    assert caught.value.name == "TransactionCanceledException"
    assert db["bob"] == {"cents": 0}


def test_every_operation_of_a_transaction(kstone_db: kstone.Database) -> None:
    db = kstone_db
    db["old"] = {"v": 1}
    db["guard"] = {"v": 1}
    with db.transaction() as all_of_them:
        all_of_them.put("new", {"v": 2}, "s", condition="attribute_not_exists(pk)")
        all_of_them.delete("old", condition="v = :v", params={":v": 1})
        all_of_them.check("guard", "v = :v", {":v": 1})
        all_of_them.update("up", "SET v = :v", {":v": 3}, "s")
        found = all_of_them.get("guard", "none")
        with pytest.raises(kstone.MisuseError, match="have not run yet"):
            _ = found.item
    assert found.item is None
    assert (db["new", "s"], db["up", "s"]) == ({"v": 2}, {"v": 3})
    assert "old" not in db


def test_gets_of_a_transaction_see_one_moment(kstone_db: kstone.Database) -> None:
    kstone_db["a"] = {"v": 1}
    with kstone_db.transaction() as reading:
        a, b = reading.get("a"), reading.get("b")
    assert a.item == {"v": 1}
    assert a.item is not None
    assert a.item.key == "a"
    assert b.item is None


def test_a_batch_does_one_after_the_other(kstone_db: kstone.Database) -> None:
    with kstone_db.batch() as batch:
        before = batch.get("a")
        batch.put("a", {"v": 1})
        after = batch.get("a")
    assert (before.item, after.item) == (None, {"v": 1})
    batch = kstone_db.batch()
    batch.put("b", {})
    batch.put("a", {}, condition="attribute_not_exists(pk)")
    batch.put("c", {})
    with pytest.raises(kstone.ConditionFailedError) as caught:
        batch.run()
    assert caught.value.index == 1
    assert caught.value.item == {"v": 1}
    assert sorted(kstone_db) == ["a", "b"]


def test_a_block_that_raises_does_nothing_and_one_without_operations_too(kstone_db: kstone.Database) -> None:
    with pytest.raises(ZeroDivisionError), kstone_db.transaction() as transaction:
        transaction.put("a", {})
        raise ZeroDivisionError
    assert len(kstone_db) == 0
    with kstone_db.transaction():
        pass
    with pytest.raises(kstone.InvalidError):
        kstone_db.transaction().run()


def test_it_may_be_run_again(kstone_db: kstone.Database) -> None:
    counting = kstone_db.transaction()
    counting.update("n", "ADD v :one", {":one": 1})
    for _ in range(3):
        counting.run()
    assert kstone_db["n"] == {"v": 3}


def test_after_the_block_it_is_closed(kstone_db: kstone.Database) -> None:
    with kstone_db.transaction() as transaction:
        transaction.put("a", {})
    transaction.close()
    for call in (lambda: transaction.put("b", {}), lambda: transaction.get("b"), transaction.run):
        with pytest.raises(kstone.ClosedError, match="the transaction is closed"):
            call()


@pytest.mark.parametrize(
    ("add", "error", "message"),
    [
        (lambda batch: batch.put("", {}), kstone.InvalidError, r"operation 1 \(put\)"),
        (lambda batch: batch.get("k" * 2049), kstone.LimitError, r"operation 1 \(get\)"),
        (lambda batch: batch.put("a", {"v": 1.5}), TypeError, "a float is not exact"),
        (lambda batch: batch.put("a", {}, condition=""), kstone.InvalidError, r"operation 1 \(put\)"),
        (lambda batch: batch.put("a", {}, params={":v": 1}), kstone.InvalidError, "no condition that reads them"),
        (lambda batch: batch.update("a", ""), kstone.InvalidError, r"operation 1 \(update\)"),
        (lambda batch: batch.check("a", None), TypeError, "a text is str, not NoneType"),
        (lambda batch: batch.update("a", "SET v = :v", {"v": 1}), kstone.InvalidError, r"operation 1 \(update\)"),
    ],
)
def test_what_cannot_be_added_is_refused_at_once(
    kstone_db: kstone.Database, add: Any, error: type[Exception], message: str
) -> None:
    batch = kstone_db.batch()
    batch.put("first", {})
    with pytest.raises(error, match=message) as caught:
        add(batch)
    if "operation" in message:
        assert isinstance(caught.value, kstone.Error)
        assert caught.value.index == 1
    assert len(batch) == 1
    batch.run()
    assert list(kstone_db) == ["first"]


def test_a_batch_takes_any_number_and_a_transaction_dynamodbs(kstone_db: kstone.Database) -> None:
    with kstone_db.batch() as batch:
        for i in range(1000):
            batch.put(f"k{i}", {})
    assert len(kstone_db) == 1000
    transaction = kstone_db.transaction()
    for i in range(101):
        transaction.put(f"other{i}", {})
    with pytest.raises(kstone.LimitError):
        transaction.run()
    assert len(kstone_db) == 1000
