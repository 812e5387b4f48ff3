"""Typed tables: items are put under their own keys, and shown whole by whatever shows them."""

from collections.abc import Iterator

import pytest

import kstone

SCHEMA: kstone.Schema = {
    "partition_key": {"name": "user", "type": "S"},
    "sort_key": {"name": "score", "type": "N"},
}
WHOLE = {"user": "ann", "score": 12, "won": True}


@pytest.fixture
def db() -> Iterator[kstone.Database]:
    with kstone.open(SCHEMA) as scores:
        scores.put_item(WHOLE)
        yield scores


def test_whatever_shows_an_item_shows_it_whole(db: kstone.Database) -> None:
    found = db.get("ann", "12")
    assert found == WHOLE
    assert found is not None
    assert (found.pk, found.sk) == ("ann", "12")
    assert list(found) == ["score", "user", "won"]
    assert db.get("ann", "1.2e1") == WHOLE
    assert db.get_many([("ann", "12.0"), ("ann", "13")]) == [WHOLE, None]
    assert list(db.query("ann")) == [WHOLE]
    assert list(db.scan()) == [WHOLE]
    with db.batch() as batch:
        looked_up = batch.get("ann", "12")
    assert looked_up.item == WHOLE
    assert db.get_json("ann", "12", plain=True) == '{"score":12,"user":"ann","won":true}'
    with pytest.raises(kstone.ConditionFailedError) as caught:
        db.put("ann", {}, "12", condition="score < :n", params={":n": 5})
    assert caught.value.item == WHOLE
    assert db.update("ann", "SET b = score", sk="12", returns="ALL_NEW") == {**WHOLE, "b": 12}
    assert db.put("ann", {"v": 1}, "12", return_old=True) == {**WHOLE, "b": 12}


def test_what_is_no_key_is_refused_by_name(db: kstone.Database) -> None:
    with pytest.raises(kstone.InvalidError, match="Missing the key score"):
        db.put_item({"user": "ann"})
    with pytest.raises(kstone.InvalidError, match="score"):
        db.get("ann")
    with pytest.raises(kstone.ConditionFailedError), db.transaction() as transaction:
        transaction.put_item(WHOLE, condition="attribute_not_exists(score)")
    with db.batch() as batch:
        batch.put_item({"user": "bob", "score": 1})
        assert len(batch) == 1
    assert db.get("bob", "1.0") == {"user": "bob", "score": 1}


def test_an_untyped_table_takes_pk_and_sk() -> None:
    with kstone.open() as untyped:
        untyped.put_item({"pk": "a", "sk": "b", "v": 1})
        assert untyped.get("a", "b") == {"pk": "a", "sk": "b", "v": 1}
        with pytest.raises(kstone.InvalidError, match="Missing the key pk"):
            untyped.put_item({"v": 1})
