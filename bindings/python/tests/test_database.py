"""Databases: like a dict, with conditions, closed once."""

from __future__ import annotations

import copy
import gc
import json
import pickle
import weakref
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

import kstone


def test_it_is_used_like_a_dict(kstone_db: kstone.Database) -> None:
    db = kstone_db
    db["ada"] = {"born": 1815}
    db[b"ada", "1843"] = {"title": "Notes"}
    db["bob", b"\xff\0"] = {}
    assert db["ada"] == {"born": 1815}
    assert db["ada", b"1843"] == {"title": "Notes"}
    assert db["bob", b"\xff\0"] == {}
    assert "ada" in db
    assert b"ada" in db
    assert ("ada", "1844") not in db
    assert len(db) == 3
    assert sorted(db, key=repr) == ["ada", ("ada", "1843"), ("bob", b"\xff\0")]
    del db["ada"]
    assert "ada" not in db
    assert len(db) == 2


def test_a_key_that_is_not_there_is_a_key_error(kstone_db: kstone.Database) -> None:
    with pytest.raises(KeyError, match="ada"):
        kstone_db["ada"]
    with pytest.raises(KeyError, match="1843"):
        del kstone_db["ada", "1843"]
    assert kstone_db.get("ada") is None
    kstone_db.delete("ada")


def test_an_empty_sort_key_is_none(kstone_db: kstone.Database) -> None:
    kstone_db["ada", ""] = {"v": 1}
    assert kstone_db["ada"].sk is None
    assert kstone_db.get("ada", b"") == {"v": 1}


@pytest.mark.parametrize(
    ("key", "error", "message"),
    [
        ("", kstone.InvalidError, "the partition key is empty"),
        (b"", kstone.InvalidError, "the partition key is empty"),
        ("k" * 2049, kstone.LimitError, "Partition key size"),
        (("k", "s" * 1025), kstone.LimitError, "Sort key size"),
        ("\ud800", kstone.InvalidError, "no UTF-8 text"),
        (1, TypeError, "a key is str or bytes, not int"),
        (("a", 1), TypeError, "a key is str or bytes, not int"),
        (("a", "b", "c"), TypeError, "not 3 parts"),
    ],
)
def test_a_key_that_cannot_be_is_refused_by_every_call(
    kstone_db: kstone.Database, key: Any, error: type[Exception], message: str
) -> None:
    def put() -> None:
        kstone_db[key] = {}

    def delete() -> None:
        del kstone_db[key]

    for call in (put, delete, lambda: kstone_db[key], lambda: key in kstone_db):
        with pytest.raises(error, match=message):
            call()
    assert len(kstone_db) == 0


def test_none_is_no_partition_key(kstone_db: kstone.Database) -> None:
    with pytest.raises(kstone.InvalidError, match="the partition key is empty"):
        kstone_db.get(None)  # type: ignore[arg-type]


def test_a_large_item_comes_back(kstone_db: kstone.Database) -> None:
    item = {f"a{i:03}": "x" * 1000 for i in range(390)}
    kstone_db["big"] = item
    assert kstone_db["big"] == item


def test_a_put_on_a_condition(kstone_db: kstone.Database) -> None:
    db = kstone_db
    absent = "attribute_not_exists(pk)"
    assert db.put("seat", {"who": "Ada"}, condition=absent, return_old=True) is None
    with pytest.raises(kstone.ConditionFailedError) as caught:
        db.put("seat", {"who": "Bob"}, condition=absent)
    assert caught.value.item == {"who": "Ada"}
    assert caught.value.item is not None
    assert caught.value.item.key == "seat"
    assert (caught.value.code, caught.value.name) == (-3, "ConditionalCheckFailedException")
    assert caught.value.index is None
    mine = {":me": "Ada", "#w": "who"}
    assert db.put("seat", {"who": "Eve"}, condition="#w = :me", params=mine, return_old=True) == {"who": "Ada"}
    assert db.put("seat", {"who": "Bob"}, return_old=True) == {"who": "Eve"}
    assert db["seat"] == {"who": "Bob"}


def test_a_delete_on_a_condition(kstone_db: kstone.Database) -> None:
    db = kstone_db
    db.put("a", {"n": 1}, sk="s")
    with pytest.raises(kstone.ConditionFailedError):
        db.delete("a", "s", condition="n > :n", params={":n": 1})
    assert db.delete("a", "s", condition="n = :n", params={":n": 1}, return_old=True) == {"n": 1}
    assert db.delete("a", "s", return_old=True) is None


def test_an_update_returns_what_is_asked_for(kstone_db: kstone.Database) -> None:
    db = kstone_db
    db["a"] = {"n": 1, "m": "x"}
    add = "ADD n :n"
    assert db.update("a", add, {":n": 1}) is None
    assert db.update("a", add, {":n": 1}, returns="ALL_OLD") == {"n": 2, "m": "x"}
    assert db.update("a", add, {":n": 1}, returns="UPDATED_OLD") == {"n": 3}
    assert db.update("a", add, {":n": 1}, returns="ALL_NEW") == {"n": 5, "m": "x"}
    assert db.update("a", add, {":n": 1}, returns="UPDATED_NEW") == {"n": 6}
    assert db.update("new", add, {":n": 1}, returns="ALL_OLD") is None
    with pytest.raises(kstone.ConditionFailedError):
        db.update("a", add, {":n": 1}, condition="n < :n")
    assert db.update("p", "SET v = :v", {":v": {"deep": [1]}}, "s", returns="ALL_NEW") == {"v": {"deep": [1]}}
    assert db["p", "s"].key == ("p", "s")


def test_what_is_wrong_with_a_request_is_said(kstone_db: kstone.Database) -> None:
    db: Any = kstone_db
    calls: list[tuple[Callable[[], object], type[Exception], str]] = [
        (lambda: db.put("a", {}, params={":v": 1}), kstone.InvalidError, "no condition that reads them"),
        (lambda: db.delete("a", params={":v": 1}), kstone.InvalidError, "no condition that reads them"),
        (lambda: db.put("a", {}, condition="v ="), kstone.InvalidError, "ConditionExpression"),
        (lambda: db.put("a", {}, condition=""), kstone.InvalidError, "empty"),
        (lambda: db.put("a", {}, condition="v = :v"), kstone.InvalidError, ":v"),
        (lambda: db.put("a", {}, condition="v = :v", params={":v": 1.5}), TypeError, "float is not exact"),
        (lambda: db.put("a", {}, condition=1), TypeError, "a text is str, not int"),
        (lambda: db.put("a", {}, condition="\ud800"), kstone.InvalidError, "no UTF-8 text"),
        (lambda: db.update("a", "SET"), kstone.InvalidError, "UpdateExpression"),
        (lambda: db.update("a", "SET v = :v", {":v": 1, ":w": 2}), kstone.InvalidError, ":w"),
        (lambda: db.update("a", "SET v = :v", {":v": 1}, returns="NEW"), kstone.InvalidError, "returns is 'NEW'"),
        (lambda: db.update("a", "SET v = :v", {":v": 1}, returns=[]), kstone.InvalidError, "returns is"),
        (lambda: db.update("a", "SET v = :v", [1]), TypeError, "params are a dict, not list"),
        (lambda: db.set_time(1.5), TypeError, "epoch_seconds is an int, not float"),
        (lambda: db.set_time(2**63), kstone.InvalidError, "epoch_seconds is 9223372036854775808"),
        (lambda: db.stream_read(-1), kstone.InvalidError, "after is -1"),
        (lambda: db.stream_read(max=-1), kstone.InvalidError, "max is -1"),
        (lambda: db.stream_read(), kstone.InvalidError, "stream"),
        (lambda: db.put_json("a", "{"), kstone.InvalidError, "line 1"),
        (lambda: db.configure({"colour": "red"}), kstone.InvalidError, "colour"),
    ]
    for call, error, message in calls:
        with pytest.raises(error, match=message):
            call()
    assert len(db) == 0


def test_options_that_cannot_be_are_refused() -> None:
    open_: Any = kstone.open
    calls: list[tuple[dict[str, Any], str]] = [
        ({"memtable_max_records": -1}, "memtable_max_records is -1"),
        ({"memtable_max_records": 70_000}, "memtable_max_records"),
        ({"memory_max_bytes": 2**64}, "memory_max_bytes is"),
        ({"memory_max_bytes": 1}, "memory_max_bytes"),
        ({"eviction": "lru"}, "eviction is 'lru', and may be one of NONE, LRU"),
        ({"eviction": "LRU"}, "memory_max_bytes"),
        ({"eviction": []}, "eviction is"),
        ({"schema": {"ttl_attribute": 1}}, "invalid schema: .* line 1 column 19"),
    ]
    for options, message in calls:
        with pytest.raises(kstone.InvalidError, match=message):
            open_(**options)
    with pytest.raises(TypeError, match="memory_max_bytes is an int, not float"):
        open_(memory_max_bytes=2e6)


def test_a_memory_limit_refuses_writes_or_makes_room() -> None:
    with kstone.open(memory_max_bytes=2**20) as db:
        with pytest.raises(kstone.LimitError, match="Memory"):
            for i in range(100_000):
                db[f"k{i}"] = {"v": "x" * 1000}
        assert db["k0"] == {"v": "x" * 1000}
    with kstone.open(memory_max_bytes=2**20, eviction="LRU", background_compaction=True) as db:
        for i in range(5_000):
            db[f"k{i}"] = {"v": "x" * 1000}
        assert db.stats()["evictions"] > 0
        assert "k4999" in db


def test_json_in_and_out(kstone_db: kstone.Database) -> None:
    db = kstone_db
    db.put_json("a", '{"n": 1.50, "l": [null, true]}', plain=True)
    db.put_json("a", '{"s": {"SS": ["b", "a"]}}', sk="s")
    assert db.get_json("a", plain=True) == '{"l":[null,true],"n":1.5}'
    assert json.loads(db.get_json("a", "s") or "") == {"s": {"SS": ["a", "b"]}}
    assert db.get_json("b") is None


def test_a_schema_comes_and_goes(kstone_db: kstone.Database) -> None:
    db = kstone_db
    db["ada"] = {"status": "active", "age": 36}
    db.configure({"global_indexes": [{"name": "by-status", "partition_key": "status", "sort_key": "age"}]})
    query = {":s": "active", ":a": 18, "#s": "status"}
    found = db.query(key="#s = :s AND age > :a", index="by-status", params=query)
    assert [user.key for user in found] == ["ada"]
    db.configure(None)
    with pytest.raises(kstone.InvalidError, match="by-status"):
        found.first()


def test_expired_items_are_not_there() -> None:
    with kstone.open({"ttl_attribute": "until"}) as db:
        db.set_time(1_000)
        db["a"] = {"until": 1_001}
        assert "a" in db
        db.set_time(2_000)
        assert "a" not in db
        assert len(db) == 0
        assert db.purge_expired() == 1
        assert db.purge_expired() == 0


def test_a_stream_tells_of_every_change() -> None:
    with kstone.open({"stream": {"view_type": "NEW_AND_OLD_IMAGES", "capacity": 3}, "ttl_attribute": "t"}) as db:
        value = {"b": b"\xff", "s": {1, 2}, "m": {"l": [None, True]}, "t": 100}
        db.set_time(1)
        db["a", b"\xff"] = value
        db["a", b"\xff"] = {"t": 100}
        db.set_time(1_000)
        db.purge_expired()
        first, second, third = db.stream_read()
        assert (first.event, first.pk, first.sk, first.old, first.by_ttl) == ("INSERT", "a", b"\xff", None, False)
        assert first.new == value
        assert (second.event, second.old, second.new) == ("MODIFY", value, {"t": 100})
        assert (third.event, third.new, third.by_ttl) == ("REMOVE", None, True)
        assert third.old is not None
        assert third.old.key == ("a", b"\xff")
        assert [change.sequence for change in db.stream_read(after=first.sequence, max=1)] == [second.sequence]
        assert db.stream_read(after=third.sequence) == []
        db["b"] = {}
        with pytest.raises(kstone.TrimmedError):
            db.stream_read()


def test_a_fork_and_its_origin_do_not_see_each_other(kstone_db: kstone.Database) -> None:
    kstone_db["a"] = {"v": 1}
    with kstone_db.fork() as fork:
        fork["a"] = {"v": 2}
        fork["b"] = {}
        kstone_db["c"] = {}
        assert (kstone_db["a"], fork["a"]) == ({"v": 1}, {"v": 2})
        assert "b" not in kstone_db
        assert "c" not in fork
        kstone_db.close()
        assert fork["a"] == {"v": 2}


def test_a_snapshot_brings_everything_back(tmp_path: Path) -> None:
    file = tmp_path / "all.kstone"
    with kstone.open({"local_indexes": [{"name": "by-n", "sort_key": "n"}]}) as db:
        db["a", "s"] = {"n": Decimal("1.5"), "s": {b"\xff"}}
        db.snapshot_save(file)
    with kstone.open() as db:
        db.snapshot_load(str(file))
        assert list(db.query("a", index="by-n")) == [{"n": Decimal("1.5"), "s": {b"\xff"}}]
        with pytest.raises(kstone.InvalidError):
            db.snapshot_load(file)
        with pytest.raises(kstone.FileError, match="no/such"):
            db.snapshot_save(tmp_path / "no/such/file")
        with pytest.raises(kstone.InvalidError):
            db.snapshot_save("")
    file.write_bytes(file.read_bytes()[:-1])
    with kstone.open() as db:
        with pytest.raises(kstone.CorruptError):
            db.snapshot_load(file)
        with pytest.raises(kstone.FileError):
            db.snapshot_load(tmp_path / "none")
        assert len(db) == 0


def test_items_are_exported_and_imported_as_json(kstone_db: kstone.Database, tmp_path: Path) -> None:
    file = tmp_path / "items.json"
    kstone_db["a", "s"] = {"n": Decimal("1.5"), "b": b"\xff"}
    kstone_db["b"] = {"n": 2}
    kstone_db.export_json(file)
    with kstone.open() as db:
        done = db.import_json(file)
        assert (done.loaded, done.skipped, done.reasons) == (2, 0, [])
        assert db["a", "s"] == {"n": Decimal("1.5"), "b": b"\xff"}
        assert len(db) == 2
    file.write_text('{"id":{"S":"x"},"day":{"S":"mon"},"v":{"N":"1"}}\nnonsense\n')
    with kstone.open() as db:
        with pytest.raises(kstone.CorruptError, match="2"):
            db.import_json(file, pk="id", sk="day")
        assert len(db) == 0
        done = db.import_json(file, pk="id", sk="day", skip=True)
        assert (done.loaded, done.skipped, len(done.reasons)) == (1, 1, 1)
        assert db["x", "mon"]["v"] == 1
        with pytest.raises(kstone.FileError):
            db.import_json(tmp_path / "none")
        with pytest.raises(kstone.InvalidError):
            db.import_json(file, pk="")


def test_maintenance_changes_no_answer(kstone_db: kstone.Database) -> None:
    for i in range(100):
        kstone_db[f"k{i}"] = {"v": i}
    kstone_db.flush()
    kstone_db.compact()
    stats = kstone_db.stats()
    assert stats["items"] == len(kstone_db) == 100
    assert stats["flushes"] > 0
    kstone_db.clear()
    assert len(kstone_db) == 0


def test_closing_twice_is_fine_and_use_afterwards_is_an_error() -> None:
    db = kstone.open()
    db["a"] = {"v": 1}
    results, now, transaction = db.scan(), db.scan().as_of_now(), db.transaction()
    transaction.put("b", {})
    assert not db.closed
    assert "open" in repr(db)
    db.close()
    db.close()
    assert db.closed
    assert "closed" in repr(db)
    calls: list[Callable[[], object]] = [
        lambda: db["a"],
        lambda: db.put("a", {}),
        lambda: db.put("a", {}, return_old=True),
        lambda: db.delete("a"),
        lambda: db.update("a", "REMOVE v"),
        lambda: "a" in db,
        lambda: len(db),
        lambda: list(results),
        lambda: results.as_of_now(),
        lambda: db.get_json("a"),
        db.fork,
        db.stats,
        db.clear,
        transaction.run,
    ]
    for call in calls:
        with pytest.raises(kstone.ClosedError, match="the database is closed"):
            call()
    assert list(now) == [{"v": 1}]


def test_a_with_block_closes_also_when_it_raises() -> None:
    with pytest.raises(ZeroDivisionError), kstone.open() as db:
        raise ZeroDivisionError
    assert db.closed


def test_what_is_not_closed_goes_with_its_last_reference() -> None:
    db = kstone.open()
    handle = weakref.ref(db._handle)
    results = db.scan()
    del db
    gc.collect()
    assert handle() is not None
    assert list(results) == []
    del results
    gc.collect()
    assert handle() is None


def test_a_database_is_no_value(kstone_db: kstone.Database) -> None:
    for use in (pickle.dumps, copy.copy, copy.deepcopy):
        for owner in (kstone_db, kstone_db.transaction(), kstone_db.batch()):
            with pytest.raises(TypeError, match="it cannot be pickled"):
                use(owner)


def test_items_and_errors_can_be_pickled_and_copied(kstone_db: kstone.Database) -> None:
    kstone_db["a", "b"] = {"v": {1, 2}}
    item = kstone_db["a", "b"]
    for same in (pickle.loads(pickle.dumps(item)), copy.copy(item), copy.deepcopy(item)):  # noqa: S301 - made here
        assert same == {"v": {1, 2}}
        assert same.key == ("a", "b")


def test_every_code_has_its_exception() -> None:
    codes = {cls.code for cls in kstone.Error.__subclasses__()}
    assert codes == set(range(-10, 0))
    assert issubclass(kstone.ClosedError, kstone.MisuseError)
